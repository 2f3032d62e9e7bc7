"""Tables of the stock. The level's CHECK is the last word on overselling."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id


class Location(Base):
    """A warehouse or a shop."""

    __tablename__ = "location"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))


class StockLevel(Base):
    """Pieces of one variant at one location. ``held`` counts active holds, lapsed ones included
    until somebody expires them; ``allocated`` is sold and not yet gone."""

    __tablename__ = "stock_level"
    __table_args__ = (
        UniqueConstraint("variant_id", "location_id"),
        CheckConstraint("held >= 0 AND allocated >= 0 AND backorder_limit >= 0", name="signs"),
        CheckConstraint("on_hand >= 0 AND low_at >= 0", name="pieces"),
        CheckConstraint("on_hand - allocated - held + backorder_limit >= 0", name="not_oversold"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    location_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("location.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    on_hand: Mapped[int] = mapped_column(default=0)
    allocated: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    backorder_limit: Mapped[int] = mapped_column(default=0)
    #: From so few pieces that can be had on, it is marked as low.
    low_at: Mapped[int] = mapped_column(default=0)


class Hold(Base):
    """Pieces kept for somebody until ``expires_at``: timed, and no sale yet."""

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("owner_kind IN ('cart', 'quote', 'order')", name="owner_kind"),
        CheckConstraint("state IN ('active', 'released', 'lapsed', 'allocated')", name="state"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_hold_owner", "owner_kind", "owner_id"),
        Index(
            "ix_hold_active",
            "level_id",
            "expires_at",
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"))
    owner_kind: Mapped[str] = mapped_column(String(10))
    #: The cart's, quote's or order's key.
    owner_id: Mapped[uuid.UUID]
    #: The line it stands for.
    line_id: Mapped[uuid.UUID]
    quantity: Mapped[int]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="active")
    created_at: Mapped[datetime]


class StockMovement(Base):
    """Every change of ``on_hand`` and ``allocated``, append-only: they sum to the levels."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('received', 'adjusted', 'allocated', 'deallocated', 'shipped', 'returned')",
            name="kind",
        ),
        Index("ix_stock_movement_level_id", "level_id"),
        Index("ix_stock_movement_reference", "reference"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"))
    kind: Mapped[str] = mapped_column(String(15))
    on_hand: Mapped[int] = mapped_column(default=0)
    allocated: Mapped[int] = mapped_column(default=0)
    reference: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    #: Of an adjustment: who said so, and why.
    actor: Mapped[str | None] = mapped_column(String(80))
    note: Mapped[str | None] = mapped_column(String(200))


class LogicalResource(Base):
    """A number, an address or a licence key that is given to one service at a time."""

    __tablename__ = "logical_resource"
    __table_args__ = (
        CheckConstraint("state IN ('free', 'reserved', 'assigned', 'quarantined')", name="state"),
        UniqueConstraint("kind", "value"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12), default="free")
    owner_id: Mapped[uuid.UUID | None]
    until: Mapped[datetime | None]


guards.append_only(StockMovement.__table__)
