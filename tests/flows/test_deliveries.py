"""An order of several deliveries: each is done with its own goods, and is cancelled with them."""

from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select, update

from app import worker
from cart.delivery_models import DeliveryMethod
from cart.quotes.refusals import QuoteIncomplete
from cart.quotes.wanting import Wanted
from core.catalog.models import Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.orders import placing
from core.orders.fulfilling import Tracking
from core.orders.models import Order, OrderLine
from core.stock import levels
from core.stock.models import Location, StockLevel
from flows import ship_order, take_back
from flows.edits import Added, Edits
from flows.house import House
from flows.place_order import place
from flows.ship_order import Parcel
from flows.take_back import Asked
from flows.verify import verify
from invoices.models import Invoice
from payments.gateway import Gateway
from tests.changing import changed, lines_of, posted
from tests.paying import fill_cart, wish
from tests.quoting import DEPOT, MILL, Quoting
from tests.shop import make_house
from tests.world import World

BY = "user:kim"


@pytest.fixture
def house(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> House:
    """Routers go by van, which costs 29.00 and 1.20 for each kilogram; nobody is paid by card."""
    with db.transaction() as session:
        session.execute(
            update(Variant)
            .where(Variant.id == world.router.variant_id)
            .values(goes_by="bulky", weight_g=9000)
        )
        van = {"goes_by": "bulky", "price_minor": 2900, "per_kg_minor": 120, "position": 5}
        channel = {"channel_id": world.channel_id, "country": "US"}
        session.add(DeliveryMethod(**channel, code="van", name="Van", **van))
    return make_house(db, clock, tmp_path, cast(Gateway, None))


def _lines(house: House, public_id: str) -> dict[str, OrderLine]:
    with house.db.reading() as session:
        order = placing.by_public_id(session, public_id)
        return {line.sku: line for line in placing.lines_of(session, order.id)}


def _credited(house: House) -> int:
    with house.db.reading() as session:
        memos = session.scalars(select(Invoice).where(Invoice.kind == "credit_memo"))
        return sum(memo.total_minor for memo in memos)


def _sound(house: House) -> None:
    worker.drain(house)
    assert [one for one in verify(house.db, house.clock, blobs=house.blobs) if not one.holds] == []


def _order(house: House, *skus: str) -> Order:
    placed = place(house, wish(fill_cart(house, *skus), "invoice"))
    with house.db.reading() as session:
        return session.get_one(Order, placed.order_id)


def test_what_is_added_goes_its_own_way_and_leaves_the_others_alone(house: House):
    order = _order(house, "FW-CAM-1")
    plan, change = changed(house, order, Edits(added=[Added("FW-RT-6")]))
    assert plan.removed == []
    assert [one.sku for one in plan.added] == ["FW-RT-6", "delivery:van"]
    assert posted(house, change) == (plan.back, plan.more)
    standard = [one for one in lines_of(house, order) if one.sku == "delivery:standard"]
    assert [(one.cancelled, one.waiting) for one in standard] == [(0, 1)]
    _sound(house)


def test_what_is_swapped_for_something_bulky_changes_its_way_once(house: House):
    order = _order(house, "FW-CAM-1")
    (camera,) = (one.line_number for one in lines_of(house, order) if one.sku == "FW-CAM-1")
    plan, change = changed(house, order, Edits(swaps={camera: "FW-RT-6"}))
    assert [one.line.sku for one in plan.removed] == ["FW-CAM-1", "delivery:standard"]
    assert [one.sku for one in plan.added] == ["FW-RT-6", "delivery:van"]
    assert posted(house, change) == (plan.back, plan.more)
    _sound(house)


def test_the_goods_of_one_delivery_are_cancelled_with_its_own_line_alone(house: House):
    placed = place(house, wish(fill_cart(house, "FW-RT-6", "FW-CAM-1"), "invoice"))
    found = _lines(house, placed.public_id)
    router, van = found["FW-RT-6"], found["delivery:van"]
    assert (router.goes_by, van.goes_by, found["FW-CAM-1"].goes_by) == ("bulky", "bulky", "parcel")
    pieces = {router.line_number: 1}
    take_back.cancel(house, Asked(placed.public_id, pieces, "changed_mind", "usual", BY, "c1"))
    found = _lines(house, placed.public_id)
    assert {sku for sku, line in found.items() if line.cancelled} == {"FW-RT-6", "delivery:van"}
    both = [found["FW-RT-6"], found["delivery:van"]]
    assert _credited(house) == sum(line.net_minor + line.tax_minor for line in both)
    camera = {found["FW-CAM-1"].line_number: 1}
    ship_order.ship(house, Parcel(placed.public_id, camera, Tracking(), BY, "p1"))
    assert _lines(house, placed.public_id)["delivery:standard"].fulfilled == 1
    with house.db.reading() as session:
        order = session.get_one(Order, placed.order_id)
        assert (order.lifecycle, order.fulfilment) == ("completed", "fulfilled")
    _sound(house)


def test_a_delivery_is_done_with_the_first_of_its_own_goods(house: House):
    placed = place(house, wish(fill_cart(house, "FW-RT-6", "FW-CAM-1"), "invoice"))
    found = _lines(house, placed.public_id)
    camera = {found["FW-CAM-1"].line_number: 1}
    ship_order.ship(house, Parcel(placed.public_id, camera, Tracking(), BY, "p1"))
    done = {sku for sku, line in _lines(house, placed.public_id).items() if line.fulfilled}
    assert done == {"FW-CAM-1", "delivery:standard"}
    take_back.cancel(house, Asked(placed.public_id, None, "changed_mind", "usual", BY, "c1"))
    gone = {sku for sku, line in _lines(house, placed.public_id).items() if line.cancelled}
    assert gone == {"FW-RT-6", "delivery:van"}
    _sound(house)


def test_a_quote_counts_weight_and_ways_as_checkout_does_for_each_of_its_places(
    house: House, world: World
):
    placed = place(house, wish(fill_cart(house, "FW-RT-6", "FW-CAM-1"), "invoice"))
    bought = _lines(house, placed.public_id)
    quoting = Quoting.ask(house, world).ready(
        Wanted(sku="FW-RT-6", site=0),
        Wanted(sku="FW-CAM-1", site=0),
        Wanted(sku="FW-RT-6", site=1, quantity=2),
        sites=(DEPOT, MILL),
        payment="terms",
    )
    quoting.accept()
    order = next(one for one in quoting.orders() if one.quote_version_id is not None)
    with house.db.reading() as session:
        rows = list(placing.lines_of(session, order.id))
    ways = [row for row in rows if row.kind == "delivery"]
    assert [(row.sku, row.goes_by) for row in ways] == [
        ("delivery:standard", "parcel"),
        ("delivery:van", "bulky"),
        ("delivery:van", "bulky"),
    ]
    here = {row.sku: row.net_minor for row in ways[:2]}
    assert here == {sku: bought[sku].net_minor for sku in here}
    assert [row.net_minor for row in ways[1:]] == [2900 + 9 * 120, 2900 + 18 * 120]
    assert (order.shipping_method, order.ways) == ("standard", {"bulky": "van"})
    # The goods of one place are cancelled: the delivery there, and no other, goes with them.
    mill = next(row for row in rows if row.sku == "FW-RT-6" and row.quantity == 2)
    pieces = {mill.line_number: 2}
    take_back.cancel(house, Asked(order.public_id, pieces, "changed_mind", "usual", BY, "c1"))
    with house.db.reading() as session:
        left = [row for row in placing.lines_of(session, order.id) if row.cancelled]
    assert {row.id for row in left} == {mill.id, ways[2].id}
    _sound(house)


def test_what_a_quote_has_fetched_at_a_place_is_taken_there(house: House, world: World):
    """The quote held it wherever it lay; accepted it is held, and sold, where it is fetched."""
    with house.db.transaction() as session:
        mill = Location(code="mill", name="The Mill", country="US", region="OH", priority=5)
        session.add(mill)
        session.flush()
        there = levels.receive(session, world.router.variant_id, mill.id, 2, house.clock.now())
        van = session.scalars(select(DeliveryMethod).filter_by(code="van")).one()
        van.kind, van.location_id = "pickup", mill.id
    quoting = Quoting.ask(house, world).ready(
        Wanted(sku="FW-RT-6", site=0, quantity=2),
        Wanted(sku="FW-CAM-1", site=0),
        sites=(DEPOT,),
        payment="terms",
    )
    with house.db.reading() as session:
        assert session.get_one(StockLevel, there).held == 0
    quoting.accept()
    with house.db.reading() as session:
        routers = session.get_one(StockLevel, there)
        cameras = session.get_one(StockLevel, world.camera.level_id)
        assert (routers.allocated, routers.held) == (2, 0)
        assert (cameras.allocated, cameras.held) == (1, 0)
        assert session.get_one(StockLevel, world.router.level_id).allocated == 0
    _sound(house)


def test_a_quote_is_not_sent_while_some_of_its_goods_can_not_be_brought(house: House, world: World):
    with house.db.transaction() as session:
        session.execute(
            update(DeliveryMethod).where(DeliveryMethod.code == "van").values(weight_to_g=9000)
        )
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku="FW-RT-6", quantity=2), Wanted(sku="FW-CAM-1"))
    with pytest.raises(QuoteIncomplete) as refused:
        quoting.send()
    assert [one.code for one in refused.value.requirements] == ["no_delivery"]
    quoting.write(Wanted(sku="FW-RT-6", quantity=1), Wanted(sku="FW-CAM-1"))
    quoting.send()
    assert quoting.version().state == "sent"
