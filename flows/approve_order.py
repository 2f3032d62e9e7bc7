"""A held order is approved: what would have happened with it at once happens now. Or it is cancelled instead
(``flows.take_back``), which gives the money back.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from core.events import OrderApproved
from core.kernel import audit, crash, jobs
from core.orders import fulfilling, held, placing
from core.orders.fulfilling import OrderNotHeld
from core.orders.models import Order
from flows import (
    activate_service,
    asked_before,
    issue_invoice,
    provision_service,
    sell_gift_cards,
)
from flows.house import House
from invoices.earned import orders as earned


def approve(house: House, public_id: str, actor: str) -> Order:
    """Let a held order go. Approved by two it is approved once: the second is answered the order as it is.

    Raises NotFound, OrderNotOpen when it was cancelled, and OrderNotHeld when it never was held.
    """
    return house.db.run_tx(lambda session: _approve(session, house, public_id, actor))


def _approve(session: Session, house: House, public_id: str, actor: str) -> Order:
    now, order = house.clock.now(), asked_before.lock(session, public_id)
    fulfilling.is_open(order)
    if order.held_at is None:
        raise OrderNotHeld(order.number or "")
    if not order.is_held:
        return order
    held.decide(session, order, actor, now)
    crash.point("approve.decided")
    _let_go(session, house, order, actor, now)
    jobs.record(session, OrderApproved(str(order.id)), now, key=f"approved:{order.id}", priority=1)
    subject = ("order", order.public_id)
    audit.write(session, now, actor, "order.approved", subject, reasons=list(order.reasons))
    crash.point("approve.before_commit")
    return order


def _let_go(session: Session, house: House, order: Order, actor: str, now: datetime) -> None:
    """What waited for the decision: services that a system or nobody begins, downloads, gift cards."""
    lines = [line for line in placing.lines_of(session, order.id) if line.waiting]
    provision_service.want(session, order, lines, now)
    begun = activate_service.at_once(session, lines, actor, now)
    fulfilling.at_once(session, order, lines, begun, now)
    issue_invoice.for_order(session, house, order.id)
    earned.settle(session, order, now)
    sell_gift_cards.tell(session, house, order)
