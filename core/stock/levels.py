"""What is available, and the changes of levels that are not holds."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Update,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core.catalog.models import Variant
from core.kernel import exchange
from core.kernel.db import changed, insert_once, insert_rows, table
from core.kernel.ids import new_id
from core.stock import freeing
from core.stock.models import Hold, StockLevel, StockMovement

#: Written out: with a parameter in its place a database does not see that the index of active holds fits.
IS_ACTIVE = table(Hold).c.state == literal_column("'active'")


def free(now: datetime | BindParameter[Any]) -> ColumnElement[int]:
    """What may still be taken of a level: holds that have lapsed count as free already."""
    hold, level = table(Hold), table(StockLevel)
    lapsed = (
        select(func.coalesce(func.sum(hold.c.quantity), 0))
        .where(hold.c.level_id == level.c.id, IS_ACTIVE, hold.c.expires_at <= now)
        .correlate(level)
        .scalar_subquery()
    )
    return possible() + lapsed


def available(
    session: Session, variant_ids: Sequence[uuid.UUID], now: datetime
) -> dict[uuid.UUID, int]:
    """Pieces that one hold may take now, by variant, of all its places together.

    A variant without a level is not in the answer.
    """
    rows = session.execute(_available(), {"variants": list(variant_ids), "now": now})
    return {variant_id: int(pieces) for variant_id, pieces in rows}


@dataclass(frozen=True)
class Outlook:
    """What can be had of a thing, how much of that lies there, and of the rest whether it is the first to
    come, and when it comes, as far as somebody said."""

    pieces: int
    there: int
    is_preorder: bool = False
    expected_on: date | None = None


def outlook(
    session: Session, variant_ids: Sequence[uuid.UUID], now: datetime
) -> dict[uuid.UUID, Outlook]:
    """The same as ``available``, in full, for whoever tells it to shoppers."""
    rows = session.execute(_outlook(), {"variants": list(variant_ids), "now": now})
    return {
        key: Outlook(int(pieces), int(there), bool(preorder), expected_on)
        for key, pieces, there, preorder, expected_on in rows
    }


@cache
def can_be_had() -> ColumnElement[bool]:
    """Of a variant in a statement with ``now``: is it not counted, or can one be had? Bundles count as if."""
    variant, level = table(Variant), table(StockLevel)
    found = free(bindparam("now", type_=Hold.expires_at.type)) > 0
    there = select(level.c.id).where(level.c.variant_id == variant.c.id, found)
    return or_(variant.c.kind != "physical", there.correlate(variant).exists())


@cache
def _outlook() -> Select[Any]:
    level, now = table(StockLevel).c, bindparam("now", type_=Hold.expires_at.type)
    found = free(now)
    lies = found - _beyond()
    return (
        select(
            level.variant_id,
            func.sum(case((found > 0, found), else_=0)),
            func.sum(case((lies > 0, lies), else_=0)),
            func.max(level.preorder_limit),
            func.min(level.expected_on),
        )
        .where(level.variant_id.in_(bindparam("variants", expanding=True)))
        .group_by(level.variant_id)
    )


@cache
def _available() -> Select[uuid.UUID, int]:
    level, now = table(StockLevel).c, bindparam("now", type_=Hold.expires_at.type)
    found = free(now)
    return (
        select(level.variant_id, func.sum(case((found > 0, found), else_=0)))
        .where(level.variant_id.in_(bindparam("variants", expanding=True)))
        .group_by(level.variant_id)
    )


def receive(
    session: Session, variant_id: uuid.UUID, location_id: uuid.UUID, quantity: int, now: datetime
) -> uuid.UUID:
    """Goods come in; a level is made when there was none. Answers the level's key."""
    place = {"variant_id": variant_id, "location_id": location_id}
    query = select(StockLevel.id).filter_by(**place)
    if session.scalar(query) is None:
        insert_once(session, StockLevel, id=new_id(), **place)
    level_id = session.scalars(query).one()
    session.execute(
        update(StockLevel)
        .where(StockLevel.id == level_id)
        .values(on_hand=StockLevel.on_hand + quantity)
        .execution_options(synchronize_session=False)
    )
    move(session, level_id, "received", now, on_hand=quantity, reference="delivery")
    freeing.tell(session, [level_id], now)
    return level_id


