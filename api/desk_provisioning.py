"""Services that a system outside begins, by a key of the desk: listed, tried again, done by hand."""

from flask import Blueprint, Response

from api import answers, cursors, reading
from api import provisioning_shapes as shapes
from api.answers import Json
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.sorting import Place
from core.orders import provisioning
from core.orders.provisioning import Listed
from flows import provision_service
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_provisioning = Blueprint("api_desk_provisioning", __name__, url_prefix="/api/v1/desk")
desk_provisioning.after_request(add_headers)


@desk_provisioning.get("/provisioning")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:read")
def listed() -> Response:
    """What was asked of the system, the longest waiting first."""
    asked, secret = reading.query(shapes.ProvisioningQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = provisioning.listing(
            session,
            state=asked.state or "",
            place=Place("asked", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
    rows = found[: asked.page_size]
    last = rows[-1].row if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.asked_at, last.id) if last else None
    return answers.respond({"items": [_told(one) for one in rows], "next_cursor": following})


@desk_provisioning.get("/provisioning/<provisioning_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:read")
def show(provisioning_id: str) -> Response:
    """One of them."""
    return answers.respond(_one(reading.public_id(provisioning_id, "provisioning")))


@desk_provisioning.post("/provisioning/<provisioning_id>/try-again")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def again(provisioning_id: str) -> Response:
    """Ask the system once more."""
    wish = reading.body(Nothing, optional=True)
    public_id = reading.public_id(provisioning_id, "provisioning")

    def run() -> tuple[int, Json]:
        provision_service.try_again(house(), public_id, caller().actor)
        return 200, _one(public_id)

    status, body = once(f"try-again:{public_id}:{caller().token_id.hex}", wish, run)
    return answers.respond(body, status)


@desk_provisioning.post("/provisioning/<provisioning_id>/done")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def done(provisioning_id: str) -> Response:
    """Somebody has begun it by hand."""
    wish = reading.body(shapes.DoneWish)
    public_id = reading.public_id(provisioning_id, "provisioning")

    def run() -> tuple[int, Json]:
        provision_service.by_hand(house(), public_id, wish.on, wish.note, caller().actor)
        return 200, _one(public_id)

    status, body = once(f"provisioned:{public_id}:{caller().token_id.hex}", wish, run)
    return answers.respond(body, status)


def _one(public_id: str) -> Json:
    with house().db.snapshot() as session:
        return _told(provisioning.one(session, public_id))


def _told(one: Listed) -> Json:
    row = one.row
    return {
        "id": row.public_id,
        "order": one.order.number or "",
        "account": one.account.number,
        "sku": one.line.sku,
        "quantity": one.line.quantity,
        "state": row.state,
        "tries": row.tries,
        "trouble": row.trouble,
        "asked_at": answers.moment(row.asked_at),
        "next_at": answers.moment(row.next_at),
        "began_on": row.began_on.isoformat() if row.began_on else None,
        "reference": row.reference,
        "note": row.note,
    }
