"""An order becomes certain: pieces sold, plans begun, a quote accepted, everybody told. In the caller's
transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cart import checkout, goods, lines, slots
from cart.models import Cart
from cart.quotes import answering
from core.events import OrderPlaced
from core.kernel import jobs
from core.orders import fulfilling, placing
from core.orders.drafting import Draft
from core.orders.models import Order, OrderLine
from core.stock import holds
from core.stock.holds import Near, Owner
from core.subscriptions import ordering
from flows import activate_service, provision_service, screen_order
from flows.house import House


def confirm(
    session: Session, house: House, order: Order, payment: str, found: Sequence[OrderLine]
) -> None:
    """The order is certain: its pieces are sold, its plans begin, and everybody is told.

    What the shop's rules hold waits for ``flows.approve_order``: nothing of it is begun or given, all else
    is as ever. ``found`` are its lines. Raises OutOfStock when pieces whose hold lapsed are gone.
    """
    now = house.clock.now()
    demands, near = checkout.order_demands(found), Near.of(order.shipping_address)
    holds.allocate(session, Owner("order", order.id), demands, _about(order), now, near)
    held = _begin(session, order, found, now)
    begun = [] if held else _give(session, order, found, now)
    answering.settle(session, order, now)
    if order.cart_id is not None:
        lines.move(session, order.cart_id, "checking_out", "ordered")
    _tell(session, order, now)
    placing.confirm(session, order, payment, now, held)
    if not held:
        fulfilling.at_once(session, order, found, begun, now)


def write_confirmed(
    session: Session, house: House, drafted: Draft, payment: str, cart: Cart
) -> None:
    """The same of a draft that is certain at once, whose ``cart`` still holds the pieces: it is written as it
    will be, with its number, behind what other orders may have to wait for."""
    order, found, now = drafted.order, drafted.lines, house.clock.now()
    demands, near = checkout.order_demands(found), Near.of(order.shipping_address)
    giver, held_near = Owner("cart", cart.id), goods.near(cart)
    holds.sell(session, giver, demands, _about(order), now, near, held_near=held_near)
    held = _begin(session, order, found, now)
    _tell(session, order, now)
    placing.put_confirmed(session, drafted, payment, now, held)
    if not held:
        begun = _give(session, order, found, now)
        fulfilling.at_once(session, order, found, begun, now)


def _about(order: Order) -> str:
    return f"order:{order.public_id}"


def _begin(
    session: Session, order: Order, found: Sequence[OrderLine], now: datetime
) -> tuple[str, ...]:
    """Visits are booked and plans begun; answers why the order is held, if it is."""
    if any(line.kind == "service" for line in found):
        slots.book(session, Owner("order", order.id), now)
    ordering.begin(session, order, found, now)
    return screen_order.reasons(session, order, now)


def _give(
    session: Session, order: Order, found: Sequence[OrderLine], now: datetime
) -> list[OrderLine]:
    """Services are asked for, or begin at once: answers the lines of those."""
    provision_service.want(session, order, found, now)
    return activate_service.at_once(session, found, _about(order), now)


def _tell(session: Session, order: Order, now: datetime) -> None:
    jobs.record(session, OrderPlaced(str(order.id)), now, key=f"placed:{order.id}", priority=1)
