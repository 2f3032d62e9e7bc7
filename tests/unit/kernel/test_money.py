"""Money is exact: it parses strictly, splits to the last cent and rounds once."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import (
    Money,
    extend,
    micros_of,
    minor_digits,
    round_half_up,
    split,
    to_micros,
    total,
)

WHOLES = st.integers(min_value=-(10**15), max_value=10**15)
WEIGHTS = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=12)


@pytest.mark.parametrize(
    "currency, digits", [("USD", 2), ("EUR", 2), ("GBP", 2), ("JPY", 0), ("KWD", 3)]
)
def test_each_currency_has_its_own_decimals(currency: str, digits: int):
    assert minor_digits(currency) == digits


@pytest.mark.parametrize("wrong", ["", "usd", "US", "XXXX", "€"])
def test_what_is_no_currency_is_refused(wrong: str):
    with pytest.raises(ValueError, match="not a currency code"):
        minor_digits(wrong)


@pytest.mark.parametrize(
    "text, currency, minor",
    [
        ("129.00", "USD", 12900),
        (" 129 ", "USD", 12900),
        ("-0.05", "USD", -5),
        ("+7.5", "USD", 750),
        (".5", "USD", 50),
        ("5.", "USD", 500),
        ("1.500", "USD", 150),
        ("1980", "JPY", 1980),
        ("1980.0", "JPY", 1980),
        ("0.001", "KWD", 1),
        ("12.345", "KWD", 12345),
        ("999999999999.99", "USD", 99999999999999),
    ],
)
def test_an_amount_is_read_in_major_units(text: str, currency: str, minor: int):
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text, currency",
    [
        ("0.001", "USD"),
        ("0.5", "JPY"),
        ("0.0001", "KWD"),
        ("10.000000000000000000000000000000000001", "USD"),
    ],
)
def test_an_amount_finer_than_the_currency_is_refused_and_never_rounded(text: str, currency: str):
    with pytest.raises(ValueError, match="decimals"):
        Money.parse(text, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "1,50",
        "1_000",
        "1 000",
        "12e3",
        "1e999999",
        "NaN",
        "Infinity",
        "-",
        ".",
        "１２",
    ],
)
def test_what_is_no_plain_amount_is_refused(text: str):
    with pytest.raises(ValueError, match="not an amount"):
        Money.parse(text, "USD")
    with pytest.raises(ValueError, match="not an amount"):
        to_micros(text)


@pytest.mark.parametrize("text", ["1000000000000", "9" * 40])
def test_an_amount_that_no_column_could_hold_is_refused(text: str):
    with pytest.raises(ValueError, match="not an amount"):
        Money.parse(text, "USD")
    with pytest.raises(ValueError, match="not an amount"):
        to_micros(Decimal(text))


@pytest.mark.parametrize(
    "amount, shown",
    [
        (Money(12900, "USD"), "129.00 USD"),
        (Money(-5, "USD"), "-0.05 USD"),
        (Money(1980, "JPY"), "1980 JPY"),
        (Money(12345, "KWD"), "12.345 KWD"),
    ],
)
def test_an_amount_shows_exactly_its_currencys_decimals(amount: Money, shown: str):
    assert str(amount) == shown


@given(minor=st.integers(1 - 10**12, 10**12 - 1), currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_what_is_written_is_read_back_the_same(minor: int, currency: str):
    amount = Money(minor, currency)
    assert Money.parse(str(amount.decimal()), currency) == amount


def test_amounts_add_subtract_negate_multiply_and_compare():
    one, two = Money(150, "USD"), Money(275, "USD")
    assert one + two == Money(425, "USD")
    assert one - two == -Money(125, "USD")
    assert one * 3 == Money(450, "USD")
    assert one < two
    assert one <= one
    assert not one < one
    assert bool(one)
    assert not Money.zero("USD")


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: total([a, b], "USD"),
    ],
)
def test_two_currencies_never_mix(mix):
    with pytest.raises(ValueError, match="do not mix"):
        mix(Money(1, "USD"), Money(1, "EUR"))


def test_the_same_number_of_two_currencies_is_not_the_same():
    assert Money(100, "USD") != Money(100, "EUR")


def test_the_total_of_nothing_is_zero_of_the_currency():
    assert total([], "JPY") == Money(0, "JPY")
    assert total([Money(1, "USD"), Money(2, "USD")], "USD") == Money(3, "USD")


@given(whole=WHOLES, weights=WEIGHTS)
def test_shares_sum_exactly_and_stay_within_one_unit_of_their_due(whole: int, weights: list[int]):
    shares = split(whole, weights)
    assert sum(shares) == whole
    fair = weights if sum(weights) else [1] * len(weights)
    for share, weight in zip(shares, fair, strict=True):
        assert abs(share - Fraction(whole * weight, sum(fair))) < 1


@given(whole=WHOLES, weights=WEIGHTS)
def test_who_weighs_nothing_gets_nothing_unless_nobody_weighs(whole: int, weights: list[int]):
    if sum(weights):
        for share, weight in zip(split(whole, weights), weights, strict=True):
            assert share == 0 or weight > 0


@given(whole=WHOLES, weights=WEIGHTS)
def test_a_debt_splits_as_the_same_credit_does(whole: int, weights: list[int]):
    assert split(-whole, weights) == [-share for share in split(whole, weights)]


@pytest.mark.parametrize(
    "whole, weights, shares",
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (1, [1, 1], [1, 0]),
        (10, [0, 0, 0], [4, 3, 3]),
        (100, [2, 1], [67, 33]),
        (7, [5], [7]),
        (0, [3, 4], [0, 0]),
    ],
)
def test_the_odd_cents_go_to_the_largest_remainder_and_a_tie_to_the_earlier(whole, weights, shares):
    assert split(whole, weights) == shares


def test_money_splits_in_its_own_currency():
    assert Money(1000, "JPY").split([1, 2]) == [Money(333, "JPY"), Money(667, "JPY")]


def test_a_split_over_nothing_or_with_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="nothing to split"):
        split(100, [])
    with pytest.raises(ValueError, match="negative"):
        split(100, [2, -1])


@pytest.mark.parametrize(
    "exact, rounded",
    [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999", 2), ("-0.5", -1), ("-2.5", -3), ("7", 7)],
)
def test_halves_are_rounded_away_from_zero(exact: str, rounded: int):
    assert round_half_up(Decimal(exact)) == rounded


@pytest.mark.parametrize(
    "unit, quantity, currency, minor",
    [
        ("129.00", 2, "USD", 25800),
        ("0.004999", 1, "USD", 0),
        ("0.005", 1, "USD", 1),
        ("0.0049", 1000, "USD", 490),
        ("1.5", 3, "JPY", 5),
        ("0.0005", 1, "KWD", 1),
        ("-0.005", 1, "USD", -1),
        ("2.10", Decimal("1.5"), "USD", 315),
        ("0.333333", Decimal("0.015"), "USD", 0),
    ],
)
def test_a_unit_price_is_rounded_once_after_it_was_multiplied(unit, quantity, currency, minor):
    assert extend(to_micros(unit), quantity, currency) == Money(minor, currency)


@given(
    micros=st.integers(-(10**17), 10**17),
    quantity=st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=12),
)
def test_an_extended_price_is_the_exact_product_rounded_half_up(micros: int, quantity: Decimal):
    exact = Fraction(micros) * Fraction(quantity) / 10_000
    size = abs(exact)
    nearest = int(size + Fraction(1, 2))  # cut off after adding a half: halves go up in size
    assert extend(micros, quantity, "USD").minor == (nearest if exact >= 0 else -nearest)


@pytest.mark.parametrize(
    "text, micros", [("0.0042", 4200), ("-1", -1_000_000), ("2.55", 2_550_000)]
)
def test_a_unit_price_keeps_six_decimals(text: str, micros: int):
    assert to_micros(text) == to_micros(Decimal(text)) == micros


def test_a_unit_price_with_more_than_six_decimals_is_refused():
    with pytest.raises(ValueError, match="six decimals"):
        to_micros("0.0000001")


@pytest.mark.parametrize("amount", [Money(690, "USD"), Money(690, "JPY"), Money(690, "KWD")])
def test_an_amount_as_a_unit_price_extends_to_itself(amount: Money):
    assert extend(micros_of(amount), 1, amount.currency) == amount
