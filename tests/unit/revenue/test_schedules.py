"""Schedules end exactly, and on the way they are never off by more than half a minor unit."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.calendar import Period
from core.kernel.money import Money
from core.revenue.schedules import Earned, by_equal_months, by_service_days

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))
AMOUNTS = st.integers(-(10**8), 10**9).map(lambda minor: Money(minor, "USD"))


def is_cumulative(allocated: Money, schedule: list[Earned], shares: list[Fraction]) -> None:
    """At every date what is earned so far is the exact part, rounded."""
    reached, so_far = 0, Fraction(0)
    for earned, share in zip(schedule, shares, strict=True):
        reached, so_far = reached + earned.amount.minor, so_far + share
        assert abs(reached - allocated.minor * so_far) <= Fraction(1, 2)
    assert so_far == 1
    assert reached == allocated.minor


@given(AMOUNTS, DAYS, st.integers(1, 60))
def test_equal_months_earn_equal_parts_whatever_their_length(allocated, starts, months):
    schedule = by_equal_months(allocated, starts, months)
    is_cumulative(allocated, schedule, [Fraction(1, months)] * months)
    parts = [earned.amount.minor for earned in schedule]
    assert max(parts) - min(parts) <= 1
    assert schedule[-1].on < starts + timedelta(days=31 * months)
    assert all(a.on < b.on for a, b in pairwise(schedule))


@given(AMOUNTS, DAYS, st.integers(1, 1200))
def test_service_days_earn_by_the_days_of_each_calendar_month(allocated, starts, days):
    served = Period(starts, starts + timedelta(days=days))
    schedule = by_service_days(allocated, served)
    since = [starts, *(earned.on + timedelta(days=1) for earned in schedule)]
    counts = [
        (earned.on + timedelta(days=1) - at).days
        for earned, at in zip(schedule, since, strict=False)
    ]
    is_cumulative(allocated, schedule, [Fraction(count, days) for count in counts])
    assert schedule[-1].on == served.last
    assert all((earned.on + timedelta(days=1)).day == 1 for earned in schedule[:-1])
    assert len({(earned.on.year, earned.on.month) for earned in schedule}) == len(schedule)


@given(AMOUNTS, DAYS, st.integers(1, 400), st.lists(st.integers(-10, 410), max_size=6))
def test_where_it_is_cut_does_not_change_what_is_earned_by_a_day(allocated, starts, days, cuts):
    served = Period(starts, starts + timedelta(days=days))
    daily = by_service_days(
        allocated, served, [starts + timedelta(days=step) for step in range(days)]
    )
    by_day = {
        earned.on: sum(one.amount.minor for one in daily[: at + 1])
        for at, earned in enumerate(daily)
    }
    reached = 0
    for earned in by_service_days(
        allocated, served, [starts + timedelta(days=cut) for cut in cuts]
    ):
        reached += earned.amount.minor
        assert reached == by_day[earned.on]


def test_a_year_from_the_end_of_january_earns_on_the_days_before_its_bill_days():
    schedule = by_equal_months(Money(12_000, "USD"), date(2024, 1, 31), 12)
    assert [earned.on.isoformat() for earned in schedule[:3]] == [
        "2024-02-28",
        "2024-03-30",
        "2024-04-29",
    ]
    assert schedule[-1].on == date(2025, 1, 30)


def test_a_leap_year_earns_more_in_february():
    year = Period(date(2024, 1, 1), date(2025, 1, 1))
    schedule = by_service_days(Money(36_600, "USD"), year)
    assert [earned.amount.minor for earned in schedule[:3]] == [3_100, 2_900, 3_100]


def test_a_schedule_needs_time():
    with pytest.raises(ValueError, match="without months"):
        by_equal_months(Money(1, "USD"), date(2026, 1, 1), 0)
    with pytest.raises(ValueError, match="without days"):
        by_service_days(Money(1, "USD"), Period(date(2026, 1, 1), date(2026, 1, 1)))
