"""A coupon over several lines: its parts sum to it, and no line falls below zero."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from core.tax.arithmetic import Tax, tax_lines
from invoices.rating.coupons import PPM, Coupon, share, share_all
from invoices.why import Formula, read

LINES = st.lists(st.integers(-(10**5), 10**7).map(lambda n: Money(n, "USD")), max_size=12)
AMOUNTS = st.integers(0, 10**8).map(lambda n: Coupon(Money(n, "USD")))
PERCENTS = st.integers(0, PPM).map(lambda n: Coupon(ppm=n))
COUPONS = st.one_of(AMOUNTS, PERCENTS)


def minor(parts) -> list[int]:
    return [part.amount.minor for part in parts]


@given(LINES, COUPONS)
def test_the_parts_sum_to_the_coupon_and_no_line_falls_below_zero(lines, coupon):
    parts = minor(share(lines, coupon))
    positive = [max(line.minor, 0) for line in lines]
    whole = Money(sum(positive), "USD")
    assert sum(parts) == (coupon.off(whole).minor if lines else 0)
    assert all(0 <= part <= most for part, most in zip(parts, positive, strict=True))


@given(LINES, COUPONS)
def test_each_part_is_within_one_minor_unit_of_its_exact_share(lines, coupon):
    positive = [max(line.minor, 0) for line in lines]
    whole = sum(positive)
    off = coupon.off(Money(whole, "USD")).minor
    for weight, rated in zip(positive, share(lines, coupon), strict=True):
        exact = Fraction(off * weight, whole) if whole else Fraction(0)
        assert abs(rated.amount.minor - exact) < 1


@given(LINES, st.lists(COUPONS, max_size=4))
def test_several_coupons_take_off_one_after_the_other(lines, coupons):
    found = share_all(lines, coupons)
    assert len(found) == len(coupons)
    taken = [sum(part) for part in zip(*map(minor, found), strict=True)] or [0] * len(lines)
    for line, part in zip(lines, taken, strict=True):
        assert 0 <= part <= max(line.minor, 0)


@given(LINES, st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_larger_coupon_never_takes_less(lines, first, more):
    parts = [sum(minor(share(lines, Coupon(Money(n, "USD"))))) for n in (first, first + more)]
    assert all(a <= b for a, b in pairwise(parts))


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=8), COUPONS)
def test_its_reason_gives_the_part_back(lines, coupon):
    for rated in share([Money(n, "USD") for n in lines], coupon):
        why = rated.why
        assert (why.formula, why.amount) == (Formula.DISCOUNT, rated.amount.decimal())
        if why.percent is not None:
            exact = Fraction(why.of) * Fraction(why.percent) / 100
        elif why.of_weight:
            exact = Fraction(why.of) * Fraction(why.weight) / Fraction(why.of_weight)
        else:
            exact = Fraction(0)
        assert abs(exact - Fraction(why.amount + why.residue)) <= Fraction(1, 10**12)
        assert read(why.to_dict()) == why


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from([0, 100_000, 200_000])),
        min_size=1,
        max_size=8,
    ),
    COUPONS,
)
def test_the_tax_is_that_of_what_is_left_of_each_line(lines, coupon):
    amounts = [Money(net, "USD") for net, _ in lines]
    left = [line - part.amount for line, part in zip(amounts, share(amounts, coupon), strict=True)]
    taxed = tax_lines(
        [(net.minor, [Tax("Here", "VAT", r)]) for net, (_, r) in zip(left, lines, strict=True)],
        "document",
    )
    exact = Fraction(sum(n.minor * r for n, (_, r) in zip(left, lines, strict=True)), PPM)
    rates = {rate for _, rate in lines}
    assert abs(sum(line.tax_minor for line in taxed) - exact) <= Fraction(len(rates), 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"amount": Money(1, "USD"), "ppm": 1},
        {"ppm": -1},
        {"ppm": PPM + 1},
        {"amount": Money(-1, "USD")},
    ],
)
def test_a_coupon_takes_an_amount_or_a_percentage_and_nothing_else(wrong):
    with pytest.raises(ValueError, match="a coupon"):
        Coupon(**wrong)
