"""A pending order is cancelled and its cart or quote given back. In the caller's transaction."""

import uuid

from sqlalchemy.orm import Session

from cart import checkout
from cart.quotes import answering
from core.kernel import audit
from core.ledger import tenders
from core.orders import placing
from flows.house import House
from payments import operations


def cancel(
    session: Session, house: House, order_id: uuid.UUID, reason: str, *, hold_again: bool = False
) -> bool:
    """Cancel a pending order whose visit has ended; False when it was not pending any more.

    With ``hold_again`` the cart's pieces are held anew, because somebody is there to buy them.
    """
    now = house.clock.now()
    operation = operations.of_order(session, order_id)
    locked = operations.lock(session, operation.id) if operation is not None else None
    order = placing.lock(session, order_id)
    if order.lifecycle != "pending":
        return order.lifecycle == "cancelled"
    if locked is not None and locked.state in operations.OPEN_STATES:
        operations.settle(session, locked, "expired", now)
    tenders.release(session, order_id=order.id)
    version_id = order.quote_version_id
    placing.cancel(session, order, reason, now)
    if version_id is not None:
        answering.give_back(session, order, version_id, now)
    else:
        checkout.give_back(session, order, house.rules.hold_for if hold_again else None, now)
    audit.write(
        session, now, "system", "order.cancelled", ("order", order.public_id), reason=reason
    )
    return True
