"""A worker's own PostgreSQL database: emptied between tests, and filled with the small shop in a moment.

``tests.databases`` makes fixtures of it. Emptying is one call of a function that lives in a session kept
for it, so that nothing is connected or planned anew: the function looks whether the schema is as it was
and then deletes what tests left. A database whose schema was changed is thrown away and made anew.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql

from core.kernel.db import Database
from tests import postgres
from tests.world import NOW, World, build

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
_FURNISH = """
CREATE FUNCTION pg_temp.furnish() RETURNS void LANGUAGE plpgsql AS $furnish$
BEGIN
    {inserts};
END
$furnish$
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


class Basin:
    """A worker's own PostgreSQL database."""

    def __init__(self, server: postgres.Server) -> None:
        self.server = server
        self.numbers = itertools.count()
        self._world: World | None = None
        self._inserts = ""
        self._make()

    def _make(self) -> None:
        self.name = (
            f"shop_{os.getpid()}_{next(self.numbers)}"  # the one before ends with the server
        )
        self.url = self.server.url(self.name)
        create_database(self.server, self.name)
        self.washes = 0
        self.furnishes = False
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

    def furnish(self) -> World:
        """Put the small shop into the empty database: the same rows each time."""
        if self._world is None:
            database = Database(self.url)
            with database.transaction() as session:
                self._world = build(session, NOW)
            database.close()
            drawn = self._ask("SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL")
            assert not drawn, f"the small shop draws numbers from {drawn}"
            self._inserts = ";\n    ".join(filter(None, map(self._insert, self._tables())))
            return self._world
        if not self.furnishes:
            self._do(_FURNISH.format(inserts=self._inserts))
            self.furnishes = True
        self._do("SELECT pg_temp.furnish()")
        return self._world

    def _insert(self, table: str) -> str:
        """The statement that puts a table's rows back; empty when there are none."""
        if not self._ask(f"SELECT FROM {table} LIMIT 1"):
            return ""
        columns = self._ask(
            "SELECT quote_ident(attname) FROM pg_attribute "
            f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        )
        names = ", ".join(name for (name,) in columns)
        texts = ", ".join(f"quote_nullable({name}::text)" for (name,) in columns)
        rows = self._ask(f"SELECT {texts} FROM {table}")
        return f"INSERT INTO {table} ({names}) VALUES " + ", ".join(
            f"({', '.join(row)})" for row in rows
        )

    def close(self) -> None:
        """Let go of the session that empties."""
        self.hands.close()
