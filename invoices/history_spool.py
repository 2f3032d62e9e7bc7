"""Where checked rows wait on disk, by document, until the whole file is known to be good.

The rows of a document need not be neighbours in the file, and the file may be larger than memory. The
spool is SQLite's own temporary database: it is gone with the process, also when that is killed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Self

from core.kernel.clock import local_date
from invoices.history import Bad, Row
from invoices.history_mapping import MappingFile

#: One page of documents is in memory at a time, and no document may be larger than memory likes.
PAGE_DOCUMENTS = 500
PAGE_LINES = 5_000
MOST_LINES = 20_000
_BUFFER = 2_000

State = Literal["read", "new", "here"]

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -16384;
PRAGMA temp_store = FILE;
CREATE TABLE document (
  key INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, row INTEGER NOT NULL, moment TEXT NOT NULL,
  ref TEXT NOT NULL, country TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'read',
  lines INTEGER, net_minor INTEGER, is_free INTEGER, kind TEXT, content_hash TEXT
);
CREATE TABLE line (
  document INTEGER NOT NULL, row INTEGER NOT NULL, sku TEXT NOT NULL, name TEXT NOT NULL,
  quantity TEXT NOT NULL, unit_price_micros INTEGER NOT NULL, net_minor INTEGER NOT NULL,
  PRIMARY KEY (document, row)
) WITHOUT ROWID;
CREATE TABLE bad (
  row INTEGER NOT NULL, column_name TEXT NOT NULL, reason TEXT NOT NULL, number TEXT NOT NULL,
  breaks_file INTEGER NOT NULL
);
BEGIN;
"""
_SUM_UP = """
UPDATE document SET (lines, net_minor, is_free) = (
  SELECT COUNT(*), SUM(net_minor), MAX(unit_price_micros <> 0) = 0
  FROM line WHERE line.document = document.key
)
"""
_HEADS = """
SELECT key, row, number, moment, ref, country, net_minor, is_free, kind, content_hash, lines
FROM document WHERE state = ? AND key > ? ORDER BY key LIMIT ?
"""
_LINES = """
SELECT line.document, line.row, line.sku, line.name, line.quantity, line.unit_price_micros,
  line.net_minor
FROM line JOIN document ON document.key = line.document
WHERE document.state = ? AND line.document BETWEEN ? AND ? ORDER BY line.document, line.row
"""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One line, signs as in the file."""

    row: int
    sku: str
    name: str
    quantity: Decimal
    unit_price_micros: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Draft:
    """All rows of one number, in the file's order. ``is_free``: every price is zero.

    ``kind`` and ``content_hash`` are empty until the document was judged.
    """

    key: int
    row: int
    number: str
    moment: datetime
    ref: str
    country: str
    net_minor: int
    is_free: bool
    kind: str
    content_hash: str
    lines: tuple[DraftLine, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What pass one found out about a document: to be written, or here already."""

    key: int
    state: Literal["new", "here"]
    kind: str
    content_hash: str


@dataclass(slots=True)
class _Head:
    key: int
    row: int
    moment: datetime
    ref: str
    country: str


