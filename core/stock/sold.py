"""Sold pieces: they leave, are let go again, or come back. Their movements tell at which place they are.

A sale's movements carry its reference (``order:ID``), so what is still allocated to it is their sum.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import BindParameter, Select, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from core.kernel.db import changed, table
from core.kernel.errors import ShopError
from core.stock import back_orders, freeing, levels
from core.stock.back_orders import BackOrderWaits
from core.stock.models import Location, StockLevel, StockMovement


@dataclass(eq=False)
class NotOnHand(ShopError):
    """Sold, but not there to be sent: they were sold on back-order, or the count is wrong."""

    code: ClassVar[str] = "not_on_hand"
    text: ClassVar[str] = "{sku}: {wanted} are to leave, but only {on_hand} are on hand."
    sku: str
    wanted: int
    on_hand: int


def reference(public_id: str) -> str:
    """How the movements of an order's pieces name it."""
    return f"order:{public_id}"


def ship(
    session: Session, about: str, variant_id: uuid.UUID, sku: str, quantity: int, now: datetime
) -> None:
    """Pieces that were sold under ``about`` leave the places where they were sold, where they lie first.

    Raises NotOnHand, and BackOrderWaits for what was not released; what is not counted just leaves.
    """
    rows = _sold(session, about, variant_id)
    there = _to_leave(session, about, rows, sku, quantity, now)
    wanted = min(quantity, sum(int(row.pieces) for row in rows))
    for level_id, pieces in _dealt(wanted, there):
        if changed(session.execute(_left(), {"level": level_id, "pieces": pieces})) != 1:
            raise NotOnHand(sku, pieces, 0)
        levels.move(
            session, level_id, "shipped", now, on_hand=-pieces, allocated=-pieces, reference=about
        )


def is_there(
    session: Session, about: str, variant_id: uuid.UUID, sku: str, quantity: int, now: datetime
) -> None:
    """Raises NotOnHand and BackOrderWaits when fewer pieces than that, sold under ``about``, could leave.
    What is not counted is there."""
    _to_leave(session, about, _sold(session, about, variant_id), sku, quantity, now)


def _to_leave(
    session: Session, about: str, rows: Sequence[Any], sku: str, quantity: int, now: datetime
) -> dict[uuid.UUID, int]:
    """How many pieces may leave from which level: those that lie there, and wait for no release."""
    wanted = min(quantity, sum(int(row.pieces) for row in rows))
    lie = {row.id: max(min(int(row.pieces), row.on_hand), 0) for row in rows}
    if wanted > sum(lie.values()):
        raise NotOnHand(sku, wanted, sum(lie.values()))
    late = back_orders.waiting_of(session, about)
    unsure = [row.id for row in rows if row.id in late or row.allocated > row.on_hand]
    for key in unsure:
        back_orders.settle(session, key, now)
    late = back_orders.waiting_of(session, about) if unsure else {}
    free = {row.id: int(row.pieces) - late.get(row.id, 0) for row in rows}
    there = {key: min(pieces, free[key]) for key, pieces in lie.items()}
    if wanted > sum(there.values()):
        raise BackOrderWaits(sku, sum(late.get(row.id, 0) for row in rows))
    return there


def let_go(
    session: Session, about: str, variant_id: uuid.UUID, quantity: int, now: datetime
) -> None:
    """Pieces that were sold under ``about`` are free again: they never left. First where too few lie."""
    rows = _sold(session, about, variant_id)
    rows.sort(key=lambda row: (row.on_hand >= row.allocated, row.id))
    for level_id, pieces in _dealt(quantity, {row.id: int(row.pieces) for row in rows}):
        levels.shift(session, level_id, allocated=-pieces)
        levels.move(session, level_id, "deallocated", now, allocated=-pieces, reference=about)
        back_orders.gave_up(session, level_id, about, pieces)
    freeing.tell(session, [row.id for row in rows], now)


