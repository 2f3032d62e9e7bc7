"""What was heard of chargebacks: one row each, which only moves on. What they do to the books is ledger's.

Called by ``flows.hear_chargeback`` and read by the desk.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    and_,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.events import ChargebackMoved
from core.kernel import jobs
from core.kernel.db import Base, insert_once
from core.kernel.errors import NotFound
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.kernel.sorting import Place, Sorts
from core.parties.listing import called
from core.parties.models import Account
from payments.models import Payment
from payments.network import NetworkChargeback

#: How far it has come; what is heard late never leads back. Only what was lost may be won yet, on appeal.
RANK = {"warned": 0, "open": 1, "ended": 2, "won": 2, "lost": 2}
#: What the network's words mean to us. An appeal is still open.
STATES = {
    "warning_needs_response": "warned",
    "warning_under_review": "warned",
    "warning_closed": "ended",
    "prevented": "ended",
    "needs_response": "open",
    "under_review": "open",
    "appeal_needs_response": "open",
    "appeal_under_review": "open",
    "won": "won",
    "lost": "lost",
}
#: The network's words for why, in a sentence.
REASONS = {
    "bank_cannot_process": "their bank could not process it",
    "check_returned": "the check came back",
    "credit_not_processed": "they say that a refund was promised and did not come",
    "customer_initiated": "they asked their bank to take it back",
    "debit_not_authorized": "they say that they did not allow the debit",
    "duplicate": "they say that they paid twice",
    "fraudulent": "they say that they did not make this payment",
    "general": "their bank gives no reason",
    "incorrect_account_details": "the account’s details are wrong",
    "insufficient_funds": "there was too little money on the account",
    "noncompliant": "it is against the network’s rules",
    "product_not_received": "they say that they did not get what they paid for",
    "product_unacceptable": "they say that what they got is not what was sold",
    "subscription_canceled": "they say that they had cancelled",
    "unrecognized": "they do not recognize the payment",
}
TABS = ("open", "warned", "won", "lost", "ended")


class ChargebackRow(Base):
    """A chargeback as it was heard last. ``trouble``: why the books could not follow it."""

    __tablename__ = "chargeback"
    __table_args__ = (
        CheckConstraint("state IN ('warned', 'open', 'won', 'lost', 'ended')", name="state"),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("fee_minor >= 0 AND fee_back_minor >= 0", name="fee"),
        CheckConstraint(
            "(state IN ('won', 'lost', 'ended')) = (closed_at IS NOT NULL)", name="closed"
        ),
        Index("ix_chargeback_payment_id", "payment_id"),
        Index("ix_chargeback_state", "state", "opened_at", "id"),
        Index("ix_chargeback_opened_at", "opened_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    gateway_id: Mapped[str] = mapped_column(String(120), unique=True)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payment.id"))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    fee_minor: Mapped[int] = mapped_column(default=0)
    fee_back_minor: Mapped[int] = mapped_column(default=0)
    #: The network's word for why.
    reason: Mapped[str] = mapped_column(String(60), default="")
    state: Mapped[str] = mapped_column(String(10))
    evidence_due: Mapped[datetime | None]
    #: When we heard that the network has our evidence.
    answered_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime]
    heard_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


def payment_of(session: Session, gateway_id: str) -> Payment | None:
    """The payment that the processor means; None when it is none of ours."""
    return session.scalar(select(Payment).where(Payment.gateway_id == gateway_id))


def note(
    session: Session, told: NetworkChargeback, payment: Payment, now: datetime
) -> ChargebackRow:
    """The chargeback's row, locked, with what is told of it now; what is told late changes nothing.

    What is new of it is told on. The caller holds the payer's account.
    """
    state = STATES[told.status]
    is_closed = RANK[state] == 2
    known = session.scalar(select(ChargebackRow.state).where(ChargebackRow.gateway_id == told.id))
    insert_once(
        session,
        ChargebackRow,
        id=new_id(),
        public_id=new_public_id(),
        gateway_id=told.id,
        payment_id=payment.id,
        currency=told.amount.currency,
        amount_minor=told.amount.minor,
        fee_minor=0,
        fee_back_minor=0,
        reason=told.reason[:60],
        state=state,
        evidence_due=told.evidence_due,
        answered_at=None,
        trouble="",
        opened_at=told.created,
        heard_at=now,
        closed_at=now if is_closed else None,
    )
    row = lock(session, ChargebackRow.gateway_id == told.id)
    was_answered = row.answered_at is not None
    row.heard_at = now
    is_appealed = (row.state, state) == ("lost", "won")
    if is_appealed or (RANK[state] >= RANK[row.state] and RANK[row.state] < 2):
        row.state, row.evidence_due = state, told.evidence_due
        row.closed_at = now if is_closed else None
    row.fee_minor = max(row.fee_minor, told.fee.minor)
    row.fee_back_minor = max(row.fee_back_minor, told.fee_back.minor)
    if told.answered and not was_answered:
        row.answered_at = now
    session.flush()
    for how in _news(known, row.state, answered=told.answered and not was_answered):
        event = ChargebackMoved(str(row.id), how)
        jobs.record(session, event, now, key=f"chargeback-{how}:{row.id}")
    return row


def contradicted(row: ChargebackRow, told: NetworkChargeback) -> str:
    """What somebody has to look at: it was won or over, and now it is not. Empty as a rule."""
    state = STATES[told.status]
    if RANK[row.state] < 2 or RANK[state] < 2 or state == row.state:
        return ""
    return f"It was {row.state}, and the network now says that it is {state}."


def _news(before: str | None, state: str, *, answered: bool) -> list[str]:
    """What has happened to it between two states; before the first, None."""
    news = []
    if before is None and state == "warned":
        news.append("warned")
    if before in (None, "warned") and state in ("open", "won", "lost"):
        news.append("opened")
    if answered:
        news.append("answered")
    if RANK[state] == 2 and RANK.get(before or "", 0) < 2:
        news.append("closed")
    if (before, state) == ("lost", "won"):
        news.append("appealed")
    return news


def lock(session: Session, condition: ColumnElement[bool]) -> ChargebackRow:
    """The row that fits, locked and read again. NotFound when none does."""
    found = session.scalar(
        select(ChargebackRow)
        .where(condition)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("chargeback")
    return found


def one(session: Session, public_id: str) -> tuple[ChargebackRow, Payment, Account]:
    """A chargeback with its payment and payer. NotFound when there is none."""
    found = session.execute(_rows().where(ChargebackRow.public_id == public_id)).first()
    if found is None:
        raise NotFound("chargeback")
    row, payment, account = found
    return row, payment, account


#: What the desk's list may be sorted by.
SORTS = Sorts(
    ChargebackRow.id,
    {"opened": ChargebackRow.opened_at, "amount": ChargebackRow.amount_minor},
)
NEWEST = Place("-opened")


def listing(
    session: Session,
    *,
    state: str = "",
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> Sequence[tuple[ChargebackRow, Payment, Account]]:
    """Chargebacks with their payment and payer, from a place on; ``words`` in payment, name, account."""
    query = _rows()
    if state:
        query = query.where(ChargebackRow.state == state)
    if words:
        query = query.where(or_(Payment.number == words, called(words)))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(row, payment, account) for row, payment, account in rows]


def to_answer() -> Select[uuid.UUID]:
    """The keys of chargebacks that the network waits for our word on, or that the books could not follow."""
    waits = and_(ChargebackRow.state == "open", ChargebackRow.answered_at.is_(None))
    return select(ChargebackRow.id).where(or_(waits, ChargebackRow.trouble != ""))


def warned_of() -> Select[uuid.UUID]:
    """The keys of chargebacks that the network only warns of."""
    return select(ChargebackRow.id).where(ChargebackRow.state == "warned")


def amount_of(row: ChargebackRow) -> Money:
    """What is taken back."""
    return Money(row.amount_minor, row.currency)


def _rows() -> Select[Any, Any, Any]:
    return (
        select(ChargebackRow, Payment, Account)
        .join(Payment, Payment.id == ChargebackRow.payment_id)
        .join(Account, Account.id == Payment.account_id)
    )
