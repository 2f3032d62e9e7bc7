"""The database and its two doors.

``reading()`` cannot write; ``transaction()`` can (on SQLite it begins IMMEDIATE). A function that takes
a ``session`` never commits; one that takes the ``Database`` owns its commits.
"""

import functools
import random
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    CursorResult,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    Uuid,
    create_engine,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached
from sqlalchemy.types import TypeDecorator

from core.kernel import exchange

T = TypeVar("T")

#: How often ``run_tx`` runs the work before it gives up.
ATTEMPTS = 6
#: Seconds that a writer waits on SQLite for the one before it, and between two looks.
_PATIENCE, _LOOK_EVERY = 30.0, 0.0005
_RETRY_STATES = {"40001", "40P01"}
_begun: ContextVar[int] = ContextVar("begun", default=0)


def begun() -> int:
    """How many transactions were begun on this thread. Whoever finds as many as before wrote nothing."""
    return _begun.get()


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python; timestamptz on PostgreSQL, ISO text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def forget_plans(session: Session) -> None:
    """On PostgreSQL, have this connection plan anew what it has planned before; nothing on SQLite.

    A connection keeps the plans of foreign keys' and triggers' checks. Those made while a table was small
    read all of it, however large it has become since.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("DISCARD PLANS")


class Base(DeclarativeBase):
    """All tables of the house."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime(),
        uuid.UUID: Uuid(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        int: BigInteger().with_variant(Integer(), "sqlite"),
    }


Row = TypeVar("Row", bound=Base)


