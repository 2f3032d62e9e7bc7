"""The cart of this browser on the shop's pages: what it costs, and taking it back from a payment."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from cart import lines, pricing, slots
from cart.checkout import Details
from cart.models import Cart
from cart.priced import PricedCart
from core.orders import placing
from core.parties import accounts
from core.stock import kept, levels
from core.stock.holds import Owner
from core.stock.levels import Outlook
from core.tax.buyers import NOBODY, Known
from flows import taxing
from flows.abandon_payment import abandon
from web import carts
from web.context import channel, house
from web.login import person


def take_back(mine: Cart | None = None) -> bool:
    """The shopper came back from the payment page by themselves: the attempt is given up. Of this browser's
    cart, unless another is named.

    False when it turns out to be paid. Raises GatewayError when the processor does not answer.
    """
    with house().db.reading() as session:
        cart = mine or carts.find(session)
        order = placing.of_cart(session, cart.id) if cart is not None else None
    if order is None or order.lifecycle != "pending":
        return order is None
    return abandon(house(), order.id, "came_back")


def keep_details(mine: Cart, details: Details) -> None:
    """Remember on the cart where it goes, so that its page can say what it costs; hold a time that was
    chosen. Raises SlotGone."""
    now = house().clock.now()

    def keep(session: Session) -> None:
        lines.set_details(
            session,
            lines.lock(session, mine.public_id),
            now,
            email=details.email,
            shipping_address=details.shipping_address,
            shipping_method=details.shipping_method,
            vat_id=details.vat_id or None,
            answers={
                "purchase_order": details.purchase_order,
                "cost_centre": details.cost_centre,
                "consents": dict(details.consents),
                "ways": dict(details.ways),
                "slot": details.slot or "",
            },
        )
        _keep_time(session, mine, details.slot or "", now)

    house().db.run_tx(keep)


def _keep_time(session: Session, mine: Cart, slot: str, now: datetime) -> None:
    """Hold the time for a visit that was chosen; none: give back the one before."""
    owner = Owner("cart", mine.id)
    if slot:
        slots.hold(session, owner, slot, now + house().rules.hold_for, now)
    else:
        slots.release(session, owner)


def priced(session: Session, cart: Cart) -> PricedCart:
    """What it costs on this shop's channel, with the taxes of our own table once the place is known."""
    found, entity = channel()
    known = _known(session, cart) if cart.shipping_address else NOBODY
    now = house().clock.now()
    return pricing.price(session, cart, found, entity, house().delivery, now, known=known)


def _known(session: Session, cart: Cart) -> Known:
    who = person()
    if who is None:
        return taxing.known(house(), None, cart.vat_id or "")
    account = accounts.buying_account(session, who.key, cart.legal_entity_id)
    return taxing.known(house(), account, cart.vat_id or "")


def left(session: Session, cart: Cart, priced_cart: PricedCart) -> dict[uuid.UUID, int]:
    """How many of what lapsed can still be had; what the cart still holds of these lines counts as well."""
    lapsed = {line.id: line.demands for line in priced_cart.lines if line.lapsed}
    wanted = list({need.variant_id for needs in lapsed.values() for need in needs})
    if not wanted:
        return {}
    now = house().clock.now()
    found = levels.available(session, wanted, now)
    for own in kept.of(session, Owner("cart", cart.id), now):
        if own.line_id in lapsed:
            found[own.variant_id] = found.get(own.variant_id, 0) + own.quantity
    return found


def outlook(session: Session, priced_cart: PricedCart) -> dict[uuid.UUID, Outlook]:
    """When that comes which is sold before it is there."""
    wanted = [line.variant_id for line in priced_cart.lines if line.unheld]
    return levels.outlook(session, wanted, house().clock.now()) if wanted else {}
