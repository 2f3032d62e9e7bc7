"""Bill days stay on their day, and periods tile the calendar, in leap years and every time zone."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.kernel.calendar import Cycle, Period, begins_at, days_of
from core.kernel.clock import local_date

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
MONTHS = st.sampled_from([1, 2, 3, 6, 12, 24])
#: Lands that change their clocks, at midnight too, at odd hours, never, and one that left a day out.
ZONES = (
    "America/New_York",
    "America/Havana",
    "America/Asuncion",
    "Europe/London",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = draw(DAYS)
    return Period(start, start + timedelta(days=draw(st.integers(0, 800))))


@st.composite
def cycles(draw: st.DrawFn) -> Cycle:
    return Cycle.anchored(draw(DAYS), draw(MONTHS))


# --- bill days ------------------------------------------------------------------------------------


@given(DAYS, MONTHS, st.integers(-200, 400))
def test_a_bill_day_is_the_anchors_day_or_the_last_of_a_shorter_month(anchor, months, index):
    cycle = Cycle.anchored(anchor, months)
    found = cycle.bill_day(index)
    length = monthrange(found.year, found.month)[1]
    assert found.day == min(anchor.day, length)
    apart = (found.year - anchor.year) * 12 + found.month - anchor.month
    assert apart == index * months
    assert cycle.bill_day(0) == anchor


@pytest.mark.parametrize(
    "anchor, months, days",
    [
        ("2023-01-31", 1, ["2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31"]),
        ("2024-01-30", 1, ["2024-02-29", "2024-03-30", "2024-04-30", "2024-05-30"]),
        ("2024-02-29", 1, ["2024-03-29", "2024-04-29", "2024-05-29", "2024-06-29"]),
        ("2024-02-29", 12, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2023-11-30", 3, ["2024-02-29", "2024-05-30", "2024-08-30", "2024-11-30"]),
    ],
)
def test_a_clamped_day_never_becomes_the_anchor(anchor, months, days):
    cycle = Cycle.anchored(date.fromisoformat(anchor), months)
    assert [cycle.bill_day(index).isoformat() for index in (1, 2, 3, 4)] == days


@given(st.integers(1, 31), DAYS, MONTHS)
def test_a_service_begins_in_period_zero_of_its_bill_day(day, first, months):
    cycle = Cycle.on_day(day, first, months)
    assert first in cycle.period(0)
    assert cycle.bill_day(0).day == min(day, monthrange(*cycle.bill_day(0).timetuple()[:2])[1])


@pytest.mark.parametrize("day, months", [(0, 1), (32, 1), (15, 0), (15, -1)])
def test_what_is_no_cycle_is_refused(day, months):
    with pytest.raises(ValueError, match="no cycle"):
        Cycle(24_000, day, months)


# --- periods --------------------------------------------------------------------------------------


@given(cycles(), DAYS)
def test_every_day_is_in_exactly_one_period(cycle, day):
    index = cycle.index_of(day)
    assert day in cycle.period(index)
    assert day not in cycle.period(index - 1)
    assert day not in cycle.period(index + 1)
    assert cycle.around(day) == cycle.period(index)
    assert cycle.period(index).end == cycle.period(index + 1).start


@given(cycles(), periods())
def test_a_service_is_tiled_by_its_periods_without_gap_or_overlap(cycle, service):
    parts = list(cycle.served(service))
    assert sum(part.days for _, part in parts) == service.days
    assert all(part.days and cycle.period(index).covers(part) for index, part in parts)
    for (index, part), (then, following) in pairwise(parts):
        assert (index + 1, part.end) == (then, following.start)
        assert part.end == cycle.bill_day(then)
    if parts:
        assert (parts[0][1].start, parts[-1][1].end) == (service.start, service.end)


@given(DAYS)
def test_a_year_has_a_day_more_when_a_leap_day_is_in_it(anchor):
    # From a leap day to the 28th of the year after it are 365 days.
    assume((anchor.month, anchor.day) != (2, 29))
    year = Cycle.anchored(anchor, 12).period(0)
    leap = [
        date(each, 2, 29) for each in (anchor.year, anchor.year + 1) if monthrange(each, 2)[1] == 29
    ]
    assert year.days == 365 + sum(day in year for day in leap)


@given(periods(), periods())
def test_the_days_in_two_periods_are_those_in_both(one, other):
    both = {day for day in _days(one) if day in other}
    assert set(_days(one.within(other))) == both
    assert one.within(other).days == other.within(one).days == len(both)
    assert other.covers(one.within(other))
    assert one.covers(other) == (set(_days(other)) <= set(_days(one))) or not other.days


@given(st.lists(periods(), max_size=5), periods())
def test_days_in_several_periods_count_once(several, within):
    assert days_of(several, within) == sum(
        any(day in one for one in several) for day in _days(within)
    )


def test_a_period_ends_after_its_start_and_names_its_last_day():
    assert Period(date(2026, 2, 1), date(2026, 3, 1)).last == date(2026, 2, 28)
    with pytest.raises(ValueError, match="ends before it starts"):
        Period(date(2026, 3, 1), date(2026, 2, 28))
    with pytest.raises(ValueError, match="no last day"):
        Period(date(2026, 3, 1), date(2026, 3, 1)).last  # noqa: B018


# --- time zones -----------------------------------------------------------------------------------


@given(
    st.integers(15_340 * 86_400, 24_470 * 86_400).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.sampled_from(ZONES),
)
def test_every_moment_is_in_the_day_that_its_zone_says(moment, zone):
    day = local_date(moment, zone)
    assert begins_at(day, zone) <= moment < begins_at(day + timedelta(days=1), zone)


@given(st.dates(date(2012, 1, 1), date(2036, 12, 30)), st.sampled_from(ZONES))
def test_a_day_begins_where_the_one_before_it_ends(day, zone):
    begins = begins_at(day, zone)
    assert local_date(begins, zone) == day
    assert local_date(begins - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_a_day_has_as_many_hours_as_its_land_gives_it():
    def hours(day: str, zone: str) -> float:
        first = date.fromisoformat(day)
        length = begins_at(first + timedelta(days=1), zone) - begins_at(first, zone)
        return length / timedelta(hours=1)

    assert hours("2026-03-08", "America/New_York") == 23
    assert hours("2026-11-01", "America/New_York") == 25
    assert hours("2026-10-04", "Australia/Lord_Howe") == 23.5
    assert hours("2011-12-30", "Pacific/Apia") == 0


@given(cycles(), st.sampled_from(ZONES))
def test_a_period_counts_days_whatever_its_hours(cycle, zone):
    """The same figures in every zone: periods are made of dates, and dates know no clock."""
    period = cycle.period(0)
    if not 2012 <= period.start.year <= 2034 or period.end.year > 2036:
        period = Period(date(2026, 3, 1), date(2026, 4, 1))
    hours = (begins_at(period.end, zone) - begins_at(period.start, zone)) / timedelta(hours=1)
    assert abs(hours - 24 * period.days) <= 2
    assert sum(local_date(begins_at(day, zone), zone) == day for day in _days(period)) == (
        period.days
    )


def _days(period: Period) -> list[date]:
    return [period.start + timedelta(days=step) for step in range(period.days)]
