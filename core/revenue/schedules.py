"""Schedules: when an obligation that is served over time is earned. Pure.

Cumulative rounding: what is earned up to each date is rounded half up, and each date earns the difference
to the one before. So no date is a minor unit off, and the last ends exactly at the allocation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from core.kernel.calendar import Cycle, Period
from core.kernel.money import Money, nearest


@dataclass(frozen=True)
class Earned:
    """So much is earned on a date (the last day of what was served)."""

    on: date
    amount: Money


def by_equal_months(allocated: Money, starts: date, months: int) -> list[Earned]:
    """The same for each of so many months, whatever their length; the months go by ``starts``'s day."""
    if months < 1:
        raise ValueError("a schedule without months")
    cycle = Cycle.anchored(starts)
    ends = [cycle.bill_day(index + 1) - timedelta(days=1) for index in range(months)]
    return _cumulative(allocated, [(end, 1) for end in ends])


def by_service_days(allocated: Money, served: Period, cuts: Sequence[date] = ()) -> list[Earned]:
    """By the days of service, cut at the end of each calendar month, or before each day of ``cuts``."""
    if not served.days:
        raise ValueError("a schedule without days")
    inner = sorted({cut for cut in cuts or _firsts(served) if served.start < cut < served.end})
    edges = [served.start, *inner, served.end]
    parts = [(until - timedelta(days=1), (until - since).days) for since, until in pairwise(edges)]
    return _cumulative(allocated, parts)


def _firsts(served: Period) -> list[date]:
    """The first day of each calendar month that the period reaches into."""
    months = Cycle.anchored(served.start.replace(day=1))
    return [part.start for _, part in months.served(served)]


def _cumulative(allocated: Money, parts: Sequence[tuple[date, int]]) -> list[Earned]:
    whole, reached, before = sum(weight for _, weight in parts), 0, 0
    found = []
    for on, weight in parts:
        reached += weight
        earned = nearest(Fraction(allocated.minor * reached, whole))
        found.append(Earned(on, Money(earned - before, allocated.currency)))
        before = earned
    return found
