"""The account's orders, the newest first: where each stands. One is read on the page of its link."""

from typing import Any

from flask import Blueprint, request

from core.kernel.money import Money
from core.orders import carriers, following, grouping, pickups, reading
from core.orders.following import Sent
from core.orders.models import Order
from web import paging
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.login import own_accounts
from web.pages import page

orders = Blueprint("portal_orders", __name__, url_prefix="/account", template_folder="templates")
PAGE_SIZE = 25
_STATES = {
    "unfulfilled": State("", "Not sent yet"),
    "partial": State("wait", "Partly done"),
    "fulfilled": State("go", "All done"),
}


@orders.get("/orders")
@allow(Who.CUSTOMER)
def listed() -> str:
    """All orders that were placed, with their last parcel."""
    before = paging.read_moment(request.args.get("before"))
    mine = [account.id for account in own_accounts()]
    with house().db.snapshot() as session:
        found = reading.of_accounts(session, mine, before=before, limit=PAGE_SIZE + 1)
        rows = found[:PAGE_SIZE]
        sent = following.of_orders(session, [row.id for row in rows])
        lines = reading.lines_by_order(session, [row.id for row in rows])
        ready = pickups.ready_in(session, [row.id for row in rows])
    more = len(found) > len(rows)
    following_ = paging.write(rows[-1].created_at, rows[-1].id) if more else None
    return page(
        "portal/orders.html",
        orders=[
            _row(row, lines.get(row.id, []), sent.get(row.id, []), row.id in ready) for row in rows
        ],
        page=paging.links("/account/orders", "before", following_, before is None),
    )


def _row(order: Order, lines: list[Any], sent: list[Sent], is_ready: bool) -> dict[str, Any]:
    parcels = [one.row for one in sent if one.row.kind == "parcel"]
    named = [line.name for line, _ in grouping.left(lines)]
    cancelled = order.lifecycle == "cancelled"
    state = State("wait", "We check it") if order.is_held else _STATES[order.fulfilment]
    if is_ready:
        state = State("wait", "Ready to collect")
    return {
        "number": order.number,
        "href": house().links.order(order.public_id),
        "placed_at": order.placed_at or order.created_at,
        "what": ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else ""),
        "state": State("bad", "Cancelled") if cancelled else state,
        "total": Money(order.worth_minor, order.currency),
        "tracking": carriers.followed(parcels[-1].tracking_link) if parcels else "",
        "carrier": (parcels[-1].carrier if parcels else "") or "Parcel",
    }
