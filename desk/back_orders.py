"""Back-orders: which orders wait for pieces, what can be released to them now, and releasing it."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.kernel import sheet
from core.kernel.errors import NotFound
from core.kernel.sheet import Cell
from core.kernel.sorting import Place
from core.orders import back_orders as late
from core.orders.back_orders import Row
from core.parties.roles import Role
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from flows import release_back_orders
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

BASE = "/desk/stock/back-orders"
back_orders = Blueprint(
    "desk_back_orders", __name__, url_prefix="/desk/stock", template_folder="templates"
)
_SEE = (Role.SALES, Role.SUPPORT)
LISTED = Listing(
    BASE,
    "back-order",
    late.SORTS,
    "since",
    (Choice("state", "State", [("can", "Can be released")], is_tabs=True),),
    head=("sku", "name", "order", "email", "location", "since", "waiting", "can_be_released"),
)


@back_orders.get("/back-orders")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """Who bought first stands first."""
    with house().db.snapshot() as session:
        asked = LISTED.asked()
        rows, context = LISTED.page(session, asked, _found)
        counts = late.counts(session)
    return page(
        "desk/back_orders.html",
        rows=[_shown(row) for row in rows],
        can_some=counts["can"] > 0,
        base=BASE,
        **LISTED.tabs("state", asked, counts, overlap=True),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Row]:
    only = asked["state"] == "can"
    return late.page(session, only_coverable=only, words=asked.words, place=place, limit=limit)


def _shown(one: Row) -> dict[str, Any]:
    return {
        "id": str(one.row.id),
        "sku": one.variant.sku,
        "name": one.variant.name,
        "level_href": f"/desk/stock/{one.level.id}",
        "order": one.order.number or "",
        "order_href": f"/desk/orders/{one.order.public_id}",
        "place": one.place.name,
        "since": one.row.since,
        "waiting": one.row.waiting,
        "can": one.can,
        "expected_on": one.level.expected_on,
    }


@back_orders.get("/back-orders.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _cells(_: Session, rows: Sequence[Row]) -> Iterator[list[Cell]]:
    for one in rows:
        yield [
            sheet.words(one.variant.sku),
            sheet.words(one.variant.name),
            sheet.code(one.order.number or ""),
            sheet.words(one.order.email),
            sheet.code(one.place.code),
            sheet.moment(one.row.since),
            sheet.code(one.row.waiting),
            sheet.code(one.can),
        ]


@back_orders.post("/back-orders/release")
@allow(Who.STAFF, roles=(Role.SALES,))
def release_all() -> AnyResponse:
    """All that can be covered now, the oldest first."""
    done = release_back_orders.release_all(house(), actor())
    if done:
        say(f"Released to {done} order{'s' if done > 1 else ''}, and their customers are told.")
    else:
        say("Nothing that has come in covers a back-order.", "warn")
    return redirect(BASE, 303)


@back_orders.post("/back-orders/<uuid:key>/release")
@allow(Who.STAFF, roles=(Role.SALES,))
def release(key: uuid.UUID) -> AnyResponse:
    """What is there for one."""
    try:
        left = release_back_orders.release_one(house(), key, actor())
    except NotFound as error:
        say(str(error), "warn")
    else:
        say(
            f"Released as far as it is there; {left} still wait."
            if left
            else "Released: all of it is there."
        )
    return redirect(BASE, 303)
