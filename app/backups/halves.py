"""What the half of each database answers; the modules ``sqlite`` and ``postgresql`` are it."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection

from app.backups import postgresql, sqlite


class Half(Protocol):
    """What differs from one database to the other."""

    def lines(
        self, connection: Connection, table: str, columns: Sequence[tuple[str, str]]
    ) -> Iterator[bytes]: ...

    def put(
        self, connection: Connection, table: str, columns: Sequence[tuple[str, str]], data: bytes
    ) -> None: ...

    def next_number(self, connection: Connection, table: str) -> int | None: ...

    def give_from(self, connection: Connection, table: str, number: int | None) -> None: ...

    def unfenced(self, connection: Connection) -> AbstractContextManager[None]: ...

    def drop(self, connection: Connection, tables: Sequence[str]) -> None: ...

    def settle(self, connection: Connection) -> None: ...


def half(connection: Connection) -> Half:
    """The half that knows the database of a connection."""
    return sqlite if connection.dialect.name == "sqlite" else postgresql
