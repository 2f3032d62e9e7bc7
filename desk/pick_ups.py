"""Goods that customers fetch: what lies ready, setting pieces ready, handing them over, putting them back."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel.errors import ShopError
from core.kernel.ids import new_public_id
from core.orders import pickups, placing
from core.orders.models import Order, OrderLine
from core.parties.roles import Role
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
Answer = str | Response | tuple[str, int]


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
