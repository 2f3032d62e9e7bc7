"""SQLite's half: rows out and in, fences off and on, tables away."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from app.backups import rows

_AT_A_TIME = 2_000


def lines(
    connection: Connection, table: str, columns: Sequence[tuple[str, str]]
) -> Iterator[bytes]:
    """The rows of a table, some at a time."""
    names = ", ".join(f'"{name}"' for name, _ in columns)
    cursor = _cursor(connection).execute(f'SELECT {names} FROM "{table}"')
    kinds = [kind for _, kind in columns]
    while found := cursor.fetchmany(_AT_A_TIME):
        yield rows.write(kinds, found)


def put(
    connection: Connection, table: str, columns: Sequence[tuple[str, str]], data: bytes
) -> None:
    """Insert lines."""
    names = ", ".join(f'"{name}"' for name, _ in columns)
    marks = ", ".join("?" * len(columns))
    _cursor(connection).executemany(
        f'INSERT INTO "{table}" ({names}) VALUES ({marks})',
        rows.read([kind for _, kind in columns], data),
    )


def next_number(connection: Connection, table: str) -> int | None:
    """SQLite gives one more than the highest; there is nothing to keep."""
    return None


def give_from(connection: Connection, table: str, number: int | None) -> None:
    """Nothing to do, see ``next_number``."""


@contextmanager
def unfenced(connection: Connection) -> Iterator[None]:
    """Without triggers; foreign keys are off on a migration's connection, and looked at before the commit."""
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def drop(connection: Connection, tables: Sequence[str]) -> None:
    """Take the tables away, with what hangs on them."""
    for table in tables:
        connection.exec_driver_sql(f'DROP TABLE "{table}"')


def settle(connection: Connection) -> None:
    """Nothing to do: our SQLite plans without figures, so that a plan never turns with them."""


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()
