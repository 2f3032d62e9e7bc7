"""Changes of a placed order that may be asked for twice: the order, locked, and what was made of the first
asking. For cancellations, changes and returns."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.orders import changing, placing
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order
from core.parties import accounts
from flows import once


def lock(session: Session, public_id: str) -> Order:
    """The order, locked behind its payer."""
    order = placing.by_public_id(session, public_id)
    accounts.lock(session, order.payer_account_id)
    return placing.lock(session, order.id)


def key_of(order: Order, name: str) -> str:
    """Under which name a request of this order is known."""
    return f"{order.id.hex[-16:]}:{name}"[:80]


def known(
    session: Session, order: Order, name: str, asked: tuple[object, ...], now: datetime
) -> tuple[str, OrderChange | None]:
    """As what it is known, and what was made when it was asked for under this name before. Raises KeyReused
    when that was something else."""
    key = key_of(order, name)
    once.same(session, "order-change", key, asked, now)
    return key, changing.known(session, key)
