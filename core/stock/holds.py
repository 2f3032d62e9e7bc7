"""Holds: pieces kept for a cart, quote or order until a time, and how they become sold.

Levels are met in the order of their keys, so that two takers never wait for each other in a circle.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.db import changed
from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.stock import levels
from core.stock.models import Hold, StockLevel


@dataclass(eq=False)
class OutOfStock(ShopError):
    """Fewer pieces are there than were asked for."""

    code: ClassVar[str] = "out_of_stock"
    text: ClassVar[str] = "Only {available} of {sku} can be had right now; {wanted} were asked for."
    sku: str
    wanted: int
    available: int


@dataclass(frozen=True)
class Owner:
    """Whom a hold is for: ``cart``, ``quote`` or ``order``, and its key."""

    kind: str
    id: uuid.UUID


@dataclass(frozen=True)
class Demand:
    """So many pieces of a variant for one line."""

    line_id: uuid.UUID
    variant_id: uuid.UUID
    quantity: int


def hold(
    session: Session,
    owner: Owner,
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
) -> None:
    """Keep pieces for ``owner`` until ``expires_at``. Variants without a level need none.

    All or nothing: raises OutOfStock for the first variant that falls short, after letting the
    lapsed holds of its level go. The caller rolls back.
    """
    level_of = _levels(session, [demand.variant_id for demand in demands])
    needs: dict[uuid.UUID, int] = {}
    for demand in demands:
        if demand.variant_id in level_of:
            level_id = level_of[demand.variant_id]
            needs[level_id] = needs.get(level_id, 0) + demand.quantity
    for level_id in sorted(needs):
        _take(session, level_id, needs[level_id], now)
    rows = [
        {
            "id": new_id(),
            "level_id": level_of[demand.variant_id],
            "owner_kind": owner.kind,
            "owner_id": owner.id,
            "line_id": demand.line_id,
            "quantity": demand.quantity,
            "expires_at": expires_at,
            "state": "active",
            "created_at": now,
        }
        for demand in demands
        if demand.variant_id in level_of
    ]
    if rows:
        session.execute(insert(Hold), rows)


def _take(session: Session, level_id: uuid.UUID, quantity: int, now: datetime) -> None:
    if levels.shift(session, level_id, held=quantity):
        return
    if lapse(session, now, level_id=level_id) and levels.shift(session, level_id, held=quantity):
        return
    sku, free = session.execute(
        select(Variant.sku, levels.free(now))
        .join(StockLevel, StockLevel.variant_id == Variant.id)
        .where(StockLevel.id == level_id)
    ).one()
    raise OutOfStock(sku, quantity, max(int(free), 0))


def _levels(session: Session, variant_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    rows = session.execute(
        select(StockLevel.variant_id, StockLevel.id)
        .where(StockLevel.variant_id.in_(set(variant_ids)))
        .order_by(StockLevel.variant_id, StockLevel.id)
    )
    found: dict[uuid.UUID, uuid.UUID] = {}
    for variant_id, level_id in rows:
        found.setdefault(variant_id, level_id)
    return found


def lapse(
    session: Session, now: datetime, *, level_id: uuid.UUID | None = None, limit: int = 500
) -> int:
    """Let holds go whose time is over, of one level or of all; says how many."""
    query = select(Hold).where(Hold.state == "active", Hold.expires_at <= now)
    if level_id is not None:
        query = query.where(Hold.level_id == level_id)
    query = query.order_by(Hold.level_id, Hold.id).limit(limit).with_for_update(skip_locked=True)
    return sum(_end(session, row, "lapsed") for row in session.scalars(query).all())


def release(session: Session, owner: Owner, line_id: uuid.UUID | None = None) -> int:
    """Let the active holds of an owner (or of one of its lines) go; says how many."""
    return sum(_end(session, row, "released") for row in _active(session, owner, line_id))


def _active(session: Session, owner: Owner, line_id: uuid.UUID | None = None) -> Sequence[Hold]:
    query = select(Hold).where(
        Hold.owner_kind == owner.kind, Hold.owner_id == owner.id, Hold.state == "active"
    )
    if line_id is not None:
        query = query.where(Hold.line_id == line_id)
    return session.scalars(query.order_by(Hold.level_id, Hold.id).with_for_update()).all()


def _end(session: Session, row: Hold, state: str) -> int:
    result = session.execute(
        update(Hold)
        .where(Hold.id == row.id, Hold.state == "active")
        .values(state=state)
        .execution_options(synchronize_session=False)
    )
    if changed(result) == 0:
        return 0
    levels.shift(session, row.level_id, held=-row.quantity)
    return 1


def of(session: Session, owner: Owner, now: datetime) -> dict[uuid.UUID, datetime]:
    """Until when each line of ``owner`` is held; lines whose hold has lapsed are not in it."""
    rows = session.execute(
        select(Hold.line_id, Hold.expires_at).where(
            Hold.owner_kind == owner.kind,
            Hold.owner_id == owner.id,
            Hold.state == "active",
            Hold.expires_at > now,
        )
    )
    return dict(rows.all())


def pass_on(
    session: Session,
    giver: Owner,
    taker: Owner,
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
) -> None:
    """A cart's holds become an order's: what was held stays held, what had lapsed is taken again.

    Raises OutOfStock when something lapsed and is gone. The caller rolls back.
    """
    release(session, giver)
    hold(session, taker, demands, expires_at, now)


def allocate(
    session: Session, owner: Owner, demands: Sequence[Demand], reference: str, now: datetime
) -> None:
    """Holds become sold. What lapsed meanwhile is taken again, or OutOfStock is raised."""
    missing = {demand.line_id: demand for demand in demands}
    for row in _active(session, owner):
        if row.line_id not in missing or row.quantity != missing[row.line_id].quantity:
            continue
        if _end(session, row, "allocated"):
            _sell(session, row.level_id, row.quantity, reference, now)
            del missing[row.line_id]
    if not missing:
        return
    level_of = _levels(session, [demand.variant_id for demand in missing.values()])
    for demand in sorted(missing.values(), key=lambda d: str(level_of.get(d.variant_id))):
        if demand.variant_id not in level_of:
            continue
        level_id = level_of[demand.variant_id]
        _take(session, level_id, demand.quantity, now)
        levels.shift(session, level_id, held=-demand.quantity)
        _sell(session, level_id, demand.quantity, reference, now)


def _sell(
    session: Session, level_id: uuid.UUID, quantity: int, reference: str, now: datetime
) -> None:
    levels.shift(session, level_id, allocated=quantity)
    levels.move(session, level_id, "allocated", now, allocated=quantity, reference=reference)
