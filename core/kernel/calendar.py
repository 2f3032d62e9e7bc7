"""Bill days and periods: pure arithmetic on local dates, the same in every time zone.

A period is whole days of its account's own calendar. Used by rating, revenue schedules and statements.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: Months of one interval of a plan.
MONTHS = {"month": 1, "year": 12}


@dataclass(frozen=True, order=True)
class Period:
    """Days from ``start`` up to, but not including, ``end``; it may be empty."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a period that ends before it starts: {self.start} to {self.end}")

    @property
    def days(self) -> int:
        """How many days; an hour more or less on one of them changes nothing."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last day, as people name it. ValueError when there is none."""
        if not self.days:
            raise ValueError("an empty period has no last day")
        return self.end - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def covers(self, other: "Period") -> bool:
        """Is every day of ``other`` one of these?"""
        return self.start <= other.start and other.end <= self.end

    def within(self, other: "Period") -> "Period":
        """The days that are in both; empty when there are none."""
        start = min(max(self.start, other.start), other.end)
        return Period(start, max(start, min(self.end, other.end)))


def days_of(periods: Iterable[Period], within: Period) -> int:
    """How many days of ``within`` lie in any of the periods; a day in two of them counts once."""
    days, reached = 0, within.start
    for period in sorted(periods):
        part = period.within(Period(reached, within.end))
        days += part.days
        reached = max(reached, part.end)
    return days


@dataclass(frozen=True)
class Cycle:
    """Bill days that come every ``months`` months on ``day``, clamped to the length of each month.

    Every bill day is counted from the first (``month``, in months of the calendar), never from a
    clamped one: the 31st is February 28 or 29, and then March 31.
    """

    month: int
    day: int
    months: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.day <= 31 or self.months < 1:
            raise ValueError(f"no cycle: day {self.day}, every {self.months} months")

    @classmethod
    def anchored(cls, anchor: date, months: int = 1) -> "Cycle":
        """The bill days that follow from the first one."""
        return cls(_month_of(anchor), anchor.day, months)

    @classmethod
    def on_day(cls, day: int, first: date, months: int = 1) -> "Cycle":
        """Bill day ``day`` for a service that begins on ``first``: its period 0 holds that day."""
        month = _month_of(first)
        begins = _clamped(month, day) <= first
        return cls(month if begins else month - 1, day, months)

    def bill_day(self, index: int) -> date:
        """The day on which period ``index`` begins; period 0 is the first, those before are negative."""
        return _clamped(self.month + index * self.months, self.day)

    def period(self, index: int) -> Period:
        """The period from one bill day to the next."""
        return Period(self.bill_day(index), self.bill_day(index + 1))

    def index_of(self, day: date) -> int:
        """Which period a day is in."""
        index = (_month_of(day) - self.month) // self.months
        return index if self.bill_day(index) <= day else index - 1

    def around(self, day: date) -> Period:
        """The period that a day is in."""
        return self.period(self.index_of(day))

    def served(self, service: Period) -> Iterator[tuple[int, Period]]:
        """The days of a service by period, with the period's index: the first and last may be partial."""
        at = service.start
        while at < service.end:
            index = self.index_of(at)
            part = self.period(index).within(Period(at, service.end))
            yield index, part
            at = part.end


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def _clamped(month: int, day: int) -> date:
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))


def bill_days(day: int, after: date, until: date) -> Iterator[date]:
    """Every bill day ``day`` later than ``after`` and no later than ``until``, the earliest first."""
    cycle = Cycle.on_day(day, after)
    index = cycle.index_of(after) + 1
    while (due := cycle.bill_day(index)) <= until:
        yield due
        index += 1


def begins_at(day: date, zone: str) -> datetime:
    """The moment (UTC) at which a local day begins; a day is over when the next one begins.

    It has 23 or 25 hours when clocks change, and none where a land left it out.
    """
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
