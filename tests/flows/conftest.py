"""Flows are tested on both databases, and pay at one sandbox processor."""

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
from tests.papers import papers
from tests.paying import house, processor, sandbox

__all__ = [
    "clock",
    "db",
    "house",
    "new_url",
    "papers",
    "postgres_db",
    "postgres_server",
    "processor",
    "sandbox",
    "sqlite_db",
    "sqlite_file",
    "world",
]
