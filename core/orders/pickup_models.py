"""Tables of what is fetched: pieces that lie ready at a place until somebody comes for them."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class PickUp(Base):
    """Pieces of an order that lie ready at a place: handed over, or put back, in the end.

    While they are ``ready`` they count as waiting, and stand in the stock as sold.
    """

    __tablename__ = "pick_up"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'collected', 'put_back')", name="state"),
        CheckConstraint("(state = 'ready') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(state = 'collected') = (fulfilment_id IS NOT NULL)", name="collected"),
        UniqueConstraint("order_id", "number"),
        Index(
            "ix_pick_up_ready",
            "ready_at",
            "id",
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"))
    #: Counted within the order, from 1.
    number: Mapped[int]
    location_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("location.id"))
    state: Mapped[str] = mapped_column(String(10), default="ready")
    ready_at: Mapped[datetime]
    ready_by: Mapped[str] = mapped_column(String(80))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(80))
    #: What was written when they were handed over.
    fulfilment_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("fulfilment.id"), unique=True
    )
    #: Names the request: asked twice under one name, it happens once.
    once: Mapped[str] = mapped_column(String(80), unique=True)


class PickUpLine(Base):
    """So many pieces of one order line lie there."""

    __tablename__ = "pick_up_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_pick_up_line_order_line_id", "order_line_id"),
    )

    pick_up_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pick_up.id"), primary_key=True)
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    quantity: Mapped[int]