def move(
    session: Session,
    level_id: uuid.UUID,
    kind: str,
    now: datetime,
    *,
    on_hand: int = 0,
    allocated: int = 0,
    reference: str,
) -> None:
    """Write down a change of a level; the levels are the sums of these."""
    row = _movement(level_id, kind, now, on_hand, allocated, reference)
    insert_rows(session, StockMovement, [row])


def _movement(
    level_id: uuid.UUID, kind: str, now: datetime, on_hand: int, allocated: int, reference: str
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "level_id": level_id,
        "kind": kind,
        "on_hand": on_hand,
        "allocated": allocated,
        "reference": reference,
        "at": now,
    }


def sell(session: Session, pieces: Mapping[uuid.UUID, int], reference: str, now: datetime) -> None:
    """Pieces that are held are sold, so many of each level; what may be sold stays as it is."""
    for level_id, quantity in sorted(pieces.items()):
        with exchange.unanswered(session.connection()):  # it can only be refused, not be missed
            shift(session, level_id, held=-quantity, allocated=quantity)
    rows = [
        _movement(level_id, "allocated", now, 0, quantity, reference)
        for level_id, quantity in pieces.items()
    ]
    insert_rows(session, StockMovement, rows)


def shift(session: Session, level_id: uuid.UUID, **by: int) -> bool:
    """Change a level by one conditional statement; False when it would be oversold."""
    on_hand, allocated, held = (by.get(name, 0) for name in ("on_hand", "allocated", "held"))
    values = {
        "level": level_id,
        "by_on_hand": on_hand,
        "by_allocated": allocated,
        "by_held": held,
        "by_free": on_hand - allocated - held,
    }
    return changed(session.execute(_shift(), values)) == 1


@cache
def _shift() -> Update:
    level = table(StockLevel)
    return (
        update(level)
        .where(level.c.id == bindparam("level"), _unsold() + bindparam("by_free") >= 0)
        .values(
            on_hand=level.c.on_hand + bindparam("by_on_hand"),
            allocated=level.c.allocated + bindparam("by_allocated"),
            held=level.c.held + bindparam("by_held"),
        )
    )


def hold_more(session: Session, level_id: uuid.UUID, pieces: int) -> bool:
    """Hold so many more of what lies at a level, or fewer; False when too few lie there."""
    if pieces <= 0:
        return pieces == 0 or shift(session, level_id, held=pieces)
    values = {"level": level_id, "pieces": pieces}
    return session.scalar(_hold_more(), values) is not None


@cache
def _hold_more() -> ReturningUpdate[Any]:
    return holding(table(StockLevel).c.id == bindparam("level"))


def holding(which: ColumnElement[bool]) -> ReturningUpdate[Any]:
    """Hold ``pieces`` at a level where they lie; answers its key, nothing where there are fewer."""
    level = table(StockLevel)
    return (
        update(level)
        .where(which, there() >= bindparam("pieces"))
        .values(held=level.c.held + bindparam("pieces"))
        .returning(level.c.id)
    )


def there() -> ColumnElement[int]:
    """What lies there to be taken: neither sold nor held (lapsed holds included) nor kept back from sale."""
    level = table(StockLevel).c
    return level.on_hand - level.allocated - level.held - level.safety_stock


def possible() -> ColumnElement[int]:
    """The same with what may be promised before it is there."""
    return there() + _beyond()


def _beyond() -> ColumnElement[int]:
    level = table(StockLevel).c
    return level.backorder_limit + level.preorder_limit


def _unsold() -> ColumnElement[int]:
    """What the database lets be promised at most: safety stock may be sold that was promised before."""
    level = table(StockLevel).c
    return level.on_hand - level.allocated - level.held + _beyond()
