"""Goods that are fetched: set ready, told, handed over or put back; each once, and the stock with them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import select

from app import worker
from cart.delivery_models import DeliveryMethod
from core.catalog.models import Variant
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound, StaleState
from core.notices.models import Notice
from core.orders import pickups, placing
from core.orders.fulfilling import NothingChosen, TooManyPieces, Tracking, WrongKind
from core.orders.fulfilment_models import Fulfilment
from core.orders.models import Order, OrderLine
from core.orders.pickup_models import PickUp
from core.stock import levels
from core.stock.models import Location, StockLevel
from core.stock.sold import NotOnHand
from flows import ask_after, pick_up, ship_order, take_back
from flows.edits import Added, Edits
from flows.follow_order import follow
from flows.house import House
from flows.pick_up import Pieces
from flows.place_order import Placed, place
from flows.ship_order import Parcel
from flows.take_back import Asked
from flows.verify import verify
from payments.gateway import Gateway
from tests.changing import changed, lines_of, order_of, posted
from tests.paying import CARD, come_back, fill_cart, gateway, wish
from tests.quoting import UNTAXED
from tests.sandbox_process import SandboxProcess
from tests.shop import make_house
from tests.world import World

BY = "user:kim"


@pytest.fixture
def house(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> House:
    """Things may be fetched at Harbor Lane; nobody is paid by card."""
    with db.transaction() as session:
        spot = session.get_one(Location, world.location_id)
        spot.address, spot.hours = "12 Harbor Lane, Marrow Bay", "Weekdays, 8 to 18"
        fetch = {"code": "fetch", "name": "Pick it up", "price_minor": 0, "kind": "pickup"}
        where = {"channel_id": world.channel_id, "country": "US", "location_id": spot.id}
        session.add(DeliveryMethod(**where, **fetch, position=5))
    return make_house(db, clock, tmp_path, cast(Gateway, None))


def order(house: House, *skus: str) -> Placed:
    """By bill, to be fetched."""
    asked = wish(fill_cart(house, *skus), "invoice")
    details = replace(asked.details, shipping_method="fetch")
    placed = place(house, replace(asked, details=details))
    worker.drain(house)
    return placed


def lines(house: House, placed: Placed) -> dict[str, OrderLine]:
    with house.db.reading() as session:
        return {line.sku: line for line in placing.lines_of(session, placed.order_id)}


def ready(house: House, placed: Placed, once: str, **pieces: int) -> PickUp:
    found = lines(house, placed)
    numbers = {found[sku.replace("_", "-")].line_number: many for sku, many in pieces.items()}
    (row,) = pick_up.set_ready(house, Pieces(placed.public_id, numbers, BY, once))
    return row


def level(house: House, world: World) -> tuple[int, int]:
    with house.db.reading() as session:
        found = session.get_one(StockLevel, world.router.level_id)
        return found.on_hand, found.allocated


def mails(house: House) -> list[Any]:
    """Of what lies ready and was handed over, the first first."""
    worker.drain(house)
    with house.db.reading() as session:
        query = select(Notice).where(Notice.template.in_(("ready", "collected")))
        return list(session.scalars(query.order_by(Notice.created_at, Notice.id)))


def sound(house: House) -> None:
    worker.drain(house)
    assert [one for one in verify(house.db, house.clock, blobs=house.blobs) if not one.holds] == []


def test_it_lies_ready_is_told_handed_over_once_and_asked_after(
    house: House, world: World, clock: ManualClock
):
    placed = order(house, "FW-RT-6", "FW-CAM-1")
    before = level(house, world)
    rows = [ready(house, placed, "r1", FW_RT_6=1) for _ in range(2)]
    assert rows[0].id == rows[1].id
    assert level(house, world) == before, "it leaves the stock when it is handed over"
    (told,) = mails(house)
    for words in ("Harbor Lane", "12 Harbor Lane, Marrow Bay", "Weekdays, 8 to 18", "O-10001"):
        assert words in told.text_body, words
        assert words in told.html_body, words
    later = told.text_body.partition("These come later")[2]
    assert "Porch camera" in later
    assert "router" not in later
    for _ in range(2):
        assert pick_up.hand_over(house, rows[0].public_id, BY).state == "collected"
    assert level(house, world) == (before[0] - 1, before[1] - 1)
    done = lines(house, placed)
    assert (done["FW-RT-6"].fulfilled, done["delivery:fetch"].fulfilled) == (1, 1)
    assert done["FW-CAM-1"].waiting == 1
    assert [mail.template for mail in mails(house)] == ["ready", "collected"]
    with pytest.raises(StaleState):
        pick_up.put_back(house, rows[0].public_id, BY)
    second = ready(house, placed, "r2", FW_CAM_1=1)
    pick_up.hand_over(house, second.public_id, BY)
    with house.db.reading() as session:
        row = session.get_one(Order, placed.order_id)
        assert (row.lifecycle, row.fulfilment) == ("completed", "fulfilled")
        kinds = session.scalars(select(Fulfilment.kind)).all()
        assert list(kinds) == ["pickup", "pickup"]
        assert [one.row.state for one in follow(session, row).pick_ups] == ["collected"] * 2
    clock.advance(timedelta(days=4))
    ask_after.run(house)
    with house.db.reading() as session:
        asked = session.scalars(select(Notice).where(Notice.template == "all_well")).all()
    assert len(asked) == 1
    sound(house)


def test_only_what_is_fetched_there_and_waits_can_be_set_ready(house: House, world: World):
    sent = place(house, wish(fill_cart(house, "FW-RT-6"), "invoice"))
    with pytest.raises(WrongKind):
        ready(house, sent, "no", FW_RT_6=1)
    placed = order(house, "FW-RT-6", "FW-VISIT")
    with pytest.raises(WrongKind):
        ready(house, placed, "no", FW_VISIT=1)
    with pytest.raises(NothingChosen):
        ready(house, placed, "no")
    ready(house, placed, "yes", FW_RT_6=1)
    with pytest.raises(TooManyPieces):
        ready(house, placed, "more", FW_RT_6=1)
    with pytest.raises(NotFound):
        pick_up.hand_over(house, "0" * 32, BY)
    other = order(house, "FW-CAM-1")
    with house.db.transaction() as session:
        gone = session.get_one(StockLevel, world.camera.level_id)
        gone.backorder_limit, gone.on_hand = 9, 0
    with pytest.raises(NotOnHand):
        ready(house, other, "gone", FW_CAM_1=1)


def test_no_more_is_told_to_lie_ready_than_lies_there(house: House, world: World):
    placed = order(house, "FW-CAM-1", "FW-CAM-1")
    with house.db.transaction() as session:
        level = session.get_one(StockLevel, world.camera.level_id)
        level.backorder_limit, level.on_hand = 9, 1
    ready(house, placed, "first", FW_CAM_1=1)
    with pytest.raises(NotOnHand):
        ready(house, placed, "second", FW_CAM_1=1)


def test_what_nobody_came_for_is_put_back_cancelled_or_sent(house: House, world: World):
    placed = order(house, "FW-RT-6", "FW-CAM-1")
    first = ready(house, placed, "r1", FW_RT_6=1, FW_CAM_1=1)
    for _ in range(2):
        assert pick_up.put_back(house, first.public_id, BY).state == "put_back"
    with pytest.raises(StaleState):
        pick_up.hand_over(house, first.public_id, BY)
    assert mails(house) == [], "what was put back at once is not told"
    second = ready(house, placed, "r2", FW_RT_6=1, FW_CAM_1=1)
    number = lines(house, placed)["FW-RT-6"].line_number
    take_back.cancel(house, Asked(placed.public_id, {number: 1}, "changed_mind", "usual", BY, "c"))
    with house.db.reading() as session:
        (left,) = [
            one
            for one in follow(session, _row(session, placed)).pick_ups
            if one.row.id == second.id
        ]
    camera = lines(house, placed)["FW-CAM-1"]
    assert (left.row.state, left.pieces) == ("ready", {camera.id: 1})
    parcel = Parcel(placed.public_id, {camera.line_number: 1}, Tracking(), BY, "p1")
    ship_order.ship(house, parcel)
    with house.db.reading() as session:
        assert session.get_one(PickUp, second.id).state == "put_back"
    assert lines(house, placed)["delivery:fetch"].fulfilled == 1
    sound(house)


def lies(house: House, placed: Placed) -> list[tuple[str, int]]:
    """The pick-ups of an order: their state, and how many pieces they are of."""
    with house.db.reading() as session:
        found = follow(session, _row(session, placed)).pick_ups
        return [(one.row.state, sum(one.pieces.values())) for one in found]


def to_set_ready(house: House, placed: Placed) -> int:
    with house.db.reading() as session:
        lines = placing.lines_of(session, placed.order_id)
        return sum(pickups.left_to_set_ready(session, lines).values())


def test_a_change_puts_back_what_is_not_fetched_any_more(house: House, world: World):
    placed = order(house, "FW-RT-6", "FW-CAM-1", "FW-CAM-1")
    router, camera = (lines(house, placed)[sku].line_number for sku in ("FW-RT-6", "FW-CAM-1"))
    ready(house, placed, "r1", FW_CAM_1=2)
    changed(house, order_of(house, placed), Edits({camera: 1}), once="fewer")
    assert lies(house, placed) == [("ready", 1)], "fewer wait, so fewer lie ready"
    alone = ready(house, placed, "r2", FW_RT_6=1)
    changed(house, order_of(house, placed), Edits({router: 0}), once="none")
    assert lies(house, placed) == [("ready", 1), ("put_back", 1)]
    with pytest.raises(StaleState):
        pick_up.hand_over(house, alone.public_id, BY)
    assert to_set_ready(house, placed) == 0, "the camera lies ready"
    changed(house, order_of(house, placed), Edits(method="standard"), once="sent")
    assert lies(house, placed) == [("put_back", 1), ("put_back", 1)]
    assert to_set_ready(house, placed) == 0, "it is sent now, and not fetched"
    with pytest.raises(WrongKind):
        ready(house, placed, "r3", FW_CAM_1=1)
    ship_order.ship(house, Parcel(placed.public_id, {camera: 1}, Tracking(), BY, "p1"))
    sound(house)


def test_what_was_to_be_fetched_at_one_place_is_put_back_when_it_is_fetched_at_another(
    house: House, world: World
):
    with house.db.transaction() as session:
        mill = Location(code="mill", name="The Mill", country="US", region="OH", priority=5)
        session.add(mill)
        session.flush()
        there = {"channel_id": world.channel_id, "country": "US", "location_id": mill.id}
        words = {"code": "mill", "name": "At the Mill", "price_minor": 0, "kind": "pickup"}
        session.add(DeliveryMethod(**there, **words, position=6))
    placed = order(house, "FW-RT-6")
    ready(house, placed, "r1", FW_RT_6=1)
    changed(house, order_of(house, placed), Edits(method="mill"))
    assert lies(house, placed) == [("put_back", 1)]
    assert to_set_ready(house, placed) == 1
    row = ready(house, placed, "r2", FW_RT_6=1)
    assert row.location_id == mill.id
    pick_up.hand_over(house, row.public_id, BY)
    sound(house)


def test_what_was_to_go_out_instead_is_put_back_when_nothing_comes_back(house: House, world: World):
    placed = order(house, "FW-RT-6")
    router = lines(house, placed)["FW-RT-6"].line_number
    pick_up.hand_over(house, ready(house, placed, "r1", FW_RT_6=1).public_id, BY)
    back = Asked(placed.public_id, {router: 1}, "not_as_described", "usual", BY, "x")
    change = take_back.announce(house, replace(back, instead={router: "FW-RT-6"}, sends="before"))
    (other,) = [one for one in every_line(house, placed, "FW-RT-6") if one.change_id == change.id]
    pick_up.set_ready(house, Pieces(placed.public_id, {other.line_number: 1}, BY, "r2"))
    take_back.withdraw(house, change.public_id, BY)
    assert lies(house, placed) == [("collected", 1), ("put_back", 1)]
    sound(house)


def every_line(house: House, placed: Placed, sku: str) -> list[OrderLine]:
    """What an order has of a thing, with what was added later."""
    return [line for line in lines_of(house, order_of(house, placed)) if line.sku == sku]


def _row(session: Any, placed: Placed) -> Order:
    return session.get_one(Order, placed.order_id)


def test_whoever_dies_in_between_hands_over_once(house: House, world: World):
    placed = order(house, "FW-RT-6")
    for point, act in (
        ("ready.before_commit", lambda: ready(house, placed, "r1", FW_RT_6=1)),
        ("hand_over.counted", lambda: pick_up.hand_over(house, _only(house), BY)),
        ("hand_over.before_commit", lambda: pick_up.hand_over(house, _only(house), BY)),
    ):
        with crash.crash_at(point):
            act()
        if point != "hand_over.counted":
            act()
    assert lines(house, placed)["FW-RT-6"].fulfilled == 1
    assert len(mails(house)) == 2
    sound(house)


def test_the_pieces_are_taken_where_they_are_fetched_when_they_lie_there(
    house: House, world: World, sandbox: SandboxProcess
):
    """Harbor Lane is near to whoever orders; they fetch at the Mill, where there are two routers alone."""
    with house.db.transaction() as session:
        near = session.get_one(Location, world.location_id)
        near.country, near.region, near.postal_prefix = "US", "OH", "440"
        mill = Location(code="mill", name="The Mill", country="US", region="OH", priority=5)
        session.add(mill)
        session.flush()
        session.scalars(select(DeliveryMethod).filter_by(code="fetch")).one().location_id = mill.id
        levels.receive(session, world.router.variant_id, mill.id, 2, house.clock.now())
        there = mill.id
    before = level(house, world)

    placed = order(house, "FW-RT-6", "FW-CAM-1")
    assert sold_at(house, there) == {"FW-RT-6": 1}
    assert sold_at(house, world.location_id) == {"FW-CAM-1": 1}

    by_card = replace(house, gateway=gateway(sandbox))
    asked = wish(fill_cart(house, "FW-RT-6"))
    held = place(by_card, replace(asked, details=replace(asked.details, shipping_method="fetch")))
    sandbox.pay(held.redirect_url, CARD)
    come_back(by_card, held)
    worker.drain(by_card)
    assert sold_at(house, there) == {"FW-RT-6": 2}

    place(house, wish(fill_cart(house, "FW-RT-6"), "invoice"))
    order(house, "FW-RT-6")
    assert sold_at(house, world.location_id) == {"FW-CAM-1": 1, "FW-RT-6": 2}, "none is left there"

    row = ready(house, placed, "r1", FW_RT_6=1, FW_CAM_1=1)
    pick_up.hand_over(house, row.public_id, BY)
    assert sold_at(house, there) == {"FW-RT-6": 1}
    assert level(house, world) == (before[0], before[1] + 2), "no router of Harbor Lane left"
    sound(house)


def test_of_an_order_some_is_taken_where_it_is_fetched_and_the_rest_nearby(
    house: House, world: World, sandbox: SandboxProcess
):
    """Routers are bulky: they are fetched at the Mill, where there are three; cameras lie at both places and
    go to Harbor Lane's neighbour in a parcel."""
    with house.db.transaction() as session:
        near = session.get_one(Location, world.location_id)
        near.country, near.region, near.postal_prefix = "US", "OH", "440"
        mill = Location(code="mill", name="The Mill", country="US", region="PA", priority=5)
        session.add(mill)
        session.flush()
        for thing, count in ((world.router, 3), (world.camera, 9)):
            levels.receive(session, thing.variant_id, mill.id, count, house.clock.now())
        session.get_one(Variant, world.router.variant_id).goes_by = "bulky"
        fetch = session.scalars(select(DeliveryMethod).filter_by(code="fetch")).one()
        fetch.location_id, fetch.goes_by = mill.id, "bulky"
        there = mill.id
    by_card = replace(house, gateway=gateway(sandbox))

    def both(routers: int, method: str = "invoice") -> Placed:
        skus = (*["FW-RT-6"] * routers, "FW-CAM-1")
        asked = wish(fill_cart(house, *skus), method)
        details = replace(asked.details, shipping_method="standard", ways={"bulky": "fetch"})
        return place(by_card, replace(asked, details=details))

    placed = both(1)
    assert sold_at(house, there) == {"FW-RT-6": 1}
    assert sold_at(house, world.location_id) == {"FW-CAM-1": 1}

    paid = both(2, "card")
    assert held_at(house, there) == {"FW-RT-6": 2}
    sandbox.pay(paid.redirect_url, CARD)
    come_back(by_card, paid)
    assert sold_at(house, there) == {"FW-RT-6": 3}
    assert sold_at(house, world.location_id) == {"FW-CAM-1": 2}

    both(1)
    assert sold_at(house, there) == {"FW-RT-6": 3}, "none is left there"
    assert sold_at(house, world.location_id) == {"FW-RT-6": 1, "FW-CAM-1": 3}

    worker.drain(by_card)
    row = ready(house, placed, "r1", FW_RT_6=1)
    pick_up.hand_over(house, row.public_id, BY)
    camera = lines(house, placed)["FW-CAM-1"].line_number
    ship_order.ship(house, Parcel(placed.public_id, {camera: 1}, Tracking(), BY, "p1"))
    assert sold_at(house, there) == {"FW-RT-6": 2}
    assert sold_at(house, world.location_id) == {"FW-RT-6": 1, "FW-CAM-1": 2}
    sound(house)


