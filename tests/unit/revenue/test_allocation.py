"""A contract's price by standalone prices: it sums exactly, whatever the discount."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from core.revenue.allocation import by_standalone_price


def usd(minor: int) -> Money:
    return Money(minor, "USD")


PRICES = st.lists(st.integers(0, 10**8), min_size=1, max_size=8).filter(any)


@given(st.integers(0, 10**9), PRICES)
def test_the_shares_sum_to_the_price_and_each_is_within_one_minor_unit(price, standalone):
    shares = by_standalone_price(usd(price), [usd(one) for one in standalone])
    assert sum(share.minor for share in shares) == price
    for share, one in zip(shares, standalone, strict=True):
        assert abs(share.minor - Fraction(price * one, sum(standalone))) < 1
        assert one or not share


@given(PRICES)
def test_without_a_discount_each_gets_its_own_price(standalone):
    prices = [usd(one) for one in standalone]
    assert by_standalone_price(usd(sum(standalone)), prices) == prices


def test_without_standalone_prices_there_is_nothing_to_share_by():
    for nothing in ([], [usd(0), usd(0)]):
        with pytest.raises(ValueError, match="no obligation"):
            by_standalone_price(usd(100), nothing)
    with pytest.raises(ValueError, match="another currency"):
        by_standalone_price(usd(100), [Money(100, "EUR")])
