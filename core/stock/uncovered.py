"""Which sold pieces of a level nothing on hand covers; for ``back_orders``.

What is on hand covers the sales one after the other, the first first. So what is not covered belongs to the
last of them, and they are read from the last on until it is all found: whatever was sold before is left
alone, however much it is.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from core.kernel.db import table
from core.stock.models import StockLevel, StockMovement

#: So many movements are read at a time.
PAGE = 200


@dataclass(frozen=True)
class Uncovered:
    """So many pieces of a sale that have not left and are not on hand; ``since`` it was sold first."""

    reference: str
    since: datetime
    pieces: int


def uncovered(session: Session, level: StockLevel) -> list[Uncovered]:
    """What nothing covers at a level, the first sold first. An order that grew keeps its place, and the
    pieces it had. The level is locked, so that its movements and its counts are of one moment."""
    missing = level.allocated - level.on_hand
    found: list[Uncovered] = []
    for sale in _last_first(session, level.id, missing):
        part = min(sale.pieces, missing)
        missing -= part
        if part:
            found.append(Uncovered(sale.reference, sale.since, part))
    return found[::-1]


def _last_first(session: Session, level_id: uuid.UUID, missing: int) -> list[Uncovered]:
    """The last sales of which pieces have not left, whole, as many as have so many pieces together.

    A page of movements names sales; those that began after its last movement are all known by then.
    """
    known: dict[str, Uncovered | None] = {}
    done: list[Uncovered] = []
    before: tuple[datetime, uuid.UUID] | None = None
    more = missing > 0
    while more:
        page = _page(session, level_id, before)
        known |= _open(session, level_id, {row.reference for row in page} - known.keys())
        more = len(page) == PAGE
        before = (page[-1].at, page[-1].id) if more else None
        done = [
            sale for sale in known.values() if sale and (before is None or sale.since > before[0])
        ]
        more = more and sum(sale.pieces for sale in done) < missing
    return sorted(done, key=lambda sale: (sale.since, sale.reference), reverse=True)


def _page(
    session: Session, level_id: uuid.UUID, before: tuple[datetime, uuid.UUID] | None
) -> Sequence[Any]:
    values: dict[str, Any] = {"level": level_id, "most": PAGE}
    if before is None:
        return session.execute(_last(), values).all()
    return session.execute(_earlier(), {**values, "at": before[0], "key": before[1]}).all()


def _open(
    session: Session, level_id: uuid.UUID, references: Collection[str]
) -> dict[str, Uncovered | None]:
    """What of these sales has not left; None of those that have, or were let go."""
    found: dict[str, Uncovered | None] = dict.fromkeys(references)
    if references:
        values = {"level": level_id, "references": list(references)}
        for reference, pieces, since in session.execute(_sums(), values):
            found[reference] = Uncovered(reference, since, int(pieces))
    return found


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _last() -> Select[Any]:
    move = table(StockMovement).c
    return (
        select(move.id, move.at, move.reference)
        .where(move.level_id == bindparam("level"), move.kind == "allocated")
        .order_by(move.at.desc(), move.id.desc())
        .limit(bindparam("most", type_=move.on_hand.type))
    )


@cache
def _earlier() -> Select[Any]:
    move = table(StockMovement).c
    place = tuple_(bindparam("at", type_=move.at.type), bindparam("key", type_=move.id.type))
    return _last().where(tuple_(move.at, move.id) < place)


@cache
def _sums() -> Select[Any]:
    move = table(StockMovement).c
    pieces = func.sum(move.allocated)
    first = func.min(move.at).filter(move.kind == "allocated")
    return (
        select(move.reference, pieces, first)
        .where(
            move.reference.in_(bindparam("references", expanding=True)),
            move.level_id == bindparam("level"),
        )
        .group_by(move.reference)
        .having(pieces > 0)
    )