def test_what_is_added_to_be_fetched_is_taken_there(house: House, world: World):
    with house.db.transaction() as session:
        near = session.get_one(Location, world.location_id)
        near.country, near.region, near.postal_prefix = "US", "OH", "440"
        mill = Location(code="mill", name="The Mill", country="US", region="PA", priority=5)
        session.add(mill)
        session.flush()
        levels.receive(session, world.router.variant_id, mill.id, 3, house.clock.now())
        session.get_one(Variant, world.router.variant_id).goes_by = "bulky"
        fetch = session.scalars(select(DeliveryMethod).filter_by(code="fetch")).one()
        fetch.location_id, fetch.goes_by = mill.id, "bulky"
        there = mill.id
    placed = place(house, wish(fill_cart(house, "FW-CAM-1"), "invoice"))
    changed(house, order_of(house, placed), Edits(added=[Added("FW-RT-6", 2)]))
    assert sold_at(house, there) == {"FW-RT-6": 2}
    assert sold_at(house, world.location_id) == {"FW-CAM-1": 1}
    sound(house)


def held_at(house: House, spot: UUID) -> dict[str, int]:
    """Pieces of a place that are held, by SKU."""
    with house.db.reading() as session:
        rows = session.execute(
            select(Variant.sku, StockLevel.held)
            .join(Variant, Variant.id == StockLevel.variant_id)
            .where(StockLevel.location_id == spot, StockLevel.held > 0)
        )
        return {row.sku: row.held for row in rows}


