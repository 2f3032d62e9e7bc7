"""Goods that customers fetch: what lies ready, setting pieces ready, handing them over, putting them back."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.kernel.sheet import Cell
from core.kernel.sorting import Place
from core.orders import pickup_list, pickups, placing
from core.orders.models import Order, OrderLine
from core.orders.pickup_list import Row
from core.parties.roles import Role
from desk.lists import Asked, Listing
from desk.money import actor
from desk.order_forms import ProvideForm, pieces, refused, rows
from flows import pick_up
from flows.pick_up import Pieces
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

pick_ups = Blueprint("desk_pick_ups", __name__, url_prefix="/desk", template_folder="templates")
_ROLES = (Role.SALES, Role.SUPPORT)
LISTED = Listing(
    "/desk/pick-ups",
    "pick-up",
    pickup_list.SORTS,
    "ready",
    head=("order", "customer", "email", "location", "ready", "pieces"),
)
Answer = str | Response | tuple[str, int]


@pick_ups.get("/pick-ups")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """What lies ready over all orders; what has waited longest stands first."""
    with house().db.snapshot() as session:
        found, context = LISTED.page(session, LISTED.asked(), _found)
    return page("desk/pick_ups.html", rows=[_shown(one) for one in found], **context)


@pick_ups.get("/pick-ups.csv")
@allow(Who.STAFF, roles=_ROLES)
def export() -> FileResponse:
    """The list, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Row]:
    return pickup_list.page(session, words=asked.words, place=place, limit=limit)


def _shown(one: Row) -> dict[str, Any]:
    return {
        "id": one.row.public_id,
        "order": one.order.number or "",
        "order_href": f"/desk/orders/{one.order.public_id}",
        "customer": one.customer,
        "place": one.place.name,
        "ready_at": one.row.ready_at,
        "pieces": one.pieces,
    }


def _cells(_: Session, found: Sequence[Row]) -> Iterator[list[Cell]]:
    for one in found:
        yield [
            sheet.code(one.order.number or ""),
            sheet.words(one.customer),
            sheet.words(one.order.email),
            sheet.code(one.place.code),
            sheet.moment(one.row.ready_at),
            sheet.code(one.pieces),
        ]


@pick_ups.get("/orders/<public_id>/ready")
@allow(Who.STAFF, roles=_ROLES)
def ask(public_id: str) -> str:
    """Which pieces lie ready."""
    return _page(public_id, ProvideForm(data={"once": new_public_id()}))


@pick_ups.post("/orders/<public_id>/ready")
@allow(Who.STAFF, roles=_ROLES)
def set_ready(public_id: str) -> Answer:
    """They lie ready: the customer is told."""
    form = ProvideForm(request.form)
    with house().db.snapshot() as session:
        _, _, left = _read(session, public_id)
    chosen, wrong = pieces(left)
    if not form.validate() or wrong:
        return _page(public_id, form, wrong), 422
    try:
        pick_up.set_ready(house(), Pieces(public_id, chosen, actor(), str(form.once.data)))
    except KeyReused:
        raise
    except ShopError as error:
        return _page(public_id, form, *refused(error)), 422
    say("It lies ready, and the customer is told.")
    return redirect(f"/desk/orders/{public_id}", 303)


@pick_ups.post("/pick-ups/<public_id>/hand-over")
@allow(Who.STAFF, roles=_ROLES)
def hand_over(public_id: str) -> Response:
    """They came for it."""
    return _act(public_id, pick_up.hand_over, "Handed over. The customer has a mail about it.")


@pick_ups.post("/pick-ups/<public_id>/put-back")
@allow(Who.STAFF, roles=_ROLES)
def put_back(public_id: str) -> Response:
    """It waits again."""
    return _act(public_id, pick_up.put_back, "Put back: the pieces wait again.")


def _act(public_id: str, act: Any, done: str) -> Response:
    with house().db.reading() as session:
        _, order = pickups.by_public_id(session, public_id)
    try:
        act(house(), public_id, actor())
        say(done)
    except ShopError as error:
        say(str(error), "warn")
    return redirect(f"/desk/orders/{order.public_id}", 303)


def _read(session: Session, public_id: str) -> tuple[Order, Sequence[OrderLine], dict[int, int]]:
    """The order, its lines, and how many of each can be set ready."""
    order = placing.by_public_id(session, public_id)
    lines = placing.lines_of(session, order.id)
    left = pickups.left_to_set_ready(session, lines)
    return order, lines, {line.line_number: left[line.id] for line in lines if line.id in left}


def _page(
    public_id: str,
    form: ProvideForm,
    wrong: dict[int, str] | None = None,
    also: Sequence[str] = (),
) -> str:
    with house().db.snapshot() as session:
        order, lines, left = _read(session, public_id)
    drawn = rows(lines, left, wrong or {})
    return page("desk/order_ready.html", order=order, rows=drawn, form=form, also=also)
