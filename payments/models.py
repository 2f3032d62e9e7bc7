"""Tables of the payments: what we asked the processor, what it told us, the money that came, and the cards
on file."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: An operation that is not settled yet.
OPEN_STATES = ("pending", "sent", "indeterminate")
#: A charge of a bill that may still take money: there is one at a time.
_UNDER_WAY = "kind = 'charge' AND state IN ('pending', 'sent', 'indeterminate')"


class PaymentOperation(Base):
    """One thing asked of the processor: written and committed before the call, keyed, retried from here."""

    __tablename__ = "payment_operation"
    __table_args__ = (
        CheckConstraint("kind IN ('checkout', 'refund', 'setup', 'charge')", name="kind"),
        CheckConstraint(
            "state IN ('pending', 'sent', 'succeeded', 'failed', 'expired', 'indeterminate')",
            name="state",
        ),
        CheckConstraint("amount_minor > 0 OR kind = 'setup'", name="positive"),
        CheckConstraint("amount_minor = 0 OR kind <> 'setup'", name="setup_takes_nothing"),
        CheckConstraint(
            "kind <> 'charge' OR (payment_method_id IS NOT NULL AND "
            "(invoice_id IS NULL) <> (scheduled_payment_id IS NULL))",
            name="charge_of_a_bill",
        ),
        Index(
            "uq_payment_operation_charge_under_way",
            "invoice_id",
            unique=True,
            sqlite_where=text(_UNDER_WAY),
            postgresql_where=text(_UNDER_WAY),
        ),
        Index(
            "uq_payment_operation_scheduled_under_way",
            "scheduled_payment_id",
            unique=True,
            sqlite_where=text(_UNDER_WAY),
            postgresql_where=text(_UNDER_WAY),
        ),
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
    #: The bill that a card on file is charged for.
    invoice_id: Mapped[uuid.UUID | None]
    #: Or the ``scheduled_payment`` that it is made for, of whatever that is for.
    scheduled_payment_id: Mapped[uuid.UUID | None]
    #: The card that is charged, or that was put on file.
    payment_method_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payment_method.id"))
    payment_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payment.id"))
    #: Zero for a set-up.
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
    #: Why a charge failed, as a code: the bank's decline code where there is one.
    failure: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Payment(Base):
    """Money captured at the processor. Where it went is in the ledger."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        UniqueConstraint("legal_entity_id", "number"),
        Index("ix_payment_account_id", "account_id", "captured_at", "id"),
        Index("ix_payment_captured_at", "captured_at"),
        Index("ix_payment_amount_minor", "amount_minor", "id"),
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


class PaymentCustomer(Base):
    """An account at the processor: its cards are kept together there.

    Written before the processor is asked; ``gateway_id`` is its answer.
    """

    __tablename__ = "payment_customer"

    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    op_key: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    gateway_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    #: The card that its owner chose as the first; None: the one that was put on file last.
    default_method_id: Mapped[uuid.UUID | None]
    created_at: Mapped[datetime]


class PaymentMethod(Base):
    """A card on file at the processor, as it tells of it. Its number never comes here."""

    __tablename__ = "payment_method"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'detached')", name="state"),
        CheckConstraint("(state = 'detached') = (detached_at IS NOT NULL)", name="detached"),
        CheckConstraint("exp_month BETWEEN 1 AND 12", name="exp_month"),
        Index("ix_payment_method_account_id", "account_id", "created_at"),
        Index("ix_payment_method_fingerprint_digest", "fingerprint_digest"),
        Index("ix_payment_method_expires", "exp_year", "exp_month"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    gateway_customer_id: Mapped[str] = mapped_column(String(120))
    gateway_id: Mapped[str] = mapped_column(String(120), unique=True)
    brand: Mapped[str] = mapped_column(String(20))
    last4: Mapped[str] = mapped_column(String(4))
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    #: The same for the same card, whoever saved it: a digest of the processor's fingerprint.
    fingerprint_digest: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), default="active")
    created_at: Mapped[datetime]
    detached_at: Mapped[datetime | None]
    #: When its owner was told that it is about to expire.
    expiry_told_at: Mapped[datetime | None]


class Authorisation(Base):
    """What somebody agreed to about a card on file, word for word. It only ever ends.

    Kept for two years past its end at least; nothing deletes it.
    """

    __tablename__ = "authorisation"
    __table_args__ = (
        Index("ix_authorisation_payment_method_id", "payment_method_id"),
        Index("ix_authorisation_subject", "subject"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    payment_method_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payment_method.id"))
    #: The set-up in which it was given; None: later, for a card that was on file.
    operation_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("payment_operation.id"), unique=True
    )
    #: What the card may be charged for: ``trial``, ``autopay`` …, and for which one: ``trial:<id>``.
    purpose: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(80))
    #: Exactly what was shown, and which version of it.
    text: Mapped[str] = mapped_column(Text)
    text_version: Mapped[str] = mapped_column(String(40))
    #: The network address that it came from.
    address: Mapped[str] = mapped_column(String(45))
    agreed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


guards.only_ends(Authorisation.__table__, "ended_at")


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


class ReconcileRun(Base):
    """One round of the reconciler, as it ended. Rounds that found nothing are forgotten after some days."""

    __tablename__ = "reconcile_run"
    __table_args__ = (Index("ix_reconcile_run_ended_at", "ended_at", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    #: ``system`` by the clock, else who asked.
    actor: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    #: Operations and refunds that were looked at, and the processor's events that were new to us.
    looked_at: Mapped[int]
    found: Mapped[int]
    #: Brought to their end, and not: nobody knows yet what became of them.
    mended: Mapped[int]
    indeterminate: Mapped[int]


class ReconcileFinding(Base):
    """What a round did about one thing."""

    __tablename__ = "reconcile_finding"
    __table_args__ = (
        CheckConstraint("outcome IN ('mended', 'open', 'problem')", name="outcome"),
        Index("ix_reconcile_finding_run_id", "run_id", "position"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("reconcile_run.id"))
    position: Mapped[int]
    #: ``checkout``, ``charge``, ``refund``, ``setup``, ``events``.
    kind: Mapped[str] = mapped_column(String(20))
    operation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("payment_operation.id"))
    outcome: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text, default="")


class ReconcileCursor(Base):
    """How far the processor's list of events was read."""

    __tablename__ = "reconcile_cursor"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    position: Mapped[datetime]
