"""Back-orders by a key of the desk: what waits, and releasing what has come."""

from flask import Blueprint, Response

from api import answers, cursors, reading
from api import stock_shapes as shapes
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from core.kernel.sorting import Place
from core.orders import back_orders
from flows import release_back_orders
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_back_orders = Blueprint("api_desk_back_orders", __name__, url_prefix="/api/v1/desk")
desk_back_orders.after_request(add_headers)


@desk_back_orders.get("/back-orders")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def listed() -> Response:
    """What waits, the oldest first."""
    asked, secret = reading.query(shapes.BackOrderQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = back_orders.page(
            session,
            only_coverable=asked.state == "can",
            words=asked.q.strip(),
            place=Place("since", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
    rows = found[: asked.page_size]
    last = rows[-1].row if len(found) > len(rows) else None
    items = [
        {
            "order": one.order.public_id,
            "number": one.order.number,
            "sku": one.variant.sku,
            "location": one.place.code,
            "since": answers.moment(one.row.since),
            "waiting": one.row.waiting,
            "can_be_released": one.can,
        }
        for one in rows
    ]
    following = cursors.write_moment(secret, last.since, last.id) if last else None
    return answers.respond({"items": items, "next_cursor": following})


@desk_back_orders.post("/back-orders/release")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def release() -> Response:
    """Release all that has come, or of one thing."""
    wish = reading.body(shapes.ReleaseWish, optional=True)

    def run() -> tuple[int, answers.Json]:
        done = release_back_orders.release_all(house(), caller().actor, wish.sku or "")
        return 200, {"orders": done}

    status, body = once(f"release:{caller().token_id.hex}", wish, run)
    return answers.respond(body, status)
