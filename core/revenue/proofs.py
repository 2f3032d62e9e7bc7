"""What was earned against the journal: every step is posted, and obligations are the sum of their steps."""

from functools import cache
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger.chart import CONTRACT_ASSET, REVENUE
from core.ledger.models import JournalEntry, JournalLine
from core.revenue.earning import KIND
from core.revenue.models import Obligation, RevenueSchedule


def schedules_are_posted(session: Session) -> Part:
    """Recognised and unrecognised are the allocation, which the database holds; what is recognised of an
    obligation is the sum of its schedule, and each entry what the schedules say that it posted."""
    wrong = [
        *proof.offenders(
            session,
            _unlike_steps(),
            lambda row: (
                f"an obligation says {proof.amount(row[2], row[1])} earned, its schedule "
                f"{proof.amount(row[3], row[1])}"
            ),
        ),
        *proof.offenders(
            session,
            _unlike_entries(),
            lambda row: f"posting {row[0]}: its schedules differ by {proof.amount(row[2], row[1])}",
        ),
    ]
    earned = proof.amounts(session, _earned())
    return Part(f"earned {earned}", proof.first_few(wrong))


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _earned() -> Select[*tuple[Any, ...]]:
    return (
        select(Obligation.currency, func.sum(Obligation.earned_minor))
        .group_by(Obligation.currency)
        .having(func.sum(Obligation.earned_minor) != 0)
        .order_by(Obligation.currency)
    )


@cache
def _unlike_steps() -> Select[*tuple[Any, ...]]:
    step = RevenueSchedule
    sums = (
        select(
            step.obligation_id,
            func.sum(step.amount_minor).label("earned"),
            func.sum(step.unbilled_minor).label("unbilled"),
            func.count().label("steps"),
            func.max(step.number).label("last"),
        )
        .group_by(step.obligation_id)
        .subquery()
    )
    earned = func.coalesce(sums.c.earned, 0)
    return (
        select(Obligation.id, Obligation.currency, Obligation.earned_minor, earned)
        .outerjoin(sums, sums.c.obligation_id == Obligation.id)
        .where(
            or_(
                Obligation.earned_minor != earned,
                Obligation.unbilled_minor != func.coalesce(sums.c.unbilled, 0),
                Obligation.steps != func.coalesce(sums.c.steps, 0),
                Obligation.steps != func.coalesce(sums.c.last, 0),
            )
        )
        .order_by(Obligation.id)
    )


@cache
def _unlike_entries() -> Select[*tuple[Any, ...]]:
    """(posting, currency, difference) of entries of what is earned: revenue, and contract asset."""
    step = RevenueSchedule
    said = (
        select(
            step.entry_id,
            func.sum(step.amount_minor).label("earned"),
            func.sum(step.unbilled_minor).label("unbilled"),
        )
        .group_by(step.entry_id)
        .subquery()
    )

    def posted(code: str) -> Any:
        amount = func.sum(JournalLine.amount_minor).filter(JournalLine.ledger_code == code)
        return func.coalesce(amount, 0)

    earned, unbilled = func.coalesce(said.c.earned, 0), func.coalesce(said.c.unbilled, 0)
    difference = -posted(REVENUE) - earned
    return (
        select(JournalEntry.posting_number, JournalLine.currency, difference)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .outerjoin(said, said.c.entry_id == JournalEntry.id)
        .where(and_(JournalEntry.kind == KIND, JournalLine.amount_minor != 0))
        .group_by(
            JournalEntry.id, JournalEntry.posting_number, JournalLine.currency, earned, unbilled
        )
        .having(or_(difference != 0, posted(CONTRACT_ASSET) != unbilled))
        .order_by(JournalEntry.posting_number)
    )
