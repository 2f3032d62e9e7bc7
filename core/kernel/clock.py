"""Time comes from a clock that is passed in. All times are aware and in UTC."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Whoever needs the time takes one of these."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved: for tests and for seeding history."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, step: timedelta) -> None:
        """Move on by ``step``."""
        self._now += step

    def set(self, moment: datetime) -> None:
        """Stand at ``moment``."""
        self._now = moment.astimezone(UTC)


#: Where a calendar day begins first, and last.
FIRST_ZONE, LAST_ZONE = "Pacific/Kiritimati", "Pacific/Pago_Pago"


def local_date(moment: datetime, zone: str) -> date:
    """The calendar date of ``moment`` in the IANA time zone ``zone``."""
    return moment.astimezone(ZoneInfo(zone)).date()
