"""What is known of chargebacks against the ledger: what is contested, won and lost is what was posted."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger.chargebacks import BEGUN, CHARGEBACK, LOST, WON
from core.ledger.chart import CLEARING, RECEIVABLE_CHARGED_BACK
from core.ledger.models import JournalEntry, JournalLine
from payments.chargebacks import ChargebackRow
from payments.models import Payment

#: In the order of the figure, with the state that each is of.
_SAID = {"contested": "open", "won": "won", "lost": "lost"}


def chargebacks_are_in_the_books(session: Session) -> Part:
    """Each took from processor clearing what it says, and won, be it on appeal, it brought back all but
    what is kept of fees; what is charged back still is of those that stand open. What the books could not
    follow is left aside."""
    offenders = proof.offenders(
        session,
        _unlike_books(),
        lambda row: (
            f"chargeback {row[1]} of payment {row[0]}, {row[2]}: not what the ledger has of it"
            if row[1]
            else "an entry of a chargeback that nobody told of"
        ),
    )
    return Part(_figure(session), offenders)


def _figure(session: Session) -> str:
    sums: dict[str, dict[str, int]] = {}
    for currency, state, minor in session.execute(_sums()):
        sums.setdefault(currency, {})[state] = int(minor)
    said = [
        ", ".join(
            f"{word} {proof.amount(by.get(state), currency)}" for word, state in _SAID.items()
        )
        for currency, by in sorted(sums.items())
    ]
    return f"chargebacks: {'; '.join(said) or 'none'}"


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _unlike_books() -> Select[*tuple[Any, ...]]:
    posted = (
        select(
            JournalEntry.source_id.label("source_id"),
            func.count().filter(JournalEntry.kind == BEGUN).label("begun"),
            func.count().filter(JournalEntry.kind == WON).label("won"),
            func.count().filter(JournalEntry.kind == LOST).label("lost"),
            _sum(CLEARING).label("cleared"),
            _sum(RECEIVABLE_CHARGED_BACK).label("held"),
        )
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(JournalEntry.source_kind == CHARGEBACK)
        .group_by(JournalEntry.source_id)
        .subquery()
    )
    begun = func.coalesce(posted.c.begun, 0) > 0
    kept = ChargebackRow.fee_minor - ChargebackRow.fee_back_minor
    gone = case((ChargebackRow.state == "won", 0), else_=ChargebackRow.amount_minor)
    wrong = or_(
        ChargebackRow.id.is_(None),
        and_(ChargebackRow.state.in_(("warned", "ended")), begun),
        and_(ChargebackRow.state.in_(("won", "lost")), ~begun),
        and_(begun, posted.c.cleared != -(gone + kept)),
        and_(begun, (posted.c.won > 0) != (ChargebackRow.state == "won")),
        and_(begun, posted.c.lost > 0, ChargebackRow.state.not_in(("lost", "won"))),
        and_(begun, posted.c.held != 0, ChargebackRow.state != "open"),
    )
    return (
        select(Payment.number, ChargebackRow.gateway_id, ChargebackRow.state)
        .select_from(posted)
        .join(ChargebackRow, ChargebackRow.id == posted.c.source_id, full=True)
        .outerjoin(Payment, Payment.id == ChargebackRow.payment_id)
        .where(wrong, func.coalesce(ChargebackRow.trouble, "") == "")
        .order_by(ChargebackRow.gateway_id)
    )


def _sum(code: str) -> ColumnElement[Any]:
    own = case((JournalLine.ledger_code == code, JournalLine.amount_minor), else_=0)
    return func.coalesce(func.sum(own), 0)


@cache
def _sums() -> Select[str, str, int]:
    keys = (ChargebackRow.currency, ChargebackRow.state)
    return (
        select(*keys, func.sum(ChargebackRow.amount_minor))
        .where(ChargebackRow.state.in_(_SAID.values()), ChargebackRow.trouble == "")
        .group_by(*keys)
    )