class Database:
    """One database behind two doors. ``url`` is SQLite or ``postgresql+psycopg``."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._write = _engine(url, writing=True, pool_size=pool_size)
        self._read = _engine(url, writing=False, pool_size=pool_size)

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations and bulk copy."""
        return self._write

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session whose statements each see the newest data and can't write."""
        with Session(self._read, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def snapshot(self, *, large: bool = False) -> Iterator[Session]:
        """A read-only session in which every statement sees the same moment: for whatever adds up.

        ``large``: what is sorted may be most of the database, so SQLite does that on disk.
        """
        with Session(self._read, autoflush=False, expire_on_commit=False) as session:
            if self.is_sqlite:
                connection = session.connection()
                if large:
                    connection.exec_driver_sql("PRAGMA temp_store=FILE")
                connection.exec_driver_sql("BEGIN")
                try:
                    yield session
                finally:
                    connection.exec_driver_sql("ROLLBACK")
                    if large:
                        connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
            else:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                yield session
                # Nothing was written; but after a rollback the driver forgets every statement it prepared.
                session.commit()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end, or rolls back when an exception passes."""
        _begun.set(_begun.get() + 1)
        with Session(self._write, expire_on_commit=False) as session, session.begin():
            yield session

    def run_tx(self, work: Callable[[Session], T], *, beside: bool = False) -> T:
        """Run ``work`` in a transaction; again, when the database asks for it.

        ``work`` may run several times: it must have no effect but on the session. ``beside``: it counts
        something and nobody minds when it is counted twice; ``begun`` leaves it out.
        """
        if beside:
            before = _begun.get()
            try:
                return self.run_tx(work)
            finally:
                _begun.set(before)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.transaction() as session:
                    return work(session)
            except DBAPIError as error:
                if attempt == ATTEMPTS or not _worth_another_try(error):
                    raise
                # The jitter only spreads competitors apart; nothing secret hangs on it.
                time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Give back every connection."""
        self._write.dispose()
        self._read.dispose()


def counts(session: Session, *queries: Select[Any]) -> list[int]:
    """How many rows each of some queries finds, asked in one statement."""
    sums = [select(func.count()).select_from(one.subquery()).scalar_subquery() for one in queries]
    return [int(count) for count in session.execute(select(*sums)).one()]


def table(model: type[Base]) -> Table:
    """The table of a model. A statement over tables alone costs less than half of one over models."""
    return cast(Table, model.__table__)


def insert_once(session: Session, model: type[Base], **values: Any) -> bool:
    """Insert a row unless a unique key of it is taken; says whether it went in."""
    connection = session.connection()
    return changed(connection.execute(_once(model, connection.dialect.name), values)) == 1


def insert_once_each(
    session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows by their columns, but those of which a unique key is taken."""
    if rows:
        connection = session.connection()
        connection.execute(_once(model, connection.dialect.name), rows)


@functools.cache
def _once(model: type[Base], dialect: str) -> Any:
    build: Any = sqlite_dialect if dialect == "sqlite" else postgresql
    statement = build.insert(model.__table__).inline().on_conflict_do_nothing()
    # Without the option an INSERT's count is lost on PostgreSQL.
    return statement.execution_options(preserve_rowcount=True)


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows by their columns, behind what the session still holds: quicker than objects.

    In an ``exchange`` what is refused is known later; ``insert_answered`` knows at once.
    """
    if rows:
        session.flush()
        connection = session.connection()
        with exchange.unanswered(connection):
            connection.execute(_into(model), rows)


def insert_answered(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """As ``insert_rows``, for who has to know here what the database refuses."""
    session.flush()
    session.connection().execute(_into(model), rows)


def insert_all(session: Session, *tables: tuple[type[Base], Sequence[Mapping[str, Any]]]) -> None:
    """Insert rows of several tables in their order. PostgreSQL is told of all and answers once."""
    with exchange.opened(session):
        for model, rows in tables:
            insert_rows(session, model, rows)


def new_row(model: type[Row], **columns: Any) -> Row:
    """A new object with these columns, for ``insert_new`` and ``keep_new``: as its constructor would make it,
    which takes twenty times as long, as it notes each change."""
    unknown = columns.keys() - _names(model)
    if unknown:
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(unknown))}")
    made: Row = model.__mapper__.class_manager.new_instance()
    vars(made).update(columns)
    return made


@functools.cache
def _names(model: type[Base]) -> frozenset[str]:
    return frozenset(table(model).columns.keys())


def insert_new(session: Session, row: Base) -> None:
    """Insert a new object at once, without a flush of it, which costs five times as much. Its key is set."""
    insert_rows(session, type(row), [columns_of(row)])
    keep_new(session, row)


def columns_of(row: Base) -> dict[str, Any]:
    """What a new object was given, to be inserted as a row; then ``keep_new`` it."""
    columns = _names(type(row))
    return {key: value for key, value in vars(row).items() if key in columns}


def keep_new(session: Session, row: Base) -> None:
    """Let the session hold an object whose row was inserted."""
    held = vars(row)
    for key in _without_default(type(row)):
        held.setdefault(key, None)  # what has a default is read when it is asked for
    make_transient_to_detached(row)
    session.add(row)


@functools.cache
def _without_default(model: type[Base]) -> tuple[str, ...]:
    return tuple(key for key, column in table(model).columns.items() if column.default is None)


@functools.cache
def _into(model: type[Base]) -> Any:
    # Inline: a number that the database gives is not asked for, as nobody looks at it.
    return insert(cast(Table, model.__table__)).inline()


def changed(result: Any) -> int:
    """How many rows an UPDATE or DELETE met."""
    return cast(CursorResult[Any], result).rowcount


#: What functions that own their commits take when they only need the writing door.
Transaction = Callable[[], AbstractContextManager[Session]]


def is_lost(error: BaseException) -> bool:
    """Did the connection to the database break?"""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _worth_another_try(error: DBAPIError) -> bool:
    if is_lost(error):
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in _RETRY_STATES or state.startswith("08")
    return "database is locked" in str(error.orig) or "database is busy" in str(error.orig)


def _engine(url: str, *, writing: bool, pool_size: int) -> Engine:
    if url.startswith("sqlite"):
        return _sqlite_engine(url, writing=writing, pool_size=pool_size)
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 10,
        "pool_pre_ping": False,
        "pool_use_lifo": True,  # the one that was used last has its plans and pages at hand
        "hide_parameters": True,  # an error's text goes to logs; what people entered does not
    }
    if writing:
        return create_engine(url, **options)
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        connect_args={"options": "-c default_transaction_read_only=on"},
        **options,
    )


def _sqlite_engine(url: str, *, writing: bool, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": 30.0, "check_same_thread": False},
    )

    def prepare(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-32768")
        cursor.execute("PRAGMA temp_store=MEMORY")
        if not writing:
            cursor.execute("PRAGMA query_only=ON")
        cursor.execute(f"PRAGMA busy_timeout={0 if writing else 30_000}")
        cursor.close()

    event.listen(engine, "connect", prepare)
    if writing:
        queue = threading.Lock()

        def begin(connection: Any) -> None:
            with queue:
                begun = _begin_immediate(connection.connection.driver_connection)
            if not begun:
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # its error is the library's own

        event.listen(engine, "begin", begin)
    return engine


def _begin_immediate(connection: sqlite3.Connection) -> bool:
    """Wait for the one who writes; says whether the turn came.

    One thread of a process looks often, and the others queue behind it. SQLite's own waiting sleeps up
    to a tenth of a second at a time, and whoever came last may be first.
    """
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                return False
            time.sleep(_LOOK_EVERY)
        else:
            return True
    return False
