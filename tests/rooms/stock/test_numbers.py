"""Numbers on the hold of what they are sold as: whatever happens in whatever order, a model foretells it.

The model knows of each number only who has it and until when. Whether a hold whose time is over, or a
quarantine, was already let go makes no difference that anybody can see.
"""

import uuid
from collections.abc import Callable
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
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid, StaleState
from core.kernel.ids import new_id
from core.stock import (
    giving_up,
    hold_rows,
    holds,
    levels,
    named,
    picking,
    picks,
    pool_proofs,
    pools,
    proofs,
    resources,
)
from core.stock.holds import Demand, OutOfStock, Owner
from core.stock.models import LogicalResource, ResourcePool, ResourceStep
from core.stock.numbers import NumberTaken
from core.stock.picks import NoSuchNumber
from core.stock.pools import NumberInUse, Terms
from tests.rooms.stock.shelf import put
from tests.rooms.web.looking import statements
from tests.together import at_once
from tests.world import World

DAYS = 3
HALF_AN_HOUR = timedelta(minutes=30)


@dataclass(frozen=True)
class Pool:
    """A plan with numbers of its own, chosen by whoever buys it."""

    id: uuid.UUID
    variant_id: uuid.UUID
    sku: str
    level_id: uuid.UUID
    values: tuple[str, ...]


def pool_of(
    session: Session,
    world: World,
    now: datetime,
    count: int,
    *,
    kind: str = "number",
    terms: Terms | None = None,
) -> Pool:
    goods = put(session, world, now, None, kind="plan")
    terms = terms or Terms(picked=kind != "licence_key", quarantine_days=DAYS)
    pool, _ = pools.open_pool(session, goods.sku, kind, terms, now)
    block = uuid.uuid4().int % 1_000_000
    values = tuple(f"020 7946 {block:06} {n:03}" for n in range(count))
    if values:
        pools.add(session, pool, values, "user:staff", "", now)
    return Pool(pool.id, goods.variant_id, goods.sku, pool.level_id, values)


def demand(pool: Pool, line_id: uuid.UUID, pieces: int = 1) -> Demand:
    return Demand(line_id, pool.variant_id, pieces, numbered=True)


def sound(session: Session, now: datetime) -> None:
    """The books of the stock and of the numbers prove themselves."""
    assert proofs.levels_are_true(session, now).offenders == ()
    assert pool_proofs.numbers_are_true(session, now).offenders == ()


def state_of(session: Session, value: str) -> str:
    """What is written of a number, whether its hold is over or not."""
    query = select(LogicalResource.state).where(LogicalResource.value == value)
    return session.scalars(query).one()


# --- the model ------------------------------------------------------------------------------------------

KINDS = ("cart", "cart", "order")
owners = st.integers(0, len(KINDS) - 1)
which = st.integers(0, 3)
lives = st.integers(1, 40).map(lambda minutes: timedelta(minutes=minutes))


