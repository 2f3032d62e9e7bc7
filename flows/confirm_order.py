"""An order becomes certain: pieces sold, plans begun, a quote accepted, everybody told. In the caller's
transaction.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from cart import checkout, lines, slots
from cart.quotes import answering
from core.events import OrderPlaced
from core.kernel import jobs
from core.orders import fulfilling, placing
from core.orders.models import Order, OrderLine
from core.stock import holds
from core.stock.holds import Near, Owner
from core.subscriptions import ordering
from flows import activate_service, provision_service, screen_order
from flows.house import House


def confirm(
    session: Session,
    house: House,
    order: Order,
    payment: str,
    found: Sequence[OrderLine],
    *,
    from_cart: Near | None = None,
) -> None:
    """The order is certain: its pieces are sold, its plans begin, and everybody is told.

    What the shop's rules hold waits for ``flows.approve_order``: nothing of it is begun or given, all else
    is as ever. ``found`` are its lines. ``from_cart``: its cart still holds the pieces, for that place.
    Raises OutOfStock when pieces whose hold lapsed are gone.
    """
    now = house.clock.now()
    demands, about = checkout.order_demands(found), f"order:{order.public_id}"
    near = Near.of(order.shipping_address)
    if from_cart is not None and order.cart_id is not None:
        giver = Owner("cart", order.cart_id)
        holds.sell(session, giver, demands, about, now, near, held_near=from_cart)
    else:
        holds.allocate(session, Owner("order", order.id), demands, about, now, near)
    if any(line.kind == "service" for line in found):
        slots.book(session, Owner("order", order.id), now)
    ordering.begin(session, order, found, now)
    held = screen_order.reasons(session, order, now)
    begun: Sequence[OrderLine] = ()
    if not held:
        provision_service.want(session, order, found, now)
        begun = activate_service.at_once(session, found, f"order:{order.public_id}", now)
    answering.settle(session, order, now)
    if order.cart_id is not None and from_cart is None:
        lines.move(session, order.cart_id, "checking_out", "ordered")
    jobs.record(session, OrderPlaced(str(order.id)), now, key=f"placed:{order.id}", priority=1)
    placing.confirm(session, order, payment, now, held)
    if not held:
        fulfilling.at_once(session, order, found, begun, now)
