"""How fast the ledger is: ``./shop bench ledger [--small]``.

Posting: an order's bill of five taxed lines, with its outbox rows and its line in the audit log, a
transaction each. The floor of the same run: the very rows that it left, put by the bare driver into the
same schema with its triggers and keys, a transaction a bill too. Reading: balance and ageing of an
account that has all of 100,000 entries. Proving: ``verify`` over 1,000,000 journal lines and over a fifth
of them, each in a process of its own whose peak memory is told.
"""

import argparse
import contextlib
import functools
import json
import multiprocessing
import resource
import shutil
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Json, set_json_loads
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from app.tables import metadata
from bench import big_books, ground
from bench.big_books import Size
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.ledger import ageing, balances
from core.ledger.cuts import Cut
from flows.verify import verify
from invoices import issue
from tests import books, world
from tests.books import PRINTING, START, Books

#: What a bill leaves, in an order that keys and triggers allow, and how its rows are found in order.
LEFT = {
    "invoice": "issued_at, number",
    "invoice_line": "id",
    "invoice_line_tax": "invoice_line_id, position",
    "journal_line": "entry_id, line_number",
    "journal_entry": "posting_number",
    "open_item": "id",
    "job": "id",
    "audit_entry": "id",
}
LINES = 5
#: Bills that are posted before the floor has its turn.
TURN = 25
#: How often a reading is repeated; the middle one counts.
TIMES = 41


@dataclass(frozen=True)
class Sizes:
    """How many bills are posted, entries read among, and journal lines proved."""

    bills: int
    entries: int
    lines: int


BIG, SMALL = Sizes(1_000, 100_000, 1_000_000), Sizes(100, 10_000, 50_000)


# --- posting --------------------------------------------------------------------------------------


def posting(kind: str, sizes: Sizes, folder: Path) -> None:
    """Print bills a second, the floor, and how the one is to the other."""
    with ground.database(kind, folder) as url:
        db, clock = Database(url), ManualClock(START)
        metadata.create_all(db.engine)
        with db.transaction() as session:
            made = world.build(session, clock.now())
        shop = Books(db, clock, made, folder)
        with db.transaction() as session:
            payer = world.account(session, made, clock.now())
            goods = [(made.visit, 1)] * LINES
            orders = [
                books._order(session, shop, payer, goods, "on_terms").id for _ in range(sizes.bills)
            ]
        db.close()
        took, floor, rows = _in_turns(url, _twin(url, folder), orders)
    print(
        f"  posting {sizes.bills:,} bills of {LINES} taxed lines, {rows // sizes.bills} rows each"
    )
    print(
        f"    floor, the same rows   {sizes.bills / floor:>8,.0f} bills/s, {rows / floor:,.0f} rows/s"
    )
    print(
        f"    posted                 {sizes.bills / took:>8,.0f} bills/s, {floor / took:.2f} of it"
    )


def _in_turns(url: str, bare: str, orders: list[Any]) -> tuple[float, float, int]:
    """Seconds of posting, seconds of the floor, rows. By turns, some bills at a time: so other work
    on the machine meets both alike."""
    db = Database(url)
    took = floor = 0.0
    rows = 0
    for at in range(0, len(orders), TURN):
        some = orders[at : at + TURN]
        before = _counts(url)
        start = time.perf_counter()
        for key in some:
            db.run_tx(functools.partial(_issue, key))
        took += time.perf_counter() - start
        left = _left(url, before)
        rows += sum(len(found) for found in left.values())
        floor += _insert(bare, left, len(some))
    db.close()
    return took, floor, rows


def _issue(key: uuid.UUID, session: Session) -> None:
    issue.for_order(session, key, PRINTING, START)


def _twin(url: str, folder: Path) -> str:
    """The same database once more."""
    if url.startswith("sqlite"):
        shutil.copyfile(url.removeprefix("sqlite:///"), folder / "twin.db")
        return f"sqlite:///{folder / 'twin.db'}"
    named = make_url(url)
    aside = named.set(database="template1").render_as_string(hide_password=False)
    with psycopg.connect(aside.replace("+psycopg", ""), autocommit=True) as raw:
        raw.execute(f'CREATE DATABASE twin TEMPLATE "{named.database}"')
    return named.set(database="twin").render_as_string(hide_password=False)


def _counts(url: str) -> dict[str, int]:
    with _connect(url) as raw:
        return {table: _all(raw, f"SELECT count(*) FROM {table}")[0][0] for table in LEFT}


