"""Days on which business is done: weekends and public holidays by country. Pure.

Holidays come from the library ``holidays`` (the only importer is here); a country that it does not know
has Saturdays and Sundays off.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

SATURDAY = 5


def next_business_day(day: date, country: str) -> date:
    """``day`` itself, or the next day on which business is done in ``country`` (two letters)."""
    while not is_business_day(day, country):
        day += timedelta(days=1)
    return day


def is_business_day(day: date, country: str) -> bool:
    """Neither weekend nor a holiday of the whole country."""
    known = _holidays(country)
    if known is None:
        return day.weekday() < SATURDAY
    return bool(known.is_working_day(day))


@lru_cache(maxsize=32)
def _holidays(country: str) -> "HolidayBase | None":
    import holidays  # it reads every country's calendar: not before a bill is due

    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return None
