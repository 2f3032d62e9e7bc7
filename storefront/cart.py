"""The cart's page and what changes it."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from cart import choosing, lines, saved
from cart.goods import BadQuantity
from cart.lines import CartClosed
from cart.models import Cart
from cart.saved import Keeper, Saved
from core.catalog.editing import is_sku
from core.catalog.models import GIFT_CARD
from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money
from flows import bring_cart
from storefront import basket, cart_shown, estimate, shown
from web import carts, limits
from web.access import Guard, Who, allow
from web.context import channel, house
from web.flashes import say
from web.login import person
from web.pages import page

cart = Blueprint("cart", __name__, template_folder="templates")


@cart.get("/cart")
@allow(Who.EVERYBODY)
def show() -> str:
    """What is in it, until when it is held, what it costs."""
    now = house().clock.now()
    with house().db.snapshot() as session:
        mine = carts.find(session)
        priced = basket.priced(session, mine) if mine is not None else None
        left = basket.left(session, mine, priced) if mine and priced else {}
        outlook = basket.outlook(session, priced) if priced is not None else {}
        aside = _saved(session, mine)
        beside = _beside(session, mine) if person() is not None else 0
    listed = cart_shown.cart_lines(priced, left, outlook) if priced else []
    return page(
        "storefront/cart.html",
        cart={
            "lines": listed,
            "held_until": priced.held_until if priced else None,
            "number": mine.public_id[:4].upper() if mine else "",
            "ready": priced is not None
            and not any(line.state in ("short", "gone") or line.wrong for line in listed),
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
        saved=cart_shown.saved_rows(aside),
        beside=beside,
        estimate_form=estimate.form_of(mine),
        where=estimate.where(mine, priced),
    )


def _saved(session: Session, mine: Cart | None) -> Sequence[Saved]:
    keeper = Keeper.of(mine) if mine is not None else carts.keeper(session)
    found = channel()[0]
    if keeper is None:
        return ()
    return saved.listing(session, keeper, found.id, found.currency, house().clock.now())


def _beside(session: Session, mine: Cart | None) -> int:
    """How many pieces wait in a cart that was filled as a guest, beside the account's."""
    left = carts.guests(session)
    if left is None or mine is None or left.id == mine.id:
        return 0
    return lines.pieces(session, left.public_id)


@cart.get("/cart/count")
@allow(Who.EVERYBODY, Guard.NONE)
def count() -> str:
    """How many pieces are in it, for the header."""
    with house().db.reading() as session:
        pieces = carts.pieces(session)
    return page("storefront/_count.html", count=pieces)


@cart.post("/cart/lines")
@allow(Who.EVERYBODY, Guard.ORIGIN)
@limits.limit("cart")
def add() -> Response:
    """Put something in. The form stands on pages that everybody shares."""
    sku, quantity = request.form.get("sku", ""), request.form.get("quantity", "1")
    number = request.form.get("number", "").strip()[:120]
    done = _change(lambda session, mine: _put(session, mine, sku, quantity, number))
    if number and not done and is_sku(sku):
        return redirect(f"/numbers/{sku}", 303)
    return redirect("/cart", 303)


def _put(session: Session, mine: Cart, sku: str, quantity: str, number: str) -> None:
    hold_for, now = house().rules.hold_for, house().clock.now()
    lines.add(session, mine, sku, _number(quantity), hold_for, now, number)


@cart.post("/cart/lines/<line_id>/number")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def choose(line_id: str) -> Response:
    """Another number for a line, instead of one that it has."""
    number, old = (request.form.get(name, "").strip()[:120] for name in ("number", "instead"))
    sku, hold_for, now = request.form.get("sku", ""), house().rules.hold_for, house().clock.now()
    done = _change(
        lambda session, mine: choosing.choose(session, mine, line_id, number, hold_for, now, old)
    )
    if not done and is_sku(sku):
        asked = urlencode({"line": line_id, "instead": old})
        return redirect(f"/numbers/{sku}?{asked}", 303)
    return redirect("/cart", 303)


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


@cart.post("/cart/lines/<line_id>/save")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def save(line_id: str) -> Response:
    """Put a line aside for later."""
    if _change(lambda session, mine: saved.put_aside(session, mine, line_id, house().clock.now())):
        say("It is saved for later, under your cart. Nothing is held for it.")
    return redirect("/cart", 303)


@cart.post("/cart/saved/<saved_id>")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def take(saved_id: str) -> Response:
    """Put something that was saved for later back in; or forget it."""
    now, hold_for = house().clock.now(), house().rules.hold_for

    def work(session: Session, mine: Cart) -> None:
        if request.form.get("drop"):
            saved.drop(session, mine, saved_id, now)
        else:
            saved.take(session, mine, saved_id, hold_for, now)

    _change(work)
    return redirect("/cart", 303)


@cart.post("/cart/bring")
@allow(Who.CUSTOMER)
@limits.limit("cart")
def bring() -> Response:
    """Put together what was put in as a guest and the account's cart; payments that were begun are ended."""
    who, known = person(), carts.in_cookie()
    if who is not None and known is not None:
        with house().db.reading() as session:
            both = [carts.find(session), carts.guests(session)]
        try:
            ready = all(basket.take_back(one) for one in both if one is not None)
        except ShopError as error:
            say(str(error), "warn")
            return redirect("/cart", 303)
        if ready:
            carts.tell(bring_cart.bring(house(), who.key, known))
    return redirect("/cart", 303)


def _change(work: Callable[[Session, Cart], object]) -> bool:
    """Change this browser's cart; what cannot be done is said on the next page. Was it done?

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
    else:
        return True
    return False


def _in_cart(work: Callable[[Session, Cart], object]) -> None:
    house().db.run_tx(lambda session: work(session, carts.ready_to_fill(session)))


def _number(text: str) -> int:
    if not text.strip().isdecimal() or len(text) > 6:
        raise BadQuantity
    return int(text)
