"""Places, levels and how carts hold things, by a key of the desk."""

import uuid
from dataclasses import asdict

from flask import Blueprint, Response

from api import answers, order_answers, reading
from api import stock_shapes as shapes
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from cart import hold_policies
from cart.hold_policies import Row, Terms
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import token_hash
from core.stock import listing, places
from core.stock.adjusting import Limits
from core.stock.models import Location
from core.stock.places import Stands
from core.stock.sheets import Looked
from flows import adjust_stock, import_stock, keep_hold_policies, keep_places
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
        "address": row.address,
        "hours": row.hours,
        "releases_back_orders": row.releases_back_orders,
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


# --- how carts hold things --------------------------------------------------------------------------


@desk_stock.get("/hold-policies")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def policies() -> Response:
    """The rows: few enough for one answer."""
    with house().db.reading() as session:
        rows = hold_policies.every(session)
    return answers.respond({"items": [_policy(row) for row in rows]})


@desk_stock.put("/hold-policies")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def set_policy() -> Response:
    """Set one."""
    wish = reading.body(shapes.HoldPolicyWish)
    terms = Terms(wish.minutes, wish.extends, wish.most_for_one, wish.holds_beyond)
    asked = (wish.product, wish.segment, wish.channel)
    try:
        row = keep_hold_policies.put(house(), *asked, terms, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    return answers.respond(_policy(row))


@desk_stock.delete("/hold-policies/<policy_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def remove_policy(policy_id: str) -> Response:
    """Let one count no more."""
    try:
        key = uuid.UUID(policy_id)
    except ValueError:
        raise NotFound("rule about holds") from None
    keep_hold_policies.remove(house(), key, caller().actor)
    return Response(status=204)


def _policy(row: Row) -> answers.Json:
    told = {"id": str(row.id), "product": row.product, "segment": row.segment}
    return told | {"channel": row.channel, **asdict(row.terms)}


# --- stock as a file --------------------------------------------------------------------------------


@desk_stock.post("/stock/imports")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def import_file() -> Response:
    """Look at it, or do it."""
    wish = reading.body(shapes.SheetWish)
    scope = f"stock-file:{caller().token_id.hex}"

    def run() -> tuple[int, answers.Json]:
        looked = import_stock.look(house(), wish.csv)
        if wish.apply:
            name = token_hash(f"{scope}:{reading.idempotency_key()}")[:60]
            try:
                import_stock.apply(house(), wish.csv, wish.mark, caller().actor, name)
            except Invalid as error:
                if looked.is_sound:
                    raise reading.refused(error) from None
        return 200, _sheet(looked, wish.apply and looked.is_sound)

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


def _sheet(looked: Looked, applied: bool) -> answers.Json:
    lines = [
        {
            "line": one.line.number,
            "sku": one.line.sku,
            "location": one.line.place,
            "reason": one.line.reason,
            "before": one.before,
            "after": one.after,
            "wrong": one.wrong,
        }
        for one in looked.changes
    ]
    told = {"is_sound": looked.is_sound, "wrong": looked.wrong, "mark": looked.mark}
    return told | {"applied": applied, "lines": lines}