class Numbers(RuleBasedStateMachine):
    """Four numbers; two carts and an order, each with one line, want them chosen or given."""

    db: Database
    world: World
    start: datetime

    @initialize()
    def open(self) -> None:
        self.now, self.steps = self.start, 0
        self.pool = self.db.run_tx(lambda session: pool_of(session, self.world, self.now, 4))
        self.owners = [Owner(kind, new_id()) for kind in KINDS]
        self.lines = [new_id() for _ in KINDS]
        #: What each line chose, what it has, and until when.
        self.chosen: list[set[str]] = [set() for _ in KINDS]
        self.has: list[set[str]] = [set() for _ in KINDS]
        self.until: list[datetime] = [self.now for _ in KINDS]
        self.sold: dict[str, uuid.UUID] = {}
        self.resting: dict[str, datetime] = {}
        self.withdrawn: set[str] = set()

    def running(self, who: int) -> set[str]:
        return self.has[who] if self.until[who] > self.now else set()

    def free(self, but: int | None = None) -> set[str]:
        taken = {one for who in range(len(KINDS)) if who != but for one in self.running(who)}
        resting = {one for one, until in self.resting.items() if until > self.now}
        return set(self.pool.values) - taken - set(self.sold) - resting - self.withdrawn

    def look(self, who: int) -> set[str]:
        with self.db.reading() as session:
            found = named.of_holds(session, self.owners[who], self.now)
        return {named.value for named, _ in found}

    def tries(self, who: int, pieces: int, work: Callable[[Session], object]) -> bool:
        """It must fail exactly when the model says that a chosen one is taken, or too few are free."""
        free = self.free(but=who)
        gone = len(free) < pieces or not self.chosen[who] <= free
        if gone:
            with pytest.raises(OutOfStock):
                self.db.run_tx(work)
        else:
            self.db.run_tx(work)
        return not gone

    def keeps(self, who: int, pieces: int, until: datetime, before: set[str]) -> None:
        """The line has what it chose, and as much of what it had before as there is room for."""
        free, had = self.free(but=who), self.running(who)
        found = self.look(who)
        assert len(found) == pieces
        assert found <= free
        assert self.chosen[who] <= found
        if had and pieces >= len(had | self.chosen[who]):
            assert had <= found
        self.has[who], self.until[who] = found, until

    # --- what may happen ---

    @rule(who=owners, one=which, life=lives)
    def choose(self, who: int, one: int, life: timedelta) -> None:
        """One more, and this one."""
        value, before = self.pool.values[one], self.running(who)
        if value in self.withdrawn:
            return
        chosen, until = set(self.chosen[who]), self.now + life
        self.chosen[who] = chosen | {value}
        pieces = max(len(before) + (value not in chosen), len(self.chosen[who]))
        owner, line = self.owners[who], self.lines[who]

        def work(session: Session) -> None:
            picks.choose(session, owner, line, self.pool.variant_id, value, self.now)
            holds.change(session, owner, demand(self.pool, line, pieces), until, self.now)

        if self.tries(who, pieces, work):
            self.keeps(who, pieces, until, before)
        else:
            self.chosen[who] = chosen

    @rule(who=owners, pieces=st.integers(1, 3), life=lives)
    def change(self, who: int, pieces: int, life: timedelta) -> None:
        pieces, until = max(pieces, len(self.chosen[who])), self.now + life
        before, asked = self.running(who), demand(self.pool, self.lines[who], pieces)
        if self.tries(
            who, pieces, lambda s: holds.change(s, self.owners[who], asked, until, self.now)
        ):
            self.keeps(who, pieces, until, before)

    @rule(who=owners)
    def release(self, who: int) -> None:
        self.db.run_tx(lambda session: holds.release(session, self.owners[who]))
        self.has[who] = set()

    @rule()
    def lapse(self) -> None:
        self.db.run_tx(lambda session: holds.lapse(session, self.now))

    @rule(who=st.integers(0, 1), pieces=st.integers(1, 2), at_once=st.booleans())
    def order(self, who: int, pieces: int, at_once: bool) -> None:
        """A cart becomes an order: its numbers are handed over and sold. What lapsed is taken again."""
        line, cart, order = new_id(), self.owners[who], Owner("order", new_id())
        # As many as the cart chose, and no more are wanted than that when it chose some.
        pieces = max(pieces, len(self.chosen[who]))
        asked, before = [demand(self.pool, line, pieces)], self.running(who)

        def work(session: Session) -> None:
            if at_once:
                holds.sell(session, cart, asked, "order:x", self.now)
                return
            holds.pass_on(session, cart, order, asked, self.now + HALF_AN_HOUR, self.now)
            holds.allocate(session, order, asked, "order:x", self.now)

        if not self.tries(who, pieces, work):
            return
        with self.db.reading() as session:
            found = {one.value for one in named.of_lines(session, [line])[line]}
        assert len(found) == pieces
        assert found <= self.free(but=who)
        assert self.chosen[who] <= found
        assert not before or found <= before or before <= found
        self.sold |= dict.fromkeys(found, line)
        self.has[who], self.chosen[who] = set(), set()
        self.lines[who] = new_id()
        self.owners[who] = Owner("cart", new_id())

    @rule(one=which, pieces=st.none() | st.just(1))
    def give_up(self, one: int, pieces: int | None) -> None:
        """Cancelled, returned, or its service ended: they rest."""
        line = self.sold.get(self.pool.values[one])
        if line is None:
            return
        self.db.run_tx(lambda s: giving_up.give_up(s, line, pieces, "order:x", self.now))
        with self.db.reading() as session:
            left = {named.value for named in named.of_lines(session, [line]).get(line, [])}
        gone = {value for value, of in self.sold.items() if of == line} - left
        assert len(gone) == (len(gone | left) if pieces is None else 1)
        for value in gone:
            del self.sold[value]
            self.resting[value] = self.now + timedelta(days=DAYS)

    @rule(one=which, act=st.sampled_from(["withdraw", "restore", "release"]))
    def by_hand(self, one: int, act: str) -> None:
        value = self.pool.values[one]
        rests = self.resting.get(value, self.now) > self.now
        may = {
            "withdraw": value in self.free() or rests,
            "restore": value in self.withdrawn,
            "release": rests,
        }

        def work(session: Session) -> None:
            row = session.scalars(select(LogicalResource).filter_by(value=value)).one()
            row = pools.one(session, row.id, locked=True)
            if act == "withdraw":
                pools.withdraw(session, row, "user:staff", "", self.now)
            elif act == "restore":
                pools.restore(session, row, "user:staff", self.now)
            else:
                pools.release(session, row, "user:staff", self.now)

        if not may[act]:
            with pytest.raises(NumberInUse):
                self.db.run_tx(work)
            return
        self.db.run_tx(work)
        self.resting.pop(value, None)
        if act == "withdraw":
            self.withdrawn.add(value)
        else:
            self.withdrawn.discard(value)
        for who in range(len(KINDS)):
            self.has[who] -= set() if value in self.running(who) else {value}

    @rule(step=lives)
    def pass_time(self, step: timedelta) -> None:
        self.now += step

    @rule()
    def pass_days(self) -> None:
        self.now += timedelta(days=DAYS)

    # --- what always holds ---

    @invariant()
    def the_database_agrees(self) -> None:
        self.steps += 1
        if self.steps % 3:
            return
        with self.db.snapshot() as session:
            free = self.free()
            found = picking.page(session, self.pool.variant_id, self.now)
            assert {one.value for one in found} == free
            counted = levels.available(session, [self.pool.variant_id], self.now)
            assert counted == {self.pool.variant_id: len(free)}
        for who in range(len(KINDS)):
            assert self.look(who) == self.running(who)

    def teardown(self) -> None:
        with self.db.snapshot() as session:
            sound(session, self.now)


