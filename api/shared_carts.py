"""Carts shared by a link: made of a cart, read by whoever has the id, taken into a cart."""

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, cart_calls, reading
from api.cart_shapes import TakeShared
from api.carts import told
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from cart import sharing
from cart.models import Cart, SharedCart
from core.kernel.errors import NotFound
from web.access import Guard, Who, allow
from web.context import channel, house

shared_carts = Blueprint("api_shared_carts", __name__, url_prefix="/api/v1")
shared_carts.after_request(add_headers)


@shared_carts.post("/carts/<cart_id>/share")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def share(cart_id: str) -> Response:
    """Make a frozen copy of a cart; the cart stays as it is."""
    asked = reading.body(Nothing, optional=True)

    def work(session: Session, cart: Cart) -> answers.Json:
        return _told(session, sharing.share(session, cart, house().clock.now()))

    return cart_calls.change(cart_id, "share", asked, work, 201)


@shared_carts.get("/shared-carts/<shared_cart_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def show(shared_cart_id: str) -> Response:
    """What was shared, at today's prices."""
    wanted = reading.public_id(shared_cart_id, "shared cart")
    with house().db.snapshot() as session:
        content = _told(session, _ours(session, wanted))
    return answers.respond(content)


@shared_carts.post("/carts/<cart_id>/take")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def take(cart_id: str) -> Response:
    """Have at least what was shared in a cart, held; answers the cart and what could not be had."""
    asked = reading.body(TakeShared)

    def work(session: Session, cart: Cart) -> answers.Json:
        found, now = _ours(session, asked.shared_cart), house().clock.now()
        left = sharing.take(session, found, cart, house().rules.hold_for, now)
        out = [{"sku": one.sku, "code": one.why.code, "message": str(one.why)} for one in left]
        return told(session, cart) | {"left_out": out}

    return cart_calls.change(cart_id, "take", asked, work)


def _ours(session: Session, public_id: str) -> SharedCart:
    found = sharing.find(session, public_id, house().clock.now())
    if found.channel_id != channel()[0].id:
        raise NotFound("shared cart")
    return found


def _told(session: Session, shared: SharedCart) -> answers.Json:
    return {
        "id": shared.public_id,
        "href": f"{house().links.base_url}/cart/shared/{shared.public_id}",
        "expires_at": answers.moment(shared.expires_at),
        "lines": [
            {
                "sku": one.sku,
                "name": one.name,
                "quantity": one.quantity,
                "unit_price": answers.money(one.price) if one.price is not None else None,
                **({"unit_price_was": answers.money(one.price_was)} if one.price_was else {}),
            }
            for one in sharing.listing(session, shared, house().clock.now())
        ],
    }
