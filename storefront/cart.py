"""The cart's page and what changes it."""

from collections.abc import Callable

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from cart import lines
from cart.goods import BadQuantity
from cart.lines import CartClosed
from cart.models import Cart
from core.catalog.models import GIFT_CARD
from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money
from storefront import basket, shown
from web import limits
from web.access import Guard, Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page

cart = Blueprint("cart", __name__, template_folder="templates")
cart.after_request(basket.remember)


@cart.get("/cart")
@allow(Who.EVERYBODY)
def show() -> str:
    """What is in it, until when it is held, what it costs."""
    now = house().clock.now()
    with house().db.snapshot() as session:
        mine = basket.find(session)
        priced = basket.priced(session, mine) if mine is not None else None
        left = basket.left(session, priced) if priced is not None else {}
    listed = shown.cart_lines(priced, left) if priced else []
    return page(
        "storefront/cart.html",
        cart={
            "lines": listed,
            "held_until": priced.held_until if priced else None,
            "number": mine.public_id[:4].upper() if mine else "",
            "ready": priced is not None and not any(line.state == "short" for line in listed),
        },
        totals=shown.totals(priced) if priced else [],
        due_now=priced.due_now if priced else Money.zero(channel()[0].currency),
        due_note=shown.due_note(priced),
        recurring=shown.recurring(priced.recurring) if priced else [],
        now=now,
        retake_action="/cart/hold",
        paying=mine is not None and mine.state == "checking_out",
        quotable=priced is not None and any(line.kind != GIFT_CARD for line in priced.lines),
        saving=None,
        goes_with=[],
    )


@cart.get("/cart/count")
@allow(Who.EVERYBODY, Guard.NONE)
def count() -> str:
    """How many pieces are in it, for the header."""
    known = basket.public_id()
    pieces = 0
    if known is not None:
        with house().db.reading() as session:
            pieces = lines.pieces(session, known)
    return page("storefront/_count.html", count=pieces)


@cart.post("/cart/lines")
@allow(Who.EVERYBODY, Guard.ORIGIN)
@limits.limit("cart")
def add() -> Response:
    """Put something in. The form stands on pages that everybody shares."""
    sku, quantity = request.form.get("sku", ""), request.form.get("quantity", "1")
    _change(lambda session, mine: _put(session, mine, sku, quantity))
    return redirect("/cart", 303)


def _put(session: Session, mine: Cart, sku: str, quantity: str) -> None:
    lines.add(session, mine, sku, _number(quantity), house().rules.hold_for, house().clock.now())


@cart.post("/cart/lines/<line_id>")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def change(line_id: str) -> Response:
    """Set how many; none takes it out."""
    quantity = request.form.get("quantity", "")
    _change(
        lambda session, mine: lines.set_quantity(
            session, mine, line_id, _number(quantity), house().rules.hold_for, house().clock.now()
        )
    )
    return redirect("/cart", 303)


@cart.post("/cart/hold")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def hold() -> Response:
    """Hold everything again."""
    _change(
        lambda session, mine: lines.hold_again(
            session, mine, house().rules.hold_for, house().clock.now()
        )
    )
    return redirect("/cart", 303)


def _change(work: Callable[[Session, Cart], object]) -> None:
    """Change this browser's cart; what cannot be done is said on the next page.

    A cart whose payment was begun and left is taken back first.
    """
    try:
        try:
            _in_cart(work)
        except CartClosed:
            if not basket.take_back():
                raise
            _in_cart(work)
    except NotFound:
        say("That line is not in your cart any more.", "warn")
    except ShopError as error:
        say(str(error), "warn")


def _in_cart(work: Callable[[Session, Cart], object]) -> None:
    house().db.run_tx(lambda session: work(session, basket.ready_to_fill(session)))


def _number(text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 6:
        raise BadQuantity
    return int(text)
