"""Back-orders are released when their pieces come: by themselves where a place says so, else by staff.

A release is told to the customer, once. Called by the handlers of the stock, the desk and its API.
"""

import uuid
from collections.abc import Sequence
from functools import partial

from sqlalchemy.orm import Session

from core.catalog import products
from core.kernel import crash
from core.kernel.errors import NotFound
from core.stock import adjusting, back_orders
from core.stock.back_order_models import BackOrder
from flows.house import House


def look(house: House) -> None:
    """Note what waits by now, and release what a place releases by itself: level by level."""
    with house.db.reading() as session:
        keys = back_orders.to_look_at(session)
    for key in keys:
        house.db.run_tx(partial(_look, house, key))


def _look(house: House, level_id: uuid.UUID, session: Session) -> None:
    back_orders.settle(session, level_id, house.clock.now())
    crash.point("back_order.before_commit")


def came(session: Session, house: House, variant_id: uuid.UUID) -> None:
    """Pieces of a thing came free: those that wait for them get them, where that is done by itself."""
    for level_id in back_orders.levels_of(session, [variant_id]):
        _look(house, level_id, session)


def release_all(house: House, actor: str, sku: str = "") -> int:
    """Release all that can be covered now, or of one thing; says to how many orders. Raises UnknownSku."""
    with house.db.reading() as session:
        if sku:
            keys = back_orders.levels_of(session, [products.variant(session, sku).id])
        else:
            keys = back_orders.to_look_at(session)
    return sum(house.db.run_tx(partial(_release, house, key, actor, None)) for key in keys)


def release_one(house: House, back_order_id: uuid.UUID, actor: str) -> int:
    """Release what is there for one, and not for older ones; says how many pieces still wait.

    Raises NotFound.
    """

    def work(session: Session) -> int:
        row = session.get(BackOrder, back_order_id)
        if row is None:
            raise NotFound("back-order")
        _release(house, row.level_id, actor, [row.id], session)
        session.refresh(row)
        return row.waiting

    return house.db.run_tx(work)


def _release(
    house: House,
    level_id: uuid.UUID,
    actor: str,
    only: Sequence[uuid.UUID] | None,
    session: Session,
) -> int:
    level = adjusting.lock(session, level_id)
    done = back_orders.release(session, level, actor, house.clock.now(), only)
    crash.point("back_order.before_commit")
    return done
