"""The tax that goes with a credit: in proportion, never more than the line has, all of it in the end."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from invoices import correcting
from invoices.content import TaxPart
from invoices.correcting import Creditable, MoreThanTheLine
from invoices.disputes import amounts

NETS = st.integers(-50_000, 50_000).filter(bool)
RATES = st.lists(st.integers(0, 250_000), max_size=3)


def line_of(net: int, rates: list[int]) -> Creditable:
    taxes = [
        TaxPart("Ohio", f"Tax {n}", rate, net, net * rate // 10**6) for n, rate in enumerate(rates)
    ]
    return Creditable(1, net, tuple(taxes))


def after(line: Creditable, net: int, gross: int | None = None) -> tuple[Creditable, int]:
    """The line once so much was credited, and the tax that went with it."""
    parts = correcting.credit(line, net, "USD", gross)
    before = line.credited or ((0, 0),) * len(parts)
    credited = tuple(
        (base + part.base_minor, amount + part.amount_minor)
        for part, (base, amount) in zip(parts, before, strict=True)
    )
    made = Creditable(1, line.net_minor, line.taxes, line.credited_net + net, credited)
    return made, sum(part.amount_minor for part in parts)


@given(NETS, RATES, st.lists(st.integers(1, 50_000), max_size=6))
def test_however_a_line_is_credited_all_of_its_tax_comes_back_and_no_more(net, rates, cuts):
    line = line_of(net, rates)
    marks = sorted({0, abs(net), *(cut for cut in cuts if cut < abs(net))})
    sign, taxes = (1 if net > 0 else -1), []
    for low, high in pairwise(marks):
        line, tax = after(line, sign * (high - low))
        taxes.append(tax)
    assert line.left_net == line.left_tax == line.left_total == 0
    assert all(part * sign >= 0 for part in taxes), "no credit takes tax the other way"
    assert [amount for _, amount in line.credited] == [one.amount_minor for one in line.taxes]
    assert [base for base, _ in line.credited] == [one.base_minor for one in line.taxes]


@given(
    st.integers(1, 5_000),
    st.lists(st.integers(0, 400_000), max_size=3),
    st.lists(st.integers(1, 3_000), max_size=8),
)
@example(3_333, [200_000], [3, 3, 3, 9])
@example(100, [400_000, 400_000, 400_000], [1, 1, 2, 150])
def test_a_credit_with_its_taxes_is_what_was_asked_for_to_the_cent(net, rates, asks):
    line = line_of(net, rates)
    for asked in [one for one in asks if one] + [line.left_total]:
        gross = min(asked, line.left_total)
        if not gross:
            break
        part = amounts.net_of(line, gross, "USD")
        if not part:
            assert (line.left_net, gross) < (2, line.left_total), "only the last of the net is kept"
            continue
        before = line.left_tax
        line, tax = after(line, part, gross)
        assert part + tax == gross
        assert 0 <= line.left_tax <= before
        assert all(
            0 <= amount <= whole.amount_minor
            for (_, amount), whole in zip(line.credited, line.taxes, strict=True)
        )
        assert line.left_net or not line.left_tax, "the last of the net takes the last of the tax"
    if line.left_total:
        line, _ = after(line, amounts.net_of(line, line.left_total, "USD"), line.left_total)
    assert (line.left_net, line.left_tax) == (0, 0)


@given(NETS, st.integers(-60_000, 60_000))
def test_only_what_is_left_of_a_line_and_of_its_sign_can_be_credited(net, asked):
    line = line_of(net, [65_000])
    fits = 0 < asked <= net or net <= asked < 0
    assert line.bears(asked) == fits
    if not fits:
        with pytest.raises(MoreThanTheLine):
            correcting.credit(line, asked, "USD")


@given(st.lists(NETS, min_size=1, max_size=6), st.integers(1, 999_999))
def test_a_percent_of_lines_is_that_percent_of_their_sum_and_no_line_gives_more_than_it_has(
    nets, ppm
):
    lines = [line_of(net, [200_000]) for net in nets]
    shares = correcting.percent_of(lines, ppm)
    assert abs(sum(shares) * 10**6 - sum(nets) * ppm) <= 10**6 // 2
    for line, share in zip(lines, shares, strict=True):
        assert share == 0 or line.bears(share)
