"""Numbers as a file: a line each, looked at before they are added. Called by ``flows.keep_numbers``.

The first line names the columns: ``value``, and ``note`` where there is something to be noted. Other columns
are left alone, so that an export of a pool can be read by another shop.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.stock import pools, resources
from core.stock.models import ResourcePool

_SPARE = "'"


@dataclass(frozen=True)
class Line:
    """One line of the file: its number there, what it says, and what is wrong with it, in words."""

    number: int
    value: str
    note: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class Looked:
    """The whole file against the pools as they are. ``mark`` names what would be added."""

    lines: tuple[Line, ...]
    wrong: str = ""
    mark: str = ""

    @property
    def is_sound(self) -> bool:
        """May it be done?"""
        return not self.wrong and bool(self.lines) and not any(one.wrong for one in self.lines)


def look(session: Session, pool: ResourcePool, text: str) -> Looked:
    """What the file would add to a pool, line by line; nothing is changed."""
    lines, wrong = _read(text)
    if wrong:
        return Looked((), wrong)
    plains = [resources.plain(pool.kind, line.value) for line in lines]
    there = pools.known(session, pool.kind, plains)
    seen: set[str] = set()
    checked = []
    for line, plain in zip(lines, plains, strict=True):
        said = line.wrong or pools.wrong_value(pool.kind, line.value)
        if not said and plain in seen:
            said = "It stands in the file twice."
        elif not said and plain in there:
            said = "It is there already."
        seen.add(plain)
        checked.append(Line(line.number, line.value, line.note, said))
    facts = "\n".join([pool.id.hex, *plains])
    return Looked(tuple(checked), mark=hashlib.sha256(facts.encode()).hexdigest()[:32])


def _read(text: str) -> tuple[list[Line], str]:
    """The lines of a file, or why it cannot be read."""
    if "\0" in text:
        return [], "This is no text."
    try:
        rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        head = [name.strip().lower() for name in next(rows, [])]
        if "value" not in head:
            return [], "The first line names the columns, and one of them is value."
        found = list(_lines(head, rows))
    except csv.Error as error:
        return [], f"This cannot be read as CSV: {error}."
    if len(found) > pools.MOST_AT_ONCE:
        return [], f"At most {pools.MOST_AT_ONCE:,} lines at once."
    return found, "" if found else "There is no line below the names of the columns."


def _lines(head: list[str], rows: Iterator[list[str]]) -> Iterator[Line]:
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        said = {name: cell.strip() for name, cell in zip(head, cells, strict=False)}
        value = " ".join(said.get("value", "").removeprefix(_SPARE).split())
        note = " ".join(said.get("note", "").split())
        wrong = "A note has at most 200 characters." if len(note) > 200 else ""
        yield Line(number, value, note, wrong)
