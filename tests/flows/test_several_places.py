"""An order that goes to several places is changed and exchanged place by place: each with its own delivery
and its own taxes, and what is shown before is what is posted."""

import pytest
from sqlalchemy import select

from cart.additions import SeveralPlaces
from cart.delivery_models import DeliveryMethod
from core.kernel.errors import Invalid
from core.orders.models import Order, OrderLine
from flows import change_order, take_back
from flows.change_order import PreviewStale
from flows.edits import Added, Edits
from flows.house import House
from flows.plan_change import NothingChanges
from flows.take_back import Asked
from invoices.models import Invoice, InvoiceLine
from tests import changing
from tests.changing import (
    assert_sound,
    changed,
    every,
    level,
    lines_of,
    number,
    order_of,
    owed,
    posted,
    seen,
    ship,
    to_two_places,
)
from tests.paying import drain, usd
from tests.quoting import DEPOT, MILL, UNTAXED, YARD
from tests.world import World

BY = "user:ada"


def _at(house: House, order: Order, place: dict[str, str]) -> dict[str, OrderLine]:
    """What still goes to a place, by SKU."""
    return {
        line.sku: line
        for line in lines_of(house, order)
        if line.service_location == place and line.cancelled < line.quantity
    }


def _bill(house: House, change_id: object) -> Invoice:
    (found,) = every(house, Invoice, Invoice.order_change_id == change_id)
    assert isinstance(found, Invoice)
    return found


def test_more_of_a_line_goes_where_the_line_goes_with_the_taxes_there(house: House, world: World):
    order = to_two_places(house, world, UNTAXED)
    here, there = _at(house, order, DEPOT)["FW-RT-6"], _at(house, order, UNTAXED)["FW-RT-6"]
    numbers = (here.line_number, there.line_number)
    plan, change = changed(house, order, Edits({numbers[0]: 3, numbers[1]: 5}))
    assert posted(house, change) == (plan.back, plan.more)
    added = [line for line in plan.added if line.sku == "FW-RT-6"]
    assert [(line.service_location, line.quantity) for line in added] == [(DEPOT, 1), (UNTAXED, 3)]
    assert added[0].taxed.tax_minor > 0
    assert added[1].taxed.tax_minor == 0
    assert (
        plan.difference
        == plan.more
        == usd(sum(row.will.minor for row in plan.rows))
        - usd(sum(row.was.minor for row in plan.rows))
    )
    assert level(house, world.router.level_id)[1] == 8
    drain(house)
    assert owed(house, order) == order.due_now_minor + plan.difference.minor
    assert_sound(house)


def test_another_thing_goes_where_the_first_one_went(house: House, world: World):
    changing.variant(house, world, "FW-RT-6E", "189.00", 5)
    order = to_two_places(house, world)
    there = _at(house, order, MILL)["FW-RT-6"]
    plan, change = changed(house, order, Edits({}, {there.line_number: "FW-RT-6E"}))
    assert posted(house, change) == (plan.back, plan.more)
    assert _at(house, order, MILL)["FW-RT-6E"].quantity == 2
    assert "FW-RT-6" not in _at(house, order, MILL)
    assert _at(house, order, DEPOT)["FW-RT-6"].waiting == 2
    assert_sound(house)


def test_what_is_added_says_to_which_of_the_places(house: House, world: World):
    order = to_two_places(house, world, UNTAXED)
    for edits in (Edits(added=[Added("FW-CAM-1")]), Edits(address=YARD), Edits(method="van")):
        with pytest.raises(SeveralPlaces) as refused:
            seen(house, order, edits)
        assert refused.value.code == "several_places"
    with pytest.raises(Invalid):
        seen(house, order, Edits(added=[Added("FW-CAM-1", place=99)]))
    with pytest.raises(NothingChanges):
        seen(house, order, Edits(added=[Added("FW-CAM-1", 0)]))
    there = _at(house, order, UNTAXED)["FW-RT-6"].line_number
    edits = Edits(added=[Added("FW-CAM-1", 1, there)])
    plan, change = changed(house, order, edits)
    assert plan.tax == usd(0)
    assert posted(house, change) == (plan.back, plan.more)
    assert "FW-CAM-1" in _at(house, order, UNTAXED)
    assert "FW-CAM-1" not in _at(house, order, DEPOT)
    bill = _bill(house, change.id)
    assert bill.document["deliver_to"]["name"] == UNTAXED["name"]
    assert_sound(house)


def test_each_place_keeps_its_own_delivery_until_its_own_goods_change(house: House, world: World):
    cable = changing.variant(house, world, "FW-CABLE", "12.00", 40)
    order = to_two_places(house, world, goods="FW-CABLE")
    assert [line.sku for line in lines_of(house, order)].count("delivery:standard") == 2
    here, there = _at(house, order, DEPOT), _at(house, order, MILL)
    assert here["delivery:standard"].net_minor > 0
    # Past the amount from which it is free, the delivery of that place goes back, and no other.
    plan, change = changed(house, order, Edits({there["FW-CABLE"].line_number: 9}))
    assert [one.line.id for one in plan.removed] == [there["delivery:standard"].id]
    assert posted(house, change) == (plan.back, plan.more)
    assert _at(house, order, MILL)["delivery:standard"].net_minor == 0
    assert _at(house, order, DEPOT)["delivery:standard"].id == here["delivery:standard"].id
    # Pieces that are given up at the one leave the other alone as well.
    plan, _ = changed(house, order, Edits({here["FW-CABLE"].line_number: 0}), once="s2")
    assert [one.line.sku for one in plan.removed] == ["FW-CABLE", "delivery:standard"]
    assert level(house, cable) == (40, 9, 0)
    assert_sound(house)


