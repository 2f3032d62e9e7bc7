"""A cart shared by its link: making one, what it shows, and taking it into one's own cart."""

from flask import Blueprint, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from cart import lines, sharing
from cart.models import SharedCart
from cart.sharing import LeftOut
from core.kernel.errors import NotFound, ShopError
from core.kernel.money import total
from web import carts, limits
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page

shared = Blueprint("shared_cart", __name__, template_folder="templates")


@shared.post("/cart/share")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def share() -> Response:
    """Make a link to a frozen copy of this browser's cart."""

    def work(session: Session) -> str:
        mine = carts.find(session)
        if mine is None:
            raise sharing.NothingToShare
        return sharing.share(session, mine, house().clock.now()).public_id

    try:
        public_id = house().db.run_tx(work)
    except ShopError as error:
        say(str(error), "warn")
        return redirect("/cart", 303)
    say("This is the page that you can share: its address is the link.")
    return redirect(f"/cart/shared/{public_id}", 303)


@shared.get("/cart/shared/<public_id>")
@allow(Who.EVERYBODY)
def show(public_id: str) -> str:
    """What was shared, at today's prices, with a button that takes it."""
    with house().db.snapshot() as session:
        found = _ours(session, public_id)
        listed = sharing.listing(session, found, house().clock.now())
        mine = carts.find(session)
        has_own = mine is not None and lines.pieces(session, mine.public_id) > 0
    sold = [one for one in listed if one.price is not None]
    return page(
        "storefront/shared_cart.html",
        lines=listed,
        together=total((one.price * one.quantity for one in sold if one.price), found.currency),
        sold=bool(sold),
        link=f"{house().links.base_url}/cart/shared/{found.public_id}",
        action=f"/cart/shared/{found.public_id}",
        until=found.expires_at,
        has_own=has_own,
    )


@shared.post("/cart/shared/<public_id>")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def take(public_id: str) -> Response:
    """Put it into this browser's cart and hold it."""
    now, hold_for = house().clock.now(), house().rules.hold_for

    def work(session: Session) -> list[LeftOut]:
        found = _ours(session, public_id)
        return sharing.take(session, found, carts.ready_to_fill(session), hold_for, now)

    try:
        left = house().db.run_tx(work)
    except NotFound:
        raise
    except ShopError as error:
        say(str(error), "warn")
        return redirect("/cart", 303)
    say("What was shared is in your cart." if not left else "Not all of it could be had.")
    for one in left:
        say(f"{one.name}: {one.why}", "warn")
    return redirect("/cart", 303)


def _ours(session: Session, public_id: str) -> SharedCart:
    found = sharing.find(session, public_id, house().clock.now())
    if found.channel_id != channel()[0].id:
        raise NotFound("shared cart")
    return found
