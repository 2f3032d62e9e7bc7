"""A bundle's price is shared among its pieces to the cent, for each charge kind apart."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.bundles import Component
from core.kernel.money import Money, extend
from core.prices.bundles import CHARGE_KINDS, INTERVALS, Bundle, assemble
from core.prices.resolve import Resolved

#: (charge kind, quantity in one bundle, weight, price of one by itself)
PIECE = st.tuples(
    st.sampled_from(CHARGE_KINDS),
    st.integers(1, 10),
    st.integers(0, 10**6),
    st.integers(0, 2_000_000_000),
)
PIECES = st.lists(PIECE, min_size=1, max_size=8)
PRICES = st.fixed_dictionaries({kind: st.integers(0, 9_999_999_999) for kind in CHARGE_KINDS})
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])
QUANTITIES = st.integers(1, 99)


def component(quantity: int = 1, weight: int = 1, **more: Any) -> Component:
    values: dict[str, Any] = {
        "variant_id": uuid.uuid4(),
        "sku": "",
        "name": "",
        "kind": "physical",
        "tax_category": "device",
        "sold": True,
        "slug": "",
        "picture": "",
    }
    return Component(quantity=quantity, weight=weight, **(values | more))


def price(micros: int, kind: str = "one_off", currency: str = "USD", count: int = 1) -> Resolved:
    return Resolved(micros, currency, INTERVALS.get(kind), count, {"list": "a"})


def bundle(
    pieces: Sequence[tuple[str, int, int, int]], prices: dict[str, int], currency: str = "USD"
) -> Bundle:
    inside = [component(quantity, weight) for _, quantity, weight, _ in pieces]
    alone = {
        one.variant_id: price(micros, kind, currency)
        for one, (kind, _, _, micros) in zip(inside, pieces, strict=True)
    }
    told = {kind: price(micros, kind, currency) for kind, micros in prices.items()}
    found = assemble(inside, told, alone)
    assert found is not None
    return found


@given(PIECES, PRICES, CURRENCIES, QUANTITIES)
def test_pieces_sum_to_the_bundle_for_each_charge_kind(pieces, prices, currency, quantity):
    whole = bundle(pieces, prices, currency)
    shares = whole.shares(quantity)
    assert len(shares) == len(pieces)
    for charge in whole.charges(quantity):
        mine = [one for one in shares if one.piece.charge_kind == charge.charge_kind]
        assert sum(one.amount.minor for one in mine) == charge.together.minor
        assert charge.together == extend(prices[charge.charge_kind], quantity, currency)
        assert all(one.of == charge.together for one in mine)
        assert charge.saving.minor == max(charge.apart.minor - charge.together.minor, 0)
    assert {charge.charge_kind for charge in whole.charges(quantity)} == {p[0] for p in pieces}
    assert whole.due_now(quantity).minor == sum(one.amount.minor for one in shares)


@given(PIECES, PRICES, CURRENCIES, QUANTITIES)
def test_no_piece_is_further_from_its_weight_than_one_cent(pieces, prices, currency, quantity):
    for share in bundle(pieces, prices, currency).shares(quantity):
        assert 0 <= share.weight <= share.of_weight
        assert abs(share.amount.minor * share.of_weight - share.of.minor * share.weight) < (
            share.of_weight
        )


@given(PIECES, PRICES, CURRENCIES, QUANTITIES)
def test_the_unit_price_of_a_piece_gives_its_part_back(pieces, prices, currency, quantity):
    """A plan's later periods are billed by it."""
    for share in bundle(pieces, prices, currency).shares(quantity):
        assert extend(share.unit_price_micros, share.quantity, currency) == share.amount
        assert share.quantity == share.piece.component.quantity * quantity


def test_of_equal_remainders_the_earlier_piece_takes_the_last_cent():
    three = [("one_off", 1, 1, 4_000_000)] * 3
    shares = bundle(three, {"one_off": 10_000_000}).shares(1)
    assert [one.amount.minor for one in shares] == [334, 333, 333]
    assert [one.amount.minor for one in bundle(three, {"one_off": 10_000_000}).shares(2)] == [
        667,
        667,
        666,
    ]


def test_without_weights_all_pieces_are_alike_and_a_weight_of_nothing_costs_nothing():
    alike = bundle([("one_off", 1, 0, 1)] * 2, {"one_off": 10_000_000}).shares(1)
    assert [(one.amount.minor, one.weight, one.of_weight) for one in alike] == [
        (500, 1, 2),
        (500, 1, 2),
    ]
    gift, goods = bundle(
        [("one_off", 1, 0, 1), ("one_off", 1, 7, 1)], {"one_off": 10_000_000}
    ).shares(1)
    assert (gift.amount.minor, goods.amount.minor) == (0, 1000)


def test_what_recurs_never_pays_for_what_is_paid_once():
    pieces = [("one_off", 1, 129, 129_000_000), ("monthly", 1, 45, 45_000_000)]
    router, line = bundle(pieces, {"one_off": 100_000_000, "monthly": 42_000_000}).shares(2)
    assert (router.amount, router.of_weight) == (Money(20_000, "USD"), 129)
    assert (line.amount, line.of_weight) == (Money(8_400, "USD"), 45)


# --- may it be bought? ----------------------------------------------------------------------------

ROUTER, LINE = component(), component(kind="plan")
ALONE = {ROUTER.variant_id: price(1), LINE.variant_id: price(1, "monthly")}
TOLD = {"one_off": price(1), "monthly": price(1, "monthly")}


def test_a_bundle_is_bought_when_every_piece_is_sold_and_each_of_their_kinds_is_priced():
    found = assemble([ROUTER, LINE], TOLD, ALONE)
    assert found is not None
    assert found.kinds == ("one_off", "monthly")


@pytest.mark.parametrize(
    "pieces, told, alone",
    [
        ([], TOLD, ALONE),
        ([ROUTER, component(sold=False, variant_id=LINE.variant_id)], TOLD, ALONE),
        ([ROUTER, LINE], TOLD, {ROUTER.variant_id: price(1)}),
        ([ROUTER, LINE], {"one_off": price(1)}, ALONE),
        ([ROUTER, LINE], {"monthly": price(1, "monthly"), "yearly": price(1, "yearly")}, ALONE),
        ([ROUTER, LINE], TOLD, ALONE | {LINE.variant_id: price(1, "monthly", count=3)}),
    ],
    ids=["empty", "not sold", "no price by itself", "nothing monthly", "nothing once", "quarterly"],
)
def test_otherwise_it_is_not(pieces, told, alone):
    assert assemble(pieces, told, alone) is None


def test_a_price_for_a_kind_that_nothing_in_it_has_is_not_charged():
    found = assemble([ROUTER], TOLD, ALONE)
    assert found is not None
    assert found.kinds == ("one_off",)
    assert found.now.unit_price_micros == 1
