"""Many hands on the same shelf at once: the pieces that are there go out, and not one more."""

import random
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.stock import holds, levels, proofs
from core.stock.holds import Demand, OutOfStock, Owner
from tests.rooms.stock.shelf import Counts, Goods, counts, moved, put, second_place
from tests.together import at_once, together
from tests.world import World

HANDS = 12
HALF_AN_HOUR = timedelta(minutes=30)


def taker(what: list[Goods], pieces: int, now: datetime) -> Callable[[Session], object]:
    """Somebody who wants so many of each."""
    owner = Owner("cart", new_id())
    demands = [Demand(new_id(), one.variant_id, pieces) for one in what]

    def work(session: Session) -> None:
        holds.hold(session, owner, demands, now + HALF_AN_HOUR, now)

    return work


def refused(outcomes: list[object]) -> int:
    """How many were told that there is too little; nobody may have been told anything else."""
    wrong = [each for each in outcomes if each is not None and not isinstance(each, OutOfStock)]
    assert wrong == []
    return sum(isinstance(each, OutOfStock) for each in outcomes)


def test_of_twelve_who_want_the_last_five_exactly_five_get_one(
    db: Database, world: World, clock: ManualClock
):
    router = db.run_tx(lambda session: put(session, world, clock.now(), 5))
    outcomes = at_once(db, [taker([router], 1, clock.now()) for _ in range(HANDS)])
    assert refused(outcomes) == 7
    with db.reading() as session:
        assert counts(session, router.level_id) == Counts(5, 0, 5)


def test_five_get_one_also_when_lapsed_holds_had_them_all(
    db: Database, world: World, clock: ManualClock
):
    """Whoever lets the lapsed holds go does it for everybody: nobody is refused in between."""
    now = clock.now()
    router = db.run_tx(lambda session: put(session, world, now, 5))
    for _ in range(5):
        db.run_tx(taker([router], 1, now))
    clock.advance(HALF_AN_HOUR)
    sweep = [lambda session: holds.lapse(session, clock.now())]
    _, *outcomes = at_once(db, sweep + [taker([router], 1, clock.now()) for _ in range(HANDS)])
    assert refused(outcomes) == 7
    with db.reading() as session:
        assert counts(session, router.level_id) == Counts(5, 0, 5)


def test_whoever_wants_two_things_gets_both_or_neither(
    db: Database, world: World, clock: ManualClock
):
    now = clock.now()
    router, camera = db.run_tx(lambda s: (put(s, world, now, 9), put(s, world, now, 5)))
    pairs = [[router, camera], [camera, router]] * (HANDS // 2)
    outcomes = at_once(db, [taker(pair, 1, now) for pair in pairs])
    assert refused(outcomes) == 7
    with db.reading() as session:
        assert counts(session, router.level_id) == Counts(9, 0, 5)
        assert counts(session, camera.level_id) == Counts(5, 0, 5)


def test_two_first_deliveries_at_once_make_one_level(
    db: Database, world: World, clock: ManualClock
):
    now = clock.now()
    antenna = db.run_tx(lambda session: put(session, world, now, None))
    mill = db.run_tx(second_place)

    def deliver(session: Session) -> object:
        return levels.receive(session, antenna.variant_id, mill, 2, now)

    (level_id,) = set(at_once(db, [deliver] * 4))
    assert isinstance(level_id, uuid.UUID)
    with db.reading() as session:
        assert counts(session, level_id) == Counts(8, 0, 0)
        assert moved(session, level_id) == (8, 0)


@pytest.mark.parametrize("seed", range(2))
def test_in_any_throng_the_shelf_stays_sound(
    seed: int, db: Database, world: World, clock: ManualClock
):
    """Eight hands hold, change their minds, buy, let go and sweep, while time goes by."""
    start = clock.now()
    shelf = db.run_tx(lambda session: [put(session, world, start, pieces) for pieces in (6, 4, 8)])

    def hand(number: int) -> None:
        dice = random.Random(seed * 100 + number)
        for step in range(10):
            try:
                db.run_tx(_something(dice, shelf, start + timedelta(minutes=4 * step)))
            except OutOfStock:
                continue

    assert together([partial(hand, number) for number in range(8)]) == [None] * 8
    now = start + timedelta(minutes=40)
    with db.snapshot() as session:
        assert proofs.levels_are_true(session, now).offenders == ()
    db.run_tx(lambda session: holds.lapse(session, start + timedelta(days=1)))
    with db.reading() as session:
        for one in shelf:
            level = counts(session, one.level_id)
            assert level.held == 0
            assert 0 <= level.allocated <= level.on_hand


def _something(
    dice: random.Random, shelf: list[Goods], now: datetime
) -> Callable[[Session], object]:
    owner = Owner(dice.choice(["cart", "order"]), new_id())
    wanted = dice.sample(shelf, dice.randint(1, 3))
    demands = [Demand(new_id(), one.variant_id, dice.randint(1, 2)) for one in wanted]
    until = now + timedelta(minutes=dice.randint(1, 12))
    what = dice.choice(["keep", "keep", "drop", "buy", "sweep", "pass_on"])

    def work(session: Session) -> None:
        if what == "sweep":
            holds.lapse(session, now)
            return
        holds.hold(session, owner, demands, until, now)
        if what == "drop":
            holds.release(session, owner)
        elif what == "buy":
            holds.allocate(session, owner, demands, "order:1", now)
        elif what == "pass_on":
            order = Owner("order", new_id())
            lines = [Demand(new_id(), one.variant_id, one.quantity) for one in demands]
            holds.pass_on(session, owner, order, lines, until, now)

    return work
