"""A placed order becomes another: what is shown before is what is posted, and stock and books stay right."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cart.delivery_models import DeliveryMethod
from core.catalog.models import Variant
from core.kernel import crash
from core.kernel.errors import Invalid, ShopError
from core.kernel.money import to_micros
from core.orders.fulfilling import TooManyPieces
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order
from core.prices.models import Price
from core.stock.holds import OutOfStock
from core.stock.models import StockLevel
from flows import change_order, take_back
from flows.add_goods import AwaitsPayment
from flows.change_order import PreviewStale
from flows.edits import Added, Edits
from flows.house import House
from flows.plan_change import NothingChanges
from flows.take_back import Asked
from invoices.models import Invoice
from tests import changing, packs
from tests.changing import (
    assert_sound,
    bought,
    changed,
    every,
    level,
    lines_of,
    number,
    on_terms,
    order_of,
    owed,
    paid_back,
    posted,
    seen,
    ship,
)
from tests.packs import Inside
from tests.paying import drain, usd
from tests.quoting import MILL, UNTAXED, YARD
from tests.sandbox_process import SandboxProcess
from tests.together import together
from tests.world import ADDRESS, World


def test_several_edits_are_one_set_and_only_the_difference_is_asked_for(
    house: House, sandbox: SandboxProcess, world: World
):
    before = level(house, world.router.level_id)
    big = changing.variant(house, world, "FW-RT-6E", "189.00", 5)
    order = bought(house, sandbox, {"FW-RT-6": 2, "FW-CAM-1": 1})
    router, camera = number(house, order, "FW-RT-6"), number(house, order, "FW-CAM-1")
    edits = Edits({camera: 2}, {router: "FW-RT-6E"})
    plan, wish = seen(house, order, edits)
    assert plan.back > usd(0)
    assert plan.difference == plan.more - plan.back > usd(0)
    change = change_order.change(house, wish)
    assert change_order.change(house, wish).id == change.id
    assert posted(house, change) == (plan.back, plan.more)
    assert level(house, world.router.level_id) == before
    assert level(house, big) == (5, 2, 0)
    assert level(house, world.camera.level_id) == (4, 2, 0)
    drain(house)
    assert owed(house, order) == plan.difference.minor
    assert paid_back(house, order) == 0
    found = {(line.sku, line.change_id is not None): line for line in lines_of(house, order)}
    assert found["FW-RT-6", False].cancelled == 2
    assert found["FW-RT-6E", True].quantity == 2
    with pytest.raises(AwaitsPayment):
        ship(house, order, {found["FW-RT-6E", True].line_number: 1})
    ship(house, order, {camera: 1}, "p2")
    assert_sound(house)


def test_a_smaller_order_gives_back_by_what_was_paid_and_one_on_terms_owes_less(
    house: House, sandbox: SandboxProcess, world: World
):
    for order in (bought(house, sandbox, {"FW-RT-6": 3}), on_terms(house, {"FW-RT-6": 3})):
        router = number(house, order, "FW-RT-6")
        plan, change = changed(house, order, Edits({router: 1}), once=f"s{router}")
        assert plan.difference == -plan.back < usd(0)
        assert posted(house, change) == (plan.back, usd(0))
        drain(house)
        if order.payment == "paid":
            assert paid_back(house, order) == plan.back.minor
        else:
            assert owed(house, order) == order.due_now_minor - plan.back.minor
    assert_sound(house)


def test_what_was_seen_is_done_or_nothing(house: House, sandbox: SandboxProcess, world: World):
    order = bought(house, sandbox, {"FW-RT-6": 2})
    router = number(house, order, "FW-RT-6")
    plan, wish = seen(house, order, Edits({router: 3}))
    assert plan.difference == plan.more > usd(0)
    ship(house, order, {router: 1})
    with pytest.raises(PreviewStale) as raised:
        change_order.change(house, wish)
    assert (raised.value.expected, raised.value.actual) == (plan.difference, plan.difference)
    with pytest.raises(PreviewStale):
        change_order.change(house, replace(wish, token="junk"))
    assert every(house, OrderChange) == []
    with pytest.raises(NothingChanges):
        seen(house, order, Edits({router: 2}))
    with pytest.raises(TooManyPieces) as refused:
        seen(house, order, Edits({router: 0}))
    assert (refused.value.line, refused.value.possible) == (router, 1)
    plan, wish = seen(house, order, Edits(added=[Added("FW-CAM-1", 9)]))
    with pytest.raises(OutOfStock):
        change_order.change(house, wish)
    assert level(house, world.camera.level_id) == (4, 0, 0)
    assert every(house, OrderChange) == []
    assert_sound(house)


def test_another_place_has_its_own_taxes_and_its_own_delivery(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 2})
    untaxed = {**ADDRESS, "city": "Portland", "region": "OR", "postal_code": "97201"}
    plan, change = changed(house, order, Edits(address=untaxed))
    # The same goods at the same price: what goes back is the tax.
    assert plan.difference == plan.tax == usd(-order.tax_minor)
    assert posted(house, change) == (plan.back, plan.more)
    again = order_of(house, order)
    assert again.shipping_address == untaxed
    assert change.details is not None
    assert change.details["address"]["before"]["region"] == ADDRESS["region"]
    drain(house)
    assert paid_back(house, order) == order.tax_minor
    # Elsewhere with the same taxes no document is written at all.
    near = {**untaxed, "line1": "9 Ferry Street"}
    plan, change = changed(house, order, Edits(address=near), once="s2")
    assert (plan.removed, plan.added, plan.difference) == ([], [], usd(0))
    assert posted(house, change) == (usd(0), usd(0))
    with pytest.raises(Invalid):
        seen(house, order, Edits(address={**near, "city": ""}))
    assert_sound(house)


def test_delivery_is_reckoned_anew_for_what_is_sent_then(
    house: House, sandbox: SandboxProcess, world: World
):
    cheap = changing.variant(house, world, "FW-CABLE", "12.00", 9)
    with house.db.transaction() as session:
        session.add(
            DeliveryMethod(
                channel_id=world.channel_id,
                country="US",
                code="express",
                name="Express delivery",
                price_minor=1990,
            )
        )
    order = bought(house, sandbox, {"FW-CABLE": 2})
    assert [line.sku for line in lines_of(house, order)] == ["FW-CABLE", "delivery:standard"]
    cable = number(house, order, "FW-CABLE")
    # Past the amount from which it is free, the delivery goes back.
    plan, change = changed(house, order, Edits({cable: 6}))
    assert [one.line.sku for one in plan.removed] == ["delivery:standard"]
    assert [(one.sku, one.taxed.net_minor) for one in plan.added] == [
        ("FW-CABLE", 4800),
        ("delivery:standard", 0),
    ]
    assert posted(house, change) == (plan.back, plan.more)
    plan, change = changed(house, order, Edits(method="express"), once="s2")
    assert [(one.sku, one.taxed.net_minor) for one in plan.added] == [("delivery:express", 1990)]
    assert order_of(house, order).shipping_method == "express"
    assert level(house, cheap) == (9, 6, 0)
    assert_sound(house)


POINTS = (
    "change.counted",
    "add.written",
    "memo.written",
    "change.credited",
    "issue.written",
    "add.billed",
    "change.before_commit",
)


def test_a_crash_at_any_point_of_a_change_leaves_it_undone_or_done_once(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-RT-6": 3})
    router = number(house, order, "FW-RT-6")
    plan, wish = seen(house, order, Edits({router: 1}, added=[Added("FW-CAM-1")]))
    for point in POINTS:
        with crash.crash_at(point):
            change_order.change(house, wish)
        assert every(house, OrderChange) == []
    passed: list[str] = []
    with crash.armed(passed.append):
        change_order.change(house, wish)
    assert set(POINTS) <= set(passed)
    (change,) = every(house, OrderChange)
    assert posted(house, change) == (plan.back, plan.more)
    drain(house)
    assert paid_back(house, order) == -plan.difference.minor
    assert_sound(house)


def test_two_clerks_at_once_change_it_once(house: House, sandbox: SandboxProcess, world: World):
    order = bought(house, sandbox, {"FW-RT-6": 2})
    router = number(house, order, "FW-RT-6")
    _, wish = seen(house, order, Edits({router: 1}))
    outcomes = together(
        [
            lambda: change_order.change(house, wish),
            lambda: change_order.change(house, replace(wish, once="s2", actor="user:kim")),
            lambda: ship(house, order, {router: 2}),
        ]
    )
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1, outcomes
    assert_sound(house)


# --- any sets -------------------------------------------------------------------------------------

_SET = st.tuples(
    st.dictionaries(st.sampled_from(["FW-RT-6", "FW-SET"]), st.integers(0, 4), max_size=2),
    st.sampled_from([None, ("FW-RT-6", "FW-RT-BLACK"), ("FW-SET", "FW-RT-6")]),
    st.sampled_from([{}, {"FW-CAM-1": 1}, {"FW-SET": 1}, {"FW-VISIT": 2}, {"FW-RIVER-100": 1}]),
    st.integers(0, 1),
)


def _documents(house: House, order: Order) -> int:
    found = every(house, Invoice, Invoice.order_id == order.id)
    return sum(-row.total_minor if row.kind == "credit_memo" else row.total_minor for row in found)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_SET, min_size=1, max_size=3))
def test_whatever_is_changed_the_documents_come_to_what_was_shown_line_by_line(
    house: House, sandbox: SandboxProcess, world: World, sets: list
):
    with house.db.transaction() as session:
        if session.scalar(select(Variant).where(Variant.sku == "FW-SET")) is None:
            inside = [Inside(world.router, weight=7), Inside(world.camera, 2, weight=3)]
            now = house.clock.now()
            packs.pack(session, world, now, inside, {"one_off": "149.99"}, sku="FW-SET")
        for goods in (world.router, world.camera):
            session.get_one(StockLevel, goods.level_id).backorder_limit = 500
        _price(session, world, "119.99")
    if not every(house, Variant, Variant.sku == "FW-RT-BLACK"):
        changing.variant(house, world, "FW-RT-BLACK", "131.37", 300)
    order = bought(house, sandbox, {"FW-RT-6": 3, "FW-SET": 2})
    with house.db.transaction() as session:
        _price(session, world, "129.00")  # what they paid was a discount
    first = {sku: number(house, order, sku) for sku in ("FW-RT-6", "FW-SET")}
    for at, (quantities, swap, added, sent) in enumerate(sets):
        if sent and at:
            with suppress(ShopError):
                ship(house, order, {first["FW-RT-6"]: 1}, f"p{at}")
        edits = Edits(
            {first[sku]: many for sku, many in quantities.items()},
            {first[swap[0]]: swap[1]} if swap else {},
            [Added(*one) for one in added.items()],
        )
        before = _documents(house, order)
        try:
            plan, change = changed(house, order, edits, once=f"s{at}")
        except ShopError:
            continue
        assert posted(house, change) == (plan.back, plan.more)
        drain(house)
        after = _documents(house, order)
        assert after - before == plan.difference.minor
        assert after == sum(row.will.minor for row in plan.rows)
    for line in lines_of(house, order):
        assert 0 <= line.fulfilled + line.cancelled <= line.quantity
        assert 0 <= line.returned <= line.fulfilled
    assert paid_back(house, order) <= order.due_now_minor
    if order_of(house, order).lifecycle == "confirmed":
        take_back.cancel(
            house, Asked(order.public_id, None, "other", "usual", "user:ada", f"end-{at}")
        )
    with suppress(ShopError):
        asked = Asked(order.public_id, None, "other", "usual", "user:ada", "back")
        take_back.take(house, asked, dict.fromkeys(range(1, 40), True))
    assert_sound(house)
    assert (_documents(house, order), owed(house, order)) == (0, 0)
    assert paid_back(house, order) == order.due_now_minor


_PLACED = st.tuples(
    st.dictionaries(st.sampled_from([0, 1]), st.integers(0, 4), max_size=2),
    st.sampled_from([None, 0, 1]),
    st.sampled_from([None, ("FW-CAM-1", 0), ("FW-RT-BLACK", 1)]),
    st.sampled_from([None, (0, YARD), (1, UNTAXED), (1, MILL)]),
    st.integers(0, 1),
)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_PLACED, min_size=1, max_size=3))
@example([({}, None, None, None, 0), ({}, None, None, (1, UNTAXED), 1)])
def test_whatever_is_changed_at_whichever_place_the_documents_come_to_what_was_shown(
    house: House, world: World, sets: list
):
    with house.db.transaction() as session:
        for goods in (world.router, world.camera):
            session.get_one(StockLevel, goods.level_id).backorder_limit = 500
    if not every(house, Variant, Variant.sku == "FW-RT-BLACK"):
        changing.variant(house, world, "FW-RT-BLACK", "131.37", 300)
    order = changing.to_two_places(house, world)
    routers = [line for line in lines_of(house, order) if line.sku == "FW-RT-6"]
    first = [line.line_number for line in sorted(routers, key=lambda one: one.line_number)]
    has_left, late = False, []
    for at, (quantities, swapped, added, moved, sent) in enumerate(sets):
        if sent and at:
            with suppress(ShopError):
                ship(house, order, {first[1]: 1}, f"p{at}")
                has_left = True
        edits = Edits(
            {first[place]: many for place, many in quantities.items()},
            {first[swapped]: "FW-RT-BLACK"} if swapped is not None else {},
            [Added(added[0], 1, first[added[1]])] if added else [],
            moved[1] if moved else None,
            None,
            first[moved[0]] if moved else None,
        )
        before = _documents(house, order)
        try:
            plan, change = changed(house, order, edits, once=f"s{at}")
        except ShopError:
            continue
        if moved and moved[0] == 1 and has_left:
            late.append(moved[1])
        assert posted(house, change) == (plan.back, plan.more)
        drain(house)
        after = _documents(house, order)
        assert after - before == plan.difference.minor
        assert after == sum(row.will.minor for row in plan.rows)
    _each_delivery_has_goods(house, order, late)
    if order_of(house, order).lifecycle == "confirmed":
        asked = Asked(order.public_id, None, "other", "usual", "user:ada", f"end-{at}")
        take_back.cancel(house, asked)
    with suppress(ShopError):
        asked = Asked(order.public_id, None, "other", "usual", "user:ada", "back")
        take_back.take(house, asked, dict.fromkeys(range(1, 40), True))
    assert_sound(house)
    assert (_documents(house, order), owed(house, order)) == (0, 0)


def _each_delivery_has_goods(house: House, order: Order, late: list[dict[str, str]]) -> None:
    """Wherever something is still to be sent, a delivery goes there or went, but to ``late``: what had partly
    left when its rest was sent there keeps the one that it had. And no delivery goes nowhere."""
    lines = [line for line in lines_of(house, order) if line.cancelled < line.quantity]
    goods = [line.service_location for line in lines if line.kind == "physical" and line.waiting]
    brought = [line.service_location for line in lines if line.kind == "delivery"]
    assert all(place in brought for place in goods if place not in late)
    waiting = [line for line in lines if line.kind == "delivery" and line.waiting]
    assert all(line.service_location in goods for line in waiting)


def _price(session: Session, world: World, price: str) -> None:
    session.execute(
        update(Price)
        .where(Price.variant_id == world.router.variant_id)
        .values(unit_price_micros=to_micros(price))
    )
