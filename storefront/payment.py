"""The way back from the processor's page. These pages only read; a button posts, or a script presses it.

The operation's public id is 128 random bits: whoever holds it came from our own redirect.
"""

from flask import Blueprint, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from cart.quotes import sent
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.orders.models import Order
from core.parties import accounts, pay_codes
from flows.abandon_payment import abandon, give_up_bills
from flows.house import House
from flows.settle_payment import settle
from payments import money, operations
from payments.gateway import GatewayError
from payments.models import PaymentOperation
from web import limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

payment = Blueprint("payment", __name__, template_folder="templates")


@payment.get("/pay/<public_id>/return")
@allow(Who.EVERYBODY)
def back(public_id: str) -> str | Response:
    """Back from paying: straight on when it is settled, else "checking", which posts."""
    operation = _operation(public_id)
    if operation.state == "succeeded":
        return redirect(_onward(house(), operation))
    return _checking(operation, f"/pay/{public_id}/return", waiting=False)


@payment.post("/pay/<public_id>/return")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def settled(public_id: str) -> str | Response:
    """Ask the processor and settle; whoever comes first does it."""
    operation = _operation(public_id)
    try:
        state = settle(house(), operation.id)
    except GatewayError:
        state = "unknown"
    if state in ("expired", "failed"):
        say("That payment did not happen. Nothing was charged.", "warn")
    if state in ("succeeded", "expired", "failed"):
        return redirect(_onward(house(), _operation(public_id)), 303)
    return _checking(operation, f"/pay/{public_id}/return", waiting=True)


@payment.get("/pay/<public_id>/cancelled")
@allow(Who.EVERYBODY)
def cancelled(public_id: str) -> str | Response:
    """Back without having paid: a button gives the attempt up. An order that staff took waits as it is."""
    operation = _operation(public_id)
    if operation.state not in operations.OPEN_STATES or _was_taken_by_staff(operation):
        return redirect(_onward(house(), operation))
    return page(
        "storefront/came_back.html",
        action=f"/pay/{public_id}/cancelled",
        again=operation.redirect_url or "",
        what=_what(operation),
    )


def _was_taken_by_staff(operation: PaymentOperation) -> bool:
    """The order is its customer's wish, made on the phone: its link works until it is paid or over."""
    if operation.order_id is None:
        return False
    with house().db.reading() as session:
        return session.get_one(Order, operation.order_id).taken_by is not None


def _what(operation: PaymentOperation) -> str:
    """What waits for whoever came back unpaid: ``bills``, a ``quote`` or a ``cart``."""
    if operation.order_id is None:
        return "bills"
    with house().db.reading() as session:
        quote = sent.quote_of_order(session, operation.order_id)
    return "cart" if quote is None else "quote"


@payment.post("/pay/<public_id>/cancelled")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def given_up(public_id: str) -> Response:
    """End the visit at the processor and give the cart (or the bills) back."""
    operation = _operation(public_id)
    if _was_taken_by_staff(operation):
        return redirect(_onward(house(), operation), 303)
    try:
        if operation.order_id is not None:
            given = abandon(house(), operation.order_id, "came_back")
        else:
            given = give_up_bills(house(), operation.id)
    except GatewayError:
        say("Our payment partner does not answer. Try again in a minute.", "warn")
        return redirect(f"/pay/{public_id}/cancelled", 303)
    if given:
        say("You have not paid, and nothing was charged.", "warn")
    return redirect(_onward(house(), _operation(public_id)), 303)


def _operation(public_id: str) -> PaymentOperation:
    with house().db.reading() as session:
        operation = operations.by_public_id(session, public_id)
    if operation.kind != "checkout":
        raise NotFound("payment")
    return operation


def _onward(house: House, operation: PaymentOperation) -> str:
    """Where the payer goes on: to what they paid, or back to what is still to be paid."""
    with house.db.reading() as session:
        paid = money.of_operation(session, operation.id)
        if operation.order_id is None:
            back = operation.request["metadata"]
            if "order" in back:
                return house.links.order(back["order"])
            if "pay_page" in back:
                return _pay_page(session, house, back["pay_page"])
            return f"/account/payments/{paid.public_id}" if paid else "/account"
        order = session.get_one(Order, operation.order_id)
        quote = sent.quote_of_order(session, order.id)
    if paid is not None or order.lifecycle in ("confirmed", "completed"):
        return f"{house.links.order(order.public_id)}/thanks"
    if quote is not None:
        return house.links.quote(quote.public_id)
    return "/cart" if order.taken_by is None else house.links.order(order.public_id)


def _pay_page(session: Session, house: House, told: str) -> str:
    """Back to the page that pays an account's bills; whoever came by an older code types the new one."""
    account = accounts.by_public_id(session, told.partition(":")[0])
    if told == pay_codes.subject(account.public_id, account.pay_code_series):
        return house.links.pay_page(account)
    return house.links.pay_by_code()


def _checking(operation: PaymentOperation, action: str, *, waiting: bool) -> str:
    return page(
        "storefront/checking.html",
        action=action,
        fields={},
        due=Money(operation.amount_minor, operation.currency),
        number="",
        waiting=waiting,
        follow_href="",
        follow_text="",
    )
