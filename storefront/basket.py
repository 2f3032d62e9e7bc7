"""The cart of this browser: its public id in a cookie."""

import re
import uuid

from flask import Response, g, request
from sqlalchemy.orm import Session

from cart import lines, pricing
from cart.checkout import Details
from cart.models import Cart
from cart.pricing import PricedCart
from core.kernel.errors import NotFound
from core.orders import placing
from core.parties import accounts
from core.stock import levels
from core.tax.buyers import NOBODY, Known
from flows import taxing
from flows.abandon_payment import abandon
from web.context import channel, house, web_settings
from web.login import person

_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")
_SECONDS = 60 * 86_400


def _name() -> str:
    return "__Host-cart" if web_settings().secure else "cart"


def public_id() -> str | None:
    """The id of this browser's cart, if it has one."""
    found = request.cookies.get(_name(), "")
    return found if _PUBLIC_ID.fullmatch(found) else None


def ready_to_fill(session: Session) -> Cart:
    """This browser's cart, locked for a change; a new one when there is none or it is ordered.

    Raises CartClosed while it is being paid for.
    """
    if public_id() is not None:
        try:
            cart = lines.lock(session, public_id() or "")
        except NotFound:
            cart = None
        if cart is not None and cart.state == "checking_out":
            raise lines.CartClosed
        if cart is not None and cart.state == "open":
            return cart
    who = person()
    cart = lines.open_cart(
        session, channel()[0], house().clock.now(), who.key if who is not None else None
    )
    g.new_cart = cart.public_id
    return cart


def take_back() -> bool:
    """The shopper came back from the payment page by themselves: the attempt is given up.

    False when it turns out to be paid. Raises GatewayError when the processor does not answer.
    """
    with house().db.reading() as session:
        cart = find(session)
        order = placing.of_cart(session, cart.id) if cart is not None else None
    if order is None or order.lifecycle != "pending":
        return order is None
    return abandon(house(), order.id, "came_back")


def remember(response: Response) -> Response:
    """Give the browser the cookie of a cart that was begun just now."""
    if g.get("new_cart"):
        response.set_cookie(
            _name(),
            g.new_cart,
            max_age=_SECONDS,
            httponly=True,
            secure=web_settings().secure,
            samesite="Lax",
            path="/",
        )
    return response


def keep_details(mine: Cart, details: Details) -> None:
    """Remember on the cart where it goes, so that its page can say what it costs."""

    def keep(session: Session) -> None:
        lines.set_details(
            session,
            lines.lock(session, mine.public_id),
            email=details.email,
            shipping_address=details.shipping_address,
            shipping_method=details.shipping_method,
            vat_id=details.vat_id or None,
            changed_at=house().clock.now(),
        )

    house().db.run_tx(keep)


def find(session: Session) -> Cart | None:
    """This browser's cart as it is, unless it has become an order."""
    if public_id() is None:
        return None
    try:
        cart = lines.find(session, public_id() or "")
    except NotFound:
        return None
    if cart.state == "ordered" or cart.channel_id != channel()[0].id:
        return None
    return cart


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


def left(session: Session, priced_cart: PricedCart) -> dict[uuid.UUID, int]:
    """How many of what lapsed can still be had."""
    needs = [need for line in priced_cart.lines if line.lapsed for need in line.demands]
    lapsed = list({need.variant_id for need in needs})
    if not lapsed:
        return {}
    return levels.available(session, lapsed, house().clock.now())