def test_one_place_goes_another_way(house: House, world: World):
    with house.db.transaction() as session:
        express = {"code": "express", "name": "Express", "price_minor": 1990}
        channel = {"channel_id": world.channel_id, "country": "US"}
        session.add(DeliveryMethod(**channel, **express))
    order = to_two_places(house, world)
    there = _at(house, order, MILL)["FW-RT-6"].line_number
    plan, change = changed(house, order, Edits(method="express", place=there))
    assert [line.sku for line in plan.added] == ["delivery:express"]
    assert change.details is not None
    assert change.details["method"] == {"before": "standard", "after": "express"}
    assert "delivery:express" in _at(house, order, MILL)
    assert "delivery:standard" in _at(house, order, DEPOT)
    with pytest.raises(NothingChanges):
        seen(house, order, Edits(method="express", place=there))
    assert_sound(house)


def test_one_of_the_places_moves_and_has_its_own_taxes_there(house: House, world: World):
    order = to_two_places(house, world)
    before, there = _at(house, order, DEPOT), _at(house, order, MILL)
    line = there["FW-RT-6"].line_number
    # With the same taxes no document is written.
    plan, change = changed(house, order, Edits(address=YARD, place=line))
    assert (plan.removed, plan.added, plan.difference) == ([], [], usd(0))
    assert change.details is not None
    assert change.details["address"] == {"before": MILL, "after": YARD}
    assert _at(house, order, MILL) == {}
    assert {sku: one.id for sku, one in _at(house, order, YARD).items()} == {
        sku: one.id for sku, one in there.items()
    }
    # With others what has not left is credited and billed anew there.
    plan, change = changed(house, order, Edits(address=UNTAXED, place=line), once="s2")
    assert posted(house, change) == (plan.back, plan.more)
    assert plan.difference == plan.tax < usd(0)
    assert _bill(house, change.id).document["deliver_to"]["name"] == UNTAXED["name"]
    assert {sku: one.id for sku, one in _at(house, order, DEPOT).items()} == {
        sku: one.id for sku, one in before.items()
    }
    assert order_of(house, order).shipping_address == DEPOT
    with pytest.raises(Invalid):
        seen(house, order, Edits(address=YARD | {"city": ""}, place=line))
    drain(house)
    assert owed(house, order) == order.due_now_minor + plan.difference.minor
    assert_sound(house)


def test_the_orders_own_address_is_that_of_its_first_place(house: House, world: World):
    order = to_two_places(house, world)
    here = _at(house, order, DEPOT)["FW-RT-6"].line_number
    ship(house, order, {here: 1})
    changed(house, order, Edits(address=YARD, place=here))
    assert order_of(house, order).shipping_address == YARD
    # What waits of a line goes on there, with the delivery that it has.
    assert _at(house, order, YARD)["FW-RT-6"].waiting == 1
    assert _at(house, order, YARD)["delivery:standard"].fulfilled == 1
    assert_sound(house)


def test_a_place_that_moved_meanwhile_is_looked_at_again(house: House, world: World):
    order = to_two_places(house, world)
    line = _at(house, order, MILL)["FW-RT-6"].line_number
    _, wish = seen(house, order, Edits(added=[Added("FW-CAM-1", 1, line)]), once="s2")
    changed(house, order, Edits(address=YARD, place=line))
    with pytest.raises(PreviewStale):
        change_order.change(house, wish)
    assert_sound(house)


@pytest.mark.parametrize("sends", ["after", "before"])
@pytest.mark.parametrize("sku", ["FW-RT-6", "FW-RT-6E"])
def test_an_exchange_goes_where_the_first_one_went_with_the_taxes_there(
    house: House, world: World, sends: str, sku: str
):
    changing.variant(house, world, "FW-RT-6E", "189.00", 5)
    order = to_two_places(house, world, UNTAXED)
    there = _at(house, order, UNTAXED)["FW-RT-6"].line_number
    ship(house, order, {there: 2})
    drain(house)
    asked = Asked(
        order.public_id, {there: 1}, "damaged", "usual", BY, "x1", instead={there: sku}, sends=sends
    )
    change = take_back.announce(house, asked)
    take_back.receive(house, change.public_id, {there: True}, BY)
    drain(house)
    (added,) = [line for line in lines_of(house, order) if line.change_id == change.id]
    assert (added.sku, added.service_location, added.tax_minor) == (sku, UNTAXED, 0)
    back, more = posted(house, change)
    assert more - back == (usd(0) if sku == "FW-RT-6" else usd(6000))
    assert _bill(house, change.id).document["deliver_to"]["name"] == UNTAXED["name"]
    with house.db.reading() as session:
        names = select(InvoiceLine.name).join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        assert session.scalars(names.where(Invoice.order_change_id == change.id)).all()
    assert_sound(house)


def test_an_order_for_one_place_needs_no_name_of_it(house: House, world: World):
    order = changing.on_terms(house, {"FW-RT-6": 2})
    line = number(house, order, "FW-RT-6")
    plan, _ = changed(house, order, Edits(added=[Added("FW-CAM-1", 1, line)]))
    assert [one.service_location for one in plan.added] == [None] * len(plan.added)
    assert_sound(house)
