"""Services that a system outside begins: what waits, what needs a person, and trying or doing it by hand."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms import DateField, Form, StringField
from wtforms.validators import InputRequired, Length

from core.kernel import audit, sheet
from core.kernel.errors import StaleState
from core.kernel.sorting import Place
from core.orders import provisioning as room
from core.orders.provisioning import Listed
from core.parties import users
from core.parties.roles import Role
from core.subscriptions import reading as subscriptions
from core.subscriptions.errors import AlreadyThere, WrongDay
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from flows import provision_service
from web.access import Who, allow
from web.context import house, today
from web.documents import State
from web.flashes import say
from web.pages import page
from web.service_acts import said

BASE = "/desk/provisioning"
provisioning = Blueprint(
    "desk_provisioning", __name__, url_prefix=BASE, template_folder="templates"
)
TABS = {
    "failed": "To see to",
    "waiting": "Under way",
    "done": "Begun",
    "dropped": "Not wanted any more",
}
STATES = {
    "waiting": State("wait", "Under way"),
    "failed": State("bad", "Needs a person"),
    "done": State("go", "Begun"),
    "dropped": State("", "Not wanted any more"),
}
_SEE = (Role.SALES, Role.SUPPORT)
LISTED = Listing(
    BASE,
    "service",
    room.SORTS,
    "asked",
    (Choice("state", "State", list(TABS.items()), is_tabs=True),),
    head=(
        "order",
        "sku",
        "service",
        "customer",
        "account",
        "state",
        "tries",
        "trouble",
        "asked",
        "next_try",
        "began",
        "reference",
    ),
    file=f"{BASE}/export.csv",
)


class ByHandForm(Form):
    """Since when it works, and what was done."""

    on_date = DateField("First day of service", [InputRequired("The day it began to work.")])
    note = StringField("What was done", [Length(max=300, message="At most 300 characters.")])


@provisioning.get("")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """What was asked of the system, the longest waiting first."""
    asked = LISTED.asked()
    with house().db.reading() as session:
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/provisionings.html",
        rows=[_row(one) for one in rows],
        **LISTED.tabs("state", asked, None),
        **context,
    )


@provisioning.get("/export.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _found(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[Listed]:
    return room.listing(session, state=asked["state"], words=asked.words, place=place, limit=limit)


def _cells(one: Listed) -> list[sheet.Cell]:
    row = one.row
    return [
        sheet.code(one.order.number or ""),
        sheet.code(one.line.sku),
        sheet.words(one.line.name),
        sheet.words(one.account.name),
        sheet.code(one.account.number),
        sheet.words(STATES[row.state].text),
        sheet.code(row.tries),
        sheet.words(row.trouble),
        sheet.moment(row.asked_at),
        sheet.moment(row.next_at) if row.next_at is not None else sheet.EMPTY,
        sheet.day(row.began_on),
        sheet.code(row.reference),
    ]


def _row(one: Listed) -> dict[str, Any]:
    row = one.row
    return {
        "href": f"{BASE}/{row.public_id}",
        "order": one.order.number or one.order.public_id[:8],
        "order_href": f"/desk/orders/{one.order.public_id}",
        "name": one.line.name,
        "sku": one.line.sku,
        "quantity": one.line.quantity,
        "customer": one.account.name,
        "customer_href": f"/desk/customers/{one.account.number}",
        "state": STATES[row.state],
        "tries": row.tries,
        "trouble": row.trouble if row.state in ("waiting", "failed") else "",
        "asked_at": row.asked_at,
        "next_at": row.next_at,
        "began_on": row.began_on,
    }


@provisioning.get("/<public_id>")
@allow(Who.STAFF, roles=_SEE)
def one(public_id: str) -> str:
    """One of them: what was asked, what was answered, and what can be done."""
    return _show(public_id, ByHandForm(data={"on_date": today()}))


def _show(public_id: str, form: ByHandForm) -> str:
    with house().db.snapshot() as session:
        found = room.one(session, public_id)
        acts = audit.about(session, ("provisioning", public_id))
        names = users.names(session, [found.row.closed_by, *(one.actor for one in acts)])
        service = subscriptions.timeline(session, found.row.subscription_id)
    row = found.row
    return page(
        "desk/provisioning.html",
        it=_row(found),
        row=row,
        form=form,
        here=f"{BASE}/{public_id}",
        service_href=f"/desk/services/{service.public_id}",
        location=found.line.service_location or {},
        by=names.get(row.closed_by, "the system" if row.closed_by == "system" else "staff"),
        acts=[
            (
                one.act.partition(".")[2].replace("_", " "),
                names.get(one.actor, "the system"),
                one.at,
            )
            for one in acts
        ],
    )


@provisioning.post("/<public_id>/again")
@allow(Who.STAFF, roles=_SEE)
def again(public_id: str) -> AnyResponse:
    """Ask the system once more."""
    try:
        provision_service.try_again(house(), public_id, actor())
        say("The system is asked again.")
    except StaleState:
        say("It is not waiting for a person any more.", "warn")
    return redirect(f"{BASE}/{public_id}", 303)


@provisioning.post("/<public_id>/done")
@allow(Who.STAFF, roles=_SEE)
def done(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Somebody has begun it by hand."""
    form = ByHandForm(request.form)
    if not form.validate() or form.on_date.data is None:
        return _show(public_id, form), 422
    try:
        provision_service.by_hand(
            house(), public_id, form.on_date.data, form.note.data or "", actor()
        )
        say("It runs. Its periods are billed from that day on.")
    except WrongDay as error:
        form.on_date.errors = [said(error)]
        return _show(public_id, form), 422
    except (AlreadyThere, StaleState):
        say("It has begun already, or is not wanted any more.", "warn")
    return redirect(f"{BASE}/{public_id}", 303)
