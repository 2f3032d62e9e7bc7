"""The processor's own books: one SQLite file with objects, keys, events to deliver and the clock.

Objects are kept as they are told on the wire. Fields that begin with ``_`` are the processor's own
and are never told. Everything a request does is one transaction, its idempotency key included.
"""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from payments.sandbox.errors import ApiError, missing_object

Body = dict[str, Any]

_SCHEMA = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists objects (
    seq integer primary key autoincrement, id text not null unique, kind text not null,
    created integer not null, ref text, body text not null);
create index if not exists objects_by_kind on objects (kind, seq);
create index if not exists objects_by_ref on objects (kind, ref);
create table if not exists keys (
    key text primary key, request text not null, status integer not null, body text not null,
    created integer not null);
create table if not exists due (
    id integer primary key autoincrement, at integer not null, what text not null,
    object text not null, unique (what, object));
create index if not exists due_by_time on due (at);
create table if not exists deliveries (
    id integer primary key autoincrement, event text not null, state text not null,
    attempts integer not null default 0, next_at real not null, answer text);
create index if not exists deliveries_by_state on deliveries (state, next_at);
"""

PREFIXES = {
    "checkout.session": "cs_test_",
    "payment_intent": "pi_",
    "charge": "ch_",
    "refund": "re_",
    "dispute": "dp_",
    "file": "file_",
    "balance_transaction": "txn_",
    "customer": "cus_",
    "setup_intent": "seti_",
    "payment_method": "pm_",
    "event": "evt_",
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def new_id(kind: str) -> str:
    size = 58 if kind == "checkout.session" else 24
    return PREFIXES[kind] + random_text(size)


def random_text(size: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(size))


class Tx:
    """One transaction: what a request may read and write, the time, and who asked."""

    def __init__(self, connection: sqlite3.Connection, now: int, request: str | None) -> None:
        self.connection = connection
        self.now = now
        self.request_id = request
        self.key: str | None = None

    def add(self, body: Body, ref: str | None = None) -> Body:
        """Store a new object; ``ref`` is another object's id by which it is found."""
        self.connection.execute(
            "insert into objects (id, kind, created, ref, body) values (?, ?, ?, ?, ?)",
            (body["id"], body["object"], body["created"], ref, json.dumps(body)),
        )
        return body

    def save(self, body: Body, ref: str | None = None) -> Body:
        self.connection.execute(
            "update objects set body = ?, ref = coalesce(?, ref) where id = ?",
            (json.dumps(body), ref, body["id"]),
        )
        return body

    def find(self, kind: str, object_id: str) -> Body | None:
        row = self.connection.execute(
            "select body from objects where id = ? and kind = ?", (object_id, kind)
        ).fetchone()
        return json.loads(row[0]) if row else None

    def get(self, kind: str, object_id: str) -> Body:
        body = self.find(kind, object_id)
        if body is None:
            raise missing_object(kind, object_id)
        return body

    def by_ref(self, kind: str, ref: str) -> list[Body]:
        rows = self.connection.execute(
            "select body from objects where kind = ? and ref = ? order by seq", (kind, ref)
        )
        return [json.loads(row[0]) for row in rows]

    def listing(self, kind: str, query: Body, ref: str | None = None) -> tuple[list[Body], bool]:
        """One page, newest first, and whether there is more in the direction asked for."""
        limit = query.get("limit", 10)
        where = ["kind = ?"]
        values: list[str | int] = [kind]
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        for name, bound in query.get("created", {}).items():
            where.append(f"created {signs[name]} ?")
            values.append(bound)
        if ref is not None:
            where.append("ref = ?")
            values.append(ref)
        backwards = "ending_before" in query
        for name, sign in (("starting_after", "<"), ("ending_before", ">")):
            if name in query:
                where.append(f"seq {sign} ?")
                values.append(self._position(kind, query[name], name))
        order = "asc" if backwards else "desc"
        rows = self.connection.execute(
            f"select body from objects where {' and '.join(where)} order by seq {order} limit ?",  # noqa: S608  # only constants above
            (*values, limit + 1),
        ).fetchall()
        found = [json.loads(row[0]) for row in rows[:limit]]
        if backwards:
            found.reverse()
        return found, len(rows) > limit

    def _position(self, kind: str, object_id: str, param: str) -> int:
        row = self.connection.execute(
            "select seq from objects where id = ? and kind = ?", (object_id, kind)
        ).fetchone()
        if row is None:
            raise ApiError(f"No such {kind}: '{object_id}'", code="resource_missing", param=param)
        return int(row[0])

    def later(self, at: int, what: str, object_id: str) -> None:
        """Remember to do ``what`` to an object once the clock has reached ``at``."""
        self.connection.execute(
            "insert or replace into due (at, what, object) values (?, ?, ?)", (at, what, object_id)
        )


class Store:
    """The file, one connection behind a lock, and the clock that tests can move."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            folder / "processor.sqlite3", isolation_level=None, check_same_thread=False
        )
        self._connection.executescript("pragma journal_mode=wal; pragma synchronous=normal;")
        self._connection.executescript(_SCHEMA)
        row = self._connection.execute("select value from meta where name = 'clock'").fetchone()
        self._offset = float(row[0]) if row else 0.0

    def now(self) -> float:
        return time.time() + self._offset

    def move_clock(self, *, advance: float = 0.0, now: float | None = None) -> float:
        """Move the clock by seconds, or set it; it goes on ticking. Kept over a restart."""
        with self._lock:
            self._offset = now - time.time() if now is not None else self._offset + advance
            self._connection.execute(
                "insert or replace into meta values ('clock', ?)", (str(self._offset),)
            )
        return self.now()

    def forget(self) -> None:
        """Lose every object, key and event; the clock goes on."""
        with self.transaction() as tx:
            for table in ("objects", "keys", "due", "deliveries"):
                tx.connection.execute(f"delete from {table}")  # noqa: S608  # constants

    @contextmanager
    def transaction(self, request: str | None = None) -> Iterator[Tx]:
        """All or nothing; one at a time."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield Tx(self._connection, int(self.now()), request)
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
