"""Tables of the back-orders: what waits for pieces to come, and what was released to it."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id


class BackOrder(Base):
    """Pieces of one sale at one place that nothing on hand covered: ``waiting`` of them still do, the others
    were released, or given up."""

    __tablename__ = "back_order"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND waiting >= 0 AND let_go >= 0", name="signs"),
        CheckConstraint("waiting + let_go <= quantity", name="pieces"),
        UniqueConstraint("level_id", "reference"),
        Index("ix_back_order_reference", "reference"),
        Index(
            "ix_back_order_waiting",
            "level_id",
            "since",
            "id",
            sqlite_where=text("waiting > 0"),
            postgresql_where=text("waiting > 0"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    level_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("stock_level.id"))
    #: Of the sale, as its movements have it.
    reference: Mapped[str] = mapped_column(String(80))
    quantity: Mapped[int]
    waiting: Mapped[int]
    let_go: Mapped[int] = mapped_column(default=0)
    #: When it was sold: the oldest is covered first.
    since: Mapped[datetime]


class BackOrderRelease(Base):
    """So many pieces were released to a back-order. A ``batch`` is one act for one sale."""

    __tablename__ = "back_order_release"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_back_order_release_back_order_id", "back_order_id"),
        Index("ix_back_order_release_batch", "batch"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    back_order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("back_order.id"))
    quantity: Mapped[int]
    batch: Mapped[uuid.UUID]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))


guards.append_only(BackOrderRelease.__table__)
