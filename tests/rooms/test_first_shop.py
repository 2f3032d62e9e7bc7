"""A shop of the first tables comes to today's: it lives on, and is billed on, as if it had always been here.

Its rows stand in ``first_shop.sql``; the program of that time wrote them.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, inspect, select, update
from sqlalchemy.exc import DBAPIError

from app import migrations
from app.migrations.ops import CannotMigrate
from core.catalog.models import BundleComponent, Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Base, Database
from core.prices import bundles
from core.subscriptions.models import Subscription, SubscriptionPhase
from flows import run_billing
from flows.run_billing import Asked
from flows.verify import verify
from invoices.models import Invoice, InvoiceLine
from payments.gateway import Gateway
from tests.databases import Copied
from tests.shop import make_house

HERE = Path(__file__).resolve().parent
#: Two days after the running service's second bill day.
NOW = datetime(2027, 1, 2, 15, tzinfo=UTC)
NEW_YEARS_EVE = date(2026, 12, 31)
#: What a bundle is by its kind now; nothing else of what was there is another than before.
CHANGED = {
    ("variant", "FW-HOME", "kind"),
    # An order whose service runs is done.
    ("order", None, "fulfilment"),
    ("order", None, "lifecycle"),
}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def first(copied: Copied) -> str:
    """The address of the shop as the first tables hold it."""
    return copied("first_shop", _fill)


def _fill(url: str) -> None:
    migrations.upgrade(url, "0001")
    _run(url, *(HERE / "first_shop.sql").read_text().splitlines())


@pytest.fixture
def upgraded(copied: Copied) -> Iterator[Database]:
    """The same shop in today's tables."""
    database = Database(copied("first_shop_today", _fill_and_upgrade))
    yield database
    database.close()


def _fill_and_upgrade(url: str) -> None:
    _fill(url)
    migrations.upgrade(url)


def _run(url: str, *statements: str) -> None:
    with closing(Database(url)) as database, database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
        for statement in statements:
            if not statement.startswith("--"):
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _everything(url: str) -> Rows:
    with closing(Database(url)) as database, database.engine.connect() as connection:
        return {name: _rows(connection, name) for name in inspect(connection).get_table_names()}


def _rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    found = connection.exec_driver_sql(f'SELECT * FROM "{table}"').mappings()
    return [dict(row) for row in found]


def _kept(before: dict[str, Any], after: list[dict[str, Any]], table: str) -> bool:
    """Is there a row that says the same in each column that both have?"""
    return any(
        all(
            before[name] == row[name]
            for name in before.keys() & row.keys()
            if (table, row.get("sku"), name) not in CHANGED
        )
        for row in after
    )


def test_nothing_that_was_there_has_changed(first: str):
    before = _everything(first)
    migrations.upgrade(first)
    after = _everything(first)
    del before["alembic_version"]
    for table, rows in before.items():
        assert len(rows) == len(after[table]), table
        assert [row for row in rows if not _kept(row, after[table], table)] == []
    new = {table for table, rows in after.items() if rows} - {
        t for t, rows in before.items() if rows
    }
    assert new == {
        "alembic_version",
        "bundle_price",
        "subscription_phase",
        "fulfilment",
        "fulfilment_line",
        "rule_mark",
    }


def test_each_model_reads_its_rows_and_the_books_prove_themselves(upgraded: Database):
    with upgraded.reading() as session:
        for mapper in Base.registry.mappers:
            session.scalars(select(mapper.class_)).all()
    assert [line for line in verify(upgraded, ManualClock(NOW)) if not line.holds] == []


def test_a_bill_cannot_be_changed_afterwards(upgraded: Database):
    with pytest.raises(DBAPIError, match="append-only"), upgraded.transaction() as session:
        session.execute(update(InvoiceLine).values(rated_minor=1))


