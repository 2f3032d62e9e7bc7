"""The history builds the same schema as the tables, on both databases, and keeps the fences."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from app import migrations
from app.migrations import draft
from app.migrations.ops import guarded_batch
from app.tables import metadata
from core.kernel import audit
from core.kernel.db import Database
from core.ledger.chart import CASH, REVENUE
from core.ledger.models import JournalEntry, JournalLine
from tests.databases import Copied
from tests.schema import facts
from tests.world import World, build

NOW = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)


def _through_history(url: str) -> None:
    """A database that is as old as the house, and came along with each release."""
    migrations.upgrade(url, "0001")
    migrations.upgrade(url)


@pytest.fixture
def migrated(copied: Copied) -> Iterator[Database]:
    """A database that the history has built."""
    database = Database(copied("history", _through_history))
    yield database
    database.close()


@contextmanager
def migrating(db: Database) -> Iterator[Connection]:
    """A connection on which operations run as they do in a migration."""
    engine = migrations.engine(db.url)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        yield connection
        migrations.refuse_loose_ends(connection)
    engine.dispose()


def post(db: Database, world: World, amounts: list[int]) -> None:
    """One journal entry of these amounts, cash and revenue in turn."""
    with db.transaction() as session:
        entry = JournalEntry(
            legal_entity_id=world.legal_entity_id,
            posting_number=1,
            kind="test",
            effective_date=NOW.date(),
            posted_at=NOW,
            source_kind="test",
            source_id=world.channel_id,
            id=world.location_id,
        )
        for number, amount in enumerate(amounts):
            session.add(
                JournalLine(
                    entry_id=entry.id,
                    line_number=number,
                    legal_entity_id=world.legal_entity_id,
                    ledger_code=(CASH, REVENUE)[number % 2],
                    currency="USD",
                    amount_minor=amount,
                    functional_minor=amount,
                )
            )
        session.flush()
        session.add(entry)


def test_the_history_builds_exactly_the_tables(migrated: Database, new_url: Callable[[], str]):
    with closing(Database(new_url())) as straight:
        metadata.create_all(straight.engine)
        assert facts(migrated.engine) == facts(straight.engine)


def test_a_new_database_is_what_the_history_would_make_of_it(
    migrated: Database, new_url: Callable[[], str]
):
    # The history may have touched rules on its way; which mark it drew, if any, means nothing.
    rule_mark = metadata.tables["rule_mark"]
    url = new_url()
    migrations.upgrade(url)
    with closing(Database(url)) as made:
        assert facts(made.engine) == facts(migrated.engine)
        for db in (made, migrated):
            with db.reading() as session:
                found = session.execute(text("SELECT version_num FROM alembic_version")).all()
                assert found == [(migrations.newest(),)]
                for table in set(metadata.sorted_tables) - {rule_mark}:
                    assert session.scalars(select(table)).first() is None, table.name


def test_there_is_nothing_left_to_draft():
    assert draft.pending() == "pass"
    assert draft.new_fences("sqlite") == draft.new_fences("postgresql") == []


def test_what_no_migration_makes_yet_is_drafted(monkeypatch: pytest.MonkeyPatch):
    grown = sa.MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.tables.values():
        table.to_metadata(grown)
    grown.tables["location"].append_column(sa.Column("colour", sa.String(20)))
    monkeypatch.setattr(draft, "metadata", grown)
    monkeypatch.setattr(migrations, "metadata", grown)
    assert "sa.Column('colour', sa.String(length=20), nullable=True)" in draft.pending()


def test_a_database_tells_which_revision_it_has(new_url: Callable[[], str]):
    url = new_url()
    with closing(Database(url)) as database:
        assert migrations.current(url) is None
        assert not migrations.is_current(database)
        migrations.upgrade(url)
        assert migrations.current(url) == migrations.newest()
        assert migrations.is_current(database)


def test_a_database_of_another_release_is_not_current(migrated: Database):
    with migrated.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert not migrations.is_current(migrated)


def test_migrating_again_changes_nothing(migrated: Database):
    before = facts(migrated.engine)
    migrations.upgrade(migrated.url)
    assert facts(migrated.engine) == before


def test_two_that_migrate_at_once_do_it_once(new_url: Callable[[], str]):
    url = new_url()
    with ThreadPoolExecutor(2) as both:
        outcomes = [both.submit(migrations.upgrade, url) for _ in range(2)]
        assert [outcome.result() for outcome in outcomes] == [None, None]
    assert migrations.current(url) == migrations.newest()


@pytest.mark.parametrize("table", ["journal_line", "journal_entry", "hold", "audit_entry", "job"])
def test_a_changed_table_keeps_triggers_partial_indexes_checks_and_keys(
    migrated: Database, table: str
):
    before = facts(migrated.engine)
    with migrating(migrated), guarded_batch(table, recreate="always") as batch:
        batch.add_column(sa.Column("colour", sa.String(20), nullable=True))
    changed = facts(migrated.engine)
    assert changed - before, "the column is there"
    assert not before - changed, "nothing else went"
    with migrating(migrated), guarded_batch(table) as batch:
        batch.drop_column("colour")
    assert facts(migrated.engine) == before


def test_a_changed_table_keeps_its_rows_and_still_refuses(migrated: Database):
    with migrated.transaction() as session:
        world = build(session, NOW)
        audit.write(session, NOW, "system", "opened", ("shop", "fernway"))
    post(migrated, world, [700, -700])
    with migrating(migrated):
        for table in ("journal_line", "journal_entry", "audit_entry", "legal_entity"):
            with guarded_batch(table, recreate="always") as batch:
                batch.add_column(sa.Column("colour", sa.String(20), nullable=True))
    with migrated.reading() as session:
        for table, rows in (("journal_line", 2), ("audit_entry", 1), ("stock_level", 2)):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == rows
    for refused in (
        "UPDATE journal_line SET amount_minor = 1",
        "DELETE FROM journal_entry",
        "DELETE FROM audit_entry",
    ):
        with pytest.raises(DBAPIError, match="append-only"), migrated.transaction() as session:
            session.execute(text(refused))


def test_a_migration_that_leaves_loose_ends_changes_nothing(migrated: Database):
    with migrated.transaction() as session:
        world = build(session, NOW)
    with pytest.raises((RuntimeError, DBAPIError)), migrating(migrated) as connection:
        connection.execute(
            text("DELETE FROM location"),
        )
    with migrated.reading() as session:
        found = session.execute(text("SELECT id FROM location")).scalars().all()
    assert len(found) == 1
    assert world.location_id.hex in str(found[0]).replace("-", "")
