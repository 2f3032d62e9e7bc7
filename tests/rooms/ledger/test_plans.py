"""Where one account stands is found by an index, however long its history and the books are."""

from typing import Any

import pytest
from sqlalchemy import event, text

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import ageing, balances, business, open_items
from core.ledger.cuts import Cut
from tests.rooms.ledger.books import DAY, document
from tests.world import World, account


@pytest.mark.parametrize("report", ["balance", "ageing", "open items"])
def test_no_table_of_the_books_is_read_whole(
    db: Database, world: World, clock: ManualClock, report: str
):
    with db.transaction() as session:
        key = account(session, world, clock.now()).id
        business.charge(session, document(world, key, Money(100, "USD")), clock.now())
    cut = Cut(world.legal_entity_id, as_of=DAY)
    sent: list[tuple[str, Any]] = []

    def note(connection, cursor, statement, parameters, context, many) -> None:
        sent.append((statement, parameters))

    plans = []
    with db.snapshot() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        if report == "balance":
            assert balances.of_account(session, key, cut)
        elif report == "ageing":
            assert ageing.of_account(session, key, cut, DAY)
        else:
            assert open_items.page(session, key, cut, after=None, limit=10)
        asked, explain = list(sent), "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
        if not db.is_sqlite:  # a table of one row is quicker read whole
            session.execute(text("SET LOCAL enable_seqscan = off"))
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).fetchall()
            plans.append("\n".join(str(row[-1]) for row in rows))
    assert plans
    for plan in plans:
        assert "Seq Scan" not in plan, plan
        assert not any(line.lstrip().startswith("SCAN ") for line in plan.splitlines()), plan
    assert any("ix_open_now_due" in plan for plan in plans), plans