class Spool:
    """Rows in, documents out. Use it in a ``with`` block."""

    def __init__(self, mapping: MappingFile) -> None:
        self._columns = mapping.columns.by_meaning
        self._zone = mapping.legal_entity.time_zone
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._number = ""
        self._head: _Head | None = None
        self._lines: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    # -- in ----------------------------------------------------------------------------------------

    def add(self, row: Row) -> None:
        """Take a row; it spoils its document when it disagrees with the document's first row."""
        head = self._head
        if head is None or row.number != self._number:
            head = self._head = self._open(row)
            self._number = row.number
        self._agree(head, row)
        self._lines.append(
            (
                head.key,
                row.row,
                row.sku,
                row.name,
                str(row.quantity),
                row.unit_price_micros,
                row.net_minor,
            )
        )
        if len(self._lines) >= _BUFFER:
            self._flush()

    def refuse(self, bad: Bad) -> None:
        """Take note of a row, or of a whole document by its first row, that cannot be taken."""
        self._database.execute(
            "INSERT INTO bad VALUES (?, ?, ?, ?, ?)",
            (bad.row, bad.column, bad.reason, bad.number, bad.breaks_file),
        )

    def sum_up(self) -> None:
        """All rows are in: leave out what bad rows belong to, sum up the rest."""
        self._flush()
        self._database.execute("DELETE FROM document WHERE number IN (SELECT number FROM bad)")
        self._database.execute(_SUM_UP)
        for row, number, lines in self._database.execute(
            "SELECT row, number, lines FROM document WHERE lines > ?", (MOST_LINES,)
        ).fetchall():
            self.refuse(
                Bad(row, self._columns["number"], f"stands on {lines} rows: too many", number)
            )
        self._database.execute("DELETE FROM document WHERE lines > ?", (MOST_LINES,))

    def judge(self, judged: Iterable[Judged | Bad]) -> None:
        """Write down what became of documents."""
        for one in judged:
            if isinstance(one, Bad):
                self.refuse(one)
                self._database.execute("DELETE FROM document WHERE number = ?", (one.number,))
            else:
                self._database.execute(
                    "UPDATE document SET state = ?, kind = ?, content_hash = ? WHERE key = ?",
                    (one.state, one.kind, one.content_hash, one.key),
                )

    def _open(self, row: Row) -> _Head:
        found = self._database.execute(
            "SELECT key, row, moment, ref, country FROM document WHERE number = ?", (row.number,)
        ).fetchone()
        if found:
            return _Head(found[0], found[1], datetime.fromisoformat(found[2]), found[3], found[4])
        made = self._database.execute(
            "INSERT INTO document (number, row, moment, ref, country) VALUES (?, ?, ?, ?, ?)",
            (row.number, row.row, row.moment.isoformat(), row.ref, row.country),
        )
        assert made.lastrowid is not None
        return _Head(made.lastrowid, row.row, row.moment, row.ref, row.country)

    def _agree(self, head: _Head, row: Row) -> None:
        if row.ref != head.ref:
            self._differs(head, row, "account", row.ref, head.ref)
        elif row.country != head.country:
            self._differs(head, row, "country", row.country, head.country)
        elif row.moment != head.moment:
            day, first = (local_date(one.moment, self._zone) for one in (row, head))
            if day != first:
                self._differs(head, row, "date", str(day), str(first))
            elif row.moment < head.moment:
                head.moment = row.moment
                self._database.execute(
                    "UPDATE document SET moment = ? WHERE key = ?",
                    (row.moment.isoformat(), head.key),
                )

    def _differs(self, head: _Head, row: Row, meaning: str, here: str, there: str) -> None:
        reason = f"is {here!r}, but row {head.row} of the same document says {there!r}"
        self.refuse(Bad(row.row, self._columns[meaning], reason, row.number))

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?)", self._lines)
        self._lines.clear()

    # -- out ---------------------------------------------------------------------------------------

    def pages(self, state: State) -> Iterator[list[Draft]]:
        """The documents of a state in the file's order, a page at a time.

        A page may be judged while it is in hand.
        """
        last = 0
        while heads := self._heads(state, last):
            first, last = heads[0][0], heads[-1][0]
            lines: dict[int, list[DraftLine]] = {head[0]: [] for head in heads}
            for key, row, sku, name, quantity, micros, net in self._database.execute(
                _LINES, (state, first, last)
            ):
                lines[key].append(DraftLine(row, sku, name, Decimal(quantity), micros, net))
            yield [_draft(head, tuple(lines[head[0]])) for head in heads]

    def _heads(self, state: State, after: int) -> list[tuple[Any, ...]]:
        found = self._database.execute(_HEADS, (state, after, PAGE_DOCUMENTS)).fetchall()
        lines = 0
        for count, head in enumerate(found):
            lines += head[-1]
            if count and lines > PAGE_LINES:
                return found[:count]
        return found

    def lines(self, state: State) -> int:
        """How many lines the documents of a state have together."""
        return self._one("SELECT COALESCE(SUM(lines), 0) FROM document WHERE state = ?", state)

    def documents(self, state: State, kind: str = "%") -> int:
        """How many documents of a state (and kind) there are."""
        return self._one(
            "SELECT COUNT(*) FROM document WHERE state = ? AND COALESCE(kind, '') LIKE ?",
            state,
            kind,
        )

    def bad(self) -> Iterator[Bad]:
        """What cannot be taken, in the file's order."""
        for row, column, reason, number, breaks_file in self._database.execute(
            "SELECT * FROM bad ORDER BY row, rowid"
        ):
            yield Bad(row, column, reason, number, bool(breaks_file))

    def bad_count(self) -> int:
        """How many of those there are."""
        return self._one("SELECT COUNT(*) FROM bad")

    def left_out(self) -> int:
        """How many documents they spoil."""
        return self._one("SELECT COUNT(DISTINCT number) FROM bad WHERE number <> ''")

    def is_broken(self) -> bool:
        """Is there a place from which nobody knows where rows begin and end?"""
        return self._one("SELECT COUNT(*) FROM bad WHERE breaks_file") > 0

    def _one(self, query: str, *values: Any) -> int:
        return int(self._database.execute(query, values).fetchone()[0])


def _draft(head: tuple[Any, ...], lines: tuple[DraftLine, ...]) -> Draft:
    key, row, number, moment, ref, country, net, is_free, kind, content_hash, _ = head
    return Draft(
        key,
        row,
        number,
        datetime.fromisoformat(moment),
        ref,
        country,
        net,
        bool(is_free),
        kind or "",
        content_hash or "",
        lines,
    )
