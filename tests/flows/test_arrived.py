"""A parcel arrives: said once, told once, and some days after the last one its customer is asked, once."""

from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from app import worker
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import new_public_id
from core.notices.models import Notice
from core.orders import placing
from core.orders.fulfilling import Tracking
from core.orders.fulfilment_models import Fulfilment
from core.orders.models import Order
from flows import ask_after, ship_order, take_back
from flows.house import House
from flows.place_order import place
from flows.ship_order import Done, Parcel
from flows.take_back import Asked
from flows.verify import verify
from payments.gateway import Gateway
from tests.paying import fill_cart, wish
from tests.shop import make_house
from tests.world import World

DAY = timedelta(days=1)


class Ordered:
    """A router and a camera on terms."""

    def __init__(self, house: House, clock: ManualClock, *skus: str) -> None:
        self.house, self.clock = house, clock
        placed = place(house, wish(fill_cart(house, *skus), "invoice"))
        self.public_id = placed.public_id
        with house.db.reading() as session:
            self.order: Order = placing.by_public_id(session, self.public_id)
            lines = placing.lines_of(session, self.order.id)
        self.numbers = {line.sku: line.line_number for line in lines}

    def send(self, *skus: str) -> Fulfilment:
        pieces = {self.numbers[sku]: 1 for sku in skus}
        way = Tracking("UPS", "1Z1")
        parcel = Parcel(self.public_id, pieces, way, "user:kim", new_public_id())
        return ship_order.ship(self.house, parcel)

    def arrive(self, parcel: Fulfilment) -> Fulfilment:
        return ship_order.arrived(self.house, parcel.public_id, None, "user:kim")

    def pass_by(self, time: timedelta) -> None:
        self.clock.advance(time)
        ask_after.run(self.house)
        worker.drain(self.house)

    def mails(self, template: str) -> list[str]:
        with self.house.db.reading() as session:
            rows = session.scalars(select(Notice).where(Notice.template == template))
            return [row.text_body for row in rows]

    def sound(self) -> None:
        assert [one for one in verify(self.house.db, self.house.clock) if not one.holds] == []


@pytest.fixture
def house(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> House:
    return make_house(db, clock, tmp_path, cast(Gateway, None))


def test_its_customer_is_told_and_asked_after_the_last_one(house: House, clock: ManualClock):
    ordered = Ordered(house, clock, "FW-RT-6", "FW-CAM-1")
    first = ordered.send("FW-RT-6")
    for _ in range(2):
        assert ordered.arrive(first).delivered_at == clock.now()
    worker.drain(house)
    (told,) = ordered.mails("delivered")
    assert "UPS says that it was delivered" in told
    assert "Porch camera" in told, "it comes later"
    ordered.pass_by(4 * DAY)
    assert ordered.mails("all_well") == [], "the camera is not there yet"
    second = ordered.send("FW-CAM-1")
    ordered.pass_by(5 * DAY)
    assert ordered.mails("all_well") == [], "nobody said that it has arrived"
    ordered.arrive(second)
    ordered.pass_by(3 * DAY - timedelta(hours=1))
    assert ordered.mails("all_well") == []
    ordered.pass_by(timedelta(hours=1))
    (asked,) = ordered.mails("all_well")
    assert "Wi-Fi 6 router" in asked
    ordered.pass_by(30 * DAY)
    assert len(ordered.mails("all_well")) == 1
    ordered.sound()


def test_nobody_is_asked_about_what_went_back(house: House, clock: ManualClock):
    ordered = Ordered(house, clock, "FW-RT-6")
    ordered.arrive(ordered.send("FW-RT-6"))
    worker.drain(house)
    number = ordered.numbers["FW-RT-6"]
    back = Asked(ordered.public_id, {number: 1}, "damaged", "usual", "user:kim", "r1")
    take_back.take(house, back, {number: True})
    ordered.pass_by(4 * DAY)
    assert ordered.mails("all_well") == []


def test_a_moment_lies_after_it_left_and_not_ahead_and_a_visit_does_not_arrive(
    house: House, clock: ManualClock
):
    ordered = Ordered(house, clock, "FW-RT-6", "FW-VISIT")
    parcel = ordered.send("FW-RT-6")
    clock.advance(2 * DAY)
    for at in (parcel.at - DAY, clock.now() + DAY):
        with pytest.raises(Invalid):
            ship_order.arrived(house, parcel.public_id, at, "user:kim")
    at = clock.now() - DAY
    assert ship_order.arrived(house, parcel.public_id, at, "user:kim").delivered_at == at
    visit = Done(ordered.public_id, {ordered.numbers["FW-VISIT"]: 1}, "user:kim", "v1")
    done = ship_order.provide(house, visit)
    with pytest.raises(NotFound):
        ordered.arrive(done)


def test_a_crash_tells_and_asks_once(house: House, clock: ManualClock):
    ordered = Ordered(house, clock, "FW-RT-6")
    parcel = ordered.send("FW-RT-6")
    with crash.crash_at("arrived.before_commit"):
        ordered.arrive(parcel)
    ordered.arrive(parcel)
    clock.advance(4 * DAY)
    with crash.crash_at("ask_after.before_commit"):
        ask_after.run(house)
    ordered.pass_by(DAY)
    assert (len(ordered.mails("delivered")), len(ordered.mails("all_well"))) == (1, 1)
