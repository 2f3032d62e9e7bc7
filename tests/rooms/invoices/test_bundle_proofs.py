"""Bundles on documents prove themselves: a piece that was changed behind our back is found."""

import pytest
from sqlalchemy import text

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from invoices.models import InvoiceLine
from invoices.proofs import bundles
from tests.rooms.invoices.billing import Billing, line
from tests.world import World


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (None, None),
        ("net_minor = net_minor - 1 WHERE name = 'Visit'", "line 1: its pieces come to 99.99 USD"),
        ("net_minor = net_minor + 1 WHERE name = 'Set'", "line 1: its pieces come to 100.00 USD"),
        ("tax_minor = 1 WHERE name = 'Set'", "line 1: its pieces come to 100.00 USD"),
        ("parent_id = NULL WHERE name = 'Visit'", "line 1: its pieces come to 80.00 USD"),
    ],
)
def test_a_bundle_is_its_pieces(
    db: Database, world: World, clock: ManualClock, change: str | None, word: str | None
):
    with db.transaction() as session:
        billing = Billing.open(session, world, clock)
        bill = billing.bill(
            line("0.00", name="Set", tax_category=""),
            line("80.00", name="Router", part_of=1),
            line("20.00", name="Visit", part_of=1),
            line("5.00", name="Delivery"),
        )
        _let_change(session.connection(), db.is_sqlite)
        if change is not None:
            session.execute(text(f"UPDATE {InvoiceLine.__tablename__} SET {change}"))
        part = bundles.pieces_are_their_bundle(session, None)
        assert part.figure == "1 bundles on documents"
        assert part.offenders == (() if word is None else (f"invoice {bill.number}, {word}",))
        session.rollback()


def _let_change(connection, is_sqlite: bool) -> None:
    if is_sqlite:
        connection.exec_driver_sql("DROP TRIGGER invoice_line_no_update")
    else:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
