"""Whatever happens to the shelves in whatever order, and at once, a small model foretells it.

The model knows how many pieces there are of each thing at all places together, what was sold and which holds
are unexpired, nothing else: where pieces lie, and whether a hold whose time is over has already been let go,
makes no difference that anybody can see.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.stock import holds, levels, proofs, sold
from core.stock.back_orders import BackOrderWaits
from core.stock.holds import Demand, Near, OutOfStock, Owner
from core.stock.models import Hold, Location, StockLevel, StockMovement
from tests.rooms.stock.shelf import put
from tests.together import at_once
from tests.world import World

A, B = 0, 1
#: What one of each line needs: a thing alone, another, and a bundle of both.
LINES = ({A: 1}, {B: 1}, {A: 2, B: 1})
NEAR = (Near(), Near("US", "OH", "43004"), Near("US", "PA", "15001"))

KINDS = ("cart", "cart", "cart", "order", "quote")
owners = st.integers(0, len(KINDS) - 1)
lines = st.integers(0, len(LINES) - 1)
goods = st.sampled_from([A, B])
wishes = st.dictionaries(lines, st.integers(1, 3), min_size=1)
lives = st.integers(min_value=1, max_value=40).map(lambda minutes: timedelta(minutes=minutes))
places = st.sampled_from(NEAR)
pieces_at = st.tuples(st.integers(0, 4), st.integers(0, 4))


@dataclass(frozen=True)
class Kept:
    """What is held for a line, as the model knows it."""

    pieces: Mapping[int, int]
    until: datetime


def needs_of(wish: Mapping[int, int]) -> dict[int, Counter[int]]:
    """What so many of each line need, line by line."""
    return {
        line: Counter({what: each * count for what, each in LINES[line].items()})
        for line, count in wish.items()
    }


def together_of(needs: Mapping[int, Mapping[int, int]]) -> Counter[int]:
    return sum((Counter(dict(one)) for one in needs.values()), Counter())


class Shelves(RuleBasedStateMachine):
    """Two things at two places; carts, an order and a quote want them, alone or in a bundle."""

    db: Database
    world: World
    start: datetime

    @initialize(a=pieces_at, b=pieces_at, beyond=st.integers(0, 2))
    def open(self, a: tuple[int, int], b: tuple[int, int], beyond: int) -> None:
        self.now, self.steps = self.start, 0
        self.owners = [Owner(kind, new_id()) for kind in KINDS]
        self.db.run_tx(lambda session: self._open(session, (a, b), beyond))
        self.on_hand, self.beyond = [sum(a), sum(b)], [0, beyond]
        self.kept: dict[tuple[int, int], Kept] = {}
        self.sold: dict[int, Counter[int]] = {who: Counter() for who in range(len(KINDS))}
        self.away: dict[int, Counter[int]] = {who: Counter() for who in range(len(KINDS))}
        self.ids = {(who, line): new_id() for who in range(len(KINDS)) for line in range(3)}

    def _open(self, session: Session, counts: tuple[tuple[int, int], ...], beyond: int) -> None:
        name = uuid.uuid4().hex[:8]
        place = Location(code=f"mill-{name}", name="Mill", country="US", region="PA", priority=1)
        session.add(place)
        session.flush()
        self.places, self.goods = [self.world.location_id, place.id], []
        for what, (here, there) in enumerate(counts):
            item = put(session, self.world, self.now, here, backorder=beyond if what == B else 0)
            levels.receive(session, item.variant_id, place.id, there, self.now)
            self.goods.append(item.variant_id)

    # --- what the model says ---

    def free(self, what: int, but: tuple[tuple[int, int], ...] = ()) -> int:
        taken = sum(
            kept.pieces.get(what, 0)
            for key, kept in self.kept.items()
            if kept.until > self.now and key not in but
        )
        gone = sum(sold[what] for sold in self.sold.values())
        return self.on_hand[what] + self.beyond[what] - gone - taken

    def demands(self, who: int, needs: Mapping[int, Mapping[int, int]]) -> list[Demand]:
        """One of the lines is fetched at the second place; that it lies elsewhere refuses nothing."""
        return [
            Demand(
                self.ids[who, line],
                self.goods[what],
                count,
                place=self.places[1] if line == 1 else None,
            )
            for line, one in needs.items()
            for what, count in one.items()
        ]

    def goes(
        self,
        work: Callable[[Session], object],
        needs: Mapping[int, Mapping[int, int]],
        but: tuple[tuple[int, int], ...] = (),
    ) -> bool:
        """Do it; it must fail exactly when the model says that something is short."""
        wanted = together_of(needs)
        short = [what for what in (A, B) if wanted[what] > self.free(what, but)]
        if not short:
            self.db.run_tx(work)
            return True
        with pytest.raises(OutOfStock) as refused:
            self.db.run_tx(work)
        told = (refused.value.wanted, refused.value.available)
        assert told == (wanted[short[0]], self.free(short[0], but))
        return False

    def mine(self, who: int) -> tuple[tuple[int, int], ...]:
        return tuple(key for key in self.kept if key[0] == who)

    def forget(self, keys: tuple[tuple[int, int], ...]) -> None:
        for key in keys:
            self.kept.pop(key, None)

    # --- what may happen ---

    @rule(who=owners, wish=wishes, life=lives, near=places)
    def hold(self, who: int, wish: dict[int, int], life: timedelta, near: Near) -> None:
        needs = needs_of({one: n for one, n in wish.items() if (who, one) not in self.kept})
        asked, until = self.demands(who, needs), self.now + life
        owner = self.owners[who]
        if self.goes(lambda s: holds.hold(s, owner, asked, until, self.now, near), needs):
            self.kept |= {(who, line): Kept(one, until) for line, one in needs.items()}

    @rule(who=owners, line=lines, count=st.integers(1, 5), life=lives, near=places)
    def change(self, who: int, line: int, count: int, life: timedelta, near: Near) -> None:
        needs, until = needs_of({line: count}), self.now + life
        asked, owner, line_id = self.demands(who, needs), self.owners[who], self.ids[who, line]

        def work(session: Session) -> None:
            if len(asked) == 1:
                holds.change(session, owner, asked[0], until, self.now, near)
            else:
                holds.change_all(session, owner, line_id, asked, until, self.now, near)

        if self.goes(work, needs, but=((who, line),)):
            self.kept[who, line] = Kept(needs[line], until)

    @rule(who=owners, line=st.none() | lines)
    def release(self, who: int, line: int | None) -> None:
        line_id = None if line is None else self.ids[who, line]
        self.db.run_tx(lambda session: holds.release(session, self.owners[who], line_id))
        self.forget(self.mine(who) if line is None else ((who, line),))

    @rule()
    def lapse(self) -> None:
        self.db.run_tx(lambda session: holds.lapse(session, self.now))

    @rule(who=owners, near=places)
    def move_near(self, who: int, near: Near) -> None:
        """Nobody can see a difference but in how far the parcel goes."""
        self.db.run_tx(lambda s: holds.move_near(s, self.owners[who], near, self.now))

    @rule(giver=owners, taker=owners, life=lives, other=st.dictionaries(lines, st.integers(1, 2)))
    def pass_on(self, giver: int, taker: int, life: timedelta, other: dict[int, int]) -> None:
        if giver == taker:
            return
        needs: dict[int, Mapping[int, int]] = {
            line: kept.pieces for (who, line), kept in self.kept.items() if who == giver
        }
        needs |= needs_of(other)
        needs = {line: one for line, one in needs.items() if (taker, line) not in self.kept}
        until, asked = self.now + life, self.demands(taker, needs)
        owners = (self.owners[giver], self.owners[taker])
        given = self.mine(giver)
        if self.goes(lambda s: holds.pass_on(s, *owners, asked, until, self.now), needs, given):
            self.forget(given)
            self.kept |= {(taker, line): Kept(one, until) for line, one in needs.items()}

    @rule(who=owners, other=st.dictionaries(lines, st.integers(1, 3)))
    def allocate(self, who: int, other: dict[int, int]) -> None:
        needs: dict[int, Mapping[int, int]] = {
            line: kept.pieces for (whose, line), kept in self.kept.items() if whose == who
        }
        needs |= needs_of(other)
        keys = tuple((who, line) for line in needs)
        asked, owner = self.demands(who, needs), self.owners[who]
        about = f"order:{owner.id.hex}"
        if self.goes(lambda s: holds.allocate(s, owner, asked, about, self.now), needs, keys):
            self.forget(keys)
            self.sold[who] += together_of(needs)

    @rule(who=owners, what=goods, count=st.integers(1, 3), way=st.sampled_from(["go", "free"]))
    def leave_or_let_go(self, who: int, what: int, count: int, way: str) -> None:
        about, variant = f"order:{self.owners[who].id.hex}", self.goods[what]
        count = min(count, self.sold[who][what])
        try:
            if way == "free":
                self.db.run_tx(lambda s: sold.let_go(s, about, variant, count, self.now))
            else:
                self.db.run_tx(lambda s: sold.ship(s, about, variant, "", count, self.now))
        except (sold.NotOnHand, BackOrderWaits):
            # Of two that were sold in one moment either may be the one that waits.
            assert self.beyond[what], "only what was sold beyond what is there may be missing"
            return
        self.sold[who][what] -= count
        if way == "go":
            self.on_hand[what] -= count
            self.away[who][what] += count

    @rule(who=owners, what=goods, count=st.integers(1, 3))
    def come_back(self, who: int, what: int, count: int) -> None:
        about, variant = f"order:{self.owners[who].id.hex}", self.goods[what]
        count = min(count, self.away[who][what])
        if count:
            self.db.run_tx(lambda s: sold.take_back(s, about, variant, count, self.now))
        self.away[who][what] -= count
        self.on_hand[what] += count

    @rule(what=goods, place=st.sampled_from([0, 1]), count=st.integers(1, 3))
    def receive(self, what: int, place: int, count: int) -> None:
        here = (self.goods[what], self.places[place], count, self.now)
        self.db.run_tx(lambda session: levels.receive(session, *here))
        self.on_hand[what] += count

    @rule(step=lives)
    def pass_time(self, step: timedelta) -> None:
        self.now += step

    @rule(crowd=st.lists(lines, min_size=2, max_size=4), leaving=owners, near=places)
    def crowd(self, crowd: list[int], leaving: int, near: Near) -> None:
        """Several want something in the same moment, while one lets go what it has and the sweeper passes."""
        free, before = [self.free(A), self.free(B)], self.mine(leaving)
        freed = [self.free(what, before) for what in (A, B)]
        works: list[Callable[[Session], object]] = [
            lambda session: holds.lapse(session, self.now),
            lambda session: holds.release(session, self.owners[leaving]),
        ]
        takers = []
        for line in crowd:
            who, needs = len(self.owners), needs_of({line: 1})
            self.owners.append(Owner("cart", new_id()))
            self.ids |= {(who, number): new_id() for number in range(3)}
            self.sold[who], self.away[who] = Counter(), Counter()
            takers.append((who, line, needs))
            works.append(self._taker(who, needs, near))
        outcomes = at_once(self.db, works)
        assert [one for one in outcomes[:2] if not isinstance(one, int)] == []
        self.forget(before)
        got = [taker for taker, answer in zip(takers, outcomes[2:], strict=True) if answer is None]
        given = sum((together_of(needs) for _, _, needs in got), Counter())
        assert all(given[what] <= freed[what] for what in (A, B))
        for (_, _, needs), answer in zip(takers, outcomes[2:], strict=True):
            wanted = together_of(needs)
            if answer is not None:
                assert isinstance(answer, OutOfStock)
                assert any(wanted[what] > free[what] - given[what] for what in (A, B))
        until = self.now + timedelta(minutes=5)
        self.kept |= {(who, line): Kept(needs[line], until) for who, line, needs in got}

    def _taker(
        self, who: int, needs: Mapping[int, Mapping[int, int]], near: Near
    ) -> Callable[[Session], object]:
        until, asked = self.now + timedelta(minutes=5), self.demands(who, needs)

        def work(session: Session) -> None:
            holds.hold(session, self.owners[who], asked, until, self.now, near)

        return work

    # --- what always holds ---

    @invariant()
    def the_database_agrees(self) -> None:
        """Looked at after every third step: whatever is wrong stays wrong."""
        self.steps += 1
        if self.steps % 3:
            return
        with self.db.snapshot() as session:
            assert levels.available(session, self.goods, self.now) == {
                self.goods[what]: self.free(what) for what in (A, B)
            }
            level = select(StockLevel).where(StockLevel.variant_id.in_(self.goods))
            found = {row.id: row for row in session.scalars(level)}
            assert _sums(session, Hold, found, Hold.quantity) == {
                key: (row.held,) for key, row in found.items() if row.held
            }
            moved = _sums(session, StockMovement, found, *_MOVED)
            assert moved == {key: (row.on_hand, row.allocated) for key, row in found.items()}
            for who, owner in enumerate(self.owners):
                if self.mine(who):
                    assert holds.of(session, owner, self.now) == {
                        self.ids[key]: kept.until
                        for key, kept in self.kept.items()
                        if key[0] == who and kept.until > self.now
                    }

    def teardown(self) -> None:
        with self.db.snapshot() as session:
            assert proofs.levels_are_true(session, self.now).offenders == ()


_MOVED = (StockMovement.on_hand, StockMovement.allocated)


def _sums(session: Session, of, among, *columns) -> dict[uuid.UUID, tuple[int, ...]]:
    query = select(of.level_id, *(func.sum(one) for one in columns)).group_by(of.level_id)
    query = query.where(of.level_id.in_(list(among)))
    if of is Hold:
        query = query.where(Hold.state == "active")
    return {row[0]: tuple(map(int, row[1:])) for row in session.execute(query)}


def _run(db: Database, world: World, clock: ManualClock, examples: int, steps: int) -> None:
    machine = type("Here", (Shelves,), {"db": db, "world": world, "start": clock.now()})
    asked = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=asked)


def test_nothing_is_ever_oversold_and_nothing_refused_that_is_there(
    db: Database, world: World, clock: ManualClock
):
    """A thousand steps and more on each database."""
    _run(db, world, clock, examples=25, steps=45)


@pytest.mark.long
def test_nor_in_many_thousand_steps(db: Database, world: World, clock: ManualClock):
    _run(db, world, clock, examples=220, steps=100)
