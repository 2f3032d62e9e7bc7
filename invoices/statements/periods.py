"""Bill days: which days an account's statements are dated. Pure.

The account keeps its original day, clamped month by month (31, then February 28, then March 31); no
day follows from a clamped one.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time
from zoneinfo import ZoneInfo


def bill_day(anchor: int, year: int, month: int) -> date:
    """The bill day of a month: the account's own, or the month's last where there is no such day."""
    return date(year, month, min(anchor, monthrange(year, month)[1]))


def bill_days(anchor: int, after: date, until: date) -> Iterator[date]:
    """Every bill day later than ``after`` and no later than ``until``, the earliest first."""
    year, month = after.year, after.month
    while (year, month) <= (until.year, until.month):
        day = bill_day(anchor, year, month)
        if after < day <= until:
            yield day
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def begins(day: date, zone: str) -> datetime:
    """The moment at which a calendar day begins in an IANA time zone."""
    return datetime.combine(day, time.min, ZoneInfo(zone))
