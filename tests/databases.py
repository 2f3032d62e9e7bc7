"""Databases for tests: each test gets an empty one with the whole schema, on SQLite and on PostgreSQL.

The conftests of tests/rooms and tests/flows import the fixtures. SQLite: a file copied from a template.
PostgreSQL: one server per run, shared by its workers, and one database per worker (``tests.basin``) that
is emptied after each test, or made anew from the template when a test changed its schema.

The small shop, ``world``, is built once by each worker. A test that takes it starts with a copy of the
file that holds it, or with the same rows put into the empty database.

To compile statements is most of what a test does. A running shop compiles each once, and so does a worker
of the tests: the databases of one kind share what was compiled (``open_database``).
"""

import fcntl
import functools
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, QueuePool, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from app.tables import metadata
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from tests import postgres
from tests.basin import Basin, admin, create_database
from tests.world import NOW, World, build

#: The world that a test's database already holds.
_FURNISHED = pytest.StashKey[World]()


#: The first engine of each kind and door: the later ones share its dialect and its compiled statements.
_ELDERS: dict[tuple[str, str], Engine] = {}


def _never_mind_the_disk(connection: DBAPIConnection, _record: object) -> None:
    """No test pulls the plug: what is written need not reach the disk before it goes on."""
    connection.cursor().execute("PRAGMA synchronous=OFF")


def open_database(url: str) -> Database:
    """A database that knows the statements which others of its kind compiled before it."""
    database = Database(url)
    for door, engine in (("write", database._write), ("read", database._read)):
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _never_mind_the_disk)
        kind = engine.dialect.name, door
        if kind not in _ELDERS:
            with engine.connect():  # its dialect learns what it speaks to
                _ELDERS[kind] = engine
        engine.dialect = _ELDERS[kind].dialect
        engine._compiled_cache = _ELDERS[kind]._compiled_cache
    return database


@functools.cache
def _sqlite_template(folder: Path) -> Path:
    path = folder / "template.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    database.close()
    return path


@functools.cache
def _furnished_template(empty: Path) -> tuple[Path, World]:
    path = empty.with_name("furnished.db")
    shutil.copyfile(empty, path)
    database = Database(f"sqlite:///{path}")
    world = _build(database)
    database.close()
    return path, world


def _build(database: Database) -> World:
    with database.transaction() as session:
        return build(session, NOW)


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole schema and no row; copy it."""
    return _sqlite_template(tmp_path_factory.getbasetemp())


def _wants_world(request: pytest.FixtureRequest) -> bool:
    """Whether the test asks for the small shop, itself or through another fixture."""
    return "world" in request.fixturenames


@pytest.fixture
def sqlite_db(
    request: pytest.FixtureRequest, sqlite_file: Path, tmp_path: Path
) -> Iterator[Database]:
    """A SQLite database with the whole schema; empty, unless the test takes ``world``."""
    template = sqlite_file
    if _wants_world(request):
        template, request.node.stash[_FURNISHED] = _furnished_template(sqlite_file)
    path = tmp_path / "shop.db"
    shutil.copyfile(template, path)
    database = open_database(f"sqlite:///{path}")
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


@functools.cache
def _shared(folder: Path) -> SharedServer:
    under_xdist = "PYTEST_XDIST_WORKER" in os.environ
    return SharedServer(folder, os.getppid() if under_xdist else os.getpid())


@functools.cache
def basin_of(server: postgres.Server) -> Basin:
    """This worker's database."""
    return Basin(server)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """The PostgreSQL server of this run."""
    base = tmp_path_factory.getbasetemp()
    shared = _shared((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres")
    server = shared.enter()
    yield server
    _shut()
    if basin_of.cache_info().currsize:
        basin_of(server).close()
        basin_of.cache_clear()
    shared.leave()


@pytest.fixture
def postgres_db(
    request: pytest.FixtureRequest, postgres_server: postgres.Server
) -> Iterator[Database]:
    """A PostgreSQL database with the whole schema; empty, unless the test takes ``world``."""
    basin = basin_of(postgres_server)
    if _wants_world(request):
        request.node.stash[_FURNISHED] = basin.fill("world", _build)
    database = _kept_open(basin.url)
    yield database
    if any(_busy(engine) for engine in (database._write, database._read)):
        database.close()
    basin.empty()


_OPEN: list[Database] = []


def _kept_open(url: str) -> Database:
    """A worker's database stays connected from test to test, as a shop's does: a new connection has to learn
    anew what the tables are and how each statement is done, which is a third of the server's work."""
    if not _OPEN or _OPEN[0].url != url:
        _shut()
        _OPEN.append(open_database(url))
    return _OPEN[0]


def _shut() -> None:
    """The database that was kept open is over."""
    while _OPEN:
        _OPEN.pop().close()


def _busy(engine: Engine) -> bool:
    """Did a test leave a connection in somebody's hands?"""
    pool = engine.pool
    return not isinstance(pool, QueuePool) or pool.checkedout() > 0


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


#: Makes a database that is a copy of one which was filled once under a name; answers its address.
Copied = Callable[[str, Callable[[str], None]], str]
#: The PostgreSQL databases of this worker that were filled to be copied, and how many copies there are.
_FILLED: set[str] = set()
_COPIES = itertools.count()


@pytest.fixture
def copied(
    request: pytest.FixtureRequest,
    new_url: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Copied:
    """Databases of the kind that ``new_url`` makes, with what takes long to fill in already in them."""

    def copy_file(name: str, fill: Callable[[str], None]) -> str:
        filled, url = tmp_path_factory.getbasetemp() / f"filled-{name}.db", new_url()
        if not filled.exists():
            fill(f"sqlite:///{filled}")
        shutil.copyfile(filled, url.removeprefix("sqlite:///"))
        return url

    def copy_database(name: str, fill: Callable[[str], None]) -> str:
        server: postgres.Server = request.getfixturevalue("postgres_server")
        filled, mine = f"filled_{name}_{os.getpid()}", f"copy_{os.getpid()}_{next(_COPIES)}"
        if filled not in _FILLED:
            create_database(server, filled, "template0")
            fill(server.url(filled))
            _FILLED.add(filled)
        create_database(server, mine, filled)
        return server.url(mine)

    kind = request.node.callspec.params["new_url"]
    return copy_file if kind == "sqlite" else copy_database


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
    return ManualClock(NOW)


@pytest.fixture
def world(request: pytest.FixtureRequest, db: Database) -> World:
    """Fernway with a few things to sell, in ``db``."""
    return request.node.stash[_FURNISHED]
