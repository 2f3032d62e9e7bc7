"""Holds: kept for a time, passed on, sold, let go; and several things at once or not at all."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.stock import holds, levels, sold
from core.stock.holds import Demand, Near, OutOfStock, Owner
from core.stock.models import Hold, Location, StockLevel
from tests.rooms.stock.shelf import Counts, Goods, active, counts, moved, put, second_place
from tests.world import World

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def goods(db: Database, world: World, clock: ManualClock) -> Callable[..., Goods]:
    """Puts things on the shelf."""

    def make(pieces: int | None, **more) -> Goods:
        return db.run_tx(lambda session: put(session, world, clock.now(), pieces, **more))

    return make


class Counter:
    """Somebody at the counter who takes things for a cart of their own."""

    def __init__(self, db: Database, clock: ManualClock, kind: str = "cart") -> None:
        self.db, self.clock = db, clock
        self.owner = Owner(kind, new_id())

    def demand(self, what: Goods, pieces: int) -> Demand:
        return Demand(new_id(), what.variant_id, pieces)

    def hold(self, *demands: Demand, life: timedelta = HALF_AN_HOUR) -> None:
        now = self.clock.now()
        self.db.run_tx(lambda session: holds.hold(session, self.owner, demands, now + life, now))

    def allocate(self, *demands: Demand) -> None:
        now = self.clock.now()
        self.db.run_tx(lambda session: holds.allocate(session, self.owner, demands, "order:1", now))

    def release(self) -> int:
        return self.db.run_tx(lambda session: holds.release(session, self.owner))


@pytest.fixture
def somebody(db: Database, clock: ManualClock) -> Callable[..., Counter]:
    return lambda kind="cart": Counter(db, clock, kind)


def read(db: Database, what: Goods) -> Counts:
    with db.reading() as session:
        return counts(session, what.level_id)


def available(db: Database, clock: ManualClock, what: Goods) -> int:
    with db.reading() as session:
        return levels.available(session, [what.variant_id], clock.now())[what.variant_id]


# --- holding and letting go -----------------------------------------------------------------------


def test_what_is_held_cannot_be_had_until_it_is_let_go(db, clock, goods, somebody):
    router, shopper = goods(3), somebody()
    shopper.hold(shopper.demand(router, 2))
    assert available(db, clock, router) == 1
    with pytest.raises(OutOfStock) as refused:
        somebody().hold(shopper.demand(router, 2))
    assert refused.value.facts() == {"sku": router.sku, "wanted": 2, "available": 1}
    assert refused.value.code == "out_of_stock"
    assert shopper.release() == 1
    assert shopper.release() == 0
    assert (available(db, clock, router), read(db, router)) == (3, Counts(3, 0, 0))


def test_a_lapsed_hold_keeps_nothing_whether_or_not_somebody_swept(db, clock, goods, somebody):
    router, late = goods(1), somebody()
    late.hold(late.demand(router, 1))
    clock.advance(HALF_AN_HOUR - timedelta(seconds=1))
    assert available(db, clock, router) == 0
    clock.advance(timedelta(seconds=1))
    assert available(db, clock, router) == 1
    assert read(db, router).held == 1
    next_one = somebody()
    next_one.hold(next_one.demand(router, 1))
    assert read(db, router) == Counts(1, 0, 1)
    assert late.release() == 0


def test_the_sweeper_lets_go_what_is_over_and_nothing_else(db, clock, goods, somebody):
    router = goods(5)
    for life in (10, 20, 30):
        shopper = somebody()
        shopper.hold(shopper.demand(router, 1), life=timedelta(minutes=life))
    clock.advance(timedelta(minutes=20))
    assert db.run_tx(lambda session: holds.lapse(session, clock.now())) == 2
    assert db.run_tx(lambda session: holds.lapse(session, clock.now())) == 0
    assert read(db, router) == Counts(5, 0, 1)


def test_the_sweeper_takes_a_long_list_in_portions(db, clock, goods, somebody):
    router, camera = goods(3), goods(4)
    for what in (router, camera, router, camera, router):
        shopper = somebody()
        shopper.hold(shopper.demand(what, 1))
    clock.advance(HALF_AN_HOUR)
    portions = [db.run_tx(lambda s: holds.lapse(s, clock.now(), limit=2)) for _ in range(4)]
    assert portions == [2, 2, 1, 0]
    assert (read(db, router).held, read(db, camera).held) == (0, 0)


def test_however_many_lapsed_holds_stand_in_the_way_they_give_way(db, clock, goods, somebody):
    """More of them than a sweep lets go at a time."""
    pieces = 620
    router, crowd = goods(pieces), somebody()
    crowd.hold(*(crowd.demand(router, 1) for _ in range(pieces)))
    clock.advance(HALF_AN_HOUR)
    buyer = somebody()
    buyer.hold(buyer.demand(router, pieces))
    assert read(db, router) == Counts(pieces, 0, pieces)


def test_a_line_may_want_more_and_has_its_own_pieces_still(db, clock, goods, somebody):
    router, shopper = goods(5), somebody()
    line = shopper.demand(router, 3)
    shopper.hold(line)
    more, now = Demand(line.line_id, router.variant_id, 5), clock.now()
    until = now + timedelta(hours=1)
    db.run_tx(lambda session: holds.change(session, shopper.owner, more, until, now))
    assert read(db, router) == Counts(5, 0, 5)
    with db.reading() as session:
        assert holds.of(session, shopper.owner, now) == {line.line_id: until}
    too_many = Demand(line.line_id, router.variant_id, 6)
    with pytest.raises(OutOfStock) as refused:
        db.run_tx(lambda session: holds.change(session, shopper.owner, too_many, until, now))
    assert refused.value.available == 5
    assert read(db, router) == Counts(5, 0, 5)


# --- several things -------------------------------------------------------------------------------


def test_several_things_are_held_together_or_not_at_all(db, clock, goods, somebody):
    router, camera, shopper = goods(5), goods(1), somebody()
    with pytest.raises(OutOfStock) as refused:
        shopper.hold(shopper.demand(router, 2), shopper.demand(camera, 2))
    assert (refused.value.sku, refused.value.available) == (camera.sku, 1)
    assert (read(db, router).held, read(db, camera).held) == (0, 0)
    shopper.hold(shopper.demand(router, 5), shopper.demand(camera, 1))
    assert (read(db, router).held, read(db, camera).held) == (5, 1)


def test_two_lines_of_the_same_thing_must_fit_together(db, clock, goods, somebody):
    router, shopper = goods(3), somebody()
    with pytest.raises(OutOfStock) as refused:
        shopper.hold(shopper.demand(router, 2), shopper.demand(router, 2))
    assert (refused.value.wanted, refused.value.available) == (4, 3)
    assert read(db, router).held == 0


@pytest.mark.parametrize("turned", [False, True])
def test_levels_are_met_in_the_order_of_their_keys(turned, db, clock, goods, somebody):
    """So that two who want the same things never wait for each other in a circle."""
    wanted = [goods(2), goods(2), goods(2)]
    keys = sorted(what.level_id for what in wanted)
    met: list[object] = []

    def listen(conn, cursor, statement, parameters, context, many) -> None:
        if statement.startswith("UPDATE stock_level"):
            given = parameters.values() if isinstance(parameters, dict) else parameters
            met.extend(key for key in keys if key in given or key.hex in given)

    shopper = somebody()
    event.listen(db.engine, "before_cursor_execute", listen)
    order = reversed(wanted) if turned else wanted
    shopper.hold(*(shopper.demand(what, 1) for what in order))
    event.remove(db.engine, "before_cursor_execute", listen)
    assert met == keys


def test_what_nobody_counts_needs_no_hold(db, clock, goods, somebody):
    visit, shopper = goods(None, kind="service"), somebody()
    shopper.hold(shopper.demand(visit, 50))
    shopper.allocate(shopper.demand(visit, 50))
    with db.reading() as session:
        assert session.scalars(select(Hold)).all() == []
        assert levels.available(session, [visit.variant_id], clock.now()) == {}


def test_goods_that_never_came_in_cannot_be_held(db, clock, goods, somebody):
    antenna, shopper = goods(None), somebody()
    for take in (shopper.hold, shopper.allocate):
        with pytest.raises(OutOfStock) as refused:
            take(shopper.demand(antenna, 1))
        assert (refused.value.sku, refused.value.available) == (antenna.sku, 0)


def test_more_than_is_there_may_be_promised_up_to_a_limit(db, clock, goods, somebody):
    router, shopper = goods(1, backorder=2), somebody()
    assert available(db, clock, router) == 3
    line = shopper.demand(router, 3)
    shopper.hold(line)
    shopper.allocate(line)
    assert read(db, router) == Counts(1, 3, 0)
    assert available(db, clock, router) == 0
    with pytest.raises(OutOfStock):
        somebody().hold(shopper.demand(router, 1))


# --- several places -------------------------------------------------------------------------------


@pytest.fixture
def places(db: Database, clock: ManualClock, goods) -> Callable[..., tuple[Goods, list]]:
    """A router at two places, Harbor Lane in Ohio and Mill Street in Pennsylvania, and the levels of both."""

    def make(here: int, there: int) -> tuple[Goods, list]:
        router = goods(here)

        def work(session: Session) -> list:
            harbor = session.get_one(StockLevel, router.level_id).location_id
            session.get_one(Location, harbor).country = "US"
            session.get_one(Location, harbor).region = "OH"
            mill = second_place(session, country="US", region="PA", priority=1)
            other = levels.receive(session, router.variant_id, mill, there, clock.now())
            return [router.level_id, other]

        return router, db.run_tx(work)

    return make


def held_at(db: Database, keys: list) -> list[int]:
    with db.reading() as session:
        return [counts(session, key).held for key in keys]


def test_what_is_held_at_several_places_beyond_what_is_sold_is_let_go(db, places, somebody):
    router, keys = places(2, 2)
    shopper = somebody("order")
    line = shopper.demand(router, 4)
    shopper.hold(line)
    assert held_at(db, keys) == [2, 2]
    shopper.allocate(Demand(line.line_id, line.variant_id, 1))
    assert held_at(db, keys) == [0, 0]
    with db.reading() as session:
        assert [active(session, key) for key in keys] == [0, 0]


@pytest.mark.parametrize(
    ("wanted", "where", "held"),
    [
        (2, Near(), [2, 0]),
        (2, Near("US", "PA", "15001"), [0, 2]),
        (3, Near("US", "OH", "43099"), [0, 3]),
        (4, Near("US", "OH", "43099"), [2, 2]),
        (4, Near("US", "PA", "15001"), [1, 3]),
    ],
    ids=["by-priority", "near", "all-of-it-before-near", "split-near-first", "split-other-first"],
)
def test_pieces_come_from_the_nearest_place_that_has_all_else_from_several(
    wanted, where, held, db, clock, places, somebody
):
    router, keys = places(2, 3)
    assert available(db, clock, router) == 5
    shopper, now = somebody(), clock.now()
    line = shopper.demand(router, wanted)
    until = now + HALF_AN_HOUR
    db.run_tx(lambda s: holds.hold(s, shopper.owner, [line], until, now, where))
    assert held_at(db, keys) == held
    with pytest.raises(OutOfStock) as refused:
        somebody().hold(shopper.demand(router, 6 - wanted))
    assert refused.value.available == 5 - wanted


def test_a_split_line_grows_is_passed_on_sold_sent_and_comes_back_piece_by_piece(
    db, clock, places, somebody
):
    router, keys = places(2, 3)
    cart, order, now = somebody(), somebody("order"), clock.now()
    line = cart.demand(router, 4)
    cart.hold(line)
    more = Demand(line.line_id, router.variant_id, 5)
    db.run_tx(lambda s: holds.change(s, cart.owner, more, now + HALF_AN_HOUR, now))
    assert held_at(db, keys) == [2, 3]
    alone, packed = order.demand(router, 1), order.demand(router, 4)
    _pass_on(db, clock, cart, order, packed, alone)
    assert held_at(db, keys) == [2, 3]
    order.allocate(packed, alone)

    def sums() -> list[Counts]:
        with db.reading() as session:
            return [counts(session, key) for key in keys]

    assert sums() == [Counts(2, 2, 0), Counts(3, 3, 0)]
    about, variant = "order:1", router.variant_id
    db.run_tx(lambda s: sold.ship(s, about, variant, router.sku, 3, now))
    assert sums() == [Counts(0, 0, 0), Counts(2, 2, 0)]
    db.run_tx(lambda s: sold.let_go(s, about, variant, 1, now))
    db.run_tx(lambda s: sold.take_back(s, about, variant, 3, now))
    assert sums() == [Counts(2, 0, 0), Counts(3, 1, 0)]


def test_when_the_place_is_known_what_is_held_is_held_near_it_as_long_as_before(
    db, clock, places, somebody
):
    router, keys = places(2, 3)
    shopper, now = somebody(), clock.now()
    line = shopper.demand(router, 2)
    shopper.hold(line)
    pittsburgh = Near("US", "PA", "15001")
    db.run_tx(lambda s: holds.move_near(s, shopper.owner, pittsburgh, now + timedelta(minutes=5)))
    assert held_at(db, keys) == [0, 2]
    with db.reading() as session:
        assert holds.of(session, shopper.owner, now) == {line.line_id: now + HALF_AN_HOUR}


def test_what_is_kept_back_from_sale_is_not_sold_and_takes_nothing_from_who_has_it(
    db, clock, goods, somebody
):
    router, shopper = goods(3), somebody()
    line = shopper.demand(router, 2)
    shopper.hold(line)
    db.run_tx(lambda s: setattr(s.get_one(StockLevel, router.level_id), "safety_stock", 2))
    assert available(db, clock, router) == 0
    with pytest.raises(OutOfStock):
        somebody().hold(shopper.demand(router, 1))
    shopper.allocate(line)
    assert read(db, router) == Counts(3, 2, 0)


# --- passing on and selling -----------------------------------------------------------------------


def _pass_on(db: Database, clock: ManualClock, giver: Counter, taker: Counter, *demands) -> None:
    now = clock.now()

    def work(session: Session) -> None:
        until = now + timedelta(minutes=40)
        holds.pass_on(session, giver.owner, taker.owner, demands, until, now)

    db.run_tx(work)


def test_a_carts_hold_becomes_its_orders_and_nobody_comes_between(db, clock, goods, somebody):
    router, cart, order = goods(2), somebody(), somebody("order")
    cart.hold(cart.demand(router, 2))
    wanted = order.demand(router, 2)
    _pass_on(db, clock, cart, order, wanted)
    assert cart.release() == 0
    with db.reading() as session:
        until = holds.of(session, order.owner, clock.now())
    assert until == {wanted.line_id: clock.now() + timedelta(minutes=40)}
    assert read(db, router) == Counts(2, 0, 2)


def test_what_had_lapsed_is_taken_again_when_it_is_passed_on(db, clock, goods, somebody):
    router, cart, order = goods(2), somebody(), somebody("order")
    cart.hold(cart.demand(router, 1))
    clock.advance(HALF_AN_HOUR)
    db.run_tx(lambda session: holds.lapse(session, clock.now()))
    _pass_on(db, clock, cart, order, order.demand(router, 1))
    assert read(db, router) == Counts(2, 0, 1)


def test_what_had_lapsed_and_is_gone_cannot_be_passed_on(db, clock, goods, somebody):
    router, cart, order, faster = goods(1), somebody(), somebody("order"), somebody()
    cart.hold(cart.demand(router, 1))
    clock.advance(HALF_AN_HOUR)
    faster.hold(faster.demand(router, 1))
    with pytest.raises(OutOfStock):
        _pass_on(db, clock, cart, order, order.demand(router, 1))
    assert read(db, router) == Counts(1, 0, 1)
    assert faster.release() == 1


def test_what_is_not_wanted_any_more_is_let_go_when_it_is_passed_on(db, clock, goods, somebody):
    router, camera, cart, order = goods(2), goods(2), somebody(), somebody("order")
    cart.hold(cart.demand(router, 2), cart.demand(camera, 1))
    _pass_on(db, clock, cart, order, order.demand(router, 1))
    assert (read(db, router).held, read(db, camera).held) == (1, 0)


def test_a_hold_becomes_sold(db, clock, goods, somebody):
    router, order = goods(3), somebody("order")
    line = order.demand(router, 2)
    order.hold(line)
    order.allocate(line)
    with db.reading() as session:
        assert counts(session, router.level_id) == Counts(3, 2, 0)
        assert moved(session, router.level_id) == (3, 2)
        assert active(session, router.level_id) == 0


def test_a_lapsed_hold_is_taken_again_when_payment_arrives_late(db, clock, goods, somebody):
    router, order = goods(1), somebody("order")
    line = order.demand(router, 1)
    order.hold(line)
    clock.advance(HALF_AN_HOUR)
    db.run_tx(lambda session: holds.lapse(session, clock.now()))
    order.allocate(line)
    assert read(db, router) == Counts(1, 1, 0)


def test_a_late_payment_for_what_is_gone_is_told_so(db, clock, goods, somebody):
    router, order, faster = goods(1), somebody("order"), somebody()
    line = order.demand(router, 1)
    order.hold(line)
    clock.advance(HALF_AN_HOUR)
    faster.hold(faster.demand(router, 1))
    with pytest.raises(OutOfStock):
        order.allocate(line)
    assert read(db, router) == Counts(1, 0, 1)


def test_selling_takes_all_or_nothing(db, clock, goods, somebody):
    router, camera, order = goods(3), goods(0), somebody("order")
    lines = [order.demand(router, 1), order.demand(camera, 1)]
    order.hold(lines[0])
    with pytest.raises(OutOfStock):
        order.allocate(*lines)
    assert read(db, router) == Counts(3, 0, 1)


# --- goods come in --------------------------------------------------------------------------------


def test_goods_that_come_in_can_be_had_at_once(db, world, clock, goods):
    router = goods(2)
    now = clock.now()
    again = db.run_tx(
        lambda session: levels.receive(session, router.variant_id, world.location_id, 3, now)
    )
    assert again == router.level_id
    assert (available(db, clock, router), read(db, router)) == (5, Counts(5, 0, 0))
    with db.reading() as session:
        assert moved(session, router.level_id) == (5, 0)


def test_a_level_moves_only_as_far_as_it_can(db, goods):
    router = goods(2)

    def work(session: Session) -> list[bool]:
        return [
            levels.shift(session, router.level_id, held=2),
            levels.shift(session, router.level_id, held=1),
            levels.shift(session, router.level_id, on_hand=-1),
            levels.shift(session, router.level_id, held=-1, allocated=1),
            levels.shift(session, router.level_id, allocated=1),
        ]

    assert db.run_tx(work) == [True, False, False, True, False]
    assert read(db, router) == Counts(2, 1, 1)
