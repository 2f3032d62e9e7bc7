"""Pieces of an order given up before they left, or taken back afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.kernel.money import total
from core.orders import changing, placing
from core.orders.fulfilling import Some, choose
from core.orders.models import Order, OrderLine
from core.parties.roles import Role
from desk.money import actor
from desk.order_forms import (
    CancelForm,
    ChangeForm,
    ReturnForm,
    instead,
    pieces,
    refused,
    restocked,
    rows,
)
from flows import take_back, worth
from flows.abandon_payment import abandon
from flows.take_back import Asked
from payments.gateway import GatewayError
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

order_changes = Blueprint(
    "desk_order_changes", __name__, url_prefix="/desk", template_folder="templates"
)
_ROLES = (Role.SALES, Role.BILLING, Role.SUPPORT)
Answer = str | Response | tuple[str, int]


def _order(public_id: str) -> tuple[Order, Sequence[OrderLine]]:
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        return order, placing.lines_of(session, order.id)


def _to_cancel(lines: Sequence[OrderLine]) -> dict[int, int]:
    return {line.line_number: line.waiting for line in lines if line.kind != "bundle"}


def _to_return(lines: Sequence[OrderLine]) -> dict[int, int]:
    return {
        line.line_number: line.fulfilled - line.returned
        for line in lines
        if (line.kind in ("physical", "service", "delivery") or line.numbered)
        and line.subscription_id is None
    }


def _asked(public_id: str, chosen: Mapping[int, int] | None, form: ChangeForm) -> Asked:
    return Asked(
        public_id,
        chosen,
        str(form.reason.data),
        str(form.refund_to.data),
        actor(),
        str(form.once.data),
        " ".join((form.note.data or "").split()),
    )


# --- before they leave ----------------------------------------------------------------------------


@order_changes.get("/orders/<public_id>/cancel")
@allow(Who.STAFF, roles=_ROLES)
def ask_cancel(public_id: str) -> str:
    """Which pieces are not to come, and what they come to."""
    return _page("cancel", public_id, CancelForm(data={"once": new_public_id()}))


@order_changes.post("/orders/<public_id>/cancel")
@allow(Who.STAFF, roles=_ROLES)
def cancel(public_id: str) -> Answer:
    """Cancel them; of an order that is not paid yet, all of it."""
    order, lines = _order(public_id)
    if order.lifecycle == "pending":
        return _give_up(order)
    form = CancelForm(request.form)
    looks = request.form.get("step") == "look"
    chosen, wrong = pieces(_to_cancel(lines), bounded=looks)
    if not form.validate() or wrong or looks:
        answer = _page("cancel", public_id, form, wrong, chosen)
        return answer if not wrong and not form.errors else (answer, 422)
    try:
        take_back.cancel(house(), _asked(public_id, chosen, form))
    except KeyReused:
        raise
    except ShopError as error:
        wrong, also = refused(error)
        return _page("cancel", public_id, form, wrong, also=also), 422
    say("Cancelled. The customer is told, and the credit memo is written.")
    return redirect(f"/desk/orders/{public_id}", 303)


def _give_up(order: Order) -> Response:
    try:
        if abandon(house(), order.id, "cancelled_by_staff"):
            say("Cancelled. Nothing had been paid.")
        else:
            say("It has just been paid, so it stands. Look at it again.", "warn")
    except GatewayError:
        say("The processor does not answer. Nothing has changed; try again in a minute.", "warn")
    return redirect(f"/desk/orders/{order.public_id}", 303)


# --- afterwards -----------------------------------------------------------------------------------


@order_changes.get("/orders/<public_id>/return")
@allow(Who.STAFF, roles=_ROLES)
def ask_return(public_id: str) -> str:
    """Which pieces come back, why, and where the money goes."""
    return _page("return", public_id, ReturnForm(data={"once": new_public_id()}))


@order_changes.post("/orders/<public_id>/return")
@allow(Who.STAFF, roles=_ROLES)
def take(public_id: str) -> Answer:
    """Take them back, or announce that they come."""
    order, lines = _order(public_id)
    form = ReturnForm(request.form)
    looks = request.form.get("step") == "look"
    chosen, wrong = pieces(_to_return(lines), bounded=looks)
    if not form.validate() or wrong or looks:
        answer = _page("return", public_id, form, wrong, chosen)
        return answer if not wrong and not form.errors else (answer, 422)
    asked = _asked(public_id, chosen, form)
    asked = replace(asked, instead=instead(chosen), sends=str(form.sends.data))
    try:
        if form.here.data == "yes":
            take_back.take(house(), asked, restocked(lines))
            say("Taken back. The customer is told, and the credit memo is written.")
        else:
            change = take_back.announce(house(), asked)
            number = changing.return_number(order.number or "", change.number)
            say(f"Return {number} is announced, and the customer knows where to send it.")
    except KeyReused:
        raise
    except ShopError as error:
        wrong, also = refused(error)
        return _page("return", public_id, form, wrong, also=also), 422
    return redirect(f"/desk/orders/{public_id}", 303)


def _page(
    act: str,
    public_id: str,
    form: ChangeForm,
    wrong: dict[int, str] | None = None,
    chosen: Mapping[int, int] | None = None,
    also: Sequence[str] = (),
) -> str:
    """The form; with ``chosen``, what it comes to stands with it."""
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        lines = placing.lines_of(session, order.id)
        possible = _to_cancel(lines) if act == "cancel" else _to_return(lines)
        if act == "cancel" and order.lifecycle == "pending":
            possible = {}
        some = _some(act, lines, chosen) if chosen and not wrong else []
        found = worth.foresee(session, order, some) if some else []
    amounts = {one.line.line_number: one.amount for one in found}
    return page(
        f"desk/order_{act}.html",
        order=order,
        rows=rows(lines, possible, wrong or {}, amounts, filled=act == "cancel"),
        form=form,
        also=also,
        comes_to=total(amounts.values(), order.currency) if found else None,
        taken_along=[
            one.line.name for one in found if chosen and one.line.line_number not in chosen
        ],
    )


def _some(act: str, lines: Sequence[OrderLine], chosen: Mapping[int, int]) -> list[Some]:
    return take_back.to_cancel(lines, chosen) if act == "cancel" else choose(lines, chosen)