def sold_at(house: House, spot: UUID) -> dict[str, int]:
    """Pieces of a place that are sold and have not left, by SKU."""
    with house.db.reading() as session:
        rows = session.execute(
            select(Variant.sku, StockLevel.allocated)
            .join(Variant, Variant.id == StockLevel.variant_id)
            .where(StockLevel.location_id == spot, StockLevel.allocated > 0)
        )
        return {row.sku: row.allocated for row in rows}


def _only(house: House) -> str:
    with house.db.reading() as session:
        return session.scalars(select(PickUp.public_id)).one()


def _fetched_in(house: House, world: World, region: str) -> None:
    with house.db.transaction() as session:
        spot = session.get_one(Location, world.location_id)
        spot.country, spot.region = "US", region


def _untaxed(house: House, world: World) -> None:
    """They are fetched where nothing is taxed."""
    _fetched_in(house, world, "OR")


def test_what_is_added_to_be_fetched_is_taxed_where_it_is_fetched(house: House, world: World):
    _untaxed(house, world)
    placed = order(house, "FW-RT-6", "FW-RT-6")
    router = lines(house, placed)["FW-RT-6"].line_number
    assert lines(house, placed)["FW-RT-6"].tax_minor == 0
    edits = Edits({router: 3}, added=[Added("FW-CAM-1")])
    plan, change = changed(house, order_of(house, placed), edits)
    assert [line.sku for line in plan.added] == ["FW-RT-6", "FW-CAM-1"]
    assert plan.tax.minor == 0
    assert posted(house, change) == (plan.back, plan.more)
    # So it is when some was fetched, and of what goes out instead and costs more.
    (row,) = pick_up.set_ready(house, Pieces(placed.public_id, {router: 1}, BY, "r1"))
    pick_up.hand_over(house, row.public_id, BY)
    plan, _ = changed(house, order_of(house, placed), Edits(added=[Added("FW-CAM-1")]), once="s2")
    assert plan.tax.minor == 0
    back = Asked(placed.public_id, {router: 1}, "not_as_described", "usual", BY, "x")
    change = take_back.announce(house, replace(back, instead={router: "FW-CAM-1"}))
    take_back.receive(house, change.public_id, {router: True}, BY)
    (out,) = [one for one in every_line(house, placed, "FW-CAM-1") if one.change_id == change.id]
    assert out.tax_minor == 0
    sound(house)


