"""CSV as we write it: UTF-8, CRLF and quotes as in RFC 4180, and the same bytes for the same rows.

Spreadsheets run a cell that begins like a formula. What people typed goes through ``words``, which puts
an apostrophe before such a cell; what we made ourselves (amounts, dates, codes) goes in as it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NewType

from core.kernel.money import Money

#: A cell that is safe to be written.
Cell = NewType("Cell", str)
EMPTY = Cell("")
#: How many bytes are put together before they are handed on.
_PIECE = 64 * 1024
#: What a spreadsheet takes for the beginning of a formula, in wide forms too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_QUOTED = frozenset('",\r\n')


def words(text: str | None) -> Cell:
    """What somebody typed, harmless in a spreadsheet. NUL, which no text file may hold, is left out."""
    clean = (text or "").replace("\0", "")
    return Cell(f"'{clean}" if clean.lstrip(" ").startswith(_FORMULA) else clean)


def code(text: str | int) -> Cell:
    """A word of our own or a number: nobody outside chose it."""
    return Cell(str(text))


def day(value: date | None) -> Cell:
    """``2026-11-17``."""
    return Cell(value.isoformat() if value else "")


def moment(value: datetime) -> Cell:
    """``2026-11-17T19:11:00Z``: UTC, to the second."""
    return Cell(f"{value:%Y-%m-%dT%H:%M:%SZ}")


def amount(value: Money) -> Cell:
    """Major units with the currency's decimals, no grouping: ``-1204.50``."""
    return Cell(f"{value.decimal():f}")


def debit_credit(value: Money) -> tuple[Cell, Cell]:
    """An amount in one of two columns: a debit is positive."""
    return (amount(value), EMPTY) if value.minor >= 0 else (EMPTY, amount(-value))


def pieces(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file with its head, piece by piece: memory does not grow with the rows."""
    kept: list[str] = [_line([Cell(name) for name in head])]
    size = 0
    for row in rows:
        line = _line(row)
        kept.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(kept).encode()
            kept, size = [], 0
    yield "".join(kept).encode()


def _line(row: Sequence[Cell]) -> str:
    return ",".join([_quoted(cell) for cell in row]) + "\r\n"


def _quoted(cell: str) -> str:
    if _QUOTED.isdisjoint(cell):
        return cell
    return '"' + cell.replace('"', '""') + '"'
