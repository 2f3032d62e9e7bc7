"""Delivery at the desk: ways with their prices, the zones that they are for."""

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from cart import delivering
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.parties.roles import Role
from core.stock import places
from core.stock.models import Location
from desk.delivery_forms import WayForm, ZoneForm, way_data
from desk.money import actor
from flows import keep_delivery
from web.access import Who, allow
from web.context import channel, forget_channel, house
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/delivery"
delivery = Blueprint("desk_delivery", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.SALES,)
Answer = str | Response | tuple[str, int]


@delivery.get("")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """Every way and zone."""
    found = channel()[0]
    with house().db.reading() as session:
        ways = delivering.ways(session, found.id)
        zones = delivering.zones(session, found.id)
    return page(
        "desk/delivery.html",
        ways=[
            {
                "row": row,
                "zone": zone.name if zone is not None else "",
                "location": location.name if location is not None else "",
                "price": Money(row.price_minor, found.currency),
                "href": f"{BASE}/ways/{row.country}/{row.code}",
            }
            for row, zone, location in ways
        ],
        zones=zones,
    )


@delivery.get("/ways/new")
@allow(Who.STAFF, roles=_ROLES)
def ask() -> str:
    """Another way."""
    country = channel()[1].country
    data = {"kind": "ship", "country": country, "goes_by": "parcel", "active": True}
    return _way_page(WayForm(data=data))


@delivery.get("/ways/<country>/<code>")
@allow(Who.STAFF, roles=_ROLES)
def way(country: str, code: str) -> str:
    """One way, to be changed."""
    found = channel()[0]
    with house().db.reading() as session:
        row = keep_delivery.one_way(session, found.id, country, code)
        about = next(one for one in delivering.ways(session, found.id) if one[0].id == row.id)
    return _way_page(WayForm(data=way_data(*about, found.currency)), row.name)


@delivery.post("/ways")
@allow(Who.STAFF, roles=_ROLES)
def put_way() -> Answer:
    """Keep a way."""
    form = WayForm(request.form)
    try:
        keep_delivery.put_way(house(), form.way(channel()[0].currency), actor())
    except Invalid as error:
        names = {name: name.removesuffix("_minor").removesuffix("_g") for name in error.fields_}
        show_errors(form, Invalid({names[name]: text for name, text in error.fields_.items()}))
        return _way_page(form), 422
    forget_channel()
    say("Kept. It is offered so from now on.")
    return redirect(BASE, 303)


def _way_page(form: WayForm, name: str = "") -> str:
    with house().db.reading() as session:
        form.offer(delivering.zones(session, channel()[0].id), _locations(session))
    return page("desk/delivery_way.html", form=form, name=name, currency=channel()[0].currency)


def _locations(session: Session) -> list[Location]:
    return sorted(places.every(session), key=lambda place: place.code)


@delivery.get("/zones/new")
@allow(Who.STAFF, roles=_ROLES)
def ask_zone() -> str:
    """Another zone, or with ``?zone=`` one that is there."""
    code = request.args.get("zone", "")
    with house().db.reading() as session:
        zones = delivering.zones(session, channel()[0].id)
    row = next((one for one in zones if one.code == code), None)
    data = {}
    if row is not None:
        areas = "\n".join(
            " ".join(part for part in (c, r or ("*" if p else ""), p) if part)
            for c, r, p in row.areas
        )
        data = {"code": row.code, "name": row.name, "areas": areas}
    return page("desk/delivery_zone.html", form=ZoneForm(data=data))


@delivery.post("/zones")
@allow(Who.STAFF, roles=_ROLES)
def put_zone() -> Answer:
    """Keep a zone."""
    form = ZoneForm(request.form)
    name = " ".join((form.name.data or "").split())
    code = (form.code.data or "").strip()
    try:
        keep_delivery.put_zone(house(), code, name, form.areas.data or "", actor())
    except Invalid as error:
        show_errors(form, error)
        return page("desk/delivery_zone.html", form=form), 422
    say("Kept.")
    return redirect(BASE, 303)
