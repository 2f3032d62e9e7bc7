"""A worker's own PostgreSQL database: emptied between tests, and filled in a moment with what was built once.

``tests.databases`` makes fixtures of it. Emptying and filling are calls of functions that live in a session
kept for it, so that nothing is connected or planned anew. The one that empties looks whether the schema is
as it was and then deletes what tests left; a database whose schema was changed is thrown away and made anew.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from core.kernel.db import Database
from tests import postgres

Made = TypeVar("Made")

#: Rows that tests deleted stay on the pages, so that a database is made anew now and then.
WASHES = 200
#: What a change of the schema changes.
_FINGERPRINT = """
SELECT concat_ws(' ',
    (SELECT md5(string_agg(oid || '-' || tgenabled::text, ',' ORDER BY oid)) FROM pg_trigger),
    (SELECT count(*) || '/' || sum(oid::bigint) FROM pg_class),
    (SELECT count(*) || '/' || sum(oid::bigint) FROM pg_constraint),
    (SELECT count(*) || '/' || sum(attrelid::bigint) FROM pg_attribute WHERE NOT attisdropped),
    (SELECT md5(string_agg(oid || '-' || xmin::text, ',' ORDER BY oid)) FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace))
"""
_WASH = """
CREATE FUNCTION pg_temp.wash(known text) RETURNS boolean LANGUAGE plpgsql AS $wash$
BEGIN
    IF ({fingerprint}) <> known THEN
        RETURN false;
    END IF;
    {deletes};
    PERFORM setval(format('%I', sequencename)::regclass, start_value, false)
       FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
    RETURN true;
END
$wash$
"""
_FILL = """
CREATE FUNCTION pg_temp.fill_{name}() RETURNS void LANGUAGE plpgsql AS $fill$
BEGIN
    {statements};
END
$fill$
"""
#: As a replica no trigger runs: neither the foreign keys nor the append-only fences.
_HANDS = "-c session_replication_role=replica -c lock_timeout=2s"


@contextmanager
def admin(server: postgres.Server, database: str = "postgres") -> Iterator[psycopg.Connection]:
    """An autocommit connection outside of everything that is tested."""
    with psycopg.connect(
        host=str(server.home), user="postgres", dbname=database, autocommit=True
    ) as connection:
        yield connection


def create_database(server: postgres.Server, name: str, template: str = "template_shop") -> None:
    """Make a database from a template."""
    with admin(server) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def drop_database(server: postgres.Server, name: str) -> None:
    """Remove a database, whoever is still connected to it. Slow: the whole server takes a breath."""
    with admin(server) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


@dataclass
class _Content:
    """What was built once: the builder's answer, and the statements that put the rows back."""

    made: Any
    statements: list[str] = field(repr=False)


class Basin:
    """A worker's own PostgreSQL database."""

    def __init__(self, server: postgres.Server) -> None:
        self.server = server
        self.numbers = itertools.count()
        self.contents: dict[str, _Content] = {}
        self._make()

    def _make(self) -> None:
        self.name = (
            f"shop_{os.getpid()}_{next(self.numbers)}"  # the one before ends with the server
        )
        self.url = self.server.url(self.name)
        create_database(self.server, self.name)
        self.washes = 0
        self.known: set[str] = set()
        self.hands = psycopg.connect(
            host=str(self.server.home),
            user="postgres",
            dbname=self.name,
            autocommit=True,
            options=_HANDS,
        )
        deletes = ";\n    ".join(f"DELETE FROM {name}" for name in self._tables())
        self._do(_WASH.format(fingerprint=_FINGERPRINT, deletes=deletes))
        self.fingerprint = self._ask(_FINGERPRINT)[0][0]

    def _do(self, statement: str) -> None:
        self.hands.execute(statement.encode())

    def _ask(self, statement: str) -> list[tuple[str, ...]]:
        return self.hands.execute(statement.encode()).fetchall()

    def _tables(self) -> list[str]:
        found = self._ask(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
        return [name for (name,) in found]

    def empty(self) -> None:
        """Leave the database as the template is."""
        self.washes += 1
        with suppress(psycopg.Error):
            if self.washes < WASHES:
                asked = self.hands.execute("SELECT pg_temp.wash(%s)", [self.fingerprint])
                if asked.fetchone() == (True,):
                    return
        self.close()
        self._make()

    def fill(self, name: str, make: Callable[[Database], Made]) -> Made:
        """Put into the empty database what ``make`` builds: the very same rows each time."""
        if name not in self.contents:
            database = Database(self.url)
            made = make(database)
            database.close()
            self.contents[name] = _Content(made, self._statements())
            return made
        content = self.contents[name]
        if name not in self.known:
            self._do(_FILL.format(name=name, statements=";\n    ".join(content.statements)))
            self.known.add(name)
        self._do(f"SELECT pg_temp.fill_{name}()")
        found: Made = content.made
        return found

    def _statements(self) -> list[str]:
        """What puts back the rows that there are, and how far the numbers were drawn."""
        inserts = filter(None, map(self._insert, self._tables()))
        drawn = self._ask(
            "SELECT format('PERFORM setval(%L, %s)', format('%I', sequencename), last_value) "
            "FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
        return [*inserts, *(statement for (statement,) in drawn)]

    def _insert(self, table: str) -> str:
        """The statement that puts a table's rows back; empty when there are none."""
        columns = self._ask(
            "SELECT quote_ident(attname) FROM pg_attribute "
            f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        names = ", ".join(name for (name,) in columns)
        texts = ", ".join(f"quote_nullable({name}::text)" for (name,) in columns)
        rows = ", ".join(f"({', '.join(row)})" for row in self._ask(f"SELECT {texts} FROM {table}"))
        return f"INSERT INTO {table} ({names}) VALUES {rows}" if rows else ""

    def close(self) -> None:
        """Let go of the session that empties and fills."""
        self.hands.close()
