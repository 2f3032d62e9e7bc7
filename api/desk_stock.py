"""Places and levels by a key of the desk."""

from flask import Blueprint, Response

from api import answers, order_answers, reading
from api import stock_shapes as shapes
from api.callers import caller, staff
from api.pace import limit
from api.problems import add_headers
from core.kernel.errors import Invalid, NotFound
from core.stock import listing, places
from core.stock.adjusting import Limits
from core.stock.models import Location
from core.stock.places import Stands
from flows import adjust_stock, keep_places
from web.access import Guard, Who, allow
from web.context import house

desk_stock = Blueprint("api_desk_stock", __name__, url_prefix="/api/v1/desk")
desk_stock.after_request(add_headers)


@desk_stock.get("/locations")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def listed() -> Response:
    """The places: few enough for one answer."""
    with house().db.reading() as session:
        rows = places.every(session)
    return answers.respond({"items": [_place(row) for row in rows]})


@desk_stock.put("/locations/<code>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def keep(code: str) -> Response:
    """Open one, or change it."""
    wish, key = reading.body(shapes.LocationWish), reading.slug(code)
    where = Stands(**wish.model_dump())
    try:
        try:
            row = keep_places.change_place(house(), key, where, caller().actor)
        except NotFound:
            row = keep_places.open_place(house(), key, where, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    return answers.respond(_place(row))


def _place(row: Location) -> answers.Json:
    return {
        "code": row.code,
        "name": row.name,
        "country": row.country,
        "region": row.region,
        "postal_prefix": row.postal_prefix,
        "priority": row.priority,
    }


@desk_stock.put("/stock/limits")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def limits() -> Response:
    """What a level allows."""
    wish = reading.body(shapes.LimitsWish)
    with house().db.reading() as session:
        level_id = listing.level_of(session, wish.sku, wish.location)
    if level_id is None:
        raise NotFound("stock level")
    found = Limits(**wish.model_dump(exclude={"sku", "location"}))
    adjust_stock.limit(house(), level_id, found, caller().actor)
    with house().db.snapshot() as session:
        row = listing.one(session, level_id, house().clock.now())
    return answers.respond(order_answers.level(row, wish.location))
