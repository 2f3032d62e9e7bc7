"""Tables of payments that are made without their payer: AutoPay's rules, and the payments that wait for their
day or for another try."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Who may follow whom. Money that turns up is taken down whatever the state, so all lead to ``paid``.
TRANSITIONS = {
    "planned": ("retrying", "waiting", "failed", "paid", "nothing_due", "cancelled"),
    "retrying": ("retrying", "waiting", "failed", "paid", "nothing_due", "cancelled"),
    "waiting": ("retrying", "waiting", "failed", "paid", "nothing_due", "cancelled"),
    "failed": ("retrying", "waiting", "failed", "paid", "nothing_due", "cancelled"),
    "paid": (),
    "nothing_due": ("paid",),
    "cancelled": ("paid",),
}
#: It may still be tried by itself.
TRIED = ("planned", "retrying")
#: Its payer is asked for something, or has to pay in another way.
STUCK = ("waiting", "failed")
OPEN = (*TRIED, *STUCK)
_UPCOMING = "state = 'planned' AND origin = 'autopay'"


class AutoPayRule(Base):
    """Everything that an account owes is charged to a card on the day it is due, until it is stopped.

    There is one that runs for an account; another card, and it is another rule.
    """

    __tablename__ = "autopay_rule"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'stopped')", name="state"),
        CheckConstraint("(state = 'stopped') = (stopped_at IS NOT NULL)", name="stopped"),
        Index(
            "uq_autopay_rule_active",
            "account_id",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        Index("ix_autopay_rule_payment_method_id", "payment_method_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    payment_method_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payment_method.id"))
    #: What was agreed to.
    authorisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("authorisation.id"))
    state: Mapped[str] = mapped_column(String(10), default="active")
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(80))
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[str | None] = mapped_column(String(80))


class ScheduledPayment(Base):
    """A charge of a card that is to be made: on a day, or again after it was declined.

    ``customer``: asked for once. ``autopay``: made by a rule. ``bill``: a bill of a service that is charged
    to its card by itself; its row is there from the first time that the card was declined, or that some of it
    could not be charged as it was disputed.
    """

    __tablename__ = "scheduled_payment"
    __table_args__ = (
        CheckConstraint("origin IN ('customer', 'autopay', 'bill')", name="origin"),
        CheckConstraint("wants IN ('balance', 'amount', 'bills')", name="wants"),
        CheckConstraint(
            "state IN ('planned', 'retrying', 'waiting', 'failed', 'paid', 'nothing_due', 'cancelled')",
            name="state",
        ),
        CheckConstraint("(wants = 'amount') = (amount_minor IS NOT NULL)", name="amount"),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("(origin = 'autopay') = (rule_id IS NOT NULL)", name="of_a_rule"),
        CheckConstraint("(origin = 'bill') = (invoice_id IS NOT NULL)", name="of_a_bill"),
        CheckConstraint("origin = 'bill' OR authorisation_id IS NOT NULL", name="agreed"),
        CheckConstraint("(state IN ('planned', 'retrying')) = (next_at IS NOT NULL)", name="next"),
        CheckConstraint(
            "(state IN ('paid', 'nothing_due', 'cancelled')) = (closed_at IS NOT NULL)",
            name="closed",
        ),
        Index(
            "uq_scheduled_payment_upcoming",
            "rule_id",
            "on_date",
            unique=True,
            sqlite_where=text(_UPCOMING),
            postgresql_where=text(_UPCOMING),
        ),
        Index("ix_scheduled_payment_account_id", "account_id", "created_at"),
        Index("ix_scheduled_payment_payment_method_id", "payment_method_id"),
        Index("ix_scheduled_payment_due", "state", "next_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    payment_method_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payment_method.id"))
    authorisation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("authorisation.id"))
    origin: Mapped[str] = mapped_column(String(10))
    rule_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("autopay_rule.id"))
    invoice_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    wants: Mapped[str] = mapped_column(String(10))
    amount_minor: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3))
    #: Of ``bills``: which, as text. Of AutoPay: those that its notice named.
    invoice_ids: Mapped[list[Any]] = mapped_column(default=list)
    #: A day of the account's own calendar.
    on_date: Mapped[date]
    state: Mapped[str] = mapped_column(String(12), default="planned")
    #: How often a card was tried and declined.
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    #: When its payer was told of it ahead, and of which amount: no more than that is charged by AutoPay.
    noticed_at: Mapped[datetime | None]
    noticed_minor: Mapped[int | None]
    #: Why the last try took no money, as a code.
    failure: Mapped[str | None] = mapped_column(String(60))
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    closed_at: Mapped[datetime | None]
