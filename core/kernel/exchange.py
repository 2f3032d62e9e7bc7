"""Several statements in one exchange with PostgreSQL: sent one behind the other, answered together."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


@contextmanager
def answered_once(connection: Connection) -> Iterator[None]:
    """Send what the block executes without waiting in between; only for what has no result.

    What the database refuses is known at the end of the block at the latest, and raised as it would be
    otherwise: the driver's own error is put into SQLAlchemy's, so that ``run_tx`` and callers know it.
    SQLite has nobody to wait for.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    raw: Any = connection.connection.driver_connection
    refused = connection.dialect.loaded_dbapi.Error
    try:
        with raw.pipeline():
            yield
    except refused as error:
        lost = bool(raw.closed)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            *("several statements", None, error, refused),
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=connection.dialect,
        ) from error
