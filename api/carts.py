"""Carts: whoever has the id of a cart may fill it, see what it costs and order it."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, reading
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from api.shapes import CartChange, LineChange, NewLine, Nothing
from cart import address as addresses
from cart import lines, pricing
from cart.lines import Entry
from cart.models import Cart
from cart.pricing import PricedCart
from core.kernel.errors import NotFound
from core.tax import vat_ids
from core.tax.vat_ids import WrongVatId
from flows import taxing
from web.access import Guard, Who, allow
from web.context import channel, house

carts = Blueprint("api_carts", __name__, url_prefix="/api/v1/carts")
carts.after_request(add_headers)


@carts.post("")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def create() -> Response:
    """Begin an empty cart."""
    reading.body(Nothing, optional=True)

    def work(session: Session) -> answers.Json:
        opened = lines.open_cart(session, channel()[0], house().clock.now())
        return answers.cart(opened, PricedCart.empty(opened.currency))

    made = house().db.run_tx(work)
    return answers.respond(made, 201, f"/api/v1/carts/{made['id']}")


@carts.get("/<cart_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def show(cart_id: str) -> Response:
    """What is in it and what it costs."""
    wanted = reading.public_id(cart_id, "cart")
    with house().db.snapshot() as session:
        found = _ours(lines.find(session, wanted))
        content = answers.cart(found, _priced(session, found))
    return answers.respond(content)


@carts.patch("/<cart_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def change(cart_id: str) -> Response:
    """Say where and how it is delivered; answers the ways there, tax and totals."""
    asked = reading.body(CartChange)
    taxing.ask_register(house(), asked.vat_id or "")

    def work(session: Session, cart: Cart) -> answers.Json:
        lines.set_details(session, cart, changed_at=house().clock.now(), **_values(asked))
        priced = _priced(session, cart)
        _check_method(asked, priced)
        return answers.cart(cart, priced)

    return answers.respond(_in_cart(cart_id, work))


@carts.post("/<cart_id>/lines")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def add(cart_id: str) -> Response:
    """Put something in, beside what is there of it, and hold it; answers the line."""
    asked = reading.body(NewLine)

    def work(session: Session, cart: Cart) -> Entry:
        now, hold_for = house().clock.now(), house().rules.hold_for
        return lines.put(session, cart, asked.sku, asked.quantity, hold_for, now)

    return answers.respond(answers.entry(_in_cart(cart_id, work)), 201)


@carts.patch("/<cart_id>/lines/<line_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def change_line(cart_id: str, line_id: str) -> Response:
    """Say how many; answers the line, or nothing when that was none."""
    asked = reading.body(LineChange)
    wanted = reading.public_id(line_id, "line in this cart")

    def work(session: Session, cart: Cart) -> Entry | None:
        now, hold_for = house().clock.now(), house().rules.hold_for
        return lines.set_quantity(session, cart, wanted, asked.quantity, hold_for, now)

    changed = _in_cart(cart_id, work)
    return answers.respond(answers.entry(changed)) if changed else Response(status=204)


@carts.delete("/<cart_id>/lines/<line_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def remove_line(cart_id: str, line_id: str) -> Response:
    """Take a line out and let its pieces go."""
    wanted = reading.public_id(line_id, "line in this cart")
    _in_cart(
        cart_id, lambda session, cart: lines.remove(session, cart, wanted, house().clock.now())
    )
    return Response(status=204)


def _in_cart(cart_id: str, work: Callable[[Session, Cart], Any]) -> Any:
    """Change an open cart of this channel, alone. Raises NotFound and CartClosed."""
    wanted = reading.public_id(cart_id, "cart")
    return house().db.run_tx(lambda session: work(session, _ours(lines.lock_open(session, wanted))))


def _ours(cart: Cart) -> Cart:
    if cart.channel_id != channel()[0].id:
        raise NotFound("cart")
    return cart


def _priced(session: Session, cart: Cart) -> PricedCart:
    found, entity = channel()
    known = taxing.known(house(), None, cart.vat_id or "")
    now = house().clock.now()
    return pricing.price(session, cart, found, entity, house().delivery, now, known=known)


def _vat_id(text: str | None) -> str | None:
    """As its register writes it. InvalidRequest for what has not its form."""
    try:
        return vat_ids.normal(text) if text else None
    except WrongVatId as error:
        raise InvalidRequest([field_error("vat_id", "vat_id", str(error))]) from None


def _values(asked: CartChange) -> dict[str, Any]:
    """What is to be written on the cart: only what was sent."""
    values: dict[str, Any] = {}
    if "shipping_address" in asked.model_fields_set:
        place = asked.shipping_address
        values["shipping_address"] = addresses.clean(place.model_dump()) if place else None
    if "shipping_method" in asked.model_fields_set:
        values["shipping_method"] = asked.shipping_method
    if "vat_id" in asked.model_fields_set:
        values["vat_id"] = _vat_id(asked.vat_id)
    return values


def _check_method(asked: CartChange, priced: PricedCart) -> None:
    if asked.shipping_method is None or not priced.ships:
        return
    if asked.shipping_method not in [choice.code for choice in priced.methods]:
        text = "There is no such way of delivery to this place."
        raise InvalidRequest([field_error("shipping_method", "not_a_choice", text)])
