"""Stock is corrected by hand: pieces that came, were counted, broke or were lost; and a level's limits.

One conditional UPDATE each, and a movement that says who and why. Called by ``flows.adjust_stock``.
"""

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Update, bindparam, case, update
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.db import changed, insert_rows, table
from core.kernel.errors import NotFound, StaleState
from core.kernel.ids import new_id
from core.stock import freeing, lapsing
from core.stock.models import StockLevel, StockMovement
from core.stock.refusals import StockRefused

#: Why, by code: whether pieces come, go, or are counted.
REASONS = {
    "received": "come",
    "found": "come",
    "damaged": "go",
    "lost": "go",
    "own_use": "go",
    "counted": "count",
}
MOST = 1_000_000


@dataclass(eq=False)
class BelowPromised(StockRefused):
    """Fewer pieces would be there than are sold or held. ``short``: by so many, back-orders taken off."""

    code: ClassVar[str] = "below_promised"
    text: ClassVar[str] = (
        "That leaves {left} on hand, but {promised} are sold or held for somebody."
    )
    left: int
    promised: int
    short: int


@dataclass(eq=False)
class BelowNothing(StockRefused):
    """More pieces would go than there are."""

    code: ClassVar[str] = "below_nothing"
    text: ClassVar[str] = "Only {on_hand} are on hand."
    on_hand: int


@dataclass(eq=False)
class Numbered(StockRefused):
    """Its pieces are numbers or keys: they are added and withdrawn one by one, and never sold beyond them."""

    code: ClassVar[str] = "numbered"
    text: ClassVar[str] = (
        "Each of these is a number or a key of its own: add or withdraw them in their pool."
    )


@dataclass(frozen=True)
class Adjustment:
    """``pieces`` that come, go or were counted, by the reason. ``seen`` is what was on hand when somebody
    looked: somebody else's change since is StaleState; None for a change by so many, whatever there is.
    ``even_so``: also below what is sold or held."""

    level_id: uuid.UUID
    reason: str
    pieces: int
    seen: int | None = None
    even_so: bool = False
    note: str = ""


@dataclass(frozen=True)
class Adjusted:
    """What was done: by so many pieces, and what it raised the limit for back-orders to, or None."""

    level_id: uuid.UUID
    by: int
    on_hand: int
    raised_to: int | None = None


def adjust(session: Session, asked: Adjustment, actor: str, now: datetime) -> Adjusted:
    """Change what is on hand, with its movement. Below what is promised only ``even_so``: then the limit for
    back-orders covers the difference, so that nothing more can be sold.

    Raises NotFound, StaleState, BelowNothing and BelowPromised, and Numbered for what has numbers of its own.
    """
    level = lock(session, asked.level_id)
    if asked.seen is not None and level.on_hand != asked.seen:
        raise StaleState("stock level", asked.reason)
    way = REASONS[asked.reason]
    left = (
        asked.pieces
        if way == "count"
        else level.on_hand + asked.pieces * (-1 if way == "go" else 1)
    )
    by = left - level.on_hand
    if by:
        refuse_numbered(session, level)
    if left < 0:
        raise BelowNothing(level.on_hand)
    if left - _promised(level) + _beyond(level) < 0:
        # What nobody waits for any more need not stop it.
        lapsing.lapse_at(session, level.id, now)
        level = lock(session, asked.level_id)
    short = _promised(level) - left - _beyond(level)
    if short > 0 and not asked.even_so:
        raise BelowPromised(left, _promised(level), short)
    _run(session, level, by, max(short, 0))
    row = {
        "id": new_id(),
        "level_id": level.id,
        "kind": "received" if asked.reason == "received" else "adjusted",
        "on_hand": by,
        "allocated": 0,
        "reference": asked.reason,
        "at": now,
        "actor": actor,
        "note": asked.note or None,
    }
    if by:
        insert_rows(session, StockMovement, [row])
    if by > 0:
        freeing.tell(session, [level.id], now)
    raised = level.backorder_limit + short if short > 0 else None
    return Adjusted(level.id, by, left, raised)


def lock(session: Session, level_id: uuid.UUID) -> StockLevel:
    """The level, locked and read again. NotFound when there is none."""
    level = session.get(StockLevel, level_id, with_for_update=True, populate_existing=True)
    if level is None:
        raise NotFound("stock level")
    return level


@dataclass(frozen=True)
class Limits:
    """What a level allows: low from so many on, kept back from sale, sold beyond what is there (again, or
    before the first ones come), and when more come."""

    low_at: int = 0
    safety_stock: int = 0
    backorder_limit: int = 0
    preorder_limit: int = 0
    expected_on: date | None = None


def refuse_numbered(session: Session, level: StockLevel) -> None:
    """Raises Numbered where each piece is a number or a key of its own."""
    if session.get_one(Variant, level.variant_id).numbered:
        raise Numbered


def limit(session: Session, level_id: uuid.UUID, limits: Limits) -> Limits:
    """Other limits; answers those before. Raises NotFound, and BelowPromised when more was sold beyond what
    is there than the limits would allow. Safety stock takes nothing from whom it was promised to."""
    level = lock(session, level_id)
    if limits.backorder_limit or limits.preorder_limit:
        refuse_numbered(session, level)
    before = Limits(**{name: getattr(level, name) for name in asdict(limits)})
    left = level.on_hand + limits.backorder_limit + limits.preorder_limit
    if left < _promised(level):
        raise BelowPromised(level.on_hand, _promised(level), _promised(level) - left)
    for name, value in asdict(limits).items():
        setattr(level, name, value)
    session.flush()
    return before


def _promised(level: StockLevel) -> int:
    return level.allocated + level.held


def _beyond(level: StockLevel) -> int:
    return level.backorder_limit + level.preorder_limit


def _run(session: Session, level: StockLevel, by: int, more: int) -> None:
    values = {"level": level.id, "by": by, "seen": level.on_hand, "more": more}
    if changed(session.execute(_adjusted(), values)) != 1:
        raise StaleState("stock level", "adjusted")


@cache
def _adjusted() -> Update:
    level = table(StockLevel)
    by: Any = bindparam("by", type_=level.c.on_hand.type)
    more: Any = bindparam("more", type_=level.c.on_hand.type)
    return (
        update(level)
        .where(level.c.id == bindparam("level"), level.c.on_hand == bindparam("seen"))
        .values(
            on_hand=level.c.on_hand + by,
            backorder_limit=level.c.backorder_limit + case((more > 0, more), else_=0),
        )
    )
