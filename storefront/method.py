"""The way back from putting a card on file. These pages only read; a button posts, or a script presses it.

The operation's public id is 128 random bits: whoever holds it came from our own redirect.
"""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from core.kernel.errors import NotFound
from flows import manage_cards, store_trial_card
from flows.set_up_method import give_up, settle
from payments import operations
from payments.gateway import GatewayError
from payments.models import PaymentOperation
from web import limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

method = Blueprint("method", __name__, template_folder="templates")


@method.get("/methods/<public_id>/return")
@allow(Who.EVERYBODY)
def back(public_id: str) -> str | Response:
    """Back from the processor: straight on when the card is on file, else "checking", which posts."""
    operation = _operation(public_id)
    if operation.state == "succeeded":
        return redirect(_onward(operation))
    return _checking(public_id, waiting=False)


@method.post("/methods/<public_id>/return")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def settled(public_id: str) -> str | Response:
    """Ask the processor and store the card; whoever comes first does it."""
    operation = _operation(public_id)
    try:
        state = settle(house(), operation.id)
        if state == "succeeded":
            store_trial_card.stored(house(), operation.id)
            manage_cards.stored(house(), operation.id)
    except GatewayError:
        state = "unknown"
    if state in ("expired", "failed"):
        say("No card was put on file, and nothing was charged.", "warn")
    if state in ("succeeded", "expired", "failed"):
        return redirect(_onward(_operation(public_id)), 303)
    return _checking(public_id, waiting=True)


@method.get("/methods/<public_id>/cancelled")
@allow(Who.EVERYBODY)
def cancelled(public_id: str) -> str | Response:
    """Back without a card: a button gives the attempt up."""
    operation = _operation(public_id)
    if operation.state not in operations.OPEN_STATES:
        return redirect(_onward(operation))
    return page(
        "storefront/no_method.html",
        action=f"/methods/{public_id}/cancelled",
        again=operation.redirect_url or "",
    )


@method.post("/methods/<public_id>/cancelled")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def given_up(public_id: str) -> Response:
    """End the visit at the processor and go back to where it began."""
    try:
        given = give_up(house(), _operation(public_id).id)
    except GatewayError:
        say("Our payment partner does not answer. Try again in a minute.", "warn")
        return redirect(f"/methods/{public_id}/cancelled", 303)
    if given:
        say("No card was put on file, and nothing was charged.", "warn")
    return redirect(_onward(_operation(public_id)), 303)


def _operation(public_id: str) -> PaymentOperation:
    with house().db.reading() as session:
        operation = operations.by_public_id(session, public_id)
    if operation.kind != "setup":
        raise NotFound("card that was put on file")
    return operation


def _onward(operation: PaymentOperation) -> str:
    """The page that follows, or the one that it began on."""
    return str(operation.request["done_path" if operation.state == "succeeded" else "back_path"])


def _checking(public_id: str, *, waiting: bool) -> str:
    action = f"/methods/{public_id}/return"
    return page("storefront/checking_method.html", action=action, waiting=waiting)
