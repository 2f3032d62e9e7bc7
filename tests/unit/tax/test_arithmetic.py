"""Taxes to the last cent: shared out over the lines, contained in prices, and turned around."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tax.arithmetic import Tax, TaxedLine, tax_lines

OHIO = Tax("Ohio", "Sales tax", 72_500)
COUNTY = Tax("Marrow County", "Transit tax", 12_375)
FEDERAL = Tax("United States", "Excise", 30_000)
VAT = Tax("United Kingdom", "VAT", 200_000)
ON_TOP = [OHIO, COUNTY, FEDERAL, VAT, Tax("Nowhere", "No tax", 0)]

AMOUNTS = st.integers(min_value=-(10**9), max_value=10**9)
TAXES = st.lists(st.sampled_from(ON_TOP), unique=True, max_size=4)
LINES = st.lists(st.tuples(AMOUNTS, TAXES), min_size=1, max_size=12)
INCLUSIVE = st.lists(
    st.builds(
        Tax,
        st.sampled_from(["Here", "There", "Everywhere"]),
        st.sampled_from(["VAT", "Levy"]),
        st.integers(min_value=1, max_value=2_000_000),
        st.just(True),
    ),
    min_size=1,
    max_size=4,
)


def exact(net: int, tax: Tax) -> Fraction:
    return Fraction(net * tax.rate_ppm, 1_000_000)


def rounded(value: Fraction) -> int:
    """The nearest integer; halves away from zero."""
    away = int(abs(value) + Fraction(1, 2))
    return away if value >= 0 else -away


def amounts(lines: Sequence[TaxedLine]) -> list[int]:
    return [line.tax_minor for line in lines]


def by_tax(lines: Sequence[TaxedLine]) -> dict[Tax, int]:
    sums: dict[Tax, int] = {}
    for line in lines:
        for taxed in line.taxes:
            sums[taxed.tax] = sums.get(taxed.tax, 0) + taxed.amount_minor
    return sums


# --- on top, rounded once a document --------------------------------------------------------------


@given(LINES)
def test_the_lines_taxes_sum_to_the_documents_tax_rounded_once(lines):
    taxed = tax_lines(lines, "document")
    for tax, sum_ in by_tax(taxed).items():
        base = sum(amount for amount, taxes in lines if tax in taxes)
        assert sum_ == rounded(exact(base, tax))


@given(LINES)
def test_each_line_is_less_than_a_unit_away_from_its_exact_tax(lines):
    for line in tax_lines(lines, "document"):
        for taxed in line.taxes:
            assert abs(taxed.amount_minor - exact(line.net_minor, taxed.tax)) < 1


@given(LINES)
def test_a_line_keeps_its_net_its_taxes_and_their_order(lines):
    taxed = tax_lines(lines, "document")
    assert [line.net_minor for line in taxed] == [amount for amount, _ in lines]
    assert [{one.tax for one in line.taxes} for line in taxed] == [set(taxes) for _, taxes in lines]
    assert all(one.base_minor == line.net_minor for line in taxed for one in line.taxes)


@given(LINES)
def test_a_document_turned_around_has_its_taxes_turned_around(lines):
    there = tax_lines(lines, "document")
    back = tax_lines([(-amount, taxes) for amount, taxes in lines], "document")
    assert amounts(back) == [-amount for amount in amounts(there)]


@given(LINES)
def test_the_same_document_is_taxed_the_same_each_time(lines):
    assert tax_lines(lines, "document") == tax_lines(lines, "document")


@given(st.tuples(AMOUNTS, TAXES), st.sampled_from(["document", "line"]))
def test_one_line_alone_is_taxed_alike_either_way(line, rounding):
    amount, taxes = line
    (taxed,) = tax_lines([line], rounding)
    assert [one.amount_minor for one in taxed.taxes] == [
        rounded(exact(amount, tax)) for tax in taxes
    ]


def test_a_penny_too_much_goes_to_the_line_that_was_nearest_to_it():
    lines = [(999, [OHIO]), (499, [OHIO]), (249, [OHIO])]
    assert amounts(tax_lines(lines, "line")) == [72, 36, 18]
    assert amounts(tax_lines(lines, "document")) == [73, 36, 18]


def test_two_equal_fees_share_an_odd_cent_and_the_first_one_gets_it():
    assert amounts(tax_lines([(6833, [VAT]), (6833, [VAT])], "document")) == [1367, 1366]
    assert amounts(tax_lines([(6833, [VAT]), (6833, [VAT])], "line")) == [1367, 1367]


def test_a_line_that_takes_back_has_a_tax_that_takes_back():
    taxed = tax_lines([(12_900, [OHIO]), (-2_900, [OHIO])], "document")
    assert amounts(taxed) == [935, -210]
    assert sum(amounts(taxed)) == rounded(exact(10_000, OHIO))


def test_lines_of_different_rates_are_each_rounded_with_their_like():
    lines = [(1005, [OHIO]), (1005, [VAT]), (1005, [OHIO, VAT]), (1005, [])]
    taxed = tax_lines(lines, "document")
    assert by_tax(taxed) == {OHIO: 146, VAT: 402}
    assert amounts(taxed) == [73, 201, 274, 0]


def test_several_taxes_on_a_line_each_take_their_own():
    (line,) = tax_lines([(10_000, [OHIO, COUNTY, FEDERAL])], "document")
    assert [(one.tax.name, one.amount_minor) for one in line.taxes] == [
        ("Sales tax", 725),
        ("Transit tax", 124),
        ("Excise", 300),
    ]
    assert (line.net_minor, line.tax_minor) == (10_000, 1_149)


def test_what_nobody_taxes_has_no_tax():
    (line,) = tax_lines([(4_500, [])], "document")
    assert line == TaxedLine(4_500, ())
    assert line.tax_minor == 0


# --- on top, rounded once a line ------------------------------------------------------------------


@given(LINES)
def test_by_line_each_tax_is_the_nearest_unit(lines):
    for (amount, taxes), line in zip(lines, tax_lines(lines, "line"), strict=True):
        assert [one.amount_minor for one in line.taxes] == [
            rounded(exact(amount, tax)) for tax in taxes
        ]


# --- contained in the price -----------------------------------------------------------------------


@given(AMOUNTS, INCLUSIVE, st.sampled_from(["document", "line"]))
def test_net_and_contained_taxes_are_exactly_the_price(amount, taxes, rounding):
    (line,) = tax_lines([(amount, taxes)], rounding)
    assert line.net_minor + line.tax_minor == amount


@given(AMOUNTS, INCLUSIVE)
def test_taxes_are_taken_out_of_a_price_together(amount, taxes):
    (line,) = tax_lines([(amount, taxes)], "document")
    rate = Fraction(sum(tax.rate_ppm for tax in taxes), 1_000_000)
    net = Fraction(amount) / (1 + rate)
    assert abs(line.net_minor - net) <= Fraction(1, 2)
    for taxed in line.taxes:
        assert abs(taxed.amount_minor - exact(1, taxed.tax) * net) < 2


@given(AMOUNTS, INCLUSIVE)
def test_a_price_turned_around_contains_the_same(amount, taxes):
    (there,) = tax_lines([(amount, taxes)], "document")
    (back,) = tax_lines([(-amount, taxes)], "document")
    assert back.net_minor == -there.net_minor
    assert back.tax_minor == -there.tax_minor


def test_ten_dollars_that_contain_two_taxes():
    taxes = [Tax("A", "Ten", 100_000, True), Tax("B", "Seventeen and a half", 175_000, True)]
    (line,) = tax_lines([(1_000, taxes)], "document")
    assert line.net_minor == 784
    assert [one.amount_minor for one in line.taxes] == [79, 137]


def test_a_contained_tax_of_nothing_leaves_the_price():
    (line,) = tax_lines([(1_000, [Tax("A", "Zero", 0, True)])], "document")
    assert (line.net_minor, line.tax_minor) == (1_000, 0)


def test_some_lines_may_contain_their_tax_and_others_carry_it_on_top():
    inside = Tax("Ohio", "Sales tax", 72_500, True)
    contained, on_top = tax_lines([(10_725, [inside]), (10_000, [OHIO])], "document")
    assert (contained.net_minor, contained.tax_minor) == (10_000, 725)
    assert (on_top.net_minor, on_top.tax_minor) == (10_000, 725)


@pytest.mark.parametrize("rounding", ["document", "line"])
def test_one_line_may_contain_one_tax_and_carry_another_on_its_net(rounding: str):
    inside = Tax("B", "Levy", 50_000, True)
    (line,) = tax_lines([(1_050, [OHIO, inside])], rounding)
    assert line.net_minor == 1_000
    assert {one.tax: (one.base_minor, one.amount_minor) for one in line.taxes} == {
        inside: (1_000, 50),
        OHIO: (1_000, 73),
    }
    assert line.contained_minor == 50


def test_a_document_without_lines_has_none():
    assert tax_lines([], "document") == []
