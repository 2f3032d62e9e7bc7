"""Usage billed in arrears: what was used is billed, however late it was told and how often corrected."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money, total
from invoices.rating.changes import Change
from invoices.rating.usage import BilledUsage, Pricing, WantedUsage, compare
from invoices.why import Formula

ZERO = Money.zero("USD")
#: Five units free, ten at 1.00, all that follow at 0.50.
GRADUATED = Pricing.of("graduated", "5", [["10", 1_000_000, 0], [None, 500_000, 0]], "USD")
VOLUME = Pricing.of("volume", "0", [["10", 1_000_000, 0], [None, 500_000, 0]], "USD")
PACKAGE = Pricing.of("package", "0", [["100", 2_000_000, 0]], "USD")
UNITS = st.decimals(0, 500, places=3)


def wanted(pricing: Pricing, units: str | Decimal) -> WantedUsage:
    return WantedUsage("plan/moved/0", pricing.rate(Decimal(units)))


def posted(have: list[BilledUsage], changes: tuple[Change, ...]) -> list[BilledUsage]:
    after = list(have)
    for change in changes:
        if change.repairs is None:
            line = f"line {len(after) + 1}"
            after.append(BilledUsage(line, change.key, change.amount, ZERO, ZERO))
        else:
            after = [
                replace(one, repaired=one.repaired - change.amount)
                if one.line == change.repairs
                else one
                for one in after
            ]
    return after


@pytest.mark.parametrize(
    ("pricing", "units", "minor"),
    [
        (GRADUATED, "5", 0),
        (GRADUATED, "7.5", 250),
        (GRADUATED, "25", 1500),
        (VOLUME, "10", 1000),
        (VOLUME, "11", 550),
        (PACKAGE, "0", 0),
        (PACKAGE, "101", 400),
    ],
)
def test_units_cost_what_their_model_says(pricing: Pricing, units: str, minor: int):
    assert pricing.rate(Decimal(units)).amount.minor == minor


@given(st.sampled_from([GRADUATED, VOLUME, PACKAGE]), st.lists(UNITS, min_size=1, max_size=6))
def test_what_stands_is_what_was_used_last(pricing: Pricing, told: list[Decimal]):
    have: list[BilledUsage] = []
    for units in told:
        aim = wanted(pricing, units)
        have = posted(have, compare(have, [aim]))
        assert total((one.stands for one in have), "USD") == aim.rated.amount
        assert compare(have, [aim]) == ()
        assert all(one.left >= ZERO for one in have)


@given(UNITS, UNITS, st.integers(0, 2_000))
def test_no_more_goes_back_than_is_left(before: Decimal, after: Decimal, adjusted: int):
    have = posted([], compare([], [wanted(GRADUATED, before)]))
    have = [replace(one, adjusted=min(Money(adjusted, "USD"), one.amount)) for one in have]
    aim = wanted(GRADUATED, after)
    back = [change.amount.minor for change in compare(have, [aim]) if change.repairs is not None]
    too_much = sum(one.stands.minor for one in have) - aim.rated.amount.minor
    assert -sum(back) == max(min(too_much, sum(one.left.minor for one in have)), 0)


def test_usage_that_was_told_late_says_what_was_billed_before():
    have = posted([], compare([], [wanted(GRADUATED, "7")]))
    (more,) = compare(have, [wanted(GRADUATED, "9")])
    assert (more.amount.minor, more.why.formula) == (200, Formula.TIERS)
    assert more.why.before == Decimal(2)
    whole = sum((step.amount for step in more.why.steps), Decimal(0))
    assert whole - (more.why.before or 0) - more.why.residue == more.why.amount


def test_what_is_not_wanted_any_more_goes_back_whole():
    have = posted([], compare([], [wanted(GRADUATED, "9")]))
    (back,) = compare(have, [])
    assert (back.amount.minor, back.repairs) == (-400, "line 1")
