"""When what happens in a trial: pure dates of its account's own calendar, the same in every time zone.

A trial of so many days has as many free days, the first one included: one of 30 days from November 29 ends
on December 29, the first day that is paid for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

#: What a person is told of, in the order in which it happens.
WELCOME, HALFWAY, ENDING = "welcome", "halfway", "ending"
#: Of a free tier, by what was used instead of by days.
NEARLY_FULL, ABOVE_FREE = "nearly_full", "above_free"


@dataclass(frozen=True)
class Dates:
    """The days of one trial. ``ends_on`` is the first day after it."""

    starts_on: date
    ends_on: date
    halfway_on: date
    notice_on: date
    follow_ups: tuple[date, ...] = ()

    @property
    def last_day(self) -> date:
        """The last free day, as people name it."""
        return self.ends_on - timedelta(days=1)


def plan(starts_on: date, days: int, notice_days: int, follow_up_days: Sequence[int] = ()) -> Dates:
    """The days of a trial of ``days`` days. ValueError when its notice would come before its second day.

    Halfway is the middle, or where the notice leaves no room, the middle of the days before the notice.
    """
    if not 0 < notice_days < days:
        raise ValueError(
            f"{days} days have no room for a notice {notice_days} days before their end"
        )
    before = days - notice_days
    middle = days // 2 if days // 2 < before else before // 2
    follow_ups = sorted({day for day in follow_up_days if day > 0})
    return Dates(
        starts_on,
        starts_on + timedelta(days=days),
        starts_on + timedelta(days=middle),
        starts_on + timedelta(days=before),
        tuple(starts_on + timedelta(days=day) for day in follow_ups),
    )


def due(dates: Dates, told: Sequence[str], today: date) -> list[str]:
    """What is to be told today: the last of the mails whose day has come, if it was not told yet.

    Whoever was away for a while is not sent what time has overtaken.
    """
    steps = [(WELCOME, dates.starts_on), (HALFWAY, dates.halfway_on), (ENDING, dates.notice_on)]
    steps += [(follow_up(day), day) for day in dates.follow_ups]
    come = sorted((on, name) for name, on in steps if on <= today)
    if today >= dates.ends_on:
        come = [one for one in come if one[0] >= dates.ends_on]
    names = [name for _, name in come]
    # The welcome and the notice are never left out; of the others only the last one still says something.
    kept = {WELCOME, ENDING, *names[-1:]}
    return [name for name in names if name in kept and name not in told]


def next_day(dates: Dates, told: Sequence[str], today: date) -> date | None:
    """The next day on which something is to be done, its end included; None when nothing is."""
    days = [dates.halfway_on, dates.notice_on, dates.ends_on, *dates.follow_ups]
    if due(dates, told, today):
        return today
    return min((day for day in days if day > today), default=None)


def follow_up(day: date) -> str:
    """How the mail of a follow-up is called."""
    return f"follow-up:{day.isoformat()}"


def charged_on(ends_on: date, noticed_on: date, notice_days: int) -> date:
    """The day of the first charge: the agreed one, or later where the notice went out late."""
    return max(ends_on, noticed_on + timedelta(days=notice_days))
