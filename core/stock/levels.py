"""What is available, and the changes of levels that are not holds."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from core.kernel.db import changed
from core.kernel.ids import new_id
from core.stock.models import Hold, StockLevel, StockMovement


def free(now: datetime | BindParameter[Any]) -> ColumnElement[int]:
    """What may still be taken of a level: holds that have lapsed count as free already."""
    lapsed = (
        select(func.coalesce(func.sum(Hold.quantity), 0))
        .where(Hold.level_id == StockLevel.id, Hold.state == "active", Hold.expires_at <= now)
        .correlate(StockLevel)
        .scalar_subquery()
    )
    return (
        StockLevel.on_hand
        - StockLevel.allocated
        - StockLevel.held
        + StockLevel.backorder_limit
        + lapsed
    )


def available(
    session: Session, variant_ids: Sequence[uuid.UUID], now: datetime
) -> dict[uuid.UUID, int]:
    """Pieces that may be taken now, by variant. A variant without a level is not in the answer."""
    rows = session.execute(_available(), {"variants": list(variant_ids), "now": now})
    return {variant_id: int(pieces) for variant_id, pieces in rows}


@cache
def _available() -> Select[uuid.UUID, int]:
    now = bindparam("now", type_=Hold.expires_at.type)
    return (
        select(StockLevel.variant_id, func.sum(free(now)))
        .where(StockLevel.variant_id.in_(bindparam("variants", expanding=True)))
        .group_by(StockLevel.variant_id)
    )


def receive(
    session: Session, variant_id: uuid.UUID, location_id: uuid.UUID, quantity: int, now: datetime
) -> uuid.UUID:
    """Goods come in; a level is made when there was none. Answers the level's key."""
    level_id = session.scalar(
        select(StockLevel.id).where(
            StockLevel.variant_id == variant_id, StockLevel.location_id == location_id
        )
    )
    if level_id is None:
        level = StockLevel(
            id=new_id(), variant_id=variant_id, location_id=location_id, on_hand=quantity
        )
        session.add(level)
        session.flush()
        level_id = level.id
    else:
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
    session.add(
        StockMovement(
            level_id=level_id,
            kind=kind,
            on_hand=on_hand,
            allocated=allocated,
            reference=reference,
            at=now,
        )
    )


def shift(session: Session, level_id: uuid.UUID, **by: int) -> bool:
    """Change a level by one conditional statement; False when it would be oversold."""
    on_hand, allocated, held = (by.get(name, 0) for name in ("on_hand", "allocated", "held"))
    result = session.execute(
        update(StockLevel)
        .where(
            StockLevel.id == level_id,
            StockLevel.on_hand
            - StockLevel.allocated
            - StockLevel.held
            + StockLevel.backorder_limit
            + (on_hand - allocated - held)
            >= 0,
        )
        .values(
            on_hand=StockLevel.on_hand + on_hand,
            allocated=StockLevel.allocated + allocated,
            held=StockLevel.held + held,
        )
        .execution_options(synchronize_session=False)
    )
    return changed(result) == 1
