"""Back-orders: what was sold before it was there gets what comes, the oldest first, and is told once."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app import stocking, worker
from cart import lines
from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_public_id
from core.notices.models import Notice
from core.orders import back_orders as late
from core.orders.fulfilling import Tracking
from core.orders.models import Order
from core.parties.models import Channel
from core.stock.adjusting import Adjustment
from core.stock.back_order_models import BackOrder
from core.stock.back_orders import BackOrderWaits
from core.stock.models import Location, StockLevel
from core.stock.sold import NotOnHand
from flows import adjust_stock, change_order, release_back_orders, ship_order, take_back
from flows.change_order import ChangeWish
from flows.edits import Edits
from flows.follow_order import follow
from flows.house import House
from flows.place_order import Placed, place
from flows.ship_order import Parcel
from flows.take_back import Asked
from flows.verify import verify
from payments.gateway import Gateway
from tests.paying import wish
from tests.shop import make_house
from tests.world import World
from web.order_words import progress

BY = "user:kim"


class Yard:
    """Routers of which none are there, and orders for them on terms."""

    def __init__(self, house: House, clock: ManualClock, world: World) -> None:
        self.house, self.clock, self.level_id = house, clock, world.router.level_id
        with house.db.transaction() as session:
            level = session.get_one(StockLevel, self.level_id)
            level.backorder_limit = 100
        self.come(-27)

    def by_hand(self) -> None:
        """Nothing is released by itself."""
        with self.house.db.transaction() as session:
            level = session.get_one(StockLevel, self.level_id)
            session.get_one(Location, level.location_id).releases_back_orders = False

    def come(self, pieces: int) -> None:
        """Pieces come in, or go."""
        reason = "received" if pieces > 0 else "own_use"
        asked = Adjustment(self.level_id, reason, abs(pieces))
        adjust_stock.adjust(self.house, asked, BY, new_public_id())

    def order(self, pieces: int) -> Placed:
        self.clock.advance(timedelta(minutes=1))
        cart = wish(fill(self.house, pieces), "invoice")
        placed = place(self.house, cart)
        worker.drain(self.house)
        return placed

    def look(self) -> None:
        stocking.look(self.house, None)
        worker.drain(self.house)

    def waiting(self) -> list[tuple[str, int, int]]:
        """Order, how many wait, how many can be released: as the desk lists them."""
        with self.house.db.reading() as session:
            return [
                (one.order.number or "", one.row.waiting, one.can) for one in late.page(session)
            ]

    def send(self, placed: Placed, pieces: int) -> None:
        parcel = Parcel(placed.public_id, {1: pieces}, Tracking(), BY, new_public_id())
        ship_order.ship(self.house, parcel)

    def cancel(self, placed: Placed, pieces: int) -> None:
        once = new_public_id()[:20]
        take_back.cancel(
            self.house, Asked(placed.public_id, {1: pieces}, "other", "usual", BY, once)
        )

    def said(self, placed: Placed) -> list[str]:
        """What the order's page says of its goods."""
        with self.house.db.reading() as session:
            found = follow(session, session.get_one(Order, placed.order_id), with_awaited=True)
        states = [
            progress(line, awaited=found.awaited.get(line.id, 0))
            for line in found.lines
            if line.kind == "physical"
        ]
        return [state.text for state in states if state is not None]

    def told(self) -> list[tuple[str, str]]:
        """Each mail about what has come: its order, and the pieces that it names first."""
        worker.drain(self.house)
        with self.house.db.reading() as session:
            rows = session.scalars(
                select(Notice).where(Notice.template == "back_order").order_by(Notice.created_at)
            )
            return [(row.subject.split()[-1], _first_piece(row.text_body)) for row in rows]

    def sound(self) -> None:
        worker.drain(self.house)
        found = verify(self.house.db, self.house.clock, blobs=self.house.blobs)
        assert [one for one in found if not one.holds] == []


def fill(house: House, pieces: int) -> str:
    def work(session) -> str:
        cart = lines.open_cart(session, session.scalars(select(Channel)).one(), house.clock.now())
        lines.add(session, cart, "FW-RT-6", pieces, house.rules.hold_for, house.clock.now())
        return cart.public_id

    return house.db.run_tx(work)


def _first_piece(text: str) -> str:
    return next(line.strip() for line in text.splitlines() if line.startswith("  "))


