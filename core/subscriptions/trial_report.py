"""What came of the trials that began in some days, kind by kind."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.subscriptions import trial_reading
from core.subscriptions.models import Subscription
from core.subscriptions.trial_models import KINDS, Trial


@dataclass(frozen=True)
class Tally:
    """What came of the trials of one kind that began in some days. ``rate_ppm`` is of those that are over;
    None while none is. ``revenue`` is their first bills, before tax, by currency."""

    kind: str
    started: int
    running: int
    converted: int
    cancelled: int
    lapsed: int
    rate_ppm: int | None
    revenue: tuple[Money, ...]

    @property
    def rate_percent(self) -> Decimal | None:
        """The same to a tenth of a percent."""
        if self.rate_ppm is None:
            return None
        return (Decimal(self.rate_ppm) / 10_000).quantize(Decimal("0.1"), ROUND_HALF_UP)


def report(session: Session, first: date, last: date) -> list[Tally]:
    """What came of the trials that began from ``first`` to ``last``, both included, kind by kind."""

    def count(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    began = Trial.starts_on.between(first, last)
    leaving = trial_reading.leaving()
    rows = session.execute(
        select(
            Trial.kind,
            func.count(),
            count(and_(Trial.state == "running", ~leaving)),
            count(Trial.state == "converted"),
            count(or_(Trial.state == "cancelled", leaving)),
            count(Trial.state == "lapsed"),
        )
        .join(Subscription, Subscription.id == Trial.subscription_id)
        .where(began)
        .group_by(Trial.kind)
    )
    counts = {kind: tuple(int(value) for value in rest) for kind, *rest in rows}
    sums: dict[str, list[Money]] = {}
    for kind, currency, minor in session.execute(
        select(Trial.kind, Trial.currency, func.sum(Trial.first_net_minor))
        .where(began, Trial.first_net_minor.is_not(None))
        .group_by(Trial.kind, Trial.currency)
        .order_by(Trial.currency)
    ):
        sums.setdefault(kind, []).append(Money(int(minor or 0), currency))
    return [
        _tally(kind, counts.get(kind, (0, 0, 0, 0, 0)), tuple(sums.get(kind, ()))) for kind in KINDS
    ]


def _tally(kind: str, counts: tuple[int, ...], revenue: tuple[Money, ...]) -> Tally:
    started, running, converted, cancelled, lapsed = counts
    over = converted + cancelled + lapsed
    rate = (converted * 1_000_000 + over // 2) // over if over else None
    return Tally(kind, started, running, converted, cancelled, lapsed, rate, revenue)


def first_bill(trial: Trial) -> Money | None:
    """What the first bill above nothing was, before tax."""
    if trial.first_net_minor is None:
        return None
    return Money(trial.first_net_minor, trial.currency)
