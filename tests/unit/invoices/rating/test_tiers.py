"""Usage by tiers: exact steps, one rounding, free units first, and no unit without a price."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money, extend, minor_digits, to_micros
from invoices.rating.tiers import Tier, graduated, package, volume
from invoices.why import Formula, read

CURRENCY = st.sampled_from(["USD", "JPY", "KWD"])
UNITS = st.decimals(0, 10**6, places=3)
MICROS = st.integers(0, 10**10)


@st.composite
def ladders(draw: st.DrawFn) -> list[Tier]:
    ends = sorted(draw(st.sets(st.integers(1, 10**6), max_size=4)))
    flats = st.sampled_from([0, 0, 5_000_000])
    return [
        Tier(None if end is None else Decimal(end), draw(MICROS), draw(flats))
        for end in [*ends, None]
    ]


@given(UNITS, ladders(), CURRENCY, UNITS)
def test_the_steps_are_exact_and_their_sum_is_rounded_once(units, ladder, currency, free):
    for rated in (
        graduated(units, ladder, currency, free=free),
        volume(units, ladder, currency, free=free),
        package(units, 100, ladder[0].unit_price_micros, currency, free=free),
    ):
        why = rated.why
        exact = [Fraction(step.quantity) * Fraction(step.unit_price) for step in why.steps]
        assert [Fraction(step.amount) for step in why.steps] == exact
        assert Fraction(why.amount + why.residue) == sum(exact)
        assert abs(why.residue) * 2 * 10 ** minor_digits(currency) <= 1
        assert (why.formula, why.amount) == (Formula.TIERS, rated.amount.decimal())
        assert read(why.to_dict()) == why


@given(UNITS, ladders(), UNITS)
def test_every_unit_is_in_one_step_and_free_ones_cost_nothing(units, ladder, free):
    steps = graduated(units, [_without_fee(t) for t in ladder], "USD", free=free).why.steps
    assert sum(step.quantity for step in steps) == units
    gratis = min(units, free)
    if gratis:
        assert steps[0].quantity == gratis
        assert not steps[0].amount


@given(UNITS, UNITS, ladders())
def test_more_units_never_cost_less_by_graduated_tiers_or_packages(units, more, ladder):
    assert graduated(units, ladder, "USD").amount <= graduated(units + more, ladder, "USD").amount
    price = ladder[0].unit_price_micros
    assert package(units, 7, price, "USD").amount <= package(units + more, 7, price, "USD").amount


@given(UNITS, ladders(), UNITS, UNITS)
def test_more_free_units_never_cost_more(units, ladder, free, more):
    first = graduated(units, ladder, "USD", free=free).amount
    assert graduated(units, ladder, "USD", free=free + more).amount <= first


@given(UNITS, MICROS, CURRENCY)
def test_one_tier_is_price_times_units(units, micros, currency):
    expected = extend(micros, units, currency)
    one = [Tier(None, micros)]
    assert graduated(units, one, currency).amount == expected
    assert volume(units, one, currency).amount == expected


LADDER = [
    Tier(Decimal(10), to_micros("2.00")),
    Tier(Decimal(20), to_micros("1.50"), to_micros("3.00")),
    Tier(None, to_micros("1.00")),
]


@pytest.mark.parametrize(
    "units, by_step, by_volume",
    [
        ("0", "0.00", "0.00"),
        ("0.5", "1.00", "1.00"),
        ("10", "20.00", "20.00"),
        ("10.5", "23.75", "18.75"),  # begun: its fee is due; all at the second price
        ("20", "38.00", "33.00"),
        ("25", "43.00", "25.00"),
    ],
)
def test_graduated_and_volume_differ_in_what_the_first_units_cost(units, by_step, by_volume):
    found = graduated(Decimal(units), LADDER, "USD").amount
    assert found == Money.parse(by_step, "USD")
    assert volume(Decimal(units), LADDER, "USD").amount == Money.parse(by_volume, "USD")


@pytest.mark.parametrize(
    "units, free, packages",
    [("0", "0", 0), ("0.001", "0", 1), ("100", "0", 1), ("101", "0", 2), ("101", "1", 1)],
)
def test_a_package_is_charged_once_it_is_begun(units, free, packages):
    found = package(Decimal(units), 100, to_micros("5.00"), "USD", free=Decimal(free))
    assert found.amount == Money(500 * packages, "USD")


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [Tier(Decimal(10), 1)],
        [Tier(None, 1), Tier(None, 2)],
        [Tier(Decimal(10), 1), Tier(Decimal(10), 1), Tier(None, 1)],
        [Tier(Decimal(10), 1), Tier(Decimal(5), 1), Tier(None, 1)],
        [Tier(Decimal(0), 1), Tier(None, 1)],
        [Tier(None, -1)],
        [Tier(None, 1, -1)],
    ],
)
def test_tiers_that_leave_a_unit_without_a_price_are_refused(wrong):
    for rate in (graduated, volume):
        with pytest.raises(ValueError, match="tier"):
            rate(Decimal(5), wrong, "USD")


def test_fewer_than_no_units_are_refused():
    with pytest.raises(ValueError, match="fewer than no units"):
        graduated(Decimal(-1), LADDER, "USD")
    with pytest.raises(ValueError, match="fewer than no units"):
        package(Decimal(1), 1, 1, "USD", free=Decimal(-1))
    with pytest.raises(ValueError, match="a package of nothing"):
        package(Decimal(1), 0, 1, "USD")


def _without_fee(tier: Tier) -> Tier:
    return Tier(tier.up_to, tier.unit_price_micros)
