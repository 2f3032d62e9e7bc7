"""Holds whose time is over are let go: by the sweeper, and by whoever needs the pieces.

Levels are locked before their holds: whoever comes second sees what the first one let go.
"""

import uuid
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.stock import freeing, hold_rows
from core.stock.levels import IS_ACTIVE
from core.stock.models import Hold, StockLevel


def lapse(session: Session, now: datetime, limit: int = 500) -> int:
    """Let holds go whose time is over; says how many. Those that somebody has in hand just now wait."""
    over = _over(now)
    query = select(Hold.level_id).where(*over).order_by(Hold.level_id, Hold.id).limit(limit)
    wanted = list(set(session.scalars(query)))
    locked = session.scalars(
        select(StockLevel.id)
        .where(StockLevel.id.in_(wanted))
        .order_by(StockLevel.id)
        .with_for_update()
    ).all()
    rows = session.execute(
        select(*hold_rows.columns())
        .where(*over, Hold.level_id.in_(locked))
        .order_by(Hold.level_id, Hold.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    freeing.tell(session, [row.level_id for row in rows], now)
    return hold_rows.end_all(session, rows, "lapsed")


def lapse_at(session: Session, level_id: uuid.UUID, now: datetime) -> int:
    """The same at one level, which the caller has locked, and all of it: whoever has one of its holds in hand
    is waited for."""
    rows = session.execute(
        select(*hold_rows.columns())
        .where(*_over(now), Hold.level_id == level_id)
        .order_by(Hold.id)
        .with_for_update()
    ).all()
    return hold_rows.end_all(session, rows, "lapsed")


def _over(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (IS_ACTIVE, Hold.expires_at <= now)
