"""Stock as a file: what came, went or was counted, a line each. It is read, and looked at before it is done.

The desk's own export can be read again: with ``on_hand`` and without ``pieces`` a line is a count. Other
columns are left alone. Called by ``flows.import_stock``.
"""

import csv
import hashlib
import io
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.stock.adjusting import MOST, REASONS
from core.stock.models import Location, StockLevel

MOST_ROWS = 2_000
_SPARE = "'"


@dataclass(frozen=True)
class Line:
    """One line of the file: its number there, what it says, and what is wrong with it, in words."""

    number: int
    sku: str
    place: str
    reason: str = "counted"
    pieces: int = 0
    note: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class Change:
    """What a line would do to a level; ``wrong``, when it cannot be done."""

    line: Line
    level_id: uuid.UUID | None = None
    before: int = 0
    after: int = 0
    wrong: str = ""


@dataclass(frozen=True)
class Looked:
    """The whole file against the stock as it is. ``mark`` is another one once a level of it was changed."""

    changes: tuple[Change, ...]
    wrong: str = ""
    mark: str = field(default="")

    @property
    def is_sound(self) -> bool:
        """May it be done?"""
        return not self.wrong and bool(self.changes) and not any(one.wrong for one in self.changes)


def read(text: str) -> tuple[list[Line], str]:
    """The lines of a file, and what is wrong with all of it; pure."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        head = [cell.strip().lower() for cell in next(rows, [])]
        if "sku" not in head:
            return [], "The first line names the columns, and one of them is sku."
        if "pieces" not in head and "on_hand" not in head:
            return [], "There is a column pieces (or on_hand, for what was counted)."
        found = list(_lines(head, rows))
    except csv.Error as error:
        return [], f"This cannot be read as CSV: {error}."
    if len(found) > MOST_ROWS:
        return [], f"At most {MOST_ROWS:,} lines at once."
    return found, "" if found else "There is no line below the names of the columns."


def _lines(head: list[str], rows: Iterator[list[str]]) -> Iterator[Line]:
    counts = "pieces" if "pieces" in head else "on_hand"
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        said = {name: cell.strip() for name, cell in zip(head, cells, strict=False)}
        reason = said.get("reason", "").lower() or "counted"
        pieces, note = said.get(counts, ""), " ".join(said.get("note", "").split())
        wrong = ""
        if counts == "on_hand" and reason != "counted":
            wrong = "Name the column pieces, for anything but a count."
        elif reason not in REASONS:
            wrong = f"The reason is one of {', '.join(REASONS)}."
        elif not pieces.isdecimal() or len(pieces) > 7 or int(pieces) > MOST:
            wrong = f"The number of pieces is a whole number up to {MOST:,}."
        elif len(note) > 200:
            wrong = "A note has at most 200 characters."
        sku = said.get("sku", "").removeprefix(_SPARE)
        place = (said.get("location") or said.get("place") or "").removeprefix(_SPARE)
        count = int(pieces) if not wrong else 0
        yield Line(number, sku, place, reason, count, note, wrong)


def look(session: Session, text: str) -> Looked:
    """What the file would change, line by line; nothing is changed."""
    lines, wrong = read(text)
    if wrong:
        return Looked((), wrong)
    levels = _levels(session, {line.sku for line in lines})
    places = {level[0] for found in levels.values() for level in found}
    seen: set[uuid.UUID] = set()
    changes = []
    for line in lines:
        one = _change(line, levels.get(line.sku, {}), len(places) == 1, seen)
        if one.level_id is not None:
            seen.add(one.level_id)
        changes.append(one)
    facts = [f"{one.level_id}:{one.before}:{one.after}" for one in changes]
    mark = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]
    return Looked(tuple(changes), mark=mark)


#: By (code, name) of its place: a level's key, and what is on hand.
_Levels = Mapping[tuple[str, str], tuple[uuid.UUID, int]]


def _change(line: Line, levels: _Levels, one_place: bool, seen: set[uuid.UUID]) -> Change:
    if line.wrong:
        return Change(line, wrong=line.wrong)
    if not levels:
        return Change(line, wrong="Nothing with this SKU is counted.")
    named = line.place.lower()
    found = [
        level
        for (code, name), level in levels.items()
        if named in (code.lower(), name.lower()) or (not named and one_place)
    ]
    if len(found) != 1:
        words = "Say at which place." if not named else "There is no place with this code or name."
        return Change(line, wrong=words)
    (level_id, before) = found[0]
    way = REASONS[line.reason]
    after = line.pieces if way == "count" else before + line.pieces * (-1 if way == "go" else 1)
    wrong = "It stands in the file twice." if level_id in seen else ""
    if after < 0:
        wrong = f"Only {before} are on hand."
    return Change(line, level_id, before, after, wrong)


def _levels(
    session: Session, skus: set[str]
) -> dict[str, dict[tuple[str, str], tuple[uuid.UUID, int]]]:
    query = (
        select(Variant.sku, Location.code, Location.name, StockLevel.id, StockLevel.on_hand)
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(Variant.sku.in_(skus))
        .order_by(Variant.sku, func.lower(Location.code))
    )
    found: dict[str, dict[tuple[str, str], tuple[uuid.UUID, int]]] = {}
    for sku, code, name, level_id, on_hand in session.execute(query):
        found.setdefault(sku, {})[code, name] = (level_id, on_hand)
    return found
