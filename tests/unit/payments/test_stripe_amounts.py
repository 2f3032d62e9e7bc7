"""Amounts between our minor units and Stripe's smallest units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from payments.stripe_amounts import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (Money(31800, "USD"), 31800),
        (Money(500, "JPY"), 500),
        (Money(5000, "KWD"), 5000),
        (Money(4200, "ISK"), 420000),
        (Money(-1000, "EUR"), -1000),
    ],
)
def test_each_currency_is_counted_as_stripe_counts_it(amount: Money, units: int) -> None:
    assert to_stripe(amount) == units
    assert from_stripe(units, amount.currency.lower()) == amount


def test_a_thousandth_that_stripe_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="too fine"):
        to_stripe(Money(5001, "KWD"))


def test_a_part_of_our_minor_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole minor units"):
        from_stripe(420050, "isk")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["USD", "EUR", "JPY", "ISK", "GBP", "VND"]))
def test_what_is_sent_comes_back_the_same(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert from_stripe(to_stripe(amount), currency.lower()) == amount
