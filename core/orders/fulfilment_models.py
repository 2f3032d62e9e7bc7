"""Tables of what becomes of an order's pieces: sent, done, cancelled, taken back, changed, exchanged."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Who may follow whom: a cancellation, or a change of what was ordered, is done at once; a return is asked
#: for by the customer, or announced by staff at once, and then received. What is only asked for counts no
#: piece.
CHANGE = {
    "asked": ("announced", "declined"),
    "announced": ("done", "withdrawn"),
    "declined": (),
    "done": (),
    "withdrawn": (),
}
CANCEL_REASONS = ("changed_mind", "not_available", "ordered_twice", "other")
#: Of what goes out instead of what comes back: wanted by the customer, held once that is agreed, added to
#: the order with the return or before it, or let go.
EXCHANGE = {
    "wanted": ("held", "added", "let_go"),
    "held": ("added", "let_go"),
    "added": (),
    "let_go": (),
}
RETURN_REASONS = ("damaged", "wrong_item", "not_as_described", "changed_mind", "other")


class Fulfilment(Base):
    """A ``parcel`` that left, a ``pickup`` that was handed over, or a ``provision``: digital goods, plans and
    visits that were done."""

    __tablename__ = "fulfilment"
    __table_args__ = (
        CheckConstraint("kind IN ('parcel', 'pickup', 'provision')", name="kind"),
        CheckConstraint("kind = 'parcel' OR tracking_number = ''", name="tracked"),
        CheckConstraint("kind <> 'provision' OR delivered_at IS NULL", name="delivered"),
        CheckConstraint("asked_at IS NULL OR delivered_at IS NOT NULL", name="asked"),
        Index("ix_fulfilment_delivered_at", "delivered_at"),
        UniqueConstraint("order_id", "number"),
        Index("ix_fulfilment_at", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"))
    #: Counted within the order, from 1.
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(10))
    carrier: Mapped[str] = mapped_column(String(60), default="")
    tracking_number: Mapped[str] = mapped_column(String(80), default="")
    #: Where it can be followed; empty where nobody knows.
    tracking_link: Mapped[str] = mapped_column(String(400), default="")
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    #: Names the request: asked twice under one name, it happens once.
    once: Mapped[str] = mapped_column(String(80), unique=True)
    #: Of a parcel: when it arrived, as far as anybody told; what was fetched is there at once. And when its
    #: customer was asked about it.
    delivered_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]


class FulfilmentLine(Base):
    """So many pieces of one order line were in it."""

    __tablename__ = "fulfilment_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_fulfilment_line_order_line_id", "order_line_id"),
    )

    fulfilment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("fulfilment.id"), primary_key=True)
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    quantity: Mapped[int]


class OrderChange(Base):
    """A change after placing: pieces are cancelled before they left, or come back afterwards; or what was
    ordered is another now, with pieces given up (its lines) and pieces added (order lines that name it)."""

    __tablename__ = "order_change"
    __table_args__ = (
        CheckConstraint("kind IN ('cancellation', 'return', 'change')", name="kind"),
        CheckConstraint(
            "state IN ('asked', 'announced', 'declined', 'done', 'withdrawn')", name="state"
        ),
        CheckConstraint("kind = 'return' OR state = 'done'", name="cancelled_at_once"),
        CheckConstraint("(state IN ('asked', 'announced')) = (done_at IS NULL)", name="done"),
        CheckConstraint("answer = '' OR state = 'declined'", name="answered"),
        CheckConstraint("details IS NULL OR kind = 'change'", name="details"),
        CheckConstraint("refund_to IN ('usual', 'gift_card', 'credit', 'kept')", name="refund_to"),
        UniqueConstraint("order_id", "number"),
        Index("ix_order_change_asked_at", "asked_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"))
    #: Counted within the order, from 1; a return's number for people is made of it.
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(30))
    note: Mapped[str] = mapped_column(String(300), default="")
    #: What the customer was told when their wish was declined.
    answer: Mapped[str] = mapped_column(String(300), default="")
    #: Where the money goes first; ``kept``: it stays the customer's credit.
    refund_to: Mapped[str] = mapped_column(String(10))
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(String(80))
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(80))
    #: Names the request: asked twice under one name, it happens once.
    once: Mapped[str] = mapped_column(String(80), unique=True)
    #: Of a change: what it came to (``difference_minor``), and place and way before and after.
    details: Mapped[dict[str, Any] | None]


class OrderChangeLine(Base):
    """So many pieces of one order line. Of a return: whether they went back to stock."""

    __tablename__ = "order_change_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_order_change_line_order_line_id", "order_line_id"),
    )

    change_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_change.id"), primary_key=True)
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    quantity: Mapped[int]
    restocked: Mapped[bool] = mapped_column(default=False)


class OrderChangeMemo(Base):
    """A credit memo that a change brought, by the document's key."""

    __tablename__ = "order_change_memo"

    memo_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    change_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_change.id"), index=True)


class OrderExchange(Base):
    """What goes out instead of what a return brings back."""

    __tablename__ = "order_exchange"
    __table_args__ = (
        CheckConstraint("state IN ('wanted', 'held', 'added', 'let_go')", name="state"),
        CheckConstraint("sends IN ('after', 'before')", name="sends"),
    )

    change_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_change.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    #: Whether it leaves after the returned goods are here, or before.
    sends: Mapped[str] = mapped_column(String(6))


class OrderExchangeLine(Base):
    """For the pieces of one line that come back, as many of this go out."""

    __tablename__ = "order_exchange_line"
    __table_args__ = (
        CheckConstraint("unit_price_micros IS NULL OR unit_price_micros >= 0", name="price"),
        UniqueConstraint("change_id", "order_line_id"),
    )

    #: Holds for it name this.
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    change_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_exchange.change_id"))
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_line.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    sku: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    #: What one costs, agreed when it was asked for; None: what comes back pays for it, to the cent.
    unit_price_micros: Mapped[int | None]


guards.append_only(FulfilmentLine.__table__)
guards.append_only(OrderChangeMemo.__table__)
