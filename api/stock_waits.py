"""Waiting for what is gone, by programs: shoppers ask, and keys of the desk see who waits."""

from flask import Blueprint, Response

from api import answers, cursors, reading
from api import stock_shapes as shapes
from api.callers import staff
from api.pace import limit
from api.problems import add_headers
from core.catalog.models import Variant
from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.stock import waiting
from core.stock.models import StockWait
from flows import wait_for_stock
from web.access import Guard, Who, allow
from web.context import channel, house, web_settings

stock_waits = Blueprint("api_stock_waits", __name__, url_prefix="/api/v1")
stock_waits.after_request(add_headers)


@stock_waits.post("/stock-waits")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("mail")
def ask() -> Response:
    """The same answer for every address."""
    wish = reading.body(shapes.WaitWish)
    try:
        wait_for_stock.ask(house(), channel()[0], wish.sku, wish.email.strip())
    except Invalid as error:
        raise reading.refused(error) from None
    return answers.respond({"sku": wish.sku}, 202)


@stock_waits.get("/desk/stock-waits")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def listed() -> Response:
    """Who asked first stands first."""
    asked, secret = reading.query(shapes.WaitQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = waiting.page(
            session,
            state=asked.state or "",
            words=asked.q.strip(),
            place=Place("asked", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
    rows = found[: asked.page_size]
    last = rows[-1][0] if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.asked_at, last.id) if last else None
    items = [_row(*row) for row in rows]
    return answers.respond({"items": items, "next_cursor": following})


def _row(wait: StockWait, variant: Variant) -> answers.Json:
    return {
        "id": wait.public_id,
        "sku": variant.sku,
        "email": wait.email,
        "state": wait.state,
        "asked_at": wait.asked_at,
        "confirmed_at": wait.confirmed_at,
        "offered_until": wait.offered_until,
    }
