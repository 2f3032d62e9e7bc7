"""Rows sent to PostgreSQL without waiting for its word on each: one exchange for many of them.

Within ``opened`` an insert by ``core.kernel.db`` goes out and the work goes on (the driver's pipeline mode);
whatever has an answer (a question, a number taken, an update) waits for it, and so for all that was sent
before it. SQLite has nobody to wait for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_KEPT_AS = "exchange"
#: The driver's word for a connection that is in no pipeline.
_OFF = 0


@dataclass
class _Exchange:
    """What the connection's ``info`` keeps while one is open."""

    pipeline: Any
    waits: bool = True

    def after_cursor_execute(self, *_: Any) -> None:
        """SQLAlchemy looks at columns and counts next; the driver has none before it is made to wait."""
        if self.waits:
            self.pipeline.sync()


@contextmanager
def opened(session: Session) -> Iterator[None]:
    """Inserts of the block are answered together, at its end or before the next thing that has an answer.

    What the database refuses is raised there, as the error that it would be otherwise. Within another
    such block it does nothing.
    """
    connection = session.connection()
    info = connection.info
    if connection.dialect.name != "postgresql" or _KEPT_AS in info:
        yield
        return
    raw: Any = connection.connection.driver_connection
    refused = connection.dialect.loaded_dbapi.Error
    try:
        with raw.pipeline() as pipeline, _listening(connection, _Exchange(pipeline)):
            yield
    except refused as error:
        lost = raw.closed or raw.pgconn.pipeline_status != _OFF
        if lost:
            # A connection that broke on the way may not even leave its pipeline any more.
            connection.invalidate(error)
        raise DBAPIError.instance(
            *("inserts", None, error, refused),
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=connection.dialect,
        ) from error


@contextmanager
def _listening(connection: Connection, exchange: _Exchange) -> Iterator[None]:
    listener = (connection, "after_cursor_execute", exchange.after_cursor_execute)
    info = connection.info
    info[_KEPT_AS] = exchange
    event.listen(*listener)
    try:
        yield
    finally:
        event.remove(*listener)
        del info[_KEPT_AS]


@contextmanager
def unanswered(connection: Connection) -> Iterator[None]:
    """In an exchange, send what the block executes and go on: it has no answer that anybody looks at."""
    exchange: _Exchange | None = connection.info.get(_KEPT_AS)
    if exchange is None:
        yield
        return
    exchange.waits = False
    try:
        yield
    finally:
        exchange.waits = True
