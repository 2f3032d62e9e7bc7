"""Numbers, addresses and keys are given up: of pieces that are cancelled or come back, and of a service that
ended. They rest as their pool says. In the caller's transaction; asked again, nothing is left to be done.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from core.orders import fulfilling
from core.orders.fulfilling import Some
from core.orders.models import Order
from core.stock import giving_up, sold


def of_pieces(
    session: Session, order: Order, chosen: Iterable[Some], actor: str, now: datetime
) -> None:
    """So many pieces of an order's lines are not its customer's any more."""
    about = sold.reference(order.public_id)
    for one in sorted(chosen, key=lambda one: one.line.variant_id or one.line.id):
        if one.line.numbered:
            giving_up.give_up(session, one.line.id, one.quantity, about, now, actor)


def of_service(session: Session, subscription_id: uuid.UUID, actor: str, now: datetime) -> None:
    """A service ended: what it was ordered with is not its customer's any more."""
    line = fulfilling.of_subscription(session, subscription_id)
    if line is not None and line.numbered:
        order = session.get_one(Order, line.order_id)
        about = sold.reference(order.public_id)
        giving_up.give_up(session, line.id, None, about, now, actor)
