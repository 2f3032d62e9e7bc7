"""Goods that are fetched, by a key of the desk: what lies ready over all orders, handed over, put back."""

from collections.abc import Callable

from flask import Blueprint, Response

from api import answers, cursors, reading
from api import pick_up_shapes as shapes
from api.callers import caller, staff
from api.desk_orders import done
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.sorting import Place
from core.orders import pickup_list, pickups
from core.orders.pickup_list import Row
from core.parties.roles import Role
from flows import pick_up
from flows.house import House
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_pick_ups = Blueprint("api_desk_pick_ups", __name__, url_prefix="/api/v1/desk/pick-ups")
desk_pick_ups.after_request(add_headers)
#: As the desk's own list.
_ROLES = frozenset({Role.SALES, Role.SUPPORT})


@desk_pick_ups.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:read", _ROLES)
def listed() -> Response:
    """What lies ready, or was fetched or put back; what has waited longest first."""
    asked, secret = reading.query(shapes.PickUpQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = pickup_list.page(
            session,
            state="" if asked.status == "all" else asked.status,
            location=asked.location,
            words=asked.q.strip(),
            place=Place("ready", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
    rows = found[: asked.page_size]
    last = rows[-1].row if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.ready_at, last.id) if last else None
    return answers.respond({"items": [_told(one) for one in rows], "next_cursor": following})


def _told(one: Row) -> answers.Json:
    return {
        "id": one.row.public_id,
        "status": one.row.state,
        "order": one.order.public_id,
        "number": one.order.number,
        "customer": one.customer,
        "location": one.place.code,
        "pieces": one.pieces,
        "ready_at": answers.moment(one.row.ready_at),
        "ended_at": answers.moment(one.row.ended_at),
    }


@desk_pick_ups.post("/<pick_up_id>/hand-over")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def hand_over(pick_up_id: str) -> Response:
    """They were fetched."""
    return _with_pick_up(pick_up_id, "hand-over", pick_up.hand_over)


@desk_pick_ups.post("/<pick_up_id>/put-back")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def put_back(pick_up_id: str) -> Response:
    """They wait again."""
    return _with_pick_up(pick_up_id, "put-back", pick_up.put_back)


def _with_pick_up(pick_up_id: str, act: str, run: Callable[[House, str, str], object]) -> Response:
    wish = reading.body(Nothing, optional=True)
    with house().db.reading() as session:
        row, order = pickups.by_public_id(session, reading.public_id(pick_up_id, "pick-up"))
    scope = f"{act}:{row.public_id}"
    return done(
        scope, order.public_id, wish, lambda key, name: run(house(), row.public_id, caller().actor)
    )
