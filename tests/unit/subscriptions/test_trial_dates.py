"""The days of a trial: its end, its notice, its middle, and what is told when."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.subscriptions import trial_dates
from core.subscriptions.trial_dates import ENDING, HALFWAY, WELCOME

lengths = st.integers(8, 366)
starts = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("starts_on", "days", "ends_on", "notice_on", "halfway_on"),
    [
        ("2026-11-29", 30, "2026-12-29", "2026-12-22", "2026-12-14"),
        # fourteen days leave seven before the notice: their middle
        ("2026-11-29", 14, "2026-12-13", "2026-12-06", "2026-12-02"),
        ("2026-01-31", 30, "2026-03-02", "2026-02-23", "2026-02-15"),
        ("2028-02-15", 14, "2028-02-29", "2028-02-22", "2028-02-18"),
        # both nights on which clocks change are days like others
        ("2026-10-20", 30, "2026-11-19", "2026-11-12", "2026-11-04"),
        ("2027-03-01", 14, "2027-03-15", "2027-03-08", "2027-03-04"),
    ],
)
def test_a_trial_ends_after_as_many_days_as_it_has(starts_on, days, ends_on, notice_on, halfway_on):
    found = trial_dates.plan(date.fromisoformat(starts_on), days, 7)
    told = (found.ends_on, found.notice_on, found.halfway_on)
    assert told == tuple(map(date.fromisoformat, (ends_on, notice_on, halfway_on)))
    assert found.last_day == found.ends_on - timedelta(days=1)


@given(starts, lengths, st.data())
def test_the_middle_comes_before_the_notice_and_the_notice_in_time(starts_on, days, data):
    notice = data.draw(st.integers(7, days - 1))
    found = trial_dates.plan(starts_on, days, notice)
    assert found.starts_on <= found.halfway_on < found.notice_on < found.ends_on
    assert found.ends_on - found.notice_on == timedelta(days=notice)


@given(starts, lengths, st.lists(st.integers(1, 40), max_size=4), st.sets(st.integers(0, 420)))
def test_whatever_days_the_walk_comes_by_each_mail_is_told_once_and_the_notice_never_left_out(
    starts_on, days, follow_ups, walked
):
    found = trial_dates.plan(starts_on, days, 7, follow_ups)
    told: list[str] = []
    for day in sorted(walked):
        told += trial_dates.due(found, told, starts_on + timedelta(days=day))
    assert len(told) == len(set(told))
    in_time = [day for day in walked if days - 7 <= day < days]
    assert (ENDING in told) == bool(in_time)
    if [day for day in walked if day < days]:
        assert told[0] == WELCOME


def test_what_time_has_overtaken_is_not_told():
    found = trial_dates.plan(date(2026, 11, 1), 30, 7, [3, 10])
    assert trial_dates.due(found, [], date(2026, 11, 20)) == [WELCOME, HALFWAY]
    assert trial_dates.due(found, [WELCOME], date(2026, 11, 25)) == [ENDING]


def test_the_next_day_on_which_something_happens():
    found = trial_dates.plan(date(2026, 11, 1), 30, 7, [3])
    told = [WELCOME]
    assert trial_dates.next_day(found, [], date(2026, 11, 1)) == date(2026, 11, 1)
    assert trial_dates.next_day(found, told, date(2026, 11, 1)) == date(2026, 11, 4)
    assert trial_dates.next_day(found, [*told, ENDING], date(2026, 11, 24)) == found.ends_on


def test_a_late_notice_makes_the_charge_late():
    ends_on = date(2026, 12, 29)
    assert trial_dates.charged_on(ends_on, date(2026, 12, 22), 7) == ends_on
    assert trial_dates.charged_on(ends_on, date(2026, 12, 27), 7) == date(2027, 1, 3)


@pytest.mark.parametrize("notice", [0, 14, 20])
def test_a_trial_without_room_for_its_notice_is_none(notice):
    with pytest.raises(ValueError, match="no room"):
        trial_dates.plan(date(2026, 11, 1), 14, notice)
