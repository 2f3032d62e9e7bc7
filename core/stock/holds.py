"""Holds: pieces kept for a cart, quote or order until a time, and how they become sold.

Levels are met in the order of their keys, so that two takers never wait for each other in a circle.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Executable, Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.db import changed, insert_rows, table
from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.stock import levels
from core.stock.levels import IS_ACTIVE
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
    """Keep pieces for ``owner`` until ``expires_at``. What is neither physical nor counted needs none.

    All or nothing: raises OutOfStock for the first variant that falls short, after letting the
    lapsed holds of its levels go. The caller rolls back. A variant's pieces come from one place.
    """
    if len(demands) == 1:
        level_id = levels.hold_first(session, demands[0].variant_id, demands[0].quantity)
        if level_id is not None:
            _write(session, owner, [(demands[0], level_id)], expires_at, now)
            return
    counted = _counted(session, [demand.variant_id for demand in demands])
    needs: dict[uuid.UUID, int] = {}
    for demand in demands:
        if demand.variant_id in counted:
            needs[demand.variant_id] = needs.get(demand.variant_id, 0) + demand.quantity
    level_of = {
        variant_id: _take(session, counted[variant_id], needs[variant_id], now)
        for variant_id in sorted(needs, key=lambda key: counted[key].level_ids)
    }
    placed = [(one, level_of[one.variant_id]) for one in demands if one.variant_id in level_of]
    _write(session, owner, placed, expires_at, now)


def _write(
    session: Session,
    owner: Owner,
    placed: Sequence[tuple[Demand, uuid.UUID]],
    expires_at: datetime,
    now: datetime,
) -> None:
    rows = [
        {
            "id": new_id(),
            "level_id": level_id,
            "owner_kind": owner.kind,
            "owner_id": owner.id,
            "line_id": demand.line_id,
            "quantity": demand.quantity,
            "expires_at": expires_at,
            "state": "active",
            "created_at": now,
        }
        for demand, level_id in placed
    ]
    insert_rows(session, Hold, rows)


def change(
    session: Session, owner: Owner, demand: Demand, expires_at: datetime, now: datetime
) -> None:
    """Keep another quantity for a line until ``expires_at``; what has lapsed is taken again.

    Raises OutOfStock as ``hold`` does, and the caller rolls back.
    """
    rows = _active(session, owner, demand.line_id)
    if len(rows) == 1:
        (row,) = rows
        more = demand.quantity - row.quantity
        if more == 0 or levels.shift(session, row.level_id, held=more):
            session.execute(
                _changed_to(),
                {
                    "hold": row.id,
                    "new_quantity": demand.quantity,
                    "new_expires_at": expires_at,
                },
            )
            return
    _hold_anew(session, owner, rows, [demand], expires_at, now)


def change_all(
    session: Session,
    owner: Owner,
    line_id: uuid.UUID,
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
) -> None:
    """As ``change``, for a line that needs several things: a bundle. All of them or OutOfStock."""
    rows = _active(session, owner, line_id)
    _hold_anew(session, owner, rows, demands, expires_at, now)


def _hold_anew(
    session: Session,
    owner: Owner,
    rows: Sequence[Any],
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
) -> None:
    for row in rows:
        _end(session, row, "released")
    hold(session, owner, demands, expires_at, now)


@dataclass(frozen=True)
class _Counted:
    """A variant that is counted, and its levels in the order of their keys."""

    sku: str
    level_ids: tuple[uuid.UUID, ...]


def _counted(session: Session, variant_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, _Counted]:
    rows: Sequence[Any] = session.execute(_levels(), {"variants": list(set(variant_ids))}).all()
    found: dict[uuid.UUID, _Counted] = {}
    for variant_id, sku, kind, level_id in rows:
        if level_id is not None:
            earlier = found[variant_id].level_ids if variant_id in found else ()
            found[variant_id] = _Counted(sku, (*earlier, level_id))
        elif kind == "physical":
            found[variant_id] = _Counted(sku, ())
    return found


def _take(session: Session, counted: _Counted, quantity: int, now: datetime) -> uuid.UUID:
    """Hold pieces at the first level that has all of them; answers which."""
    for level_id in counted.level_ids:
        if levels.shift(session, level_id, held=quantity):
            return level_id
    for level_id in counted.level_ids:
        # Somebody else may be letting holds go just now, so look again even when none was left to us.
        while lapse(session, now, level_id=level_id):
            pass
        if levels.shift(session, level_id, held=quantity):
            return level_id
    free = session.scalar(
        select(func.max(levels.free(now))).where(StockLevel.id.in_(counted.level_ids))
    )
    raise OutOfStock(counted.sku, quantity, max(int(free or 0), 0))


def lapse(
    session: Session, now: datetime, *, level_id: uuid.UUID | None = None, limit: int = 500
) -> int:
    """Let holds go whose time is over, of one level or of all; says how many.

    Levels are locked before their holds: whoever comes second sees what the first one let go.
    """
    over = (IS_ACTIVE, Hold.expires_at <= now)
    wanted = [level_id] if level_id is not None else _levels_of(session, over, limit)
    locked = session.scalars(
        select(StockLevel.id)
        .where(StockLevel.id.in_(wanted))
        .order_by(StockLevel.id)
        .with_for_update()
    ).all()
    rows = session.execute(
        select(*_columns())
        .where(*over, Hold.level_id.in_(locked))
        .order_by(Hold.level_id, Hold.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_end(session, row, "lapsed") for row in rows)


def _levels_of(
    session: Session, over: Sequence[ColumnElement[bool]], limit: int
) -> Sequence[uuid.UUID]:
    query = select(Hold.level_id).where(*over).order_by(Hold.level_id, Hold.id).limit(limit)
    return list(set(session.scalars(query)))


def release(session: Session, owner: Owner, line_id: uuid.UUID | None = None) -> int:
    """Let the active holds of an owner (or of one of its lines) go; says how many."""
    return sum(_end(session, row, "released") for row in _active(session, owner, line_id))


def _active(session: Session, owner: Owner, line_id: uuid.UUID | None = None) -> Sequence[Any]:
    values = {"kind": owner.kind, "owner": owner.id}
    if line_id is None:
        return session.execute(_active_of_owner(), values).all()
    return session.execute(_active_of_line(), {**values, "line": line_id}).all()


def _end(session: Session, row: Any, state: str) -> int:
    if not _close(session, row, state):
        return 0
    levels.shift(session, row.level_id, held=-row.quantity)
    return 1


def _close(session: Session, row: Any, state: str) -> bool:
    return changed(session.execute(_ended(), {"hold": row.id, "new_state": state})) == 1


def of(session: Session, owner: Owner, now: datetime) -> dict[uuid.UUID, datetime]:
    """Until when each line of ``owner`` is held (the first of its holds); not lines that lapsed."""
    values = {"kind": owner.kind, "owner": owner.id, "now": now}
    return dict(session.execute(_until(), values).all())


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
    missing = list(demands)
    values = {"kind": giver.kind, "owner": giver.id}
    for row in session.execute(_active_with_variant(), values).all():
        wanted = (row.variant_id, row.quantity)
        demand = next((d for d in missing if (d.variant_id, d.quantity) == wanted), None)
        if demand is None:
            _end(session, row, "released")
            continue
        missing.remove(demand)
        session.execute(
            _passed_on(),
            {
                "hold": row.id,
                "kind": taker.kind,
                "owner": taker.id,
                "new_line": demand.line_id,
                "new_expires_at": expires_at,
            },
        )
    if missing:
        hold(session, taker, missing, expires_at, now)


def allocate(
    session: Session, owner: Owner, demands: Sequence[Demand], reference: str, now: datetime
) -> None:
    """Holds become sold. What lapsed meanwhile is taken again, or OutOfStock is raised."""
    missing = {demand.line_id: demand for demand in demands}
    for row in _active(session, owner):
        if row.line_id not in missing or row.quantity != missing[row.line_id].quantity:
            continue
        if _close(session, row, "allocated"):
            _sell(session, row.level_id, row.quantity, reference, now)
            del missing[row.line_id]
    if not missing:
        return
    counted = _counted(session, [demand.variant_id for demand in missing.values()])
    wanted = [demand for demand in missing.values() if demand.variant_id in counted]
    for demand in sorted(wanted, key=lambda demand: counted[demand.variant_id].level_ids):
        level_id = _take(session, counted[demand.variant_id], demand.quantity, now)
        _sell(session, level_id, demand.quantity, reference, now)


def _sell(
    session: Session, level_id: uuid.UUID, quantity: int, reference: str, now: datetime
) -> None:
    """Pieces that are held are sold."""
    levels.shift(session, level_id, held=-quantity, allocated=quantity)
    levels.move(session, level_id, "allocated", now, allocated=quantity, reference=reference)


# --- statements, each put together once and at first use, when the types of foreign keys are known ------


def _columns() -> tuple[Any, ...]:
    hold = table(Hold).c
    return (hold.id, hold.level_id, hold.line_id, hold.quantity, hold.expires_at)


def _owned() -> tuple[ColumnElement[bool], ...]:
    hold = table(Hold).c
    return (hold.owner_kind == bindparam("kind"), hold.owner_id == bindparam("owner"), IS_ACTIVE)


def _in_order(query: Select[Any]) -> Select[Any]:
    """Locked in the order of their levels, so that two never wait for each other in a circle."""
    hold = table(Hold)
    return query.order_by(hold.c.level_id, hold.c.id).with_for_update(of=hold)


@cache
def _active_of_owner() -> Executable:
    return _in_order(select(*_columns()).where(*_owned()))


@cache
def _active_of_line() -> Executable:
    of_line = table(Hold).c.line_id == bindparam("line")
    return _in_order(select(*_columns()).where(*_owned(), of_line))


@cache
def _active_with_variant() -> Executable:
    hold, level = table(Hold), table(StockLevel)
    joined = hold.join(level, level.c.id == hold.c.level_id)
    query = select(*_columns(), level.c.variant_id).select_from(joined)
    return _in_order(query.where(*_owned()))


@cache
def _until() -> Executable:
    hold = table(Hold).c
    query = select(hold.line_id, hold.expires_at).order_by(hold.expires_at.desc())
    return query.where(*_owned(), hold.expires_at > bindparam("now"))


@cache
def _levels() -> Executable:
    variant, level = table(Variant), table(StockLevel)
    return (
        select(variant.c.id, variant.c.sku, variant.c.kind, level.c.id)
        .select_from(variant.outerjoin(level, level.c.variant_id == variant.c.id))
        .where(variant.c.id.in_(bindparam("variants", expanding=True)))
        .order_by(variant.c.id, level.c.id)
    )


def _of_active(**values: str) -> Executable:
    """Change columns of one active hold; ``values`` are columns and the names of their parameters."""
    hold = table(Hold)
    return (
        update(hold)
        .where(hold.c.id == bindparam("hold"), IS_ACTIVE)
        .values({column: bindparam(name) for column, name in values.items()})
    )


@cache
def _ended() -> Executable:
    return _of_active(state="new_state")


@cache
def _changed_to() -> Executable:
    return _of_active(quantity="new_quantity", expires_at="new_expires_at")


@cache
def _passed_on() -> Executable:
    return _of_active(
        owner_kind="kind", owner_id="owner", line_id="new_line", expires_at="new_expires_at"
    )