def take_back(
    session: Session, about: str, variant_id: uuid.UUID, quantity: int, now: datetime
) -> bool:
    """Pieces that had left under ``about`` are on the shelves again that they came from; False when nobody
    counted them."""
    values = {"about": about, "variant": variant_id}
    away = {row.id: int(row.away) for row in session.execute(_came_from(), values)}
    if not away:
        return False
    back = dict(_dealt(quantity, away))
    first = min(away)
    back[first] = back.get(first, 0) + quantity - sum(back.values())
    for level_id, pieces in sorted(back.items()):
        if pieces:
            levels.shift(session, level_id, on_hand=pieces)
            levels.move(session, level_id, "returned", now, on_hand=pieces, reference=about)
    freeing.tell(session, back, now)
    return True


def places(session: Session, about: str) -> dict[uuid.UUID, list[tuple[str, int]]]:
    """Where the pieces that are sold under ``about`` and have not left lie, by variant: names of places."""
    found: dict[uuid.UUID, list[tuple[str, int]]] = {}
    for variant_id, name, pieces in session.execute(_places(), {"about": about}):
        found.setdefault(variant_id, []).append((name, int(pieces)))
    return found


def _sold(session: Session, about: str, variant_id: uuid.UUID) -> list[Any]:
    """What is sold under ``about`` at each place, its levels locked in the order of their keys."""
    session.execute(_locking(), {"variant": variant_id}).all()
    return list(session.execute(_allocated(), {"about": about, "variant": variant_id}))


def _dealt(quantity: int, among: Mapping[uuid.UUID, int]) -> Iterator[tuple[uuid.UUID, int]]:
    """So many pieces from these levels, one after the other."""
    left = quantity
    for level_id, pieces in among.items():
        part = min(left, pieces)
        if part > 0:
            yield level_id, part
            left -= part


@cache
def _locking() -> Select[Any]:
    level = table(StockLevel)
    query = select(level.c.id).where(level.c.variant_id == bindparam("variant"))
    return query.order_by(level.c.id).with_for_update()


@cache
def _places() -> Select[Any]:
    level, movement, place = table(StockLevel), table(StockMovement), table(Location)
    pieces = func.sum(movement.c.allocated)
    return (
        select(level.c.variant_id, place.c.name, pieces)
        .select_from(
            movement.join(level, level.c.id == movement.c.level_id).join(
                place, place.c.id == level.c.location_id
            )
        )
        .where(movement.c.reference == bindparam("about"))
        .group_by(level.c.variant_id, place.c.name)
        .having(pieces > 0)
        .order_by(place.c.name)
    )


@cache
def _allocated() -> Select[Any]:
    level, movement = table(StockLevel).c, table(StockMovement).c
    return (
        select(
            level.id, level.on_hand, level.allocated, func.sum(movement.allocated).label("pieces")
        )
        .select_from(table(StockMovement).join(table(StockLevel), level.id == movement.level_id))
        .where(movement.reference == bindparam("about"), level.variant_id == bindparam("variant"))
        .group_by(level.id, level.on_hand, level.allocated)
        .having(func.sum(movement.allocated) > 0)
        .order_by(level.id)
    )


@cache
def _came_from() -> Select[Any]:
    level, movement = table(StockLevel).c, table(StockMovement).c
    return (
        select(level.id, func.sum(-movement.on_hand).label("away"))
        .select_from(table(StockMovement).join(table(StockLevel), level.id == movement.level_id))
        .where(
            movement.reference == bindparam("about"),
            level.variant_id == bindparam("variant"),
            movement.kind.in_(("shipped", "returned")),
        )
        .group_by(level.id)
        .order_by(level.id)
    )


@cache
def _left() -> Update:
    level = table(StockLevel)
    pieces: BindParameter[int] = bindparam("pieces")
    return (
        update(level)
        .where(
            level.c.id == bindparam("level"),
            level.c.on_hand >= pieces,
            level.c.allocated >= pieces,
        )
        .values(on_hand=level.c.on_hand - pieces, allocated=level.c.allocated - pieces)
    )