def _run(db: Database, world: World, clock: ManualClock, examples: int, steps: int) -> None:
    machine = type("Here", (Numbers,), {"db": db, "world": world, "start": clock.now()})
    asked = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=asked)


def test_no_number_is_ever_two_peoples_and_none_is_refused_that_is_free(
    db: Database, world: World, clock: ManualClock
):
    _run(db, world, clock, examples=12, steps=30)


@pytest.mark.long
def test_nor_in_many_thousand_steps(db: Database, world: World, clock: ManualClock):
    _run(db, world, clock, examples=150, steps=80)


# --- one by one -----------------------------------------------------------------------------------------


def test_of_twelve_who_choose_one_number_at_once_one_has_it(
    db: Database, world: World, clock: ManualClock
):
    now = clock.now()
    pool = db.run_tx(lambda session: pool_of(session, world, now, 20))
    wanted = pool.values[7]

    def taker(owner: Owner) -> Callable[[Session], object]:
        line = new_id()

        def work(session: Session) -> None:
            picks.choose(session, owner, line, pool.variant_id, wanted, now)
            holds.hold(session, owner, [demand(pool, line)], now + HALF_AN_HOUR, now)

        return work

    outcomes = at_once(db, [taker(Owner("cart", new_id())) for _ in range(12)])
    refused = [each for each in outcomes if isinstance(each, NumberTaken)]
    assert len(refused) == 11
    assert {each.value for each in refused} == {wanted}
    assert outcomes.count(None) == 1
    with db.reading() as session:
        assert state_of(session, wanted) == "reserved"
        sound(session, now)


