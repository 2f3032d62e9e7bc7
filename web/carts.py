"""Which cart this browser has: the account's when somebody is logged in, else the one of its cookie."""

import re
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from cart import lines, owning, saved
from cart.models import Cart
from cart.saved import Keeper
from core.kernel.errors import NotFound
from core.parties.models import User
from flows import bring_cart
from flows.bring_cart import Brought
from web.context import channel, house, web_settings
from web.flashes import say
from web.login import person

_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")
_SECONDS = 60 * 86_400


def install(app: Flask) -> None:
    """Let answers give the browser the cookie of its cart, or take it."""
    app.after_request(_send_cookie)


def _name() -> str:
    return "__Host-cart" if web_settings().secure else "cart"


def in_cookie() -> str | None:
    """The id of the cart that this browser began as a guest, if it has one."""
    found = request.cookies.get(_name(), "")
    return found if _PUBLIC_ID.fullmatch(found) else None


def find(session: Session) -> Cart | None:
    """This browser's cart as it is, unless it has become an order: the account's goes first."""
    who = person()
    mine = owning.of_user(session, who.key, channel()[0].id) if who is not None else None
    return mine or guests(session)


def pieces(session: Session) -> int:
    """How many pieces are in it: one question for a guest."""
    if person() is None:
        known = in_cookie()
        return lines.pieces(session, known, of_guest=True) if known is not None else 0
    mine = find(session)
    return lines.pieces(session, mine.public_id) if mine is not None else 0


def guests(session: Session) -> Cart | None:
    """The guest's cart of this browser; somebody who was logged in has left theirs in the account."""
    cart = _in_cookie(session)
    return cart if cart is not None and cart.state != "ordered" else None


def _in_cookie(session: Session) -> Cart | None:
    known = in_cookie()
    if known is None:
        return None
    try:
        cart = lines.find(session, known)
    except NotFound:
        return None
    if cart.user_id is not None or cart.channel_id != channel()[0].id:
        return None
    return cart


def keeper(session: Session) -> Keeper | None:
    """Whose saved things this browser sees, also when its last cart has become an order."""
    who = person()
    if who is not None:
        return Keeper(who.key, None)
    cart = _in_cookie(session)
    return Keeper.of(cart) if cart is not None else None


def ready_to_fill(session: Session) -> Cart:
    """This browser's cart, locked for a change; a new one when there is none or it is ordered.

    Raises CartClosed while it is being paid for.
    """
    who, now = person(), house().clock.now()
    before = _locked(session)
    if who is not None:
        found = owning.of_user(session, who.key, channel()[0].id, lock=True) or before
        if found is None or found.state == "ordered":
            found = owning.opened_for(session, channel()[0], who.key, now)
    else:
        found = before
    if found is not None and found.state == "checking_out":
        raise lines.CartClosed
    if found is not None and found.state == "open":
        if who is not None and found.user_id is None:
            owning.give(session, found, who.key, now)
            g.cart_cookie = ""
        return found
    cart = lines.open_cart(session, channel()[0], now)
    if before is not None:
        saved.hand_over(session, Keeper.of(before), Keeper.of(cart), now)
    g.cart_cookie = cart.public_id
    return cart


def _locked(session: Session) -> Cart | None:
    known = in_cookie()
    try:
        cart = lines.lock(session, known) if known is not None else None
    except NotFound:
        return None
    if cart is None or cart.user_id is not None or cart.channel_id != channel()[0].id:
        return None
    return cart


def bring(user: User) -> None:
    """Somebody has logged in: what is in this browser's cart comes along, and that is said."""
    known = in_cookie()
    if known is not None:
        tell(bring_cart.bring(house(), user.id, known))


def tell(brought: Brought) -> None:
    """Say what became of the guest's cart."""
    if brought.how == "waits":
        say(
            "You have another cart here that is being paid for. What you put in before you logged in is "
            "kept beside it: your cart’s page says how to put the two together.",
            "warn",
        )
        return
    g.cart_cookie = ""
    if brought.how == "together":
        say("What you had put in before you logged in is in your cart now, with what was there.")
    for one in brought.aside:
        say(
            f"{one.quantity} of {one.name} did not fit in: they are saved for later, under your cart.",
            "warn",
        )


def _send_cookie(response: Response) -> Response:
    """Give the browser the cookie of a cart that was begun just now; take back that of one that moved."""
    wanted: str | None = g.get("cart_cookie")
    if wanted is None:
        return response
    about: dict[str, Any] = {
        "httponly": True,
        "secure": web_settings().secure,
        "samesite": "Lax",
        "path": "/",
    }
    if wanted:
        response.set_cookie(_name(), wanted, max_age=_SECONDS, **about)
    else:
        response.delete_cookie(_name(), **about)
    return response
