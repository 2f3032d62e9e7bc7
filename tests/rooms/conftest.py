"""Rooms are tested on both databases; the faces share one sandbox processor, whose books they keep."""

from tests.databases import (
    clock,
    db,
    new_url,
    postgres_db,
    postgres_server,
    sqlite_db,
    sqlite_file,
    world,
)
from tests.paying import processor

__all__ = [
    "clock",
    "db",
    "new_url",
    "postgres_db",
    "postgres_server",
    "processor",
    "sqlite_db",
    "sqlite_file",
    "world",
]
