"""A guest's order that comes into the account of whoever is logged in and holds its link."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from flows import claim_order
from flows.claim_order import ClaimRefused
from flows.follow_order import Followed
from web import limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import person

claims = Blueprint("claims", __name__)


def offered(followed: Followed) -> str:
    """``ask`` somebody whose address a guest's order has; ``log-in`` a stranger; else nothing."""
    with house().db.reading() as session:
        if not claim_order.is_guests(session, followed.order):
            return ""
    who = person()
    if who is None:
        return "log-in"
    return "ask" if who.email == followed.order.email.strip().lower() else ""


@claims.post("/o/<public_id>/<token>/claim")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def claim(public_id: str, token: str) -> Response:
    """Put it in their account."""
    who = person()
    assert who is not None
    try:
        claim_order.claim(house(), who.key, public_id, token)
        say("The order is in your account now, with its bills.")
    except ClaimRefused as error:
        say(str(error), "warn")
    return redirect(f"/o/{public_id}/{token}", 303)
