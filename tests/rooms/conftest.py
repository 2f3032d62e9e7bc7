"""Rooms are tested on both databases."""

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

__all__ = [
    "clock",
    "db",
    "new_url",
    "postgres_db",
    "postgres_server",
    "sqlite_db",
    "sqlite_file",
    "world",
]
