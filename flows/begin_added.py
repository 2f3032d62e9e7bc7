"""Services that a change added to a placed order begin as those that it was placed with: at once, by a
system, or when somebody connects them. Of an order that is paid at once they wait for their bill to be paid;
when that was credited or written off instead, or is charged back, nothing begins by itself.

Called by ``change_order``, and by the clock for what waited.
"""

import uuid
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from core.kernel import crash
from core.orders import fulfilling, grouping, placing, provisioning
from core.orders.fulfilling import Some
from core.orders.models import Order, OrderLine
from core.orders.provisioning import Provisioning
from core.parties import accounts
from core.prices.models import Plan
from core.subscriptions.models import Subscription
from flows import activate_service, add_goods, provision_service, worth
from flows.house import House


def begin(session: Session, house: House, order: Order, lines: Sequence[OrderLine]) -> None:
    """What may begin of lines that a change added does; nothing while their bill is open. The order is
    locked."""
    waiting = [line for line in lines if line.subscription_id is not None and line.waiting]
    if not waiting or not _may_begin(session, order, waiting):
        return
    now = house.clock.now()
    fresh = [line for line in waiting if not _is_asked_for(session, line)]
    provision_service.want(session, order, fresh, now)
    begun = activate_service.at_once(session, waiting, f"order:{order.public_id}", now)
    if begun:
        given = [Some(line, line.waiting) for line in begun]
        once = f"added:{begun[0].id.hex}"
        fulfilling.provide(session, order, given, "system", once, now)
    crash.point("added.begun")


def _is_asked_for(session: Session, line: OrderLine) -> bool:
    assert line.subscription_id is not None
    return provisioning.of_subscription(session, line.subscription_id) is not None


def run(house: House) -> int:
    """By the clock: what waited for its bill begins; says of how many orders."""
    with house.db.reading() as session:
        found = [order.id for order in session.scalars(_waiting()).all() if _ready(session, order)]
    for key in found:
        house.db.run_tx(partial(_look, house=house, order_id=key))
    return len(found)


def _look(session: Session, house: House, order_id: uuid.UUID) -> None:
    order = session.get_one(Order, order_id)
    accounts.lock(session, order.payer_account_id)
    order = placing.lock(session, order_id)
    if order.lifecycle not in ("confirmed", "completed"):
        return
    for lines in _ready(session, order):
        begin(session, house, order, lines)


def _ready(session: Session, order: Order) -> list[list[OrderLine]]:
    """What each change added that waits no more, and whose bill was paid: not what was credited of it, and
    nothing of one that was given up or is charged back."""
    found = [its for its in _by_change(session, order) if _may_begin(session, order, its)]
    if not found:
        return []
    left = worth.left(session, order)
    stands = [
        [line for line in its if left[line.id].minor or not line.net_minor]
        for its in found
        if not add_goods.is_given_up(session, its)
    ]
    return [its for its in stands if its]


def _by_change(session: Session, order: Order) -> list[list[OrderLine]]:
    """What each change added that waits for its service to begin."""
    found: dict[uuid.UUID, list[OrderLine]] = {}
    for line in grouping.added(placing.lines_of(session, order.id)):
        if line.change_id is not None and line.subscription_id is not None and line.waiting:
            found.setdefault(line.change_id, []).append(line)
    return list(found.values())


def _may_begin(session: Session, order: Order, lines: Sequence[OrderLine]) -> bool:
    return not order.is_held and add_goods.unpaid(session, order, lines) is None


def _waiting() -> Select[Order]:
    """Orders with a plan that a change added, which nobody has to connect, and which has not begun."""
    added = (
        select(OrderLine.order_id)
        .join(Subscription, Subscription.id == OrderLine.subscription_id)
        .join(Plan, Plan.variant_id == OrderLine.variant_id)
        .outerjoin(Provisioning, Provisioning.order_line_id == OrderLine.id)
        .where(
            OrderLine.change_id.is_not(None),
            Subscription.state == "ordered",
            Plan.activation != "by_hand",
            Provisioning.id.is_(None),
        )
    )
    return select(Order).where(Order.id.in_(added), Order.lifecycle.in_(("confirmed", "completed")))
