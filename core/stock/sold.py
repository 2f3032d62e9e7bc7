"""Sold pieces: they leave, are let go again, or come back. Their movements tell at which place they are.

A sale's movements carry its reference (``order:ID``), so what is still allocated to it is their sum.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import BindParameter, Select, Update, bindparam, func, select, update
from sqlalchemy.orm import Session

from core.kernel.db import changed, table
from core.kernel.errors import ShopError
from core.stock import levels
from core.stock.models import StockLevel, StockMovement


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
    """Pieces that were sold under ``about`` leave. Raises NotOnHand; what is not counted just leaves."""

    def leave(level_id: uuid.UUID, pieces: int) -> None:
        if changed(session.execute(_left(), {"level": level_id, "pieces": pieces})) != 1:
            on_hand = session.get_one(StockLevel, level_id, populate_existing=True).on_hand
            raise NotOnHand(sku, pieces, on_hand)
        levels.move(
            session, level_id, "shipped", now, on_hand=-pieces, allocated=-pieces, reference=about
        )

    _each(session, about, variant_id, quantity, leave)


def let_go(
    session: Session, about: str, variant_id: uuid.UUID, quantity: int, now: datetime
) -> None:
    """Pieces that were sold under ``about`` are free again: they never left."""

    def free(level_id: uuid.UUID, pieces: int) -> None:
        levels.shift(session, level_id, allocated=-pieces)
        levels.move(session, level_id, "deallocated", now, allocated=-pieces, reference=about)

    _each(session, about, variant_id, quantity, free)


def take_back(
    session: Session, about: str, variant_id: uuid.UUID, quantity: int, now: datetime
) -> bool:
    """Pieces that had left under ``about`` are on the shelf again, where they came from; False when nobody
    counted them."""
    level_id = session.scalar(_came_from(), {"about": about, "variant": variant_id})
    if level_id is None:
        return False
    levels.shift(session, level_id, on_hand=quantity)
    levels.move(session, level_id, "returned", now, on_hand=quantity, reference=about)
    return True


def _each(
    session: Session,
    about: str,
    variant_id: uuid.UUID,
    quantity: int,
    work: Callable[[uuid.UUID, int], None],
) -> None:
    """Do the work at each place that has such pieces allocated, in the order of their keys."""
    left = quantity
    for level_id, pieces in session.execute(
        _allocated(), {"about": about, "variant": variant_id}
    ).all():
        part = min(left, int(pieces))
        if part > 0:
            work(level_id, part)
            left -= part


@cache
def _allocated() -> Select[Any]:
    level, movement = table(StockLevel).c, table(StockMovement).c
    return (
        select(level.id, func.sum(movement.allocated))
        .select_from(table(StockMovement).join(table(StockLevel), level.id == movement.level_id))
        .where(movement.reference == bindparam("about"), level.variant_id == bindparam("variant"))
        .group_by(level.id)
        .having(func.sum(movement.allocated) > 0)
        .order_by(level.id)
    )


@cache
def _came_from() -> Select[Any]:
    level, movement = table(StockLevel).c, table(StockMovement).c
    return (
        select(level.id)
        .select_from(table(StockMovement).join(table(StockLevel), level.id == movement.level_id))
        .where(
            movement.reference == bindparam("about"),
            level.variant_id == bindparam("variant"),
            movement.kind == "shipped",
        )
        .order_by(level.id)
        .limit(1)
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
