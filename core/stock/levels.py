"""What is available, and the changes of levels that are not holds."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core.kernel.db import changed, insert_once, insert_rows, table
from core.kernel.ids import new_id
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
    return _unsold() + lapsed


def available(
    session: Session, variant_ids: Sequence[uuid.UUID], now: datetime
) -> dict[uuid.UUID, int]:
    """Pieces that one hold may take now, by variant: the most that one of its places has.

    A variant without a level is not in the answer.
    """
    rows = session.execute(_available(), {"variants": list(variant_ids), "now": now})
    return {variant_id: int(pieces) for variant_id, pieces in rows}


@cache
def _available() -> Select[uuid.UUID, int]:
    level, now = table(StockLevel).c, bindparam("now", type_=Hold.expires_at.type)
    return (
        select(level.variant_id, func.max(free(now)))
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
    row = {
        "id": new_id(),
        "level_id": level_id,
        "kind": kind,
        "on_hand": on_hand,
        "allocated": allocated,
        "reference": reference,
        "at": now,
    }
    insert_rows(session, StockMovement, [row])


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


def hold_first(session: Session, variant_id: uuid.UUID, quantity: int) -> uuid.UUID | None:
    """Hold pieces of a variant at its first level, by one statement; answers the level's key.

    None when it has no level, or too few pieces are free.
    """
    found: uuid.UUID | None = session.scalar(
        _hold_first(), {"variant": variant_id, "pieces": quantity}
    )
    return found


@cache
def _hold_first() -> ReturningUpdate[Any]:
    level = table(StockLevel)
    first = (
        select(level.c.id)
        .where(level.c.variant_id == bindparam("variant"))
        .order_by(level.c.id)
        .limit(1)
        .correlate(None)
        .scalar_subquery()
    )
    return (
        update(level)
        .where(level.c.id == first, _unsold() >= bindparam("pieces"))
        .values(held=level.c.held + bindparam("pieces"))
        .returning(level.c.id)
    )


def _unsold() -> ColumnElement[int]:
    """What is neither sold nor held, lapsed holds included, and what may be sold beyond that."""
    level = table(StockLevel).c
    return level.on_hand - level.allocated - level.held + level.backorder_limit
