"""When a bill is due: by its terms, on a day on which business is done where it was issued."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.business_days import is_business_day, next_business_day
from invoices.terms import Due, Terms, discount_until, due_date, holding

TUESDAY = date(2026, 11, 17)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("terms", "issued", "country", "due"),
    [
        (Terms(), date(2026, 11, 21), "US", date(2026, 11, 21)),  # on receipt, also on a Saturday
        (Terms(days=14), TUESDAY, "US", date(2026, 12, 1)),
        (Terms(days=9), TUESDAY, "US", date(2026, 11, 27)),  # not on Thanksgiving
        (Terms(days=9), TUESDAY, "DE", date(2026, 11, 26)),  # which Germany does not keep
        (Terms(days=11), TUESDAY, "DE", date(2026, 11, 30)),  # a Saturday
        (Terms(days=38), TUESDAY, "DE", date(2026, 12, 28)),  # Christmas, then a week-end
        (Terms(days=11), TUESDAY, "XX", date(2026, 11, 30)),  # a country that nobody knows
        (Terms(Due.MONTH_END, 10), TUESDAY, "US", date(2026, 12, 10)),
        (Terms(Due.MONTH_END), date(2026, 2, 3), "US", date(2026, 3, 2)),  # February 28: Saturday
        (Terms(Due.DAY_OF_MONTH, day=20), TUESDAY, "US", date(2026, 11, 20)),
        (Terms(Due.DAY_OF_MONTH, day=17), TUESDAY, "US", date(2026, 12, 17)),
        (Terms(Due.DAY_OF_MONTH, days=10, day=20), TUESDAY, "US", date(2026, 12, 21)),  # a Sunday
        (Terms(Due.DAY_OF_MONTH, day=31), date(2027, 2, 1), "US", date(2027, 3, 1)),  # clamped
    ],
)
def test_a_bill_is_due_by_its_terms_on_a_business_day(terms, issued, country, due):
    assert due_date(terms, issued, country) == due


def test_the_accounts_terms_beat_the_channels():
    ten = Terms(Due.MONTH_END, 10)
    assert holding((ten.to_dict(), 7), (None, 14)) == ten
    assert holding((None, 7), (ten.to_dict(), 14)) == Terms(days=7)
    assert holding((None, 0), (ten.to_dict(), 14)) == Terms()
    assert holding((None, None), (ten.to_dict(), 14)) == ten
    assert holding((None, None), (None, 14)) == Terms(days=14)


def test_paying_early_is_worth_something_until_a_business_day():
    two_in_ten = Terms(days=30, discount_ppm=20_000, discount_days=11)
    assert discount_until(two_in_ten, TUESDAY, "US") == date(2026, 11, 30)
    assert discount_until(Terms(days=30), TUESDAY, "US") is None


@given(DAYS, st.sampled_from(["US", "GB", "DE", "AE", "XX"]))
def test_the_next_business_day_is_the_first_one(day, country):
    found = next_business_day(day, country)
    assert is_business_day(found, country)
    between = [day + timedelta(days=n) for n in range((found - day).days)]
    assert not any(is_business_day(one, country) for one in between)


@given(
    st.builds(Terms, st.sampled_from(Due), st.integers(0, 365), st.integers(1, 31)),
    DAYS,
)
def test_nothing_is_due_before_it_is_issued_and_terms_are_kept_as_they_are(terms, issued):
    assert due_date(terms, issued, "US") >= issued
    assert Terms.from_dict(terms.to_dict()) == terms


@pytest.mark.parametrize("wrong", [{"days": -1}, {"day": 32}, {"discount_ppm": 1_000_000}])
def test_terms_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"at most|less than"):
        Terms(**wrong)
