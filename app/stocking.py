"""Handlers of the stock: holds that lapse, pieces that came free, and looking at it by the clock.

``app.handlers`` has the table.
"""

import uuid

from sqlalchemy.orm import Session

from core import events
from core.stock import holds
from flows import release_back_orders, tell_low_stock, wait_for_stock
from flows.house import House


def sweep_holds(session: Session, house: House, _: object) -> None:
    """Nothing depends on it: whoever looks counts only holds that still run."""
    holds.lapse(session, house.clock.now())


def freed(session: Session, house: House, event: events.StockFreed) -> None:
    """Whoever bought it before it was there gets it first; then whoever waits for it is offered it."""
    release_back_orders.came(session, house, uuid.UUID(event.variant_id))
    wait_for_stock.offer(session, house, uuid.UUID(event.variant_id))


def look(house: House, _: object) -> None:
    """What no event told of: back-orders, who waits, and what is low."""
    release_back_orders.look(house)
    wait_for_stock.offer_all(house)
    tell_low_stock.run(house)
