"""Usage: told once, corrected by name, counted by period, and refused when it cannot be."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.prices.models import Meter
from core.subscriptions import changing, reading, usage
from core.subscriptions.errors import (
    NoSuchMeter,
    NoSuchRecord,
    OutsideOfService,
    UsageConflict,
    UsageTooMuch,
)
from core.subscriptions.models import UsageRecord
from core.subscriptions.usage import Cell, Used
from tests import serving
from tests import world as worlds
from tests.rooms.subscriptions.conftest import BEGAN, Line
from tests.rooms.web.looking import statements
from tests.together import at_once
from tests.unit.test_service_timelines import service, wish
from tests.world import World


@pytest.fixture
def backup(db: Database, clock: ManualClock, world: World) -> Line:
    with db.transaction() as session:
        plans = serving.offer(session, world, clock.now())
        account = worlds.account(session, world, clock.now())
        made = serving.running(session, world, account, plans.backup, clock.now(), on=BEGAN)
        return Line(db, clock, world, plans, account.id, made.id)


def tell(
    line: Line,
    key: str,
    quantity: str,
    days_ago: int = 0,
    *,
    meter: str = "moved",
    corrects: str | None = None,
) -> uuid.UUID:
    def work(session):
        row = session.scalars(select(Meter).where(Meter.code == meter)).one()
        at = line.clock.now() - timedelta(days=days_ago)
        amount = Decimal(quantity)
        return usage.record(
            session,
            line.row(session),
            row,
            key,
            amount,
            None if corrects else at,
            "meter",
            line.clock.now(),
            corrects=corrects,
        ).id

    return line.db.run_tx(work)


def counted(line: Line) -> dict[tuple[str, int], Decimal]:
    with line.db.reading() as session:
        found = usage.totals(session, [reading.timeline(session, line.id)])
        names = {row.id: row.code for row in session.scalars(select(Meter))}
    return {(names[cell.meter_id], cell.index): units for cell, units in found.items()}


def test_the_same_record_again_is_the_same_record(backup: Line):
    first = tell(backup, "monday", "1.5")
    assert tell(backup, "monday", "1.500") == first
    assert counted(backup) == {("moved", 1): Decimal("1.5")}


def test_a_key_tells_one_thing(backup: Line):
    tell(backup, "monday", "1.5")
    with pytest.raises(UsageConflict):
        tell(backup, "monday", "1.6")
    with pytest.raises(UsageConflict):
        tell(backup, "monday", "1.5", days_ago=1)
    tell(backup, "monday", "7", meter="stored")


def test_told_twice_at_once_it_stands_once(backup: Line):
    def work(session):
        meter = session.get_one(Meter, backup.plans.moved)
        now = backup.clock.now()
        row = reading.by_public_id(session, backup.timeline().public_id)
        return usage.record(session, row, meter, "monday", Decimal(2), now, "meter", now).id

    assert len(set(at_once(backup.db, [work, work, work]))) == 1
    assert counted(backup) == {("moved", 1): Decimal(2)}


def test_the_last_correction_counts_on_the_day_of_the_first(backup: Line):
    tell(backup, "october", "9", days_ago=20)
    tell(backup, "october-1", "7", corrects="october")
    backup.clock.advance(timedelta(seconds=1))
    tell(backup, "october-2", "8.25", corrects="october")
    assert counted(backup) == {("moved", 0): Decimal("8.25")}
    tell(backup, "october-2", "8.25", corrects="october")
    with pytest.raises(NoSuchRecord):
        tell(backup, "more", "1", corrects="october-1")
    with pytest.raises(NoSuchRecord):
        tell(backup, "more", "1", corrects="september")
    backup.clock.advance(timedelta(seconds=1))
    tell(backup, "none", "0", corrects="october")
    assert counted(backup) == {("moved", 0): Decimal(0)}


def test_late_usage_falls_into_the_period_of_its_day(backup: Line):
    tell(backup, "a", "1", days_ago=33)
    tell(backup, "b", "2", days_ago=3)
    tell(backup, "c", "4", days_ago=2)
    assert counted(backup) == {("moved", 0): Decimal(3), ("moved", 1): Decimal(4)}


def test_a_gauge_tells_the_most_of_a_period(backup: Line):
    for days_ago, quantity in ((30, "4"), (29, "9"), (28, "2"), (1, "3"), (0, "1")):
        tell(backup, f"{days_ago}", quantity, days_ago, meter="stored")
    tell(backup, "fixed", "5", meter="stored", corrects="29")
    assert counted(backup) == {("stored", 0): Decimal(5), ("stored", 1): Decimal(3)}


def test_a_gauge_may_tell_the_last_reading(backup: Line):
    with backup.db.transaction() as session:
        session.get_one(Meter, backup.plans.stored).counts = "last"
    for days_ago, quantity in ((28, "2"), (30, "9"), (1, "3")):
        tell(backup, f"{days_ago}", quantity, days_ago, meter="stored")
    backup.clock.advance(timedelta(hours=1))
    tell(backup, "again", "2.5", 1, meter="stored")
    assert counted(backup) == {("stored", 0): Decimal(2), ("stored", 1): Decimal("2.5")}


@pytest.mark.parametrize(
    "quantity",
    ["-1", "10000000.000001", "0.0000001", "1.00000000000000000000000000000001", "NaN", "Infinity"],
)
def test_an_absurd_quantity_is_refused(backup: Line, quantity: str):
    with pytest.raises(UsageTooMuch):
        tell(backup, "absurd", quantity)


@pytest.mark.parametrize("days_ago", [-1, 34, 600])
def test_usage_outside_of_service_is_refused(backup: Line, days_ago: int):
    with pytest.raises(OutsideOfService):
        tell(backup, "outside", "1", days_ago)


def test_usage_of_eighteen_months_ago_is_too_late(backup: Line):
    backup.clock.set(datetime(2028, 4, 17, 15, tzinfo=UTC))
    with pytest.raises(OutsideOfService):
        tell(backup, "late", "1", (backup.clock.now().date() - BEGAN).days)
    tell(backup, "just", "1", (backup.clock.now().date() - BEGAN).days - 2)


def test_a_plan_counts_what_it_has_a_price_for(line: Line):
    with pytest.raises(NoSuchMeter):
        tell(line, "monday", "1")


def test_records_are_never_rewritten(backup: Line):
    tell(backup, "monday", "1.5")
    with backup.db.transaction() as session:
        row = session.scalars(select(UsageRecord)).one()
        row.quantity_micros = 1
        with pytest.raises(DBAPIError):
            session.flush()
        session.rollback()


def test_many_services_are_counted_by_two_statements(backup: Line):
    with backup.db.transaction() as session:
        account = worlds.account(session, backup.world, backup.clock.now(), name="June Ash")
        for _ in range(3):
            serving.running(session, backup.world, account, backup.plans.backup, backup.clock.now())
        timelines = reading.timelines(session)
    tell(backup, "monday", "1")
    with backup.db.reading() as session, statements(backup.db) as sent:
        assert len(usage.totals(session, timelines)) == 1
        assert session.scalar(select(func.count()).select_from(UsageRecord)) == 1
    assert len([one for one in sent if "usage_record" in one or "meter" in one]) == 3


@given(
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 10**6)), max_size=30),
    st.lists(st.integers(1, 119), max_size=3),
)
def test_no_day_is_counted_twice_or_lost(told: list, changes: list):
    """Whatever phases a service has, its periods share out the sum."""
    timeline, meter = service(BEGAN), uuid.uuid4()
    for place, days in enumerate(sorted(changes)):
        on = BEGAN + timedelta(days=days)
        timeline = changing.propose(timeline, wish(1 + place % 2, 1 + place), on)
    days = [Used(meter, BEGAN + timedelta(days=n), micros, micros, micros) for n, micros in told]
    found = usage.by_period(timeline, days, {meter: "sum"})
    assert sum(found.values()) == Decimal(sum(micros for _, micros in told)) / 1_000_000
    wanted: dict[Cell, Decimal] = {}
    for used in days:
        ((phase, span),) = [(p, s) for p, s in timeline.spans() if s.start <= used.day < s.end]
        cycle, index, at = timeline.cycle(phase), 0, span.start
        while (at := cycle.around(at).end) <= used.day:
            index += 1
        cell = Cell(phase.id, meter, index)
        wanted[cell] = wanted.get(cell, Decimal(0)) + Decimal(used.sum_micros) / 1_000_000
    assert found == wanted


def test_the_source_of_a_correction_is_written_down(backup: Line):
    tell(backup, "monday", "2")
    tell(backup, "fixed", "1", corrects="monday")
    with backup.db.reading() as session:
        acts = session.scalars(
            select(AuditEntry).where(AuditEntry.act == "service.usage_corrected")
        ).all()
    assert [(one.actor, one.detail["key"]) for one in acts] == [("meter", "monday")]
