"""Databases for tests: each test gets an empty one with the whole schema, on SQLite and on PostgreSQL.

The conftests of tests/rooms and tests/flows import the fixtures. SQLite: a file copied from a template.
PostgreSQL: one server per run, shared by its workers, and one database per worker that is emptied after
each test, or made anew from the template when a test changed its schema.
"""

import fcntl
import functools
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql

from app.tables import metadata
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from tests import postgres
from tests.world import World, build

#: Rows that tests deleted stay on the pages, so that a database is made anew now and then.
WASHES = 200
#: What a change of the schema changes.
_FINGERPRINT = """
SELECT (SELECT md5(string_agg(oid || '-' || tgenabled::text, ',' ORDER BY oid)) FROM pg_trigger),
       (SELECT count(*) || '/' || sum(oid::bigint) FROM pg_class),
       (SELECT count(*) || '/' || sum(oid::bigint) FROM pg_constraint),
       (SELECT count(*) || '/' || sum(oid::bigint) FROM pg_attribute, pg_class
        WHERE attrelid = oid AND NOT attisdropped),
       (SELECT md5(string_agg(oid || '-' || xmin::text, ',' ORDER BY oid)) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace)
"""


@functools.cache
def _sqlite_template(folder: Path) -> Path:
    path = folder / "template.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    database.close()
    return path


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole schema and no row; copy it."""
    return _sqlite_template(tmp_path_factory.getbasetemp())


@pytest.fixture
def sqlite_db(sqlite_file: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database with the whole schema."""
    path = tmp_path / "shop.db"
    shutil.copyfile(sqlite_file, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()
    for leftover in tmp_path.glob("shop.db*"):
        leftover.unlink()


# --- PostgreSQL -----------------------------------------------------------------------------------


class SharedServer:
    """One server for all workers of a run. The first that needs it starts it, the last stops it."""

    def __init__(self, folder: Path, owner: int) -> None:
        self.folder = folder
        self.owner = owner
        self.me = folder / f"user-{os.getpid()}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def enter(self) -> postgres.Server:
        """Use the server; it runs when this returns."""
        with self._locked():
            note = self.folder / "home"
            if note.exists():
                server = postgres.Server(Path(note.read_text()))
            else:
                server = postgres.start(self.owner)
                make_template(server)
                note.write_text(str(server.home))
            self.me.touch()
        return server

    def leave(self) -> None:
        """Use it no more."""
        with self._locked():
            self.me.unlink(missing_ok=True)
            note = self.folder / "home"
            if note.exists() and not list(self.folder.glob("user-*")):
                postgres.Server(Path(note.read_text())).stop()
                note.unlink()


def make_template(server: postgres.Server) -> None:
    """Create the database ``template_shop`` with the whole schema and no row."""
    with admin(server) as connection:
        connection.execute("CREATE DATABASE template_shop")
    database = Database(server.url("template_shop"))
    metadata.create_all(database.engine)
    database.close()


@contextmanager
def admin(server: postgres.Server, database: str = "postgres") -> Iterator[psycopg.Connection]:
    """An autocommit connection outside of everything that is tested."""
    with psycopg.connect(
        host=str(server.home), user="postgres", dbname=database, autocommit=True
    ) as connection:
        yield connection


def create_database(server: postgres.Server, name: str, template: str = "template_shop") -> None:
    """Make a database from a template."""
    with admin(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def drop_database(server: postgres.Server, name: str) -> None:
    """Remove a database, whoever is still connected to it. Slow: the whole server takes a breath."""
    with admin(server) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


class Basin:
    """A worker's own PostgreSQL database, emptied between tests."""

    def __init__(self, server: postgres.Server) -> None:
        self.server = server
        self.numbers = itertools.count()
        self._make()

    def _make(self) -> None:
        self.name = (
            f"shop_{os.getpid()}_{next(self.numbers)}"  # the one before ends with the server
        )
        self.url = self.server.url(self.name)
        create_database(self.server, self.name)
        self.washes = 0
        self.fingerprint = self._look()
        with admin(self.server, self.name) as connection:
            tables = connection.execute(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
        deletes = "; ".join(f"DELETE FROM {name}" for (name,) in tables)
        # As a replica no trigger runs: neither the foreign keys nor the append-only fences.
        self._wash = (
            "BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '2s'; "
            f"{deletes}; SELECT setval(format('%I', sequencename)::regclass, start_value, false) "
            "FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL; COMMIT"
        )

    def _look(self) -> object:
        with admin(self.server, self.name) as connection:
            return connection.execute(_FINGERPRINT).fetchone()

    def empty(self) -> None:
        """Leave the database as the template is."""
        self.washes += 1
        with suppress(psycopg.Error):
            if self.washes < WASHES and self._look() == self.fingerprint:
                with admin(self.server, self.name) as connection:
                    connection.execute(self._wash)
                return
        self._make()


@functools.cache
def _shared(folder: Path) -> SharedServer:
    under_xdist = "PYTEST_XDIST_WORKER" in os.environ
    return SharedServer(folder, os.getppid() if under_xdist else os.getpid())


@functools.cache
def _basin(server: postgres.Server) -> Basin:
    return Basin(server)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """The PostgreSQL server of this run."""
    base = tmp_path_factory.getbasetemp()
    shared = _shared((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres")
    yield shared.enter()
    shared.leave()


@pytest.fixture
def postgres_db(postgres_server: postgres.Server) -> Iterator[Database]:
    """An empty PostgreSQL database with the whole schema."""
    basin = _basin(postgres_server)
    database = Database(basin.url)
    yield database
    database.close()
    basin.empty()


# --- both, and what belongs to them ---------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest) -> Database:
    """An empty database with the whole schema; each test that takes it runs on both kinds."""
    found: Database = request.getfixturevalue(
        "sqlite_db" if request.param == "sqlite" else "postgres_db"
    )
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Makes databases without a single table, of each kind, and answers their addresses."""
    if request.param == "sqlite":
        numbers = itertools.count()
        yield lambda: f"sqlite:///{tmp_path / f'bare-{next(numbers)}.db'}"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    numbers = itertools.count()
    yield lambda: server.url(_bare(server, f"bare_{os.getpid()}_{next(numbers)}"))


def _bare(server: postgres.Server, name: str) -> str:
    """A database without tables: made once and swept when it is asked for again."""
    try:
        create_database(server, name, "template0")
    except psycopg.errors.DuplicateDatabase:
        with admin(server, name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    return name


@pytest.fixture
def clock() -> ManualClock:
    """A Tuesday afternoon at Fernway's: 17 November 2026, 14:11 in New York."""
    return ManualClock(datetime(2026, 11, 17, 14, 11, tzinfo=ZoneInfo("America/New_York")))


@pytest.fixture
def world(db: Database, clock: ManualClock) -> World:
    """Fernway with a few things to sell, in ``db``."""
    with db.transaction() as session:
        return build(session, clock.now())
