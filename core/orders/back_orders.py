"""What waits as a back-order, with the order that it is for: the desk's list. Reads only."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Subquery, func, select
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.looking import found_in
from core.kernel.sorting import Place, Sorts
from core.orders.models import Order
from core.stock import back_orders
from core.stock.back_order_models import BackOrder
from core.stock.models import Location, StockLevel

SORTS = Sorts(BackOrder.id, {"since": BackOrder.since, "sku": Variant.sku})
OLDEST = Place("since")


@dataclass(frozen=True)
class Row:
    """A back-order in the words of a list. ``can``: so many can be released now."""

    row: BackOrder
    order: Order
    level: StockLevel
    variant: Variant
    place: Location
    can: int


def page(
    session: Session,
    *,
    only_coverable: bool = False,
    words: str = "",
    place: Place = OLDEST,
    limit: int = 50,
) -> list[Row]:
    """What waits, from a place on; ``words`` in SKU, name and the order's number."""
    coverable = back_orders.can_now()
    query = _query(coverable)
    if only_coverable:
        query = query.where(coverable.c.can > 0)
    if words:
        query = query.where(found_in(words, Variant.sku, Variant.name, Order.number, Order.email))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [
        Row(row, order, level, variant, spot, int(can))
        for row, order, level, variant, spot, can in rows
    ]


def counts(session: Session) -> dict[str, int]:
    """How many wait, and of how many something can be released."""
    coverable = back_orders.can_now()
    query = select(func.count(), func.count().filter(coverable.c.can > 0))
    every, can = session.execute(query.select_from(coverable)).one()
    return {"": int(every), "can": int(can)}


def variants_waiting(session: Session, order: Order) -> dict[uuid.UUID, int]:
    """How many pieces of which thing of an order wait."""
    query = (
        select(StockLevel.variant_id, func.sum(BackOrder.waiting))
        .join(StockLevel, StockLevel.id == BackOrder.level_id)
        .where(BackOrder.reference == f"order:{order.public_id}", BackOrder.waiting > 0)
        .group_by(StockLevel.variant_id)
    )
    return {key: int(pieces) for key, pieces in session.execute(query)}


def _query(coverable: Subquery) -> Select[*tuple[Any, ...]]:
    return (
        select(BackOrder, Order, StockLevel, Variant, Location, coverable.c.can)
        .join(coverable, coverable.c.id == BackOrder.id)
        .join(StockLevel, StockLevel.id == BackOrder.level_id)
        .join(Variant, Variant.id == StockLevel.variant_id)
        .join(Location, Location.id == StockLevel.location_id)
        .join(Order, Order.public_id == func.substr(BackOrder.reference, len("order:") + 1))
    )