def test_a_subscription_is_its_first_phase_and_its_bill_says_so(upgraded: Database):
    with upgraded.reading() as session:
        waiting, running = session.scalars(select(Subscription).order_by(Subscription.ordered_at))
        phases = {row.subscription_id: row for row in session.scalars(select(SubscriptionPhase))}
        lines = session.scalars(
            select(InvoiceLine)
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .where(InvoiceLine.charge_key.is_not(None))
            .order_by(Invoice.number)
        ).all()
    assert (waiting.state, waiting.bill_day, waiting.revision) == ("ordered", None, 1)
    assert (running.state, running.bill_day) == ("active", 31)
    assert phases[waiting.id].starts_on is phases[waiting.id].cycle_from is None
    first = phases[running.id]
    assert first.starts_on == first.cycle_from == date(2026, 11, 30)
    assert (first.number, first.kind, first.quantity) == (0, "paid", 1)
    assert (first.unit_price_micros, first.interval, first.interval_count) == (
        45_000_000,
        "month",
        1,
    )
    assert first.price_trace["list"] == "web-usd"
    assert first.agreed_at == running.ordered_at
    assert first.agreed_by.startswith("order:")
    assert [(line.phase_id, line.period_index, line.rated_minor) for line in lines] == [
        (phases[waiting.id].id, 0, 4500),
        (first.id, 0, 4500),
    ]
    assert [line.charge_key for line in lines] == [
        f"{one.phase_id.hex}/0/0" for one in lines if one.phase_id
    ]


def test_the_running_service_is_billed_its_next_period_once(upgraded: Database, tmp_path: Path):
    house = make_house(upgraded, ManualClock(NOW), tmp_path, cast(Gateway, None))
    for _ in range(2):
        run_billing.run(house, Asked(NEW_YEARS_EVE, "system"))
    with upgraded.reading() as session:
        line = session.scalars(select(InvoiceLine).where(InvoiceLine.period_index == 1)).one()
        assert (
            session.scalars(select(Invoice).where(Invoice.order_id.is_(None))).one().total_minor
            == 4500
        )
    assert (line.period_start, line.period_end) == (NEW_YEARS_EVE, date(2027, 1, 30))
    assert [line for line in verify(upgraded, house.clock) if not line.holds] == []


def test_what_has_pieces_is_a_bundle_at_the_price_that_it_had(upgraded: Database):
    with upgraded.reading() as session:
        bundle = session.scalars(select(Variant).where(Variant.sku == "FW-HOME")).one()
        pieces = session.scalars(select(BundleComponent).order_by(BundleComponent.position)).all()
        channel = session.scalars(select(Invoice.channel_id).limit(1)).one()
        assert channel is not None
        offered = bundles.offered(session, channel, "USD", {bundle.id: 1}, NOW)
    assert bundle.kind == "bundle"
    assert [(one.component_kind, one.position) for one in pieces] == [
        ("physical", 0),
        ("service", 1),
    ]
    assert [share.amount.minor for share in offered[bundle.id].shares(1)] == [11535, 5365]


#: What somebody may have written into the first tables by hand, and the word that it is refused with.
WRONG = {
    "began": "UPDATE subscription SET state = 'active' WHERE activated_on IS NULL",
    "ended": "UPDATE subscription SET state = 'ended'",
    "pause": "UPDATE subscription SET state = 'paused' WHERE activated_on IS NOT NULL",
    "bill day": "UPDATE subscription SET anchor_day = 32",
    "can't be a bundle": "UPDATE variant SET kind = 'gift_card' WHERE sku = 'FW-HOME'",
    "of a piece": "UPDATE bundle_component SET quantity = 100",
}
RIGHT = (
    "UPDATE subscription SET state = CASE WHEN activated_on IS NULL THEN 'ordered' ELSE 'active' END",
    "UPDATE subscription SET anchor_day = 31 WHERE activated_on IS NOT NULL",
    "UPDATE subscription SET anchor_day = NULL WHERE activated_on IS NULL",
    "UPDATE variant SET kind = 'service' WHERE sku = 'FW-HOME'",
    "UPDATE bundle_component SET quantity = 1",
)


def test_what_todays_tables_cannot_hold_is_told_and_nothing_changes(first: str):
    for told, wrong in WRONG.items():
        _run(first, wrong)
        before = _everything(first)
        with pytest.raises(CannotMigrate, match=told):
            migrations.upgrade(first)
        assert _everything(first) == before
        _run(first, *RIGHT)
    migrations.upgrade(first)
    assert migrations.current(first) == migrations.newest()
