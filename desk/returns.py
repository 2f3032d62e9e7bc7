"""Returns: those that were asked for or announced, and what becomes of each; and exchanges with them."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money, total
from core.kernel.sorting import Place
from core.orders import changing, exchanging, following, placing
from core.orders.exchanging import AFTER
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order
from core.parties.roles import Role
from desk import lists, shown
from desk.lists import Choice, Listing
from desk.money import actor
from desk.order_forms import (
    REASONS,
    AcceptForm,
    DeclineForm,
    ReceiveForm,
    WithdrawForm,
    restocked,
)
from flows import ask_return as returning
from flows import exchange as exchanges
from flows import take_back, worth
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

returns = Blueprint("desk_returns", __name__, url_prefix="/desk", template_folder="templates")
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


@returns.get("/returns")
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


@returns.get("/returns.csv")
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


@returns.get("/returns/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def one(public_id: str) -> str:
    """A return: what comes back, and taking it in or calling it off."""
    return _return_page(public_id)


@returns.post("/returns/<public_id>")
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


@returns.post("/returns/<public_id>/withdraw")
@allow(Who.STAFF, roles=_ROLES)
def withdraw(public_id: str) -> Answer:
    """They do not come back after all."""
    with house().db.reading() as session:
        _, order = _return(session, public_id)
    form = WithdrawForm(request.form)
    billed = form.validate() and form.replacement.data == "billed"
    try:
        take_back.withdraw(house(), public_id, actor(), billed=billed)
    except ShopError as error:
        return _return_page(public_id, also=[str(error)]), 409
    say("Called off. The customer is told.")
    return redirect(f"/desk/orders/{order.public_id}", 303)


@returns.post("/returns/<public_id>/accept")
@allow(Who.STAFF, roles=_ROLES)
def accept(public_id: str) -> Answer:
    """What the customer asked for may come."""
    with house().db.reading() as session:
        _return(session, public_id)
    form = AcceptForm(request.form)
    sends = str(form.sends.data) if form.validate() else AFTER
    try:
        returning.accept(house(), public_id, actor(), sends)
    except ShopError as error:
        return _return_page(public_id, also=[str(error)]), 409
    say("It may come. The customer is told where to send it.")
    return redirect(f"/desk/returns/{public_id}", 303)


@returns.post("/returns/<public_id>/money")
@allow(Who.STAFF, roles=_ROLES)
def money(public_id: str) -> Response:
    """Nothing goes out instead: it is given back in money."""
    with house().db.reading() as session:
        _return(session, public_id)
    take_back.money_instead(house(), public_id, actor())
    say("Nothing goes out instead now. Once it is here, its money goes back.")
    return redirect(f"/desk/returns/{public_id}", 303)


@returns.post("/returns/<public_id>/decline")
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
        found = worth.foresee(session, order, some, change.id) if waits or asked else []
        exchange = exchanging.of(session, change.id)
    goes_out = exchange.lines if exchange is not None else {}
    foreseen = None
    if exchange is not None and exchange.is_open and (waits or asked):
        try:
            foreseen = exchanges.look(house(), public_id)
        except ShopError as error:  # what goes out is not sold any more, or nobody tells its taxes
            also = [*also, str(error)]
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
                "instead": goes_out[one.line.id].name if one.line.id in goes_out else "",
            }
            for one in some
        ],
        comes_to=total(amounts.values(), order.currency) if found else Money.zero(order.currency),
        form=form or ReceiveForm(data={"refund_to": change.refund_to}),
        exchange=exchange,
        foreseen=foreseen,
        accepting=AcceptForm(),
        withdrawing=WithdrawForm(),
        also=also,
    )
