"""An order's bill reads by index what it is made of, however many bills there are."""

from pathlib import Path
from typing import Any

from sqlalchemy import event, text

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from invoices import issue
from tests import books
from tests.books import PRINTING, Books
from tests.world import World, account


def test_no_table_is_read_whole_for_a_bill(
    db: Database, world: World, clock: ManualClock, tmp_path: Path
):
    shop = Books(db, clock, world, tmp_path)
    sent: list[tuple[str, Any]] = []

    def note(connection, cursor, statement, parameters, context, many) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    with db.transaction() as session:
        payer = account(session, world, clock.now())
        order = books._order(session, shop, payer, [(world.visit, 2)], "on_terms")
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", note)
        issue.for_order(session, order.id, PRINTING, clock.now())
        asked, explain = list(sent), "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
        if not db.is_sqlite:  # a table of one row is quicker read whole
            session.execute(text("SET LOCAL enable_seqscan = off"))
        plans = [
            "\n".join(
                str(row[-1])
                for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)
            )
            for statement, parameters in asked
        ]
    assert plans
    for plan in plans:
        assert "Seq Scan" not in plan, plan
        assert not any(line.lstrip().startswith("SCAN ") for line in plan.splitlines()), plan
    assert any("uq_invoice_order_id" in plan for plan in plans), plans
