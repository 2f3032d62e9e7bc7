"""What was given out is given up: of a piece that is cancelled or comes back, of a service that ended."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Executable, Select, bindparam, select
from sqlalchemy.orm import Session

from core.kernel.db import insert_rows, table
from core.kernel.ids import new_id
from core.stock import hold_rows, levels, resource_rows
from core.stock.models import LogicalResource, ResourcePool, StockLevel, StockMovement


def give_up(
    session: Session,
    line_id: uuid.UUID,
    pieces: int | None,
    reference: str,
    now: datetime,
    actor: str = "",
) -> int:
    """So many of an order's line (None: all) are not its customer's any more: they rest as long as their pool
    says, or for ever. Says how many."""
    pool = session.execute(_pool_of_line(), {"line": line_id}).first()
    if pool is None:
        return 0
    session.execute(
        select(StockLevel.id).where(StockLevel.id == pool.level_id).with_for_update()
    ).one()
    found = list(session.scalars(_assigned(), {"line": line_id}))
    ids = found if pieces is None else found[:pieces]
    if not ids:
        return 0
    told: dict[str, Any] = {"line_id": line_id, "reference": reference, "actor": actor}
    gone = 0
    if pool.quarantine_days is None:
        for some in _by_chunks(ids):
            resource_rows.move(session, some, "withdraw", now, **told)
        gone = len(ids)
        levels.shift(session, pool.level_id, on_hand=-gone, allocated=-gone)
    else:
        until = now + timedelta(days=pool.quarantine_days)
        levels.shift(session, pool.level_id, allocated=-len(ids), held=len(ids))
        for some in _by_chunks(ids):
            under = hold_rows.write_for_nobody(session, pool.level_id, some, until, now)
            resource_rows.rest(session, under, now, **told)
    row = {
        "id": new_id(),
        "level_id": pool.level_id,
        "kind": "deallocated",
        "on_hand": -gone,
        "allocated": -len(ids),
        "reference": reference,
        "at": now,
        "actor": actor or None,
        "note": None,
    }
    insert_rows(session, StockMovement, [row])
    return len(ids)


def _by_chunks(ids: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    """A line may have more than one statement takes."""
    for first in range(0, len(ids), hold_rows.CHUNK):
        yield ids[first : first + hold_rows.CHUNK]


@cache
def _pool_of_line() -> Executable:
    one, pool = table(LogicalResource), table(ResourcePool)
    return (
        select(pool.c.level_id, pool.c.quarantine_days)
        .select_from(pool.join(one, one.c.pool_id == pool.c.id))
        .where(one.c.line_id == bindparam("line"))
        .limit(1)
    )


@cache
def _assigned() -> Select[Any]:
    one = table(LogicalResource).c
    query = select(one.id).where(one.line_id == bindparam("line"), one.state == "assigned")
    return query.order_by(one.plain.desc()).with_for_update()