def test_goods_that_were_bought_with_work_are_taxed_at_the_address_also_later(
    house: House, world: World
):
    _untaxed(house, world)
    placed = order(house, "FW-RT-6", "FW-VISIT")
    router = lines(house, placed)["FW-RT-6"]
    assert router.tax_minor > 0
    plan, _ = changed(house, order_of(house, placed), Edits({router.line_number: 2}))
    assert [line.taxed.tax_minor for line in plan.added] == [router.tax_minor]
    sound(house)


def test_another_address_is_taxed_only_when_it_is_fetched_no_more(house: House, world: World):
    _fetched_in(house, world, "OH")
    placed = order(house, "FW-RT-6")
    assert lines(house, placed)["FW-RT-6"].tax_minor > 0
    plan, _ = changed(house, order_of(house, placed), Edits(address=UNTAXED))
    assert (plan.removed, plan.added) == ([], []), "it is still fetched"
    plan, change = changed(house, order_of(house, placed), Edits(method="standard"), once="s2")
    assert posted(house, change) == (plan.back, plan.more)
    assert plan.tax.minor < 0, "it is sent, to where nothing is taxed"
    (now,) = [one for one in every_line(house, placed, "FW-RT-6") if one.waiting]
    assert now.tax_minor == 0
    sound(house)


def test_another_way_is_taxed_anew_where_it_goes_and_where_it_is_fetched(
    house: House, world: World
):
    _untaxed(house, world)
    placed = order(house, "FW-RT-6")
    plan, change = changed(house, order_of(house, placed), Edits(method="standard"), once="s2")
    assert posted(house, change) == (plan.back, plan.more)
    assert plan.tax.minor > 0
    (now,) = [one for one in every_line(house, placed, "FW-RT-6") if one.waiting]
    assert now.tax_minor > 0
    plan, change = changed(house, order_of(house, placed), Edits(method="fetch"), once="s3")
    assert posted(house, change) == (plan.back, plan.more)
    (now,) = [one for one in every_line(house, placed, "FW-RT-6") if one.waiting]
    assert now.tax_minor == 0
    sound(house)