def _left(url: str, before: dict[str, int]) -> dict[str, list[tuple[Any, ...]]]:
    with _connect(url) as raw:
        return {
            table: _all(
                raw, f"SELECT * FROM {table} ORDER BY {order} LIMIT -1 OFFSET {before[table]}"
            )
            if url.startswith("sqlite")
            else _all(raw, f"SELECT * FROM {table} ORDER BY {order} OFFSET {before[table]}")
            for table, order in LEFT.items()
        }


def _insert(url: str, left: dict[str, list[tuple[Any, ...]]], bills: int) -> float:
    """Seconds that the bare driver takes, with a transaction for each bill."""
    sqlite = url.startswith("sqlite")
    queries = {
        table: f"INSERT INTO {table} VALUES ({', '.join(['?' if sqlite else '%s'] * len(rows[0]))})"
        for table, rows in left.items()
    }
    sizes = {table: len(rows) // bills for table, rows in left.items()}
    with _connect(url) as raw:
        cursor = raw.cursor()
        start = time.perf_counter()
        for bill in range(bills):
            cursor.execute("BEGIN")
            for table, size in sizes.items():
                cursor.executemany(queries[table], left[table][bill * size : (bill + 1) * size])
            cursor.execute("COMMIT")
        return time.perf_counter() - start


@contextlib.contextmanager
def _connect(url: str) -> Iterator[Any]:
    raw: Any
    if url.startswith("sqlite"):
        raw = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")
    else:
        raw = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, prepare_threshold=1)
        set_json_loads(lambda text: Json(json.loads(text)), raw)
    try:
        yield raw
    finally:
        raw.close()


def _all(raw: Any, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in raw.cursor().execute(query).fetchall()]


# --- reading --------------------------------------------------------------------------------------


def reading(kind: str, sizes: Sizes, folder: Path) -> None:
    """Print what one account's balance and ageing take, beside one row by its key."""
    with ground.database(kind, folder) as url:
        made = big_books.make(url, folder, sizes.entries * 5 // 2)
        db = Database(url)
        cut, today = Cut(made.legal_entity_id, as_of=START.date()), START.date()
        key = made.account_id
        with db.snapshot() as session:
            found = balances.of_account(session, key, cut)
            assert len(found) == 1, found
            floor = _middle(lambda: session.connection().exec_driver_sql("SELECT 1").scalar())
            balance = _middle(lambda: balances.of_account(session, key, cut))
            ages = _middle(lambda: ageing.of_account(session, key, cut, today))
        db.close()
    print(f"  reading one account that has {made.entries:,} entries")
    for name, took in (("floor, SELECT 1", floor), ("balance", balance), ("ageing", ages)):
        print(f"    {name:<22} {took * 1000:>8.2f} ms, {took / floor:.1f} of the floor")


def _middle(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


# --- proving --------------------------------------------------------------------------------------


def proving(kind: str, sizes: Sizes, folder: Path) -> None:
    """Print what ``verify`` takes, and that its memory does not grow with the books."""
    for lines in (sizes.lines // 5, sizes.lines):
        with (
            tempfile.TemporaryDirectory(dir=folder) as name,
            ground.database(kind, Path(name)) as url,
        ):
            made: Size = _alone(big_books.make, url, Path(name), lines, big_books.WRITTEN)
            floor, took, peak = _alone(_prove, url)
        print(
            f"  verify over {made.lines:>9,} lines: {took:6.1f} s, {took / floor:.1f} of summing the lines, "
            f"{made.lines / took:,.0f} lines/s, peak {peak:,.0f} MiB"
        )


def _prove(url: str) -> tuple[float, float, float]:
    """Seconds of summing all lines once and of proving, and the peak of memory in MiB."""
    db = Database(url)
    with db.snapshot() as session:
        start = time.perf_counter()
        summed = "SELECT ledger_code, sum(amount_minor) FROM journal_line GROUP BY ledger_code"
        session.connection().exec_driver_sql(summed).fetchall()
        floor = time.perf_counter() - start
    start = time.perf_counter()
    findings = list(verify(db, ManualClock(START)))
    took = time.perf_counter() - start
    wrong = [finding.offenders for finding in findings if not finding.holds]
    assert wrong == [], wrong
    db.close()
    return floor, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(work: Callable[..., Any], *arguments: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--small", action="store_true", help="only to try it")
    sizes = SMALL if arguments.parse_args().small else BIG
    for kind in ("sqlite", "postgresql"):
        print(f"{kind}:", flush=True)
        for part in (posting, reading, proving):
            with tempfile.TemporaryDirectory() as name:
                part(kind, sizes, Path(name))


if __name__ == "__main__":
    main()