def test_a_number_whose_hold_lapsed_is_anybodys_without_the_sweeper_and_the_first_is_told(
    db: Database, world: World, clock: ManualClock
):
    now = clock.now()
    pool = db.run_tx(lambda session: pool_of(session, world, now, 3))
    first, second = Owner("cart", new_id()), Owner("cart", new_id())
    lines = {first: new_id(), second: new_id()}

    def take(session: Session, owner: Owner) -> None:
        at, line = clock.now(), lines[owner]
        picks.choose(session, owner, line, pool.variant_id, pool.values[1], at)
        holds.change(session, owner, demand(pool, line), at + HALF_AN_HOUR, at)

    db.run_tx(lambda session: take(session, first))
    clock.advance(HALF_AN_HOUR)
    db.run_tx(lambda session: take(session, second))
    with pytest.raises(NumberTaken) as refused:
        db.run_tx(lambda session: take(session, first))
    assert str(refused.value) == (
        f"Somebody else took {pool.values[1]} in the meantime. Please choose another one."
    )
    with db.reading() as session:
        sound(session, clock.now())


def test_a_key_is_chosen_by_nobody_and_given_to_nobody_again(
    db: Database, world: World, clock: ManualClock
):
    now, line, owner = clock.now(), new_id(), Owner("cart", new_id())
    terms = Terms(picked=False, quarantine_days=None)
    pool = db.run_tx(
        lambda session: pool_of(session, world, now, 1, kind="licence_key", terms=terms)
    )

    def buy(session: Session) -> None:
        with pytest.raises(NoSuchNumber):
            picks.choose(session, owner, line, pool.variant_id, pool.values[0], now)
        holds.sell(session, owner, [demand(pool, line)], "order:x", now)

    db.run_tx(buy)
    assert db.run_tx(lambda s: giving_up.give_up(s, line, None, "order:x", now)) == 1
    with db.reading() as session:
        assert state_of(session, pool.values[0]) == "withdrawn"
        assert picking.page(session, pool.variant_id, now) == []
        sound(session, now)


@pytest.mark.parametrize("rest", [DAYS, None])
def test_a_service_with_many_numbers_gives_them_up_in_as_many_statements_as_one_with_one(
    db: Database, world: World, clock: ManualClock, rest: int | None
):
    now, terms = clock.now(), Terms(picked=False, quarantine_days=rest)

    def given_up(count: int) -> int:
        line, cart = new_id(), Owner("cart", new_id())
        pool = db.run_tx(lambda session: pool_of(session, world, now, count, terms=terms))
        asked = [demand(pool, line, count)]
        db.run_tx(lambda session: holds.sell(session, cart, asked, "order:x", now))
        with statements(db) as sent:
            gone = db.run_tx(lambda s: giving_up.give_up(s, line, None, "order:x", now))
        assert gone == count
        with db.reading() as session:
            states = session.scalars(select(LogicalResource.state).filter_by(pool_id=pool.id)).all()
            assert set(states) == {"withdrawn" if rest is None else "quarantined"}
            steps = select(ResourceStep.hold_id).where(
                ResourceStep.line_id == line, ResourceStep.act.in_(["quarantine", "withdraw"])
            )
            under = session.scalars(steps).all()
            assert len(under) == count
            assert set(under) == {None} if rest is None else len(set(under)) == count
            sound(session, now)
        return len(sent)

    assert given_up(1) == given_up(50) <= 8