@pytest.fixture
def yard(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Yard:
    return Yard(make_house(db, clock, tmp_path, cast(Gateway, None)), clock, world)


def test_what_comes_goes_to_the_oldest_first_by_itself_and_each_is_told_once(yard: Yard):
    yard.come(2)
    first, second, third = yard.order(3), yard.order(2), yard.order(4)
    yard.look()
    assert yard.waiting() == [("O-10001", 1, 0), ("O-10002", 2, 0), ("O-10003", 4, 0)]
    assert yard.told() == []
    yard.send(first, 2)  # what was there when it was sold leaves
    with pytest.raises(NotOnHand):
        yard.send(first, 1)
    yard.come(2)
    with pytest.raises(BackOrderWaits):
        yard.send(third, 1)  # they are for those who waited longer
    worker.drain(yard.house)
    assert yard.waiting() == [("O-10002", 1, 0), ("O-10003", 4, 0)]
    assert sorted(yard.told()) == [(order, "Wi-Fi 6 router") for order in ("O-10001", "O-10002")]
    yard.look()
    assert len(yard.told()) == 2, "nobody is written to again"
    yard.send(first, 1)
    yard.send(second, 1)
    yard.cancel(second, 1)
    yard.cancel(third, 1)
    assert yard.waiting() == [("O-10003", 3, 0)]
    yard.come(10)
    worker.drain(yard.house)
    assert yard.waiting() == []
    assert len(yard.told()) == 3
    assert ("O-10003", "Wi-Fi 6 router × 3") in yard.told()
    yard.send(third, 3)
    yard.sound()


def test_an_order_that_grows_keeps_its_place_and_what_it_had(yard: Yard):
    yard.come(3)
    first, second = yard.order(3), yard.order(2)
    yard.look()
    yard.clock.advance(timedelta(minutes=1))
    asked = Edits({1: 4})
    _, plan = change_order.preview(yard.house, first.public_id, asked)
    wish_ = ChangeWish(first.public_id, asked, plan.token, "other", "usual", BY, "c1")
    change_order.change(yard.house, wish_)
    yard.look()
    assert yard.waiting() == [("O-10001", 1, 0), ("O-10002", 2, 0)]
    yard.send(first, 3)
    with pytest.raises((NotOnHand, BackOrderWaits)):
        yard.send(second, 1)


def test_the_order_says_of_which_line_how_many_pieces_wait(yard: Yard):
    yard.come(1)
    placed = yard.order(3)
    assert yard.said(placed) == []
    yard.look()
    assert yard.said(placed) == ["2 wait for stock"]
    yard.send(placed, 1)
    assert yard.said(placed) == ["1 of 3 sent, 2 wait for stock"]
    late = yard.order(2)
    yard.look()
    assert yard.said(late) == ["Waits for stock"]
    yard.come(4)
    worker.drain(yard.house)
    assert (yard.said(placed), yard.said(late)) == (["1 of 3 sent"], [])


def test_where_staff_release_one_part_or_all_waits_for_them(yard: Yard):
    yard.by_hand()
    first, second = yard.order(3), yard.order(2)
    yard.look()
    yard.come(4)
    yard.look()
    assert yard.waiting() == [("O-10001", 3, 3), ("O-10002", 2, 1)]
    assert yard.told() == []
    with pytest.raises(BackOrderWaits):
        yard.send(first, 1)
    with yard.house.db.reading() as session:
        keys = session.scalars(select(BackOrder.id).order_by(BackOrder.since)).all()
    assert release_back_orders.release_one(yard.house, keys[1], BY) == 1
    assert yard.waiting() == [("O-10001", 3, 3), ("O-10002", 1, 0)], "the older keeps its own"
    with crash.crash_at("back_order.before_commit"):
        release_back_orders.release_all(yard.house, BY, "FW-RT-6")
    assert release_back_orders.release_all(yard.house, BY, "FW-RT-6") == 1
    assert release_back_orders.release_all(yard.house, BY) == 0
    assert yard.waiting() == [("O-10002", 1, 0)]
    assert sorted(yard.told()) == [("O-10001", "Wi-Fi 6 router × 3"), ("O-10002", "Wi-Fi 6 router")]
    yard.send(first, 3)
    yard.send(second, 1)
    yard.sound()


def test_what_comes_before_anybody_looked_was_no_back_order(yard: Yard):
    placed = yard.order(2)
    yard.come(5)
    yard.send(placed, 2)
    yard.look()
    assert (yard.waiting(), yard.told()) == ([], [])
    yard.sound()


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("order"), st.integers(1, 4)),
            st.tuples(st.just("come"), st.integers(1, 4)),
            st.tuples(st.just("cancel"), st.integers(0, 5)),
            st.tuples(st.just("send"), st.integers(0, 5)),
            st.tuples(st.just("look"), st.just(0)),
        ),
        max_size=10,
    )
)
def test_whatever_happens_the_oldest_are_covered_first(yard: Yard, steps: list[tuple[str, int]]):
    """A model: what lies there covers each order's open pieces, one order after the other. Just what is
    covered leaves, and just what is not waits."""
    there = _on_hand(yard)
    sold: list[Sold] = []
    for what, number in steps:
        if what == "order":
            sold.append(Sold(yard.order(number), number))
        elif what == "come":
            yard.come(number)
            there += number
        elif what == "look":
            yard.look()
        elif sold and sold[number % len(sold)].open:
            there -= _act(yard, what, sold, number % len(sold), there)
    yard.look()
    waits = _waits(yard)
    for at, one in enumerate(sold):
        assert waits.get(one.placed.public_id, 0) == one.open - _covered(sold, at, there)
    for one in sold:
        if one.open:
            yard.cancel(one.placed, one.open)
    yard.look()
    assert yard.waiting() == []
    yard.sound()


@dataclass
class Sold:
    """An order, and how many of its pieces have not left and were not cancelled."""

    placed: Placed
    open: int


def _covered(sold: list[Sold], at: int, there: int) -> int:
    older = sum(one.open for one in sold[:at])
    return max(min(sold[at].open, there - older), 0)


def _act(yard: Yard, what: str, sold: list[Sold], at: int, there: int) -> int:
    """Cancel or send a piece of an order; says how many left."""
    one = sold[at]
    if what == "cancel":
        yard.cancel(one.placed, 1)
        one.open -= 1
        return 0
    if not _covered(sold, at, there):
        with pytest.raises((NotOnHand, BackOrderWaits)):
            yard.send(one.placed, 1)
        return 0
    yard.send(one.placed, 1)
    one.open -= 1
    return 1


def _on_hand(yard: Yard) -> int:
    with yard.house.db.reading() as session:
        return session.get_one(StockLevel, yard.level_id).on_hand


def _waits(yard: Yard) -> dict[str, int]:
    with yard.house.db.reading() as session:
        return {one.order.public_id: one.row.waiting for one in late.page(session)}
