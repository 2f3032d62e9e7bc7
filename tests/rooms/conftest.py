"""Rooms are tested on both databases; the faces share one sandbox processor, whose books they keep."""

from tests.databases import (
    clock,
    copied,
    db,
    new_url,
    postgres_db,
    postgres_server,
    sqlite_db,
    sqlite_file,
    world,
)
from tests.papers import papers
from tests.paying import processor

__all__ = [
    "clock",
    "copied",
    "db",
    "new_url",
    "papers",
    "postgres_db",
    "postgres_server",
    "processor",
    "sqlite_db",
    "sqlite_file",
    "world",
]
