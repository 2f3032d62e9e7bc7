"""PostgreSQL's half: COPY out and in, fences off and on, tables away. Owning the tables is enough."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

#: A piece of rows in memory.
_PIECE = 4_000_000


def lines(
    connection: Connection, table: str, columns: Sequence[tuple[str, str]]
) -> Iterator[bytes]:
    """The rows of a table, some at a time."""
    cursor = _cursor(connection)
    for name, value in (("TimeZone", "UTC"), ("DateStyle", "ISO"), ("bytea_output", "hex")):
        cursor.execute(f"SET LOCAL {name} = '{value}'")
    kept = bytearray()
    with cursor.copy(f'COPY (SELECT {_names(columns)} FROM "{table}") TO STDOUT') as copy:
        for data in copy:
            kept += data
            if len(kept) >= _PIECE:
                yield bytes(kept)
                kept.clear()
    if kept:
        yield bytes(kept)


def put(
    connection: Connection, table: str, columns: Sequence[tuple[str, str]], data: bytes
) -> None:
    """Insert lines."""
    with _cursor(connection).copy(f'COPY "{table}" ({_names(columns)}) FROM STDIN') as copy:
        copy.write(data)


def next_number(connection: Connection, table: str) -> int | None:
    """The number that the table's sequence gives next; None when it has none."""
    sequence = _sequence(connection, table)
    if sequence is None:
        return None
    found = connection.exec_driver_sql(
        f"SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM {sequence}"
    )
    return int(found.scalar_one())


def give_from(connection: Connection, table: str, number: int | None) -> None:
    """Have the sequence go on behind what is there, and behind what was given before."""
    sequence = _sequence(connection, table)
    if sequence is not None:
        connection.execute(
            text(
                "SELECT setval(:sequence, greatest("
                f'(SELECT max("id") + 1 FROM "{table}"), :number, 1), false)'
            ),
            {"sequence": sequence, "number": number or 1},
        )


def _sequence(connection: Connection, table: str) -> str | None:
    found = connection.execute(
        text(
            "SELECT pg_get_serial_sequence(quote_ident(:table), 'id') WHERE EXISTS (SELECT 1"
            " FROM pg_attribute WHERE attrelid = to_regclass(quote_ident(:table))"
            " AND attname = 'id' AND NOT attisdropped)"
        ),
        {"table": table},
    ).scalar()
    return None if found is None else str(found)


@contextmanager
def unfenced(connection: Connection) -> Iterator[None]:
    """Without triggers and foreign keys. The keys are made anew behind, which looks at every row."""
    keys = connection.execute(
        text(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
            " ORDER BY oid"
        )
    ).all()
    tables = (
        connection.execute(
            text(
                "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
                " WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace"
            )
        )
        .scalars()
        .all()
    )
    for table, name, _ in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for table, name, definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def drop(connection: Connection, tables: Sequence[str]) -> None:
    """Take the tables away, and the functions that their triggers called."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '15s'")
    functions = (
        connection.execute(
            text(
                "SELECT DISTINCT tgfoid::regprocedure::text FROM pg_trigger"
                " JOIN pg_class c ON c.oid = tgrelid JOIN pg_proc p ON p.oid = tgfoid"
                " WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace"
                " AND p.pronamespace = current_schema()::regnamespace"
            )
        )
        .scalars()
        .all()
    )
    named = ", ".join(f'"{table}"' for table in tables)
    if named:
        connection.exec_driver_sql(f"DROP TABLE {named} CASCADE")
    for function in functions:
        connection.exec_driver_sql(f"DROP FUNCTION {function}")


def settle(connection: Connection) -> None:
    """Let the planner know what came."""
    connection.exec_driver_sql("ANALYZE")


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f'"{name}"' for name, _ in columns)


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()
