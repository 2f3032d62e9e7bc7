"""The database's history: one for SQLite and PostgreSQL, forward only.

``./shop migrate``, the demo and tests call ``upgrade``; ``/readyz`` asks ``is_current``. There is no way
down: whoever wants to go back restores the backup taken before. A migration is drafted with
``python -m app.migrations.draft "what it does"`` and carries frozen text, so that later code can't
change what it did. A new database needs no history: it is made as the tables are (ADR 59).
"""

import functools
import sqlite3
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, pool, text
from sqlalchemy.exc import DBAPIError

from app.tables import metadata
from core.kernel.db import Database

_HERE = Path(__file__).resolve().parent
#: The lock under which one process at a time migrates a PostgreSQL database.
LOCK = 7_205_311


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to the newest revision, or to the one named, in one transaction.

    When a migration fails nothing of it stays. Two at once: the second waits and finds it done.
    """
    made = engine(url)
    try:
        with made.begin() as connection:
            if made.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            bring(connection, revision)
            refuse_loose_ends(connection)
    finally:
        made.dispose()


def bring(connection: Connection, revision: str = "head") -> None:
    """Bring the database of an open transaction to a revision, from wherever it is.

    One without any table is made as the tables are today: the history builds the same, in ten times the
    time, and a test holds the two to be alike.
    """
    if revision in ("head", newest()) and not inspect(connection).get_table_names():
        metadata.create_all(connection)
        script = ScriptDirectory.from_config(config())
        MigrationContext.configure(connection).stamp(script, newest())
        return
    command.upgrade(config(connection), revision)


def current(url: str) -> str | None:
    """The revision of the database; None when it was never migrated."""
    made = engine(url)
    try:
        with made.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        made.dispose()


@functools.cache
def newest() -> str:
    """The revision that this release needs."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    if head is None:
        raise RuntimeError("there are no migrations")
    return head


def is_current(db: Database) -> bool:
    """Has the database the revision that this release needs? One short query."""
    try:
        with db.reading() as session:
            found = session.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    except DBAPIError:
        return False
    return list(found) == [newest()]


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no file of it."""
    made = Config()
    made.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    if connection is not None:
        made.attributes["connection"] = connection
    return made


def engine(url: str) -> Engine:
    """One connection, which on SQLite begins IMMEDIATE and has foreign keys off.

    Batch mode makes a table anew and drops the old one; with foreign keys on, that would delete rows.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, poolclass=pool.NullPool)
    made = create_engine(
        url, poolclass=pool.NullPool, connect_args={"isolation_level": None, "timeout": 30.0}
    )

    def prepare(connection: sqlite3.Connection, record: object) -> None:
        _begin_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=OFF")

    event.listen(made, "connect", prepare)
    event.listen(made, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    return made


def _begin_wal(connection: sqlite3.Connection) -> None:
    """Turn to WAL. While somebody else does so SQLite says “locked” at once, whatever the timeout."""
    for pause in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(pause)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def refuse_loose_ends(connection: Connection) -> None:
    """On SQLite nobody watched the foreign keys meanwhile: look before the commit."""
    if connection.dialect.name == "sqlite":
        loose = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if loose:
            raise RuntimeError(f"rows point to rows that do not exist: {loose[:5]}")