def test_more_numbers_than_one_statement_takes_are_given_up_all_or_none(
    db: Database, world: World, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(hold_rows, "CHUNK", 3)
    now, line, cart = clock.now(), new_id(), Owner("cart", new_id())
    pool = db.run_tx(lambda session: pool_of(session, world, now, 7))
    db.run_tx(lambda s: holds.sell(s, cart, [demand(pool, line, 7)], "order:x", now))
    assert db.run_tx(lambda s: giving_up.give_up(s, line, 5, "order:x", now)) == 5
    assert db.run_tx(lambda s: giving_up.give_up(s, line, None, "order:x", now)) == 2
    with db.reading() as session:
        assert picking.page(session, pool.variant_id, now) == []
        sound(session, now)
    rested = now + timedelta(days=DAYS)
    assert db.run_tx(lambda session: holds.lapse(session, rested)) == 7
    with db.reading() as session:
        assert len(picking.page(session, pool.variant_id, now)) == 7
        sound(session, rested)


@pytest.mark.parametrize("who", ["sweeper", "taker"])
def test_many_that_have_rested_are_free_again_in_as_many_statements_as_one(
    db: Database, world: World, clock: ManualClock, who: str
):
    """Whoever sweeps, and whoever wants one and finds none that is free."""
    now, rested = clock.now(), clock.now() + timedelta(days=DAYS)

    def freed(count: int) -> int:
        line, cart = new_id(), Owner("cart", new_id())
        pool = db.run_tx(lambda session: pool_of(session, world, now, count))
        asked = [demand(pool, line, count)]
        db.run_tx(lambda session: holds.sell(session, cart, asked, "order:x", now))
        db.run_tx(lambda session: giving_up.give_up(session, line, None, "order:x", now))
        wanted, until = demand(pool, new_id()), rested + HALF_AN_HOUR
        with statements(db) as sent:
            if who == "sweeper":
                assert db.run_tx(lambda session: holds.lapse(session, rested)) == count
            else:
                taker = Owner("cart", new_id())
                assert db.run_tx(lambda s: holds.hold(s, taker, [wanted], until, rested))
        with db.reading() as session:
            free = len(picking.page(session, pool.variant_id, rested))
            assert free == count - (who == "taker")
            sound(session, rested)
        db.run_tx(lambda session: holds.lapse(session, until))
        return len(sent)

    assert freed(1) == freed(40)


def test_one_number_is_in_one_pool_however_it_is_written(
    db: Database, world: World, clock: ManualClock
):
    now = clock.now()
    pool = db.run_tx(lambda session: pool_of(session, world, now, 1))
    again = pool.values[0].replace(" ", "-")
    other = db.run_tx(lambda session: pool_of(session, world, now, 0))

    def adding(values: list[str]) -> Callable[[Session], object]:
        def work(session: Session) -> None:
            pools.add(session, pools.lock(session, other.id), values, "user:staff", "", now)

        return work

    for values in ([again], ["020 7946 0999 1", "020794609991"], ["- -"], []):
        with pytest.raises(Invalid):
            db.run_tx(adding(list(values)))
    with db.reading() as session:
        kept = session.scalars(select(LogicalResource.value).filter_by(pool_id=other.id)).all()
        assert kept == []
        assert session.get_one(ResourcePool, other.id).picked


def test_of_two_who_add_one_number_to_two_pools_at_once_one_is_told_that_it_is_there(
    db: Database, world: World, clock: ManualClock
):
    now = clock.now()
    both = [db.run_tx(lambda session: pool_of(session, world, now, 0)) for _ in range(2)]

    def adding(pool_id: uuid.UUID, value: str) -> Callable[[Session], object]:
        def work(session: Session) -> int:
            return pools.add(session, pools.lock(session, pool_id), [value], "user:kim", "", now)

        return work

    for at in range(8):
        found = at_once(db, [adding(pool.id, f"020 7946 055{at}") for pool in both])
        assert [one for one in found if not isinstance(one, Invalid)] == [1]


@pytest.mark.parametrize("state", resources.STATES)
def test_each_act_leads_where_the_table_says_and_nowhere_else(state: str):
    for act, ways in resources.TRANSITIONS.items():
        if state in ways:
            assert resources.after(state, act) == ways[state]
        else:
            with pytest.raises(StaleState):
                resources.after(state, act)
