"""What waits at a level is found from its last sales on, and is what the sum over all movements says."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.orders import back_orders as orders
from core.stock import back_orders, levels, proofs, sold, uncovered
from core.stock.back_order_models import BackOrder
from core.stock.models import StockLevel, StockMovement
from core.stock.uncovered import Uncovered
from tests.rooms.stock.shelf import Goods, put
from tests.world import World

BEYOND = 10_000
LITERALLY = {"literal_binds": True}
#: What happens, to which sale, to how many pieces, and how long after what was before: often at once.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sell", "sell", "sell", "leave", "let go", "come", "go"]),
        st.integers(0, 5),
        st.integers(1, 4),
        st.sampled_from([0, 0, 1]),
    ),
    min_size=5,
    max_size=30,
)


def over_all_movements(session: Session, level: StockLevel) -> list[Uncovered]:
    """The same by the sum of all that ever was sold: on hand covers one sale after the other."""
    first = func.min(StockMovement.at).filter(StockMovement.kind == "allocated")
    pieces = func.sum(StockMovement.allocated)
    rows = session.execute(
        select(StockMovement.reference, pieces, first)
        .where(StockMovement.level_id == level.id)
        .group_by(StockMovement.reference)
        .having(pieces > 0)
        .order_by(first, StockMovement.reference)
    )
    found, left = [], level.on_hand
    for reference, count, since in rows:
        covered = min(int(count), left)
        left -= covered
        if covered < count:
            found.append(Uncovered(reference, since, int(count) - covered))
    return found


def _level(session: Session, goods: Goods) -> StockLevel:
    return session.get_one(StockLevel, goods.level_id, populate_existing=True)


def _change(session: Session, level: StockLevel, kind: str, now: datetime, about: str, **by: int):
    """A change of a level, as far as it may be; a movement says it."""
    if levels.shift(session, level.id, **by):
        levels.move(session, level.id, kind, now, reference=about, **by)


def _step(session: Session, goods: Goods, step: tuple[str, int, int], now: datetime) -> None:
    what, sale, count = step
    about = f"order:{sale}"
    level = _level(session, goods)
    mine = session.scalar(
        select(func.coalesce(func.sum(StockMovement.allocated), 0)).where(
            StockMovement.reference == about, StockMovement.level_id == level.id
        )
    )
    if what == "sell":
        levels.shift(session, level.id, held=count)
        levels.sell(session, {level.id: count}, about, now)
    elif what == "leave":
        # Whatever lies there may leave: the oldest are not asked.
        out = min(count, int(mine or 0), level.on_hand)
        _change(session, level, "shipped", now, about, on_hand=-out, allocated=-out)
    elif what == "let go" and mine:
        sold.let_go(session, about, goods.variant_id, min(count, int(mine)), now)
    elif what == "come":
        _change(session, level, "received", now, "delivery", on_hand=count)
    elif what == "go":
        _change(session, level, "adjusted", now, "lost", on_hand=-min(count, level.on_hand))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS, page=st.integers(1, 4))
def test_whatever_was_sold_and_left_it_is_what_the_sum_over_all_movements_says(
    db: Database,
    world: World,
    clock: ManualClock,
    steps: list[tuple[str, int, int, int]],
    page: int,
):
    goods = db.run_tx(lambda s: put(s, world, clock.now(), 3, backorder=BEYOND))
    with pytest.MonkeyPatch.context() as patched, db.transaction() as session:
        patched.setattr(uncovered, "PAGE", page)
        now = clock.now()
        for what, sale, count, later in steps:
            now += timedelta(seconds=later)
            _step(session, goods, (what, sale, count), now)
            level = _level(session, goods)
            assert uncovered.uncovered(session, level) == over_all_movements(session, level)
        assert proofs.levels_are_true(session, now).offenders == ()
        session.rollback()


def _long_ago(session: Session, level_id: uuid.UUID, count: int, now: datetime) -> None:
    """So many sales of one piece each that have left."""
    rows: list[dict[str, Any]] = []
    for at in range(count):
        row = {"level_id": level_id, "reference": f"order:{at:032}", "on_hand": 0}
        when = now - timedelta(minutes=count - at)
        rows += [
            {**row, "id": new_id(), "kind": "allocated", "allocated": 1, "at": when},
            {**row, "id": new_id(), "kind": "shipped", "on_hand": -1, "allocated": -1, "at": when},
        ]
    session.execute(insert(StockMovement), rows)


def test_what_was_sold_long_ago_is_not_read(db: Database, world: World, clock: ManualClock):
    """As many statements, and as many rows, after ten thousand past sales as after none; and by the index."""
    now = clock.now()
    sent: list[tuple[str, Any]] = []
    plans: list[str] = []

    def note(connection, cursor, statement, parameters, context, many) -> None:
        if "stock_movement" in statement:
            sent.append((statement, parameters))

    def looked(past: int) -> tuple[int, int]:
        with db.transaction() as session:
            goods = put(session, world, now, 2, backorder=BEYOND)
            assert goods.level_id is not None
            _long_ago(session, goods.level_id, past, now)
            for at in range(5):
                _step(session, goods, ("sell", at, 2), now + timedelta(minutes=at))
            connection, level = session.connection(), _level(session, goods)
            sent.clear()
            event.listen(connection, "before_cursor_execute", note)
            found = back_orders.note(session, level)
            event.remove(connection, "before_cursor_execute", note)
            assert [(one.reference, one.pieces) for one in found] == [
                (f"order:{at}", 2) for at in range(1, 5)
            ]
            session.execute(text("ANALYZE stock_movement"))
            explain = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
            asked, read = list(sent), 0
            for statement, parameters in asked:
                rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).fetchall()
                plans.append("\n".join(str(row[-1]) for row in rows))
                read += len(connection.exec_driver_sql(statement, parameters).fetchall())
            session.rollback()
        return len(asked), read

    few = looked(uncovered.PAGE)
    plans.clear()
    assert looked(10_000) == few
    page, sums = plans
    assert "ix_stock_movement_level_id_at" in page, page
    assert "Sort" not in page, page
    assert "TEMP" not in page, page
    assert "ix_stock_movement_reference" in sums, sums


def _waits(session: Session, level_id: uuid.UUID, count: int, now: datetime) -> None:
    """So many sales of two pieces each wait, one a second."""
    rows = [
        {"id": new_id(), "level_id": level_id, "reference": f"order:{level_id.hex}{at}"}
        | {"quantity": 2, "waiting": 2, "let_go": 0, "since": now + timedelta(seconds=at)}
        for at in range(count)
    ]
    session.execute(insert(BackOrder), rows)


@pytest.mark.parametrize(
    ("more", "can"), [(0, []), (1, [1]), (5, [2, 2, 1]), (18, [2, 2, 2, 2]), (-3, [])]
)
def test_what_can_be_released_goes_to_the_oldest_of_its_level(
    db: Database, world: World, clock: ManualClock, more: int, can: list[int]
):
    """``more``: so many are on hand beyond what is sold and waits for no release."""
    now = clock.now()
    with db.transaction() as session:
        for free in (0, more):
            goods = put(session, world, now, 10, backorder=BEYOND)
            assert goods.level_id is not None
            _waits(session, goods.level_id, 4, now)
            level = _level(session, goods)
            level.allocated = level.on_hand + 8 - free
        session.flush()
        coverable = back_orders.can_now()
        query = (
            select(coverable.c.can)
            .join(BackOrder, BackOrder.id == coverable.c.id)
            .where(coverable.c.can > 0)
            .order_by(BackOrder.since)
        )
        assert list(session.scalars(query)) == can
        assert orders.counts(session) == {"": 8, "can": len(can)}
        session.rollback()


def test_each_level_is_added_up_once_however_many_wait(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        goods = put(session, world, clock.now(), 3, backorder=BEYOND)
        assert goods.level_id is not None
        _waits(session, goods.level_id, 500, clock.now())
        connection = session.connection()
        query = str(select(back_orders.can_now()).compile(connection, compile_kwargs=LITERALLY))
        explain = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
        rows = connection.exec_driver_sql(f"{explain} {query}").fetchall()
        plan = "\n".join(str(row[-1]) for row in rows)
        assert "SubPlan" not in plan, plan
        assert "CORRELATED" not in plan, plan
        session.rollback()
