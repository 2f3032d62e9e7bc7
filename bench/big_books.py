"""Books as large as one likes: a few paid bills, written as the shop writes them, and copies of their rows.

Copies keep every promise that ``./shop verify`` asks for: their own keys, their own numbers without a gap,
entries that balance. Only the frozen words of a document are left out; nobody reads them here.
"""

import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from app.tables import metadata
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.ledger import business, items
from core.ledger.models import OpenItem
from invoices import issue
from payments import money
from tests import books, world
from tests.books import PRINTING, START, Books

#: What a bill and its payment are made of.
TABLES = (
    "payment_operation",
    "payment",
    "invoice",
    "invoice_line",
    "invoice_line_tax",
    "journal_entry",
    "journal_line",
    "open_item",
    "application",
)
#: Paid bills that are written and copied; one more stays open and alone.
WRITTEN = 20
#: How many numbers of each series one copy takes, and where the copies begin.
_TAKEN = {"invoice": (WRITTEN, 1), "payment": (WRITTEN, 0), "posting": (2 * WRITTEN, 1)}
#: Columns with a number of a series.
_NUMBERED = {
    ("invoice", "number"): "invoice",
    ("invoice", "series_position"): "invoice",
    ("open_item", "number"): "invoice",
    ("payment", "number"): "payment",
    ("journal_entry", "posting_number"): "posting",
}
#: Columns whose text is unique.
_NAMES = {"op_key", "gateway_id", "made_of"}
_NUMBER = re.compile(r"(.*?)([0-9]+)")

Change = Callable[[Any, int], Any]


@dataclass(frozen=True)
class Size:
    """What was made, and one of the accounts whose bills these are."""

    entries: int
    lines: int
    account_id: uuid.UUID
    legal_entity_id: uuid.UUID


def make(url: str, folder: Path, lines: int, accounts: int = 1) -> Size:
    """Fill an empty database with at least so many journal lines, of so many accounts."""
    db, clock = Database(url), ManualClock(START)
    metadata.create_all(db.engine)
    with db.transaction() as session:
        made = world.build(session, clock.now())
    shop = Books(db, clock, made, folder)
    with db.transaction() as session:
        payers = [world.account(session, made, clock.now()) for _ in range(accounts)]
        for number in range(WRITTEN + 1):
            payer = payers[number % accounts]
            goods = [(made.visit, 1), (made.plan, 1)]
            order = books._order(session, shop, payer, goods, "on_terms")
            invoice = issue.for_order(session, order.id, PRINTING, clock.now())
            if number < WRITTEN:
                [owed] = items.find(session, OpenItem.source_id == invoice.id)
                payment = books._capture(session, shop, payer.id, owed.open.minor, None)
                receipt = money.receipt_of(payment, owed.effective_date)
                business.receive_for_items(session, receipt, [(owed, owed.open)], clock.now())
        key = payers[WRITTEN % accounts].id
    db.close()
    raw: Any
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as raw:
            _loosen_sqlite(raw)
            entries, many = _copy(raw, lines, _into_sqlite)
        raw.close()
    else:
        with psycopg.connect(url.replace("+psycopg", "")) as raw:
            raw.execute("SET session_replication_role = replica")
            entries, many = _copy(raw, lines, _into_postgresql)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as raw:
            raw.execute("VACUUM ANALYZE")
    return Size(entries, many, key, made.legal_entity_id)


def _loosen_sqlite(raw: sqlite3.Connection) -> None:
    """Copies are true already: neither triggers nor keys have to look at each of them."""
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("PRAGMA synchronous = OFF")
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")


Write = Callable[[Any, str, list[str], Iterator[list[Any]]], None]


def _copy(raw: Any, lines: int, write: Write) -> tuple[int, int]:
    """Copy what was written until there are so many lines; answers entries and lines."""
    found = {table: _rows(raw, f"SELECT * FROM {table}") for table in TABLES}
    open_now = "SELECT source_id FROM open_item WHERE id IN (SELECT item_id FROM open_now)"
    alone = {row[0] for row in _rows(raw, open_now)[1]}
    for table, column in (("journal_entry", "source_id"), ("invoice_line", "invoice_id")):
        columns, rows = found[table]
        alone |= {row[0] for row in rows if row[columns.index(column)] in alone}
    kept = {
        table: [row for row in rows if not alone.intersection(_keys(row))]
        for table, (_, rows) in found.items()
    }
    own = {row[0] for rows in kept.values() for row in rows}
    times = -(-(lines - len(found["journal_line"][1])) // len(kept["journal_line"]))
    for table in TABLES:
        columns = found[table][0]
        write(raw, table, columns, _copies(table, columns, kept[table], own, times))
    cursor = raw.cursor()
    for series, (many, _) in _TAKEN.items():
        more = f"next_number = next_number + {times * many} WHERE series = '{series}'"
        cursor.execute(f"UPDATE number_series SET {more}")  # ours
    counts = [
        _rows(raw, f"SELECT count(*) FROM {table}")[1][0][0]
        for table in ("journal_entry", "journal_line")
    ]
    return counts[0], counts[1]


def _copies(
    table: str, columns: list[str], rows: list[list[Any]], own: set[Any], times: int
) -> Iterator[list[Any]]:
    changes = [_change(table, column, own) for column in columns]
    for time in range(1, times + 1):
        for row in rows:
            yield [
                value if change is None else change(value, time)
                for value, change in zip(row, changes, strict=True)
            ]


def _rows(raw: Any, query: str) -> tuple[list[str], list[list[Any]]]:
    cursor = raw.cursor()
    cursor.execute(query)
    return [each[0] for each in cursor.description], [list(row) for row in cursor.fetchall()]


def _keys(row: list[Any]) -> list[Any]:
    return [value for value in row if isinstance(value, (str, uuid.UUID))]


def _change(table: str, column: str, own: set[Any]) -> Change | None:
    """How a column's value becomes that of the copy; None when it stays."""
    if (table, column) in _NUMBERED:
        return _number_of(*_TAKEN[_NUMBERED[table, column]])
    if column == "public_id":
        return lambda value, time: f"{time:08x}{value[8:]}"
    if column in _NAMES:
        return lambda value, time: None if value is None else f"{value}-{time}"
    if column in ("document", "request"):
        return lambda value, time: "{}"
    if column in ("order_id", "order_line_id"):
        return lambda value, time: None
    if column == "id" or column.endswith("_id"):
        return lambda value, time: _key_of(value, time) if value in own else value
    return None


def _key_of(value: Any, time: int) -> Any:
    text = value if isinstance(value, str) else value.hex
    text = f"{time:08x}{text[8:]}"
    return text if isinstance(value, str) else uuid.UUID(text)


def _number_of(many: int, alone: int) -> Change:
    def change(value: Any, time: int) -> Any:
        more = alone + (time - 1) * many + many
        if isinstance(value, int):
            return value + more
        found = _NUMBER.fullmatch(value)
        assert found is not None
        return f"{found[1]}{int(found[2]) + more}"

    return change


def _into_sqlite(
    raw: sqlite3.Connection, table: str, columns: list[str], rows: Iterator[list[Any]]
) -> None:
    marks = ", ".join("?" * len(columns))
    raw.execute("BEGIN")
    raw.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # ours
    raw.execute("COMMIT")


def _into_postgresql(raw: Any, table: str, columns: list[str], rows: Iterator[list[Any]]) -> None:
    with raw.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(
                [json.dumps(value) if isinstance(value, dict) else value for value in row]
            )
