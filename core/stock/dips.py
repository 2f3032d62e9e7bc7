"""Levels that got low: each is told once, until it has been more again. For ``flows.tell_low_stock``."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.db import changed
from core.stock import levels
from core.stock.models import Location, StockLevel


def moved(session: Session, now: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """Levels that got low, and those that were and are not any more. Where nobody said from when on it is low
    (nought) nothing is."""
    free = levels.free(now)
    told = StockLevel.low_told_at
    low = (StockLevel.low_at > 0) & (free <= StockLevel.low_at) & told.is_(None)
    more = told.is_not(None) & (free > StockLevel.low_at)
    query = select(StockLevel.id).where(or_(low, more)).order_by(StockLevel.id).limit(limit)
    return session.scalars(query).all()


def note(session: Session, level_id: uuid.UUID, now: datetime) -> Any:
    """Write down that it is told, or that it is more again. Answers what to tell (SKU, name, place, how many,
    from how many on), None when there is nothing."""
    query = (
        select(StockLevel, Variant.sku, Variant.name, Location.name, levels.free(now))
        .join(Variant, Variant.id == StockLevel.variant_id)
        .join(Location, Location.id == StockLevel.location_id)
        .where(StockLevel.id == level_id)
    )
    level, sku, name, place, left = session.execute(query).one()
    is_low = level.low_at > 0 and int(left) <= level.low_at
    if is_low == (level.low_told_at is not None):
        return None
    wanted = StockLevel.low_told_at.is_(None) if is_low else StockLevel.low_told_at.is_not(None)
    done = session.execute(
        update(StockLevel)
        .where(StockLevel.id == level_id, wanted)
        .values(low_told_at=now if is_low else None)
        .execution_options(synchronize_session=False)
    )
    if not is_low or changed(done) != 1:
        return None
    return sku, name, place, max(int(left), 0), level.low_at
