"""Money that goes back: of an order across what paid it, and a refund that failed once more."""

import uuid
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_public_id
from core.kernel.money import total
from core.ledger import paid_by
from core.orders import placing
from core.orders.models import Order
from core.parties.roles import Role
from desk.money import actor
from desk.refund_forms import WAYS, GiveBackForm, amount_in
from flows import refund
from flows.give_back import Back, give_back, held_from
from payments import reading
from payments.gateway import GatewayError
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

refunds = Blueprint("desk_refunds", __name__, url_prefix="/desk", template_folder="templates")
_NO_ANSWER = "It is posted. The processor does not answer; it goes on as soon as it does."


@refunds.get("/orders/<public_id>/refund")
@allow(Who.STAFF, roles=(Role.BILLING,))
def ask(public_id: str) -> str:
    """How much of an order can go back, and where to."""
    return _show(public_id, GiveBackForm(data={"key": new_public_id()}))


@refunds.post("/orders/<public_id>/refund")
@allow(Who.STAFF, roles=(Role.BILLING,))
def give(public_id: str) -> str | Response | tuple[str, int]:
    """Give it back."""
    form = GiveBackForm(request.form)
    with house().db.reading() as session:
        order = placing.by_public_id(session, public_id)
    amount = amount_in(form.amount, order.currency) if form.validate() else None
    if amount is None:
        return _show(public_id, form), 422
    way, reason = WAYS[form.to.data or "usual"], (form.reason.data or "").strip()
    key = f"{order.id.hex[-12:]}-{form.key.data}"[:60]
    try:
        give_back(house(), Back(order.id, amount, key, reason, way, actor=actor()))
    except GatewayError:
        say(_NO_ANSWER, "warn")
    except ShopError as error:
        form.amount.errors = [str(error)]
        return _show(public_id, form), 422
    else:
        say("Given back. What goes to a card takes some days until its bank shows it.")
    return redirect(f"/desk/orders/{public_id}", 303)


@refunds.post("/payments/<public_id>/refunds/<uuid:refund_id>/again")
@allow(Who.STAFF, roles=(Role.BILLING,))
def again(public_id: str, refund_id: uuid.UUID) -> Response:
    """Ask once more for a refund that failed."""
    with house().db.reading() as session:
        paid = reading.one(session, public_id)
        if refund_id not in [row.id for row in reading.refunds_of(session, [paid.id])]:
            raise NotFound("refund")
    try:
        refund.again(house(), refund_id)
    except GatewayError:
        say(_NO_ANSWER, "warn")
    else:
        say("Asked for again.")
    return redirect(f"/desk/payments/{public_id}", 303)


def _show(public_id: str, form: GiveBackForm) -> str:
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        held = held_from(session, order.id)
        paid = paid_by.of_order(session, order.id)
    return page(
        "desk/refund.html",
        order=_words(order),
        held=total((item.open for item in held), order.currency),
        paid=[(row.label, row.amount) for row in paid],
        form=form,
        action=f"/desk/orders/{public_id}/refund",
    )


def _words(order: Order) -> dict[str, Any]:
    return {"number": order.number or "", "href": f"/desk/orders/{order.public_id}"}
