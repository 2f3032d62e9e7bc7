"""What a cart holds is sold in one go, for an order that is certain at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel import exchange
from core.stock import holds, levels
from core.stock.holds import Demand, Near, OutOfStock, Owner
from core.stock.models import Hold, Location, StockLevel
from tests.rooms.stock.shelf import Counts, active, counts, moved, put, second_place
from tests.rooms.web.looking import statements

HALF_AN_HOUR = timedelta(minutes=30)
HARBOR, MILL = Near("US", "OH", "43004"), Near("US", "PA", "15001")


@pytest.fixture
def counter(db, world, clock):
    """What is put on the shelf, held for a cart and sold."""
    return Counter(db, world, clock)


class Counter:
    """One cart before one shelf."""

    def __init__(self, db, world, clock) -> None:
        self.db, self.world, self.clock = db, world, clock
        self.cart = Owner("cart", world.channel_id)

    def shelf(self, pieces: int):
        return self.db.run_tx(lambda s: put(s, self.world, self.clock.now(), pieces))

    def demand(self, goods, quantity: int) -> Demand:
        return Demand(goods.variant_id, goods.variant_id, quantity)

    def hold(self, *demands: Demand) -> None:
        now = self.clock.now()
        self.db.run_tx(lambda s: holds.hold(s, self.cart, demands, now + HALF_AN_HOUR, now))

    def sell(self, *demands: Demand, near: Near = HARBOR, held_near: Near | None = None) -> None:
        def work(session: Session) -> None:
            with exchange.opened(session):
                asked = (session, self.cart, demands, "order:1", self.clock.now(), near)
                holds.sell(*asked, held_near=held_near)

        self.db.run_tx(work)

    def sums(self, level_id) -> Counts:
        """As the level says, which its movements and active holds bear out."""
        with self.db.reading() as session:
            found = counts(session, level_id)
            assert moved(session, level_id) == (found.on_hand, found.allocated)
            assert active(session, level_id) == found.held
        return found


def test_what_is_held_is_sold_and_what_is_not_wanted_any_more_is_let_go(counter):
    router, camera, cable = counter.shelf(3), counter.shelf(3), counter.shelf(3)
    counter.hold(*(counter.demand(one, 2) for one in (router, camera, cable)))
    counter.sell(counter.demand(router, 2), counter.demand(camera, 1))
    assert counter.sums(router.level_id) == Counts(3, 2, 0)
    assert counter.sums(camera.level_id) == Counts(3, 1, 0)
    assert counter.sums(cable.level_id) == Counts(3, 0, 0)


def test_what_the_cart_holds_for_too_many_is_let_go_where_there_are_more_holds_than_one(counter):
    router, camera = counter.shelf(4), counter.shelf(2)
    counter.hold(counter.demand(router, 2), counter.demand(camera, 1))
    counter.hold(counter.demand(router, 2))
    counter.sell(counter.demand(router, 2))
    assert counter.sums(router.level_id) == Counts(4, 2, 0)
    assert counter.sums(camera.level_id) == Counts(2, 0, 0)
    with counter.db.reading() as session:
        states = session.scalars(select(Hold.state).where(Hold.owner_id == counter.cart.id))
        assert sorted(states) == ["allocated", "released", "released"]


def test_what_one_place_holds_is_sold_by_three_statements(counter):
    router, camera = counter.shelf(3), counter.shelf(3)
    counter.hold(counter.demand(router, 2), counter.demand(camera, 1))
    counter.sell(counter.demand(router, 2), counter.demand(camera, 1))
    counter.hold(counter.demand(camera, 2))
    with statements(counter.db) as sent:
        counter.sell(counter.demand(camera, 2))
    assert len(sent) == 3
    assert counter.sums(camera.level_id) == Counts(3, 3, 0)


def test_what_lapsed_and_what_is_wanted_beyond_is_taken_as_it_is_sold(counter):
    router, camera = counter.shelf(3), counter.shelf(3)
    counter.hold(counter.demand(router, 1))
    counter.clock.advance(HALF_AN_HOUR)
    counter.db.run_tx(lambda s: holds.lapse(s, counter.clock.now()))
    counter.hold(counter.demand(camera, 1))
    counter.sell(counter.demand(router, 1), counter.demand(camera, 3))
    assert counter.sums(router.level_id) == Counts(3, 1, 0)
    assert counter.sums(camera.level_id) == Counts(3, 3, 0)


def test_selling_what_is_gone_sells_nothing(counter):
    router, camera = counter.shelf(1), counter.shelf(1)
    counter.hold(counter.demand(router, 1))
    with pytest.raises(OutOfStock) as refused:
        counter.sell(counter.demand(router, 1), counter.demand(camera, 2))
    assert (refused.value.wanted, refused.value.available) == (2, 1)
    assert counter.sums(router.level_id) == Counts(1, 0, 1)
    assert counter.sums(camera.level_id) == Counts(1, 0, 0)


@pytest.mark.parametrize(
    ("held_near", "sold"),
    [(HARBOR, [0, 2]), (MILL, [2, 0]), (None, [2, 0])],
    ids=["now-it-is-known", "it-was-known", "nobody-asked"],
)
def test_pieces_are_sold_near_where_they_go_when_that_is_known_only_now(held_near, sold, counter):
    router, now = counter.shelf(2), counter.clock.now()

    def another(session: Session):
        here = session.get_one(Location, session.get_one(StockLevel, router.level_id).location_id)
        here.country, here.region = "US", "OH"
        mill = second_place(session, country="US", region="PA", priority=1)
        return levels.receive(session, router.variant_id, mill, 3, now)

    keys = [router.level_id, counter.db.run_tx(another)]
    counter.hold(counter.demand(router, 2))
    counter.sell(counter.demand(router, 2), near=MILL, held_near=held_near)
    assert [counter.sums(key).allocated for key in keys] == sold
    assert [counter.sums(key).held for key in keys] == [0, 0]
