"""Compound taxes, taxes that somebody is relieved of, prices that contain their tax: by the document and by
the line, whichever way round and in whatever order."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import split
from core.tax.arithmetic import EXEMPT, REVERSE_CHARGE, Tax, TaxedLine, tax_lines

FEDERAL = Tax("Canada", "GST", 50_000)
QUEBEC = Tax("Quebec", "QST", 95_000, compound=True)
ISLAND = Tax("Sark", "Levy", 33_333, compound=True)
VAT = Tax("United Kingdom", "VAT", 200_000, inclusive=True)
DUTY = Tax("United Kingdom", "Duty", 12_500, inclusive=True)
ON_DUTY = Tax("United Kingdom", "VAT on duty", 200_000, inclusive=True, compound=True)
FREED = Tax("Ohio", "Sales tax", 65_000, relief=EXEMPT, reference="OH-1")
ABROAD = Tax("France", "VAT", 200_000, inclusive=True, relief=REVERSE_CHARGE, reference="FR1")
ALL = [FEDERAL, QUEBEC, ISLAND, VAT, DUTY, ON_DUTY, FREED, ABROAD]

AMOUNTS = st.integers(min_value=-(10**7), max_value=10**7)
LINES = st.lists(
    st.tuples(AMOUNTS, st.lists(st.sampled_from(ALL), unique=True, max_size=5)),
    min_size=1,
    max_size=8,
)
ROUNDING = st.sampled_from(["document", "line"])


def sums(lines: list[TaxedLine]) -> tuple[int, dict[Tax, int]]:
    taxes: dict[Tax, int] = {}
    for line in lines:
        for one in line.taxes:
            taxes[one.tax] = taxes.get(one.tax, 0) + one.amount_minor
    return sum(line.net_minor for line in lines), taxes


@given(LINES, ROUNDING)
def test_a_credit_of_everything_is_exactly_the_negative(lines, rounding):
    there = tax_lines(lines, rounding)
    back = tax_lines([(-amount, taxes) for amount, taxes in lines], rounding)
    assert [line.net_minor for line in back] == [-line.net_minor for line in there]
    assert [[one.amount_minor for one in line.taxes] for line in back] == [
        [-one.amount_minor for one in line.taxes] for line in there
    ]


@given(LINES, ROUNDING, st.randoms(use_true_random=False))
def test_the_order_of_lines_and_of_their_taxes_does_not_matter_for_any_sum(lines, rounding, dice):
    mixed = [(amount, dice.sample(taxes, len(taxes))) for amount, taxes in lines]
    dice.shuffle(mixed)
    assert sums(tax_lines(mixed, rounding)) == sums(tax_lines(lines, rounding))


@given(LINES, ROUNDING)
def test_a_price_is_its_net_and_what_it_contains_unless_some_of_it_is_not_charged(lines, rounding):
    for (amount, taxes), line in zip(lines, tax_lines(lines, rounding), strict=True):
        if not any(tax.inclusive and tax.relief for tax in taxes):
            assert line.net_minor + line.contained_minor == amount
        elif amount >= 0:
            assert line.net_minor + line.contained_minor <= amount + len(taxes)


@given(LINES, ROUNDING)
def test_each_tax_on_top_is_within_half_a_unit_of_its_rate_each_time_it_is_rounded(lines, rounding):
    taxed = tax_lines(lines, rounding)
    rounded: dict[Tax, list[Fraction]] = {}
    for line in taxed:
        for one in line.taxes:
            if not one.tax.relief and not one.tax.inclusive:
                exact = Fraction(one.base_minor * one.tax.rate_ppm, 1_000_000)
                rounded.setdefault(one.tax, []).append(one.amount_minor - exact)
    for differences in rounded.values():
        if rounding == "document":
            assert abs(sum(differences, Fraction())) <= Fraction(1, 2)
            assert all(abs(one) < 1 for one in differences)
        else:
            assert all(abs(one) <= Fraction(1, 2) for one in differences)


@given(st.lists(AMOUNTS, min_size=1, max_size=9))
def test_contained_tax_is_rounded_once_for_the_document(amounts):
    taxed = tax_lines([(amount, [VAT]) for amount in amounts], "document")
    net, _ = sums(taxed)
    assert abs(net - Fraction(sum(amounts) * 5, 6)) <= Fraction(1, 2)
    for amount, line in zip(amounts, taxed, strict=True):
        assert abs(line.net_minor - Fraction(amount * 5, 6)) <= 1


@given(LINES, ROUNDING)
def test_whoever_is_relieved_pays_nothing_and_the_base_stays_told(lines, rounding):
    for line in tax_lines(lines, rounding):
        for one in line.taxes:
            if one.tax.relief:
                assert (one.amount_minor, one.base_minor) == (0, line.net_minor)


@pytest.mark.parametrize("rounding", ["document", "line"])
def test_a_compound_tax_is_reckoned_on_the_net_and_the_tax_before_it(rounding):
    (line,) = tax_lines([(10_000, [QUEBEC, FEDERAL])], rounding)
    assert [(one.tax.name, one.base_minor, one.amount_minor) for one in line.taxes] == [
        ("GST", 10_000, 500),
        ("QST", 10_500, 998),
    ]


def test_two_compound_taxes_stand_one_on_the_other():
    (line,) = tax_lines([(10_000, [ISLAND, QUEBEC, FEDERAL])], "line")
    assert [one.base_minor for one in line.taxes] == [10_000, 10_500, 11_498]


@pytest.mark.parametrize("rounding", ["document", "line"])
def test_a_compound_tax_may_be_contained_in_the_price(rounding):
    (line,) = tax_lines([(12_150, [DUTY, ON_DUTY])], rounding)
    assert line.net_minor == 10_000
    assert [(one.base_minor, one.amount_minor) for one in line.taxes] == [
        (10_000, 125),
        (10_125, 2_025),
    ]


def test_a_compound_tax_on_a_tax_that_is_not_charged_takes_no_more_than_its_own():
    freed = Tax("Canada", "GST", 50_000, relief=EXEMPT, reference="C-1")
    (line,) = tax_lines([(10_000, [freed, QUEBEC])], "document")
    assert [(one.base_minor, one.amount_minor) for one in line.taxes] == [
        (10_000, 0),
        (10_000, 950),
    ]


def test_a_price_with_tax_is_less_for_whoever_does_not_pay_the_tax():
    (line,) = tax_lines([(12_000, [ABROAD])], "document")
    assert (line.net_minor, line.tax_minor, line.contained_minor) == (10_000, 0, 0)


def test_a_coupon_over_lines_of_several_rates_is_spread_before_they_are_taxed():
    fees = [10_000, 5_000, 3_000, 2_000]
    rates = [100_000, 0, 200_000, 200_000]
    spread = split(1_000, fees)
    assert spread == [500, 250, 150, 100]
    taxed = tax_lines(
        [
            (fee - part, [Tax("Here", "VAT", rate)])
            for fee, part, rate in zip(fees, spread, rates, strict=True)
        ],
        "document",
    )
    assert sum(line.tax_minor for line in taxed) == 1_900
    assert sum(line.net_minor + line.tax_minor for line in taxed) == 20_900


def test_three_small_prices_contain_the_tax_of_their_sum():
    lines = [(10, [VAT])] * 3
    assert sum(line.tax_minor for line in tax_lines(lines, "document")) == 5
    assert sum(line.tax_minor for line in tax_lines(lines, "line")) == 6
