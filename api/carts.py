"""Carts: whoever has the id of a cart may fill it, see what it costs and order it."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, cart_calls, reading
from api.cart_shapes import CartChange, LineChange, NewLine, NumberChange
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from api.shapes import Nothing
from cart import address as addresses
from cart import choosing, formats, lines, pricing, saved, slots
from cart.models import Cart
from cart.priced import PricedCart
from cart.saved import Keeper
from core.stock.holds import Owner
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
    asked = reading.body(Nothing, optional=True)

    def work(session: Session) -> answers.Json:
        opened = lines.open_cart(session, channel()[0], house().clock.now())
        body = answers.cart(opened, PricedCart.empty(opened.currency))
        return {"body": body, "version": opened.version}

    def run() -> tuple[int, answers.Json]:
        return 201, house().db.run_tx(work)

    status, made = cart_calls.once_if_asked("carts", asked, run, cart_calls.SHORTEST_KEY)
    return cart_calls.answered(status, made, f"/api/v1/carts/{made['body']['id']}")


@carts.get("/<cart_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def show(cart_id: str) -> Response:
    """What is in it and what it costs."""
    wanted = reading.public_id(cart_id, "cart")
    with house().db.snapshot() as session:
        found = cart_calls.ours(lines.find(session, wanted))
        content = told(session, found)
    return cart_calls.answered(200, {"body": content, "version": found.version})


@carts.patch("/<cart_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def change(cart_id: str) -> Response:
    """Say where and how it is delivered; answers the ways there, tax and totals."""
    asked = reading.body(CartChange)
    taxing.ask_register(house(), asked.vat_id or "")

    def work(session: Session, cart: Cart) -> answers.Json:
        now = house().clock.now()
        values = _values(asked)
        if asked.ways is not None:
            values["answers"] = {**(cart.answers or {}), "ways": dict(asked.ways)}
        lines.set_details(session, cart, now, **values)
        if "slot" in asked.model_fields_set:
            _choose_time(session, cart, asked.slot, now)
        priced = _priced(session, cart)
        _check_method(asked, priced)
        return told(session, cart, priced)

    return cart_calls.change(cart_id, "details", asked, work)


@carts.post("/<cart_id>/lines")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def add(cart_id: str) -> Response:
    """Put something in, beside what is there of it, and hold it; answers the line."""
    asked = reading.body(NewLine)

    def work(session: Session, cart: Cart) -> answers.Json:
        now, hold_for = house().clock.now(), house().rules.hold_for
        put = (asked.sku, asked.quantity, hold_for, now, asked.number or "")
        return answers.entry(lines.put(session, cart, *put))

    return cart_calls.change(cart_id, "lines", asked, work, 201)


@carts.patch("/<cart_id>/lines/<line_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def change_line(cart_id: str, line_id: str) -> Response:
    """Say how many; answers the line, or nothing when that was none."""
    asked = reading.body(LineChange)
    wanted = reading.public_id(line_id, "line in this cart")

    def work(session: Session, cart: Cart) -> answers.Json | None:
        now, hold_for = house().clock.now(), house().rules.hold_for
        found = lines.set_quantity(session, cart, wanted, asked.quantity, hold_for, now)
        return answers.entry(found) if found is not None else None

    return cart_calls.change(cart_id, f"line:{wanted}", asked, work)


@carts.put("/<cart_id>/lines/<line_id>/number")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def change_number(cart_id: str, line_id: str) -> Response:
    """Another number for a line; answers the cart."""
    asked = reading.body(NumberChange)
    wanted = reading.public_id(line_id, "line in this cart")

    def work(session: Session, cart: Cart) -> answers.Json:
        now, hold_for = house().clock.now(), house().rules.hold_for
        old = asked.instead_of or ""
        choosing.choose(session, cart, wanted, asked.number, hold_for, now, old)
        return told(session, cart)

    return cart_calls.change(cart_id, f"number:{wanted}", asked, work)


@carts.delete("/<cart_id>/lines/<line_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def remove_line(cart_id: str, line_id: str) -> Response:
    """Take a line out and let its pieces go."""
    wanted = reading.public_id(line_id, "line in this cart")

    def work(session: Session, cart: Cart) -> None:
        lines.remove(session, cart, wanted, house().clock.now())

    return cart_calls.change(cart_id, f"out:{wanted}", Nothing(), work)


@carts.post("/<cart_id>/lines/<line_id>/save")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def save_line(cart_id: str, line_id: str) -> Response:
    """Put a line aside for later; answers the cart."""
    asked = reading.body(Nothing, optional=True)
    wanted = reading.public_id(line_id, "line in this cart")

    def work(session: Session, cart: Cart) -> answers.Json:
        saved.put_aside(session, cart, wanted, house().clock.now())
        return told(session, cart)

    return cart_calls.change(cart_id, f"save:{wanted}", asked, work)


@carts.post("/<cart_id>/saved/<saved_id>/take")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def take_saved(cart_id: str, saved_id: str) -> Response:
    """Put something that was saved for later back in and hold it; answers the cart."""
    asked = reading.body(Nothing, optional=True)
    wanted = reading.public_id(saved_id, "thing saved for later")

    def work(session: Session, cart: Cart) -> answers.Json:
        saved.take(session, cart, wanted, house().rules.hold_for, house().clock.now())
        return told(session, cart)

    return cart_calls.change(cart_id, f"take:{wanted}", asked, work)


@carts.delete("/<cart_id>/saved/<saved_id>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("cart")
def drop_saved(cart_id: str, saved_id: str) -> Response:
    """Forget something that was saved for later."""
    wanted = reading.public_id(saved_id, "thing saved for later")

    def work(session: Session, cart: Cart) -> None:
        saved.drop(session, cart, wanted, house().clock.now())

    return cart_calls.change(cart_id, f"drop:{wanted}", Nothing(), work)


@carts.get("/<cart_id>/slots")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def times(cart_id: str) -> Response:
    """Times that can be chosen for a visit, at the place that the cart has."""
    wanted, now = reading.public_id(cart_id, "cart"), house().clock.now()
    with house().db.snapshot() as session:
        cart = cart_calls.ours(lines.find(session, wanted))
        listed = slots.offered(session, cart.channel_id, cart.shipping_address, now)
    return answers.respond({"items": [answers.slot(one) for one in listed]})


def _choose_time(session: Session, cart: Cart, slot: str | None, now: datetime) -> None:
    owner = Owner("cart", cart.id)
    if slot is None:
        slots.release(session, owner)
    else:
        slots.hold(session, owner, slot, now + house().rules.hold_for, now)


def told(session: Session, cart: Cart, priced: PricedCart | None = None) -> answers.Json:
    """The cart with what it costs and what is saved for later."""
    now = house().clock.now()
    aside = saved.listing(session, Keeper.of(cart), cart.channel_id, cart.currency, now)
    held = slots.of(session, Owner("cart", cart.id), now)
    return answers.cart(cart, priced or _priced(session, cart), aside, held)


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
        values["shipping_address"] = _place(addresses.clean(place.model_dump())) if place else None
    if "shipping_method" in asked.model_fields_set:
        values["shipping_method"] = asked.shipping_method
    if "vat_id" in asked.model_fields_set:
        values["vat_id"] = _vat_id(asked.vat_id)
    return values


def _place(address: dict[str, str]) -> dict[str, str]:
    """A ZIP code alone tells the state."""
    region = address["region"] or formats.region_of(address["country"], address["postal_code"])
    return address | {"region": region}


def _check_method(asked: CartChange, priced: PricedCart) -> None:
    if asked.shipping_method is None or not priced.ships:
        return
    if asked.shipping_method not in [choice.code for choice in priced.methods]:
        text = "There is no such way of delivery to this place."
        raise InvalidRequest([field_error("shipping_method", "not_a_choice", text)])
