"""Bill days keep their own day and are clamped month by month."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from core.kernel.calendar import bill_days

days = st.dates(date(2020, 1, 1), date(2032, 12, 31))


def test_the_last_day_of_a_month_stands_for_a_day_that_it_lacks_and_nothing_follows_from_it():
    found = list(bill_days(31, date(2027, 1, 31), date(2027, 5, 1)))
    assert found == [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]
    assert list(bill_days(31, date(2028, 2, 1), date(2028, 3, 1))) == [date(2028, 2, 29)]


def test_a_bill_day_that_has_been_stated_does_not_come_again():
    assert list(bill_days(15, date(2026, 11, 15), date(2026, 12, 14))) == []
    assert list(bill_days(15, date(2026, 11, 14), date(2026, 11, 15))) == [date(2026, 11, 15)]


@given(st.integers(1, 31), days, days)
def test_there_is_one_in_each_month_whatever_the_day(anchor: int, after: date, until: date):
    found = list(bill_days(anchor, after, until))
    assert found == sorted(set(found))
    assert all(after < day <= until for day in found)
    assert len({(day.year, day.month) for day in found}) == len(found)
    months = (until.year - after.year) * 12 + until.month - after.month
    assert max(0, months - 1) <= len(found) <= max(0, months + 1)


@given(st.integers(1, 31), days, days, days)
def test_taken_in_steps_or_at_once_they_are_the_same(anchor: int, a: date, b: date, c: date):
    first, middle, last = sorted((a, b, c))
    at_once = list(bill_days(anchor, first, last))
    assert [*bill_days(anchor, first, middle), *bill_days(anchor, middle, last)] == at_once
