"""Which price holds: the same one each time, with a trace that says why."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money, extend
from core.parties.models import Channel
from core.prices import resolve
from core.prices.models import Plan, Price, PriceList
from core.prices.resolve import Resolved, choose
from tests.world import World, account

DAY = timedelta(days=1)


class Lists:
    """Price lists for the router, and what it costs then."""

    def __init__(self, db: Database, world: World, now: datetime) -> None:
        self.db, self.world, self.now = db, world, now

    def add(self, code: str, *steps: tuple[int, int], **more) -> None:
        """A list with ``(min quantity, millionths)``."""
        with self.db.transaction() as session:
            row = PriceList(code=code, **{"currency": "USD", **more})
            session.add(row)
            session.flush()
            session.add_all(
                Price(
                    price_list_id=row.id,
                    variant_id=self.world.router.variant_id,
                    min_quantity=minimum,
                    unit_price_micros=micros,
                )
                for minimum, micros in steps
            )

    def of(self, quantity: int = 1, *, now: datetime | None = None, **more) -> Resolved | None:
        asked: dict[str, Any] = {
            "channel_id": self.world.channel_id,
            "currency": "USD",
            "quantities": {self.world.router.variant_id: quantity},
            "now": now or self.now,
        }
        with self.db.reading() as session:
            found = resolve.prices(session, **(asked | more))
        return found.get(self.world.router.variant_id)

    def micros(self, quantity: int = 1, **more) -> int | None:
        found = self.of(quantity, **more)
        return found.unit_price_micros if found else None


@pytest.fixture
def lists(db: Database, world: World, clock: ManualClock) -> Lists:
    return Lists(db, world, clock.now())


def test_the_shops_own_list_says_what_things_cost_and_why(lists: Lists):
    found = lists.of()
    assert found is not None
    assert (found.unit_price_micros, found.currency) == (129_000_000, "USD")
    assert (found.interval, found.charge_kind) == (None, "one_off")
    assert found.unit_price == Money(12_900, "USD")
    assert found.trace == {"list": "web-usd", "priority": 0, "min_quantity": 1}


def test_the_list_with_the_highest_priority_wins_also_when_it_is_dearer(lists: Lists):
    lists.add("spring", (1, 140_000_000), priority=5)
    lists.add("clearance", (1, 90_000_000), priority=1)
    found = lists.of()
    assert found is not None
    assert (found.unit_price_micros, found.trace["list"]) == (140_000_000, "spring")


def test_the_largest_quantity_that_is_reached_counts(lists: Lists):
    lists.add("volume", (5, 120_000_000), (10, 110_000_000), priority=1)
    asked = {4: 129_000_000, 5: 120_000_000, 9: 120_000_000, 10: 110_000_000, 99: 110_000_000}
    assert {quantity: lists.micros(quantity) for quantity in asked} == asked


def test_a_list_holds_from_its_first_moment_to_just_before_its_last(lists: Lists):
    start, end = lists.now, lists.now + DAY
    lists.add("one-day", (1, 99_000_000), priority=1, valid_from=start, valid_to=end)
    moment = timedelta(microseconds=1)
    asked = {start - moment: 129, start: 99, end - moment: 99, end: 129}
    assert {now: lists.micros(now=now) for now in asked} == {
        now: units * 1_000_000 for now, units in asked.items()
    }


def test_lists_of_others_do_not_count(lists: Lists, db: Database, world: World):
    with db.transaction() as session:
        row = session.get_one(Channel, world.channel_id)
        other = Channel(
            code="trade",
            name="Trade",
            legal_entity_id=row.legal_entity_id,
            currency="USD",
            locale="en_US",
            time_zone="UTC",
            brand={},
        )
        session.add(other)
        session.flush()
        riley = account(session, world, lists.now)
        other_id, riley_id = other.id, riley.id
    lists.add("trade", (1, 1), priority=9, channel_id=other_id)
    lists.add("riley", (1, 2), priority=9, account_id=riley_id)
    lists.add("gold", (1, 3), priority=9, segment="gold")
    lists.add("euro", (1, 4), priority=9, currency="EUR")
    assert lists.micros() == 129_000_000
    assert lists.micros(channel_id=other_id) == 1
    assert lists.micros(currency="EUR") == 4


def test_a_list_of_no_channel_holds_on_all(lists: Lists):
    lists.add("everywhere", (1, 5_000_000), priority=1)
    assert lists.micros() == 5_000_000
    assert lists.micros(channel_id=uuid.uuid4()) == 5_000_000


def test_lists_that_are_equal_are_met_in_the_order_of_their_codes(lists: Lists):
    for code, micros in (("b", 2), ("a", 1), ("c", 3)):
        lists.add(code, (1, micros), priority=1)
    assert lists.micros() == 1


def test_what_has_no_price_is_not_in_the_answer(lists: Lists, world: World):
    assert lists.of(channel_id=uuid.uuid4()) is None
    assert lists.of(currency="EUR") is None
    with lists.db.reading() as session:
        assert resolve.prices(session, world.channel_id, "USD", {}, lists.now) == {}


def test_a_plan_says_how_often_it_is_charged(lists: Lists, db: Database, world: World):
    quantities = {world.plan.variant_id: 1, world.visit.variant_id: 2}
    with db.reading() as session:
        found = resolve.prices(session, world.channel_id, "USD", quantities, lists.now)
    plan, visit = found[world.plan.variant_id], found[world.visit.variant_id]
    assert (plan.interval, plan.interval_count, plan.charge_kind) == ("month", 1, "monthly")
    assert (visit.interval, visit.interval_count, visit.charge_kind) == (None, 1, "one_off")
    with db.transaction() as session:
        session.query(Plan).update({"interval": "year", "interval_count": 2})
    with db.reading() as session:
        yearly = resolve.prices(session, world.channel_id, "USD", quantities, lists.now)
    assert yearly[world.plan.variant_id].charge_kind == "yearly"
    assert yearly[world.plan.variant_id].interval_count == 2


def test_prices_finer_than_a_cent_are_rounded_once_for_all_pieces(lists: Lists):
    lists.add("cables", (1, 34_500), priority=1)
    found = lists.of(100)
    assert found is not None
    assert found.unit_price == Money(3, "USD")
    assert extend(found.unit_price_micros, 100, "USD") == Money(345, "USD")


def test_however_many_things_are_asked_for_it_is_one_query(lists: Lists, world: World):
    counted: list[str] = []

    def listen(conn, cursor, statement, parameters, context, many) -> None:
        counted.append(statement)

    everything = (world.router, world.camera, world.visit, world.plan)
    for goods in (everything[:1], everything):
        counted.clear()
        with lists.db.reading() as session:
            event.listen(session.get_bind(), "before_cursor_execute", listen)
            quantities = {one.variant_id: 1 for one in goods}
            found = resolve.prices(session, world.channel_id, "USD", quantities, lists.now)
            event.remove(session.get_bind(), "before_cursor_execute", listen)
        assert set(found) == set(quantities)
        assert len(counted) == 1


# --- against a plain reading of the rule ----------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # priority
        st.sampled_from(["a", "b", "c"]),  # list
        st.integers(1, 6),  # minimum
        st.integers(0, 9),  # price
    ),
    unique_by=lambda row: (row[1], row[2]),
    max_size=8,
)


@given(STEPS, st.integers(1, 7))
@settings(max_examples=60)
def test_the_first_that_is_reached_by_priority_then_quantity_then_code(steps, quantity):
    key = uuid.uuid4()
    rows = sorted(steps, key=lambda row: (-row[0], -row[2], row[1]))
    reached = [row for row in rows if row[2] <= quantity]
    table = [(key, price, low, code, priority, None, None) for priority, code, low, price in rows]
    found = choose(table, {key: quantity}, "USD")
    if not reached:
        assert found == {}
        return
    priority, code, minimum, price = reached[0]
    assert found[key].unit_price_micros == price
    assert found[key].trace == {"list": code, "priority": priority, "min_quantity": minimum}


def test_the_database_gives_them_in_that_order(lists: Lists):
    """Every quantity, with four lists of two priorities and several minimums each."""
    made: list[tuple[tuple[int, int, str], int]] = []
    for priority in (1, 2):
        for code, minimums in (("x", (1, 3)), ("y", (2, 3, 4))):
            name = f"{code}{priority}"
            steps = [(minimum, priority * 100 + minimum * 10 + ord(code)) for minimum in minimums]
            lists.add(name, *steps, priority=priority)
            made += [((-priority, -minimum, name), micros) for minimum, micros in steps]
    for quantity in (1, 2, 3, 4, 5):
        reached = [(rank, micros) for rank, micros in made if -rank[1] <= quantity]
        assert lists.micros(quantity) == min(reached)[1]
