"""Flows are tested on both databases."""

from tests.databases import (
    bare_url,
    clock,
    db,
    postgres_db,
    postgres_server,
    sqlite_db,
    sqlite_file,
    world,
)

__all__ = [
    "bare_url",
    "clock",
    "db",
    "postgres_db",
    "postgres_server",
    "sqlite_db",
    "sqlite_file",
    "world",
]
