"""Pieces of an order given up before they left, or taken back afterwards; and the list of returns."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_public_id
from core.kernel.money import Money, total
from core.kernel.sorting import Place
from core.orders import changing, following, placing
from core.orders.fulfilling import Some, TooManyPieces, choose
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order, OrderLine
from core.parties.roles import Role
from desk import lists, shown
from desk.lists import Choice, Listing
from desk.money import actor
from desk.order_forms import (
    REASONS,
    CancelForm,
    ChangeForm,
    DeclineForm,
    ReceiveForm,
    ReturnForm,
    pieces,
    refused,
    restocked,
    rows,
)
from flows import ask_return as returning
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
_STATES = ("asked", "announced", "done", "declined", "withdrawn")
LISTED = Listing(
    "/desk/returns",
    "return",
    following.SORTS,
    "-asked",
    (Choice("state", "State", [(one, shown.CHANGE[one].text) for one in _STATES], is_tabs=True),),
    head=("number", "order", "customer", "asked", "reason", "state"),
)
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
    try:
        if form.here.data == "yes":
            take_back.take(house(), asked, restocked(lines))
            say("Taken back. The customer is told, and the credit memo is written.")
        else:
            change = take_back.announce(house(), asked)
            number = changing.return_number(order.number or "", change.number)
            say(f"Return {number} is announced, and the customer knows where to send it.")
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


# --- returns --------------------------------------------------------------------------------------


@order_changes.get("/returns")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """Returns, the newest first; those that are to come on a tab of their own."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows_, context = LISTED.page(session, asked, _found)
    return page(
        "desk/returns.html",
        returns=[_row(*row) for row in rows_],
        **LISTED.tabs("state", asked, None),
        **context,
    )


@order_changes.get("/returns.csv")
@allow(Who.STAFF, roles=_ROLES)
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, found: (_cells(*row) for row in found))


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> list[tuple[OrderChange, Order, str]]:
    return following.returns(
        session, state=asked["state"], words=asked.words, place=place, limit=limit
    )


def _cells(row: OrderChange, order: Order, customer: str) -> list[sheet.Cell]:
    return [
        sheet.code(changing.return_number(order.number or "", row.number)),
        sheet.code(order.number or ""),
        sheet.words(customer),
        sheet.moment(row.asked_at),
        sheet.words(REASONS[row.reason]),
        sheet.words(shown.CHANGE[row.state].text),
    ]


def _row(row: OrderChange, order: Order, customer: str) -> dict[str, Any]:
    return {
        "number": changing.return_number(order.number or "", row.number),
        "href": f"/desk/returns/{row.public_id}",
        "customer": customer,
        "asked_at": row.asked_at,
        "reason": REASONS[row.reason],
        "state": shown.CHANGE[row.state],
    }


@order_changes.get("/returns/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def one(public_id: str) -> str:
    """A return: what comes back, and taking it in or calling it off."""
    return _return_page(public_id)


@order_changes.post("/returns/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def receive(public_id: str) -> Answer:
    """The goods are here."""
    form = ReceiveForm(request.form)
    with house().db.reading() as session:
        _, order = _return(session, public_id)
        lines = placing.lines_of(session, order.id)
    if not form.validate():
        return _return_page(public_id, form), 422
    try:
        take_back.receive(house(), public_id, restocked(lines), actor(), str(form.refund_to.data))
    except ShopError as error:
        return _return_page(public_id, form, [str(error)]), 422
    say("Taken back. The customer is told, and the credit memo is written.")
    return redirect(f"/desk/orders/{order.public_id}", 303)


@order_changes.post("/returns/<public_id>/withdraw")
@allow(Who.STAFF, roles=_ROLES)
def withdraw(public_id: str) -> Answer:
    """They do not come back after all."""
    with house().db.reading() as session:
        _, order = _return(session, public_id)
    take_back.withdraw(house(), public_id, actor())
    say("Called off. The customer is told.")
    return redirect(f"/desk/orders/{order.public_id}", 303)


@order_changes.post("/returns/<public_id>/accept")
@allow(Who.STAFF, roles=_ROLES)
def accept(public_id: str) -> Answer:
    """What the customer asked for may come."""
    with house().db.reading() as session:
        _return(session, public_id)
    try:
        returning.accept(house(), public_id, actor())
    except TooManyPieces as error:
        return _return_page(public_id, also=[str(error)]), 409
    say("It may come. The customer is told where to send it.")
    return redirect(f"/desk/returns/{public_id}", 303)


@order_changes.post("/returns/<public_id>/decline")
@allow(Who.STAFF, roles=_ROLES)
def decline(public_id: str) -> Answer:
    """It stays with the customer, who is told why."""
    form = DeclineForm(request.form)
    with house().db.reading() as session:
        _return(session, public_id)
    if not form.validate():
        return _return_page(public_id, no=form), 422
    returning.decline(house(), public_id, str(form.answer.data), actor())
    say("Declined. The customer is told why.")
    return redirect(f"/desk/returns/{public_id}", 303)


def _return(session: Any, public_id: str) -> tuple[OrderChange, Order]:
    change, order = following.change(session, public_id)
    if change.kind != "return":
        raise NotFound("return")
    return change, order


def _return_page(
    public_id: str,
    form: ReceiveForm | None = None,
    also: Sequence[str] = (),
    no: DeclineForm | None = None,
) -> str:
    with house().db.snapshot() as session:
        change, order = _return(session, public_id)
        lines = placing.lines_of(session, order.id)
        some = changing.pieces_of(session, change, lines)
        waits = change.state == "announced"
        asked = change.state == "asked"
        found = worth.foresee(session, order, some) if waits or asked else []
    amounts = {one.line.line_number: one.amount for one in found}
    return page(
        "desk/return.html",
        number=changing.return_number(order.number or "", change.number),
        change=change,
        order=order,
        state=shown.CHANGE[change.state],
        reason=REASONS[change.reason],
        waits=waits,
        asked=asked,
        no=no or DeclineForm(),
        rows=[
            {
                "number": one.line.line_number,
                "sku": one.line.sku,
                "name": one.line.name,
                "quantity": one.quantity,
                "is_goods": one.line.kind == "physical",
                "amount": amounts.get(one.line.line_number),
            }
            for one in some
        ],
        comes_to=total(amounts.values(), order.currency) if found else Money.zero(order.currency),
        form=form or ReceiveForm(data={"refund_to": change.refund_to}),
        also=also,
    )
