"""What a run brings against the last time: who is new, gone, pays more or less.

Runs of every night bill others than the night before. So each account stands beside the run that billed it
last; gone is who was billed a month ago, not now, and has nothing coming.
"""

import uuid
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from core.subscriptions.models import Subscription
from invoices.billing.models import REAL, BillMark, BillOutcome, BillRun


@dataclass(frozen=True)
class Counts:
    """How many accounts are in each case."""

    new: int = 0
    more: int = 0
    less: int = 0
    same: int = 0
    gone: int = 0


@dataclass(frozen=True)
class Pair:
    """An account's sum in this run, and in the run that billed it last (None: never)."""

    now_minor: int
    was_minor: int | None


def _signed() -> Any:
    credited = BillOutcome.kind == "credited"
    return func.sum(case((credited, -BillOutcome.amount_minor), else_=BillOutcome.amount_minor))


def _earlier(run: BillRun) -> Any:
    """Real runs that began before this one."""
    return (
        (BillRun.kind == REAL)
        & (BillRun.id != run.id)
        & (BillRun.started_at <= run.started_at)
        & BillOutcome.kind.in_(("billed", "credited"))
    )


def _last_runs(run: BillRun) -> Select[uuid.UUID, str, Any]:
    """Per account and currency, when it was billed last."""
    return (
        select(
            BillOutcome.account_id,
            BillOutcome.currency,
            func.max(BillRun.started_at).label("last_at"),
        )
        .join(BillRun, BillRun.id == BillOutcome.run_id)
        .where(_earlier(run))
        .group_by(BillOutcome.account_id, BillOutcome.currency)
    )


def _before(run: BillRun, account_ids: Any) -> Select[uuid.UUID, str, Any, Any]:
    """Per account and currency, what its last run came to, and by which day that was."""
    last = _last_runs(run).where(BillOutcome.account_id.in_(account_ids)).subquery()
    return (
        select(
            BillOutcome.account_id,
            BillOutcome.currency,
            _signed().label("was"),
            func.max(BillRun.as_of).label("day"),
        )
        .join(BillRun, BillRun.id == BillOutcome.run_id)
        .join(
            last,
            (last.c.account_id == BillOutcome.account_id)
            & (last.c.currency == BillOutcome.currency)
            & (last.c.last_at == BillRun.started_at),
        )
        .where(_earlier(run))
        .group_by(BillOutcome.account_id, BillOutcome.currency)
    )


def _now(run: BillRun) -> Select[uuid.UUID, str, Any]:
    return (
        select(BillOutcome.account_id, BillOutcome.currency, _signed().label("now"))
        .where(BillOutcome.run_id == run.id, BillOutcome.kind.in_(("billed", "credited")))
        .group_by(BillOutcome.account_id, BillOutcome.currency)
    )


def counts(session: Session, run: BillRun) -> Counts:
    """How many accounts (by currency) are new, pay more, less or the same, and are gone.

    What a run came to is kept with it (``runs.Totals``): asked later, other services are coming.
    """
    now = _now(run).subquery()
    was = _before(run, select(now.c.account_id)).subquery()
    how = case(
        (was.c.was.is_(None), "new"),
        (now.c.now > was.c.was, "more"),
        (now.c.now < was.c.was, "less"),
        else_="same",
    )
    rows = session.execute(
        select(how.label("how"), func.count())
        .select_from(now)
        .outerjoin(was, (was.c.account_id == now.c.account_id) & (was.c.currency == now.c.currency))
        .group_by("how")
    )
    found = {name: int(count) for name, count in rows}
    gone = session.scalar(select(func.count()).select_from(_gone(session, run).subquery())) or 0
    return Counts(**found, gone=int(gone))


def _gone(session: Session, run: BillRun) -> Select[uuid.UUID]:
    """Accounts that were billed a month before the days of this run, and have nothing coming."""
    previous = session.scalar(
        select(func.max(BillRun.as_of)).where(
            BillRun.kind == REAL,
            BillRun.account_id.is_(None),
            BillRun.as_of < run.as_of,
            BillRun.id != run.id,
            BillRun.started_at <= run.started_at,
        )
    )
    since = month_before(previous or run.as_of - timedelta(days=31))
    last = (
        select(BillOutcome.account_id, func.max(BillRun.as_of).label("day"))
        .join(BillRun, BillRun.id == BillOutcome.run_id)
        .where(_earlier(run), BillRun.as_of > since)
        .group_by(BillOutcome.account_id)
        .subquery()
    )
    coming = (
        select(Subscription.payer_account_id)
        .join(BillMark, BillMark.subscription_id == Subscription.id)
        .where(BillMark.next_on > run.as_of)
    )
    now = select(BillOutcome.account_id).where(BillOutcome.run_id == run.id)
    query = select(last.c.account_id).where(
        last.c.day <= month_before(run.as_of),
        last.c.account_id.not_in(now),
        last.c.account_id.not_in(coming),
    )
    if run.account_id is not None:
        query = query.where(last.c.account_id == run.account_id)
    return query


def month_before(day: date) -> date:
    """The last day whose bill day a month later is no later than ``day``: month ends stay month ends."""
    first = day.replace(day=1)
    end = first - timedelta(days=1)
    if day.day == monthrange(day.year, day.month)[1]:
        return end
    return end.replace(day=min(day.day, end.day - 1))


def of_accounts(
    session: Session, run: BillRun, account_ids: Sequence[uuid.UUID]
) -> dict[tuple[uuid.UUID, str], Pair]:
    """What some accounts of a run come to, by currency, beside what they came to last."""
    mine = _now(run).where(BillOutcome.account_id.in_(account_ids))
    was = {
        (account_id, currency): int(minor)
        for account_id, currency, minor, _ in session.execute(_before(run, account_ids))
    }
    return {
        (account_id, currency): Pair(int(minor), was.get((account_id, currency)))
        for account_id, currency, minor in session.execute(mine)
    }
