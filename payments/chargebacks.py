"""What was heard of chargebacks: one row each, which only moves on. What they do to the books is ledger's.

Called by ``flows.hear_chargeback`` and read by the desk.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base, insert_once
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.kernel.sorting import Place, Sorts
from core.parties.listing import called
from core.parties.models import Account
from payments.models import Payment
from payments.network import NetworkChargeback

#: How far it has come; what is heard late never leads back.
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

    The caller holds the payer's account.
    """
    state = STATES[told.status]
    is_closed = RANK[state] == 2
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
        trouble="",
        opened_at=told.created,
        heard_at=now,
        closed_at=now if is_closed else None,
    )
    row = session.scalars(
        select(ChargebackRow)
        .where(ChargebackRow.gateway_id == told.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    row.heard_at = now
    if RANK[state] >= RANK[row.state] and RANK[row.state] < 2:
        row.state, row.evidence_due = state, told.evidence_due
        row.closed_at = now if is_closed else None
    row.fee_minor = max(row.fee_minor, told.fee.minor)
    row.fee_back_minor = max(row.fee_back_minor, told.fee_back.minor)
    session.flush()
    return row


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
    return select(ChargebackRow.id).where(
        (ChargebackRow.state == "open") | (ChargebackRow.trouble != "")
    )


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
