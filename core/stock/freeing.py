"""Pieces became free: whoever waits for them, or bought them before they were there, is to be thought of.

It is told by an event in the same transaction.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, exists, select
from sqlalchemy.orm import Session

from core.events import StockFreed
from core.kernel import jobs
from core.kernel.db import table
from core.stock.back_order_models import BackOrder
from core.stock.models import StockLevel, StockWait


def tell(session: Session, level_ids: Iterable[uuid.UUID], now: datetime) -> None:
    """Pieces are free at these levels. Of things that nobody waits for nothing is told."""
    keys = list(set(level_ids))
    if not keys:
        return
    for variant_id in session.scalars(_waited_for(), {"levels": keys}):
        jobs.record(session, StockFreed(str(variant_id)), now)


@cache
def _waited_for() -> Select[uuid.UUID]:
    level, wait, late = table(StockLevel), table(StockWait), table(BackOrder)
    waits = exists().where(wait.c.variant_id == level.c.variant_id, wait.c.state == "waiting")
    is_late = exists().where(late.c.level_id == level.c.id, late.c.waiting > 0)
    return (
        select(level.c.variant_id)
        .distinct()
        .where(level.c.id.in_(bindparam("levels", expanding=True)), waits | is_late)
    )
