"""Whatever happens to a shelf in whatever order, a small model foretells it.

The model knows what is on hand, what was sold and which holds are unexpired, nothing else: whether a
hold whose time is over has already been let go makes no difference that anybody can see.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.stock import holds, levels
from core.stock.holds import Demand, OutOfStock, Owner
from tests.rooms.stock.shelf import Counts, Goods, active, counts, moved, put
from tests.world import World

OWNERS = [Owner(kind, uuid.UUID(int=number)) for number, kind in enumerate(["cart"] * 3)]
OWNERS += [Owner("order", uuid.UUID(int=9)), Owner("quote", uuid.UUID(int=10))]
A, B, VISIT = 0, 1, 2

owners = st.sampled_from(OWNERS)
goods = st.sampled_from([A, B])
wishes = st.dictionaries(st.sampled_from([A, B, VISIT]), st.integers(1, 4), min_size=1)
lives = st.integers(min_value=1, max_value=40).map(lambda minutes: timedelta(minutes=minutes))


@dataclass(frozen=True)
class Kept:
    """A hold as the model knows it."""

    pieces: int
    until: datetime


class Shelf(RuleBasedStateMachine):
    """Two kinds of goods and a service; carts, an order and a quote want them."""

    session: Session
    world: World
    start: datetime

    @initialize(a=st.integers(0, 6), b=st.integers(0, 4), backorder=st.integers(0, 3))
    def open(self, a: int, b: int, backorder: int) -> None:
        self.now = self.start
        self.session.begin()
        here = (self.session, self.world, self.now)
        self.goods: list[Goods] = [
            put(*here, a),
            put(*here, b, backorder=backorder),
            put(*here, None, kind="service"),
        ]
        self.on_hand, self.backorder, self.sold = [a, b], [0, backorder], [0, 0]
        self.kept: dict[tuple[Owner, int], Kept] = {}
        self.lines = {(owner, what): new_id() for owner in OWNERS for what in (A, B, VISIT)}

    def teardown(self) -> None:
        self.session.rollback()

    # --- what the model says ---

    def free(self, what: int, *, but: tuple[tuple[Owner, int], ...] = ()) -> int:
        taken = sum(
            kept.pieces
            for key, kept in self.kept.items()
            if key[1] == what and kept.until > self.now and key not in but
        )
        return self.on_hand[what] + self.backorder[what] - self.sold[what] - taken

    def demands(self, owner: Owner, wish: dict[int, int]) -> list[Demand]:
        return [
            Demand(self.lines[owner, what], self.goods[what].variant_id, pieces)
            for what, pieces in wish.items()
        ]

    def goes(self, work: Callable[[], object], needs: dict[int, int], free: list[int]) -> bool:
        """Do it; it must fail exactly when the model says that something is short."""
        refused = None
        try:
            with self.session.begin_nested():
                work()
        except OutOfStock as error:
            refused = (error.sku, error.wanted, error.available)
        short = [what for what in sorted(needs) if needs[what] > free[what]]
        told = [(self.goods[what].sku, needs[what], free[what]) for what in short]
        assert refused == (told[0] if told else None)
        return refused is None

    # --- what may happen ---

    @rule(owner=owners, wish=wishes, life=lives)
    def hold(self, owner: Owner, wish: dict[int, int], life: timedelta) -> None:
        wish = {what: pieces for what, pieces in wish.items() if (owner, what) not in self.kept}
        needs = {what: pieces for what, pieces in wish.items() if what != VISIT}
        until = self.now + life
        demands = self.demands(owner, wish)

        def work() -> None:
            holds.hold(self.session, owner, demands, until, self.now)

        if self.goes(work, needs, [self.free(A), self.free(B)]):
            self.kept |= {(owner, what): Kept(pieces, until) for what, pieces in needs.items()}

    @rule(owner=owners, what=goods, pieces=st.integers(1, 6), life=lives)
    def change(self, owner: Owner, what: int, pieces: int, life: timedelta) -> None:
        (demand,) = self.demands(owner, {what: pieces})
        until = self.now + life
        free = [self.free(each, but=((owner, what),)) for each in (A, B)]

        def work() -> None:
            holds.change(self.session, owner, demand, until, self.now)

        if self.goes(work, {what: pieces}, free):
            self.kept[owner, what] = Kept(pieces, until)

    @rule(owner=owners)
    def release_all(self, owner: Owner) -> None:
        holds.release(self.session, owner)
        self.kept = {key: kept for key, kept in self.kept.items() if key[0] != owner}

    @rule(owner=owners, what=goods)
    def release_one(self, owner: Owner, what: int) -> None:
        holds.release(self.session, owner, self.lines[owner, what])
        self.kept.pop((owner, what), None)

    @rule()
    def lapse(self) -> None:
        holds.lapse(self.session, self.now)

    @rule(giver=owners, taker=owners, life=lives, other=st.dictionaries(goods, st.integers(1, 3)))
    def pass_on(self, giver: Owner, taker: Owner, life: timedelta, other: dict[int, int]) -> None:
        if giver == taker:
            return
        wish = {what: kept.pieces for (owner, what), kept in self.kept.items() if owner == giver}
        wish = {
            what: pieces
            for what, pieces in (wish | other).items()
            if (taker, what) not in self.kept
        }
        given = tuple(key for key in self.kept if key[0] == giver)
        until = self.now + life
        demands = self.demands(taker, wish)

        def work() -> None:
            holds.pass_on(self.session, giver, taker, demands, until, self.now)

        if self.goes(work, wish, [self.free(what, but=given) for what in (A, B)]):
            self.release_in_model(given)
            self.kept |= {(taker, what): Kept(pieces, until) for what, pieces in wish.items()}

    @rule(owner=owners, other=st.dictionaries(st.sampled_from([A, B, VISIT]), st.integers(1, 3)))
    def allocate(self, owner: Owner, other: dict[int, int]) -> None:
        own = {what: kept.pieces for (whose, what), kept in self.kept.items() if whose == owner}
        wish = own | other
        needs = {what: pieces for what, pieces in wish.items() if what != VISIT}
        same = tuple((owner, what) for what in needs if own.get(what) == needs[what])
        demands = self.demands(owner, wish)

        def work() -> None:
            holds.allocate(self.session, owner, demands, "order:1", self.now)

        if self.goes(work, needs, [self.free(what, but=same) for what in (A, B)]):
            self.release_in_model(same)
            for what, pieces in needs.items():
                self.sold[what] += pieces

    def release_in_model(self, keys: tuple[tuple[Owner, int], ...]) -> None:
        for key in keys:
            del self.kept[key]

    @rule(what=goods, pieces=st.integers(1, 5))
    def receive(self, what: int, pieces: int) -> None:
        place = self.world.location_id
        levels.receive(self.session, self.goods[what].variant_id, place, pieces, self.now)
        self.on_hand[what] += pieces

    @rule(step=lives)
    def pass_time(self, step: timedelta) -> None:
        self.now += step

    # --- what always holds ---

    @invariant()
    def the_database_agrees(self) -> None:
        ids = [each.variant_id for each in self.goods]
        assert levels.available(self.session, ids, self.now) == {
            self.goods[what].variant_id: self.free(what) for what in (A, B)
        }
        for what in (A, B):
            level_id = self.goods[what].level_id
            assert level_id is not None
            level = counts(self.session, level_id)
            held = active(self.session, level_id)
            assert level == Counts(self.on_hand[what], self.sold[what], held)
            assert level.on_hand + self.backorder[what] >= level.allocated + level.held
            assert moved(self.session, level_id) == (level.on_hand, level.allocated)

    @invariant()
    def everybody_knows_until_when_it_is_kept(self) -> None:
        for owner in OWNERS:
            assert holds.of(self.session, owner, self.now) == {
                self.lines[owner, what]: kept.until
                for (whose, what), kept in self.kept.items()
                if whose == owner and kept.until > self.now
            }


def test_nothing_is_ever_oversold_and_nothing_refused_that_is_there(
    db: Database, world: World, clock: ManualClock
):
    with Session(db.engine, expire_on_commit=False) as session:
        here = {"session": session, "world": world, "start": clock.now()}
        machine = type("Here", (Shelf,), here)
        run_state_machine_as_test(
            machine, settings=settings(max_examples=15, stateful_step_count=25)
        )
        level = counts(session, world.router.level_id)
    assert level == Counts(27, 0, 0)


def test_the_model_forgets_what_was_kept_when_its_time_is_over():
    """The model itself: it counts an unexpired hold, and not one whose time is over."""
    shelf = Shelf()
    shelf.now = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)
    shelf.on_hand, shelf.backorder, shelf.sold = [5, 0], [0, 0], [1, 0]
    kept = Kept(2, shelf.now + timedelta(minutes=1))
    shelf.kept = {(OWNERS[0], A): kept, (OWNERS[1], A): replace(kept, until=shelf.now)}
    assert shelf.free(A) == 2
    assert shelf.free(A, but=((OWNERS[0], A),)) == 4
