"""Tables of the payments: what we asked the processor, what it told us, and the money that came."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class PaymentOperation(Base):
    """One thing asked of the processor: written and committed before the call, keyed, retried from here."""

    __tablename__ = "payment_operation"
    __table_args__ = (
        CheckConstraint("kind IN ('checkout', 'refund')", name="kind"),
        CheckConstraint(
            "state IN ('pending', 'sent', 'succeeded', 'failed', 'expired', 'indeterminate')",
            name="state",
        ),
        CheckConstraint("amount_minor > 0", name="positive"),
        Index("ix_payment_operation_order_id", "order_id"),
        Index("ix_payment_operation_gateway_id", "gateway_id"),
        Index("ix_payment_operation_due", "state", "next_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    op_key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    order_id: Mapped[uuid.UUID | None]
    payment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payment.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    #: The request as it was frozen; every attempt sends exactly this.
    request: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(15), default="pending")
    gateway_id: Mapped[str | None] = mapped_column(String(120))
    redirect_url: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Payment(Base):
    """Money captured at the processor. Where it went is in the ledger."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        UniqueConstraint("legal_entity_id", "number"),
        Index("ix_payment_account_id", "account_id", "captured_at"),
        Index("ix_payment_captured_at", "captured_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    number: Mapped[str] = mapped_column(String(40))
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    operation_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    order_id: Mapped[uuid.UUID | None]
    gateway_id: Mapped[str] = mapped_column(String(120), unique=True)
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    #: In words, for receipts: brand and last four digits.
    instrument: Mapped[str] = mapped_column(String(80), default="")
    captured_at: Mapped[datetime]


#: Who may follow whom. A refund that was paid out may still come back, days later.
REFUND = {
    "requested": ("sent", "succeeded", "failed"),
    "sent": ("succeeded", "failed"),
    "succeeded": ("failed",),
    "failed": (),
}


class Refund(Base):
    """Money that goes back, once per operation: in the ledger as soon as it is requested, so that nothing
    else takes it; one that failed is posted back."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("state IN ('requested', 'sent', 'succeeded', 'failed')", name="state"),
        CheckConstraint("(state = 'failed') = (failed_at IS NOT NULL)", name="failed"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payment.id"), index=True)
    operation_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    #: The processor's, once it took it.
    gateway_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10), default="requested")
    #: When it was requested.
    refunded_at: Mapped[datetime]
    failed_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(200))


class InboundEvent(Base):
    """What the processor told: stored once by its id; nothing in it is trusted but ids."""

    __tablename__ = "inbound_event"
    __table_args__ = (
        CheckConstraint("state IN ('received', 'applied', 'ignored')", name="state"),
        Index("ix_inbound_event_received_at", "received_at"),
    )

    event_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    type: Mapped[str] = mapped_column(String(80))
    object_type: Mapped[str] = mapped_column(String(60))
    object_id: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10), default="received")
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class ReconcileCursor(Base):
    """How far the processor's list of events was read."""

    __tablename__ = "reconcile_cursor"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[datetime]
