"""Giving a payment of bills back: how much, to the card or to credit, with what that does to its bills."""

from collections.abc import Sequence

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import Form, HiddenField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from core.kernel.errors import NotFound, ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.parties.roles import Role
from desk.money import actor
from desk.refund_forms import amount_in
from flows import refund_payment
from flows.refund_payment import OfAnOrder, Wanted
from payments import reading
from payments.gateway import GatewayError
from web.access import Who, allow
from web.context import house
from web.filters import sign
from web.flashes import say
from web.pages import page

payment_refunds = Blueprint(
    "desk_payment_refunds", __name__, url_prefix="/desk", template_folder="templates"
)
_NO_ANSWER = "It is posted. The processor does not answer; it goes on as soon as it does."


class RefundForm(Form):
    """How much, where to, why."""

    amount = StringField("How much", [InputRequired("Say how much.")])
    to = RadioField(
        "Where it goes",
        choices=[
            SelectChoice("card", "Back to the card that paid"),
            SelectChoice("credit", "Kept as their credit, for other bills"),
        ],
        default="card",
    )
    reason = StringField("Why", [InputRequired("Say why, for whoever asks later."), Length(max=60)])
    once = HiddenField(validators=[Length(min=1, max=40)])


@payment_refunds.get("/payments/<public_id>/refund")
@allow(Who.STAFF, roles=(Role.BILLING,))
def ask(public_id: str) -> str | Response:
    """What of it can go back."""
    try:
        return _show(public_id, RefundForm(data={"once": new_public_id()}))
    except OfAnOrder:
        return _to_its_order(public_id)


@payment_refunds.post("/payments/<public_id>/refund")
@allow(Who.STAFF, roles=(Role.BILLING,))
def give(public_id: str) -> str | Response | tuple[str, int]:
    """Look at what it does, or give it back."""
    form = RefundForm(request.form)
    with house().db.reading() as session:
        payment = reading.one(session, public_id)
    if payment.order_id is not None:
        return _to_its_order(public_id)
    is_fine = form.validate()
    amount = amount_in(form.amount, payment.currency) if is_fine else None
    if amount is None:
        return _show(public_id, form), 422
    if request.form.get("step") != "give":
        return _show(public_id, form, amount)
    wanted = Wanted(
        public_id,
        amount,
        str(form.to.data),
        " ".join((form.reason.data or "").split()),
        actor(),
        str(form.once.data),
    )
    try:
        refund_payment.give(house(), wanted)
    except GatewayError:
        say(_NO_ANSWER, "warn")
    except KeyReused:
        raise
    except ShopError as error:
        form.amount.errors = [str(error)]
        return _show(public_id, form), 422
    else:
        where = "its card; banks take some days to show it" if form.to.data == "card" else "credit"
        say(f"{sign(amount)} went to {where}.")
    return redirect(f"/desk/payments/{public_id}", 303)


def _to_its_order(public_id: str) -> Response:
    with house().db.reading() as session:
        payment = reading.one(session, public_id)
        order = reading.order_of(session, payment)
    if order is None:
        raise NotFound("order")
    return redirect(f"/desk/orders/{order}/refund", 302 if request.method == "GET" else 303)


def _show(public_id: str, form: RefundForm, looked: Money | None = None) -> str:
    with house().db.snapshot() as session:
        found = refund_payment.foresee(session, public_id)
    return page(
        "desk/payment_refund.html",
        payment=found.payment,
        held=found.held,
        paid=found.paid,
        most=found.most,
        form=form,
        looked=looked,
        owed_again=_owed_again(found.held, found.paid, looked) if looked else [],
    )


def _owed_again(
    held: Money, paid: Sequence[tuple[str, Money]], amount: Money
) -> list[tuple[str, Money]]:
    """Which bills are owed again, and by how much."""
    left, found = amount - min(amount, held), []
    for number, part in paid:
        taken = min(left, part)
        if taken.minor > 0:
            found.append((number, taken))
            left -= taken
    return found
