"""Sending an order's goods in parcels, noting what was done of it, and correcting how a parcel travels."""

from collections.abc import Sequence

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import NotFound, ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.orders import carriers, following, placing
from core.orders.fulfilment_models import Fulfilment
from core.orders.models import Order, OrderLine
from core.parties.roles import Role
from core.stock import sold
from desk.money import actor
from desk.order_forms import ProvideForm, ShipForm, TrackingForm, pieces, refused, rows
from flows import ship_order
from flows.ship_order import Done, Parcel
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

shipping = Blueprint("desk_shipping", __name__, url_prefix="/desk", template_folder="templates")
_ROLES = (Role.SALES, Role.SUPPORT)
Answer = str | Response | tuple[str, int]


def _order(public_id: str) -> tuple[Order, Sequence[OrderLine]]:
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        return order, placing.lines_of(session, order.id)


def _to_send(lines: Sequence[OrderLine]) -> dict[int, int]:
    return {line.line_number: line.waiting for line in lines if line.kind == "physical"}


def _to_do(lines: Sequence[OrderLine]) -> dict[int, int]:
    """Not what is sent, and not plans: those are activated at their own page."""
    left_out = ("physical", "delivery", "bundle")
    return {
        line.line_number: line.waiting
        for line in lines
        if line.kind not in left_out and line.subscription_id is None
    }


@shipping.get("/orders/<public_id>/ship")
@allow(Who.STAFF, roles=_ROLES)
def ask_ship(public_id: str) -> str:
    """Which pieces go into the parcel, and how it travels."""
    return _ship_page(*_order(public_id), ShipForm(data={"once": new_public_id()}))


@shipping.post("/orders/<public_id>/ship")
@allow(Who.STAFF, roles=_ROLES)
def ship(public_id: str) -> Answer:
    """Send it."""
    order, lines = _order(public_id)
    form = ShipForm(request.form)
    chosen, wrong = pieces(_to_send(lines))
    if not form.validate() or wrong:
        return _ship_page(order, lines, form, wrong), 422
    parcel = Parcel(public_id, chosen, form.way(), actor(), str(form.once.data))
    try:
        row = ship_order.ship(house(), parcel)
    except KeyReused:
        raise
    except ShopError as error:
        return _ship_page(*_order(public_id), form, *refused(error)), 422
    say(f"Parcel {row.number} is on its way, and the customer is told.")
    return redirect(f"/desk/orders/{public_id}", 303)


def _ship_page(
    order: Order,
    lines: Sequence[OrderLine],
    form: ShipForm,
    wrong: dict[int, str] | None = None,
    also: Sequence[str] = (),
) -> str:
    with house().db.reading() as session:
        lie = sold.places(session, sold.reference(order.public_id))
    several = len({name for found in lie.values() for name, _ in found}) > 1
    skus = {line.variant_id: line.sku for line in lines if line.variant_id is not None}
    return page(
        "desk/order_ship.html",
        order=order,
        lie=[(skus[key], found) for key, found in lie.items() if key in skus] if several else [],
        rows=rows(lines, _to_send(lines), wrong or {}),
        form=form,
        also=also,
        carriers=list(carriers.CARRIERS),
    )


@shipping.get("/orders/<public_id>/provide")
@allow(Who.STAFF, roles=_ROLES)
def ask_provide(public_id: str) -> str:
    """What of it was done."""
    return _provide_page(*_order(public_id), ProvideForm(data={"once": new_public_id()}))


@shipping.post("/orders/<public_id>/provide")
@allow(Who.STAFF, roles=_ROLES)
def provide(public_id: str) -> Answer:
    """Note it as done."""
    order, lines = _order(public_id)
    form = ProvideForm(request.form)
    chosen, wrong = pieces(_to_do(lines))
    if not form.validate() or wrong:
        return _provide_page(order, lines, form, wrong), 422
    try:
        done = Done(public_id, chosen, actor(), str(form.once.data))
        ship_order.provide(house(), done)
    except KeyReused:
        raise
    except ShopError as error:
        return _provide_page(*_order(public_id), form, *refused(error)), 422
    say("Noted as done.")
    return redirect(f"/desk/orders/{public_id}", 303)


def _provide_page(
    order: Order,
    lines: Sequence[OrderLine],
    form: ProvideForm,
    wrong: dict[int, str] | None = None,
    also: Sequence[str] = (),
) -> str:
    drawn = rows(lines, _to_do(lines), wrong or {})
    return page("desk/order_provide.html", order=order, rows=drawn, form=form, also=also)


@shipping.get("/parcels/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def ask_tracking(public_id: str) -> str:
    """How a parcel travels, to be corrected."""
    row, order = _parcel(public_id)
    known = {"carrier": row.carrier, "number": row.tracking_number, "link": row.tracking_link}
    if row.tracking_link == carriers.link(row.carrier, row.tracking_number):
        known["link"] = ""
    return _tracking_page(row, order, TrackingForm(data=known))


@shipping.post("/parcels/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def correct_tracking(public_id: str) -> Answer:
    """Another carrier, number or link."""
    row, order = _parcel(public_id)
    form = TrackingForm(request.form)
    if not form.validate():
        return _tracking_page(row, order, form), 422
    ship_order.correct_tracking(house(), public_id, form.way(), actor())
    say("The customer's page shows it; nobody was written to again.")
    return redirect(f"/desk/orders/{order.public_id}", 303)


@shipping.post("/parcels/<public_id>/arrived")
@allow(Who.STAFF, roles=_ROLES)
def arrived(public_id: str) -> Answer:
    """It is where it should be."""
    row, order = _parcel(public_id)
    ship_order.arrived(house(), row.public_id, None, actor())
    say("It has arrived. The customer is told.")
    return redirect(f"/desk/orders/{order.public_id}", 303)


def _parcel(public_id: str) -> tuple[Fulfilment, Order]:
    with house().db.reading() as session:
        row, order = following.parcel(session, public_id)
    if row.kind != "parcel":
        raise NotFound("parcel")
    return row, order


def _tracking_page(row: Fulfilment, order: Order, form: TrackingForm) -> str:
    known = list(carriers.CARRIERS)
    return page("desk/parcel.html", parcel=row, order=order, form=form, carriers=known)
