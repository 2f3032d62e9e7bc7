"""How things are delivered and what checkout asks to agree to, by a key of the desk."""

from datetime import datetime, time, timedelta

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, reading
from api import delivery_shapes as shapes
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from cart import consents, delivering, slots
from cart.delivery_models import DeliveryMethod, DeliveryZone, VisitSlot
from core.kernel.errors import Invalid, NotFound
from core.stock.models import Location
from flows import keep_consents, keep_delivery
from flows.keep_delivery import Times, Way
from web.access import Guard, Who, allow
from web.context import channel, forget_channel, house

desk_delivery = Blueprint("api_desk_delivery", __name__, url_prefix="/api/v1/desk")
desk_delivery.after_request(add_headers)
#: So far ahead times are listed.
_AHEAD = timedelta(days=92)
_COLUMNS = ("country", "code", *keep_delivery.COLUMNS)


@desk_delivery.get("/delivery")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:read")
def show() -> Response:
    """Every way and zone."""
    with house().db.snapshot() as session:
        ways = delivering.ways(session, channel()[0].id)
        zones = delivering.zones(session, channel()[0].id)
    return answers.respond(
        {"ways": [_way(*one) for one in ways], "zones": [_zone(one) for one in zones]}
    )


def _way(row: DeliveryMethod, zone: DeliveryZone | None, location: Location | None) -> answers.Json:
    return {name: getattr(row, name) for name in _COLUMNS} | {
        "zone": zone.code if zone is not None else None,
        "location": location.code if location is not None else None,
    }


def _zone(row: DeliveryZone) -> answers.Json:
    areas = [
        {"country": country, "region": region, "postal_prefix": prefix}
        for country, region, prefix in row.areas
    ]
    return {"code": row.code, "name": row.name, "areas": areas}


@desk_delivery.put("/delivery/ways/<country>/<code>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:write")
def put_way(country: str, code: str) -> Response:
    """Make a way, or change it."""
    asked = reading.body(shapes.WayWish)
    given = asked.model_dump() | {"zone": asked.zone or "", "location": asked.location or ""}
    try:
        keep_delivery.put_way(house(), Way(country, code, **given), caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    forget_channel()
    with house().db.snapshot() as session:
        ways = delivering.ways(session, channel()[0].id)
    return answers.respond(
        next(_way(*one) for one in ways if (one[0].country, one[0].code) == (country, code))
    )


@desk_delivery.put("/delivery/zones/<code>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:write")
def put_zone(code: str) -> Response:
    """Make a zone, or change it."""
    asked = reading.body(shapes.ZoneWish)
    areas = "\n".join(
        f"{one.country} {one.region or '*'} {one.postal_prefix}" for one in asked.areas
    )
    try:
        keep_delivery.put_zone(house(), code, asked.name, areas, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    with house().db.snapshot() as session:
        zones = delivering.zones(session, channel()[0].id)
    return answers.respond(next(_zone(one) for one in zones if one.code == code))


@desk_delivery.get("/delivery/times")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:read")
def times() -> Response:
    """Times for visits of the next three months."""
    since = reading.query(shapes.TimesQuery).since or house().clock.now()
    with house().db.snapshot() as session:
        rows = delivering.times(session, channel()[0].id, since, since + _AHEAD)
    return answers.respond({"items": [_slot(*one) for one in rows]})


def _slot(row: VisitSlot, zone: DeliveryZone | None) -> answers.Json:
    return {
        "id": row.public_id,
        "zone": zone.code if zone is not None else None,
        "starts_at": answers.moment(row.starts_at),
        "ends_at": answers.moment(row.ends_at),
        "capacity": row.capacity,
        "held": row.held,
        "booked": row.booked,
    }


@desk_delivery.post("/delivery/times")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:write")
def add_times() -> Response:
    """Offer more of them; those that are there stay."""
    asked = reading.body(shapes.TimesWish)
    wish = Times(
        asked.first,
        asked.last,
        set(asked.weekdays),
        _clock(asked.begins),
        _clock(asked.ends),
        asked.capacity,
        asked.zone or "",
    )

    def run() -> tuple[int, answers.Json]:
        try:
            return 201, {"added": keep_delivery.add_times(house(), wish, caller().actor)}
        except Invalid as error:
            raise reading.refused(error) from None

    status, body = once(f"times:{caller().token_id.hex}", asked, run)
    return answers.respond(body, status)


def _clock(text: str) -> time:
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of the shop's day


@desk_delivery.put("/delivery/times/<slot_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:write")
def resize(slot_id: str) -> Response:
    """Room for so many."""
    asked, wanted = reading.body(shapes.RoomWish), reading.public_id(slot_id, "time")
    keep_delivery.resize(house(), wanted, asked.capacity, caller().actor)
    with house().db.snapshot() as session:
        row = slots.seen(session, wanted)
        zones = {one.id: one for one in delivering.zones(session, row.channel_id)}
    return answers.respond(_slot(row, zones.get(row.zone_id) if row.zone_id else None))


@desk_delivery.put("/checkout-terms/<code>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:write")
def put_term(code: str) -> Response:
    """Ask this from now on."""
    asked = reading.body(shapes.TermWish)
    try:
        keep_consents.put(house(), code, asked.mode, asked.text, asked.href, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    with house().db.snapshot() as session:
        return answers.respond(_term(session, code))


@desk_delivery.delete("/checkout-terms/<code>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("delivery:write")
def end_term(code: str) -> Response:
    """Ask it no more."""
    keep_consents.end(house(), code, caller().actor)
    return Response(status=204)


def _term(session: Session, code: str) -> answers.Json:
    for row in consents.asked(session, channel()[0]):
        if row.code == code:
            names = ("code", "version", "mode", "text", "href")
            return {name: getattr(row, name) for name in names}
    raise NotFound("consent")
