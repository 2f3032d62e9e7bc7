"""Stock at the desk: levels as a list and a file, one with its movements and holds, and correcting it."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from cart.quotes import reading as quotes
from core.kernel import sheet
from core.kernel.errors import NotFound, ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.kernel.sheet import Cell
from core.kernel.sorting import Place
from core.orders import reading as orders
from core.parties import users
from core.parties.roles import Role
from core.stock import adjusting, listing, picking, transfers
from core.stock.adjusting import Adjustment
from core.stock.listing import Row
from core.stock.models import Hold
from desk import lists
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from desk.stock_forms import REASONS, AdjustForm, LimitsForm
from flows import adjust_stock, release_hold
from web import paging
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.pages import page

BASE = "/desk/stock"
stock = Blueprint("desk_stock", __name__, url_prefix=BASE, template_folder="templates")
_SEE = (Role.SALES, Role.SUPPORT)
_ACT = (Role.SALES,)
_STATES = {"low": "Low", "gone": "Gone", "held": "Held", "short": "Not enough for what is sold"}
_MOVED = {
    "received": "Came in",
    "adjusted": "Corrected",
    "allocated": "Sold",
    "deallocated": "Sale cancelled",
    "shipped": "Left",
    "returned": "Came back",
    "sent_on": "Sent to another place",
    "arrived": "Came from another place",
}
LISTED = Listing(
    BASE,
    "level",
    listing.SORTS,
    "sku",
    (Choice("state", "State", list(_STATES.items()), is_tabs=True),),
    head=(
        "sku",
        "name",
        "product",
        "location",
        "on_hand",
        "allocated",
        "held",
        "backorder_limit",
        "available",
        "low_at",
    ),
    file=f"{BASE}/export.csv",
    file_name="stock",
)
HELD = Listing(
    f"{BASE}/holds",
    "hold",
    listing.HOLD_SORTS,
    "until",
    head=("sku", "name", "pieces", "for", "until"),
)


@stock.get("")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """Levels by SKU, a page at a time."""
    with house().db.snapshot() as session:
        places = _places(session)
        asked = LISTED.asked(*places)
        rows, context = LISTED.page(session, asked, _found)
        counts = listing.counts(session, house().clock.now())
    return page(
        "desk/stock.html",
        levels=[_level(row) for row in rows],
        with_place=bool(places),
        **LISTED.tabs("state", asked, counts),
        **context,
    )


def _places(session: Session) -> list[Choice]:
    """A filter by place, where there are several."""
    found = listing.locations(session)
    return [Choice("location", "Place", found)] if len(found) > 1 else []


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Row]:
    return listing.page(
        session,
        house().clock.now(),
        words=asked.words,
        place=place,
        limit=limit,
        **asked.chosen,
    )


def _level(row: Row) -> dict[str, Any]:
    state = None
    if row.level.on_hand < row.level.allocated:
        state = State("bad", "Not enough for what is sold")
    elif row.available <= 0:
        state = State("bad", "Gone")
    elif row.is_low:
        state = State("wait", "Low")
    return {
        "href": f"{BASE}/{row.level.id}",
        "sku": row.sku,
        "name": row.name if row.name.startswith(row.product) else f"{row.product}, {row.name}",
        "location": row.location,
        "on_hand": row.level.on_hand,
        "allocated": row.level.allocated,
        "held": row.held,
        "backorder": row.level.backorder_limit + row.level.preorder_limit,
        "safety": row.level.safety_stock,
        "expected": row.level.expected_on,
        "available": row.available,
        "state": state,
    }


@stock.get("/export.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The list as it is chosen, all of it, for a spreadsheet."""
    with house().db.reading() as session:
        asked = LISTED.asked(*_places(session))
    return LISTED.csv(asked, _found, lambda _, rows: map(_cells, rows))


def _cells(row: Row) -> tuple[Cell, ...]:
    level = row.level
    counts = (level.on_hand, level.allocated, row.held, level.backorder_limit)
    return (
        sheet.words(row.sku),
        sheet.words(row.name),
        sheet.words(row.product),
        sheet.words(row.location),
        *(sheet.code(count) for count in (*counts, row.available, level.low_at)),
    )


@stock.get("/holds")
@allow(Who.STAFF, roles=_SEE)
def holds() -> str:
    """What is held for somebody, the first to lapse first."""
    with house().db.snapshot() as session:
        rows, context = HELD.page(session, HELD.asked(), _running)
        owners = _owners(session, [row[0] for row in rows])
    return page(
        "desk/stock_holds.html",
        holds=[_hold(hold, sku, name, owners) for hold, sku, name in rows],
        **context,
    )


@stock.get("/holds.csv")
@allow(Who.STAFF, roles=_SEE)
def export_holds() -> Response:
    """What is held, all of it."""
    return HELD.csv(HELD.asked(), _running, _hold_cells)


def _hold_cells(session: Session, rows: Sequence[tuple[Hold, str, str]]) -> Iterator[list[Cell]]:
    owners = _owners(session, [row[0] for row in rows])
    for row in rows:
        drawn = _hold(*row, owners)
        yield [
            sheet.words(drawn["sku"]),
            sheet.words(drawn["name"]),
            sheet.code(drawn["quantity"]),
            sheet.words(drawn["owner"]),
            sheet.moment(drawn["until"]),
        ]


def _running(
    session: Session, asked: Asked, place: Place, limit: int
) -> list[tuple[Hold, str, str]]:
    now = house().clock.now()
    return listing.lapsing(session, now, words=asked.words, place=place, limit=limit)


def _owners(session: Any, rows: list[Hold]) -> dict[uuid.UUID, tuple[str, str]]:
    """Who has the holds: orders and quotes with words and address; carts are nobody's to look at."""
    keys = {kind: [row.owner_id for row in rows if row.owner_kind == kind] for kind in _OWNERS}
    found = {
        key: (number or "An order being paid", f"/desk/orders/{public_id}")
        for key, public_id, number in orders.names(session, keys["order"])
    }
    return found | {
        key: (f"Quote {number}", f"/desk/quotes/{public_id}")
        for key, (number, public_id) in quotes.names(session, keys["quote"]).items()
    }


_OWNERS = ("order", "quote")
_WHOSE = {
    "cart": "A cart",
    "offer": "Somebody who waited for it",
    "exchange": "An exchange, until the goods are back",
}


def _hold(
    row: Hold, sku: str, name: str, owners: dict[uuid.UUID, tuple[str, str]]
) -> dict[str, Any]:
    words, href = owners.get(row.owner_id, (_WHOSE.get(row.owner_kind, "A quote"), ""))
    return {
        "sku": sku,
        "name": name,
        "href": f"{BASE}/{row.level_id}",
        "quantity": row.quantity,
        "until": row.expires_at,
        "owner": words,
        "owner_href": href,
        "release_href": ""
        if row.owner_kind in ("order", "exchange")
        else f"{HELD.path}/{row.id}/release",
    }


@stock.get("/holds/<uuid:hold_id>/release")
@allow(Who.STAFF, roles=_ACT)
def ask_release(hold_id: uuid.UUID) -> str | AnyResponse:
    """Shall it be let go?"""
    try:
        with house().db.snapshot() as session:
            found = listing.held(session, release_hold.look(session, house(), hold_id))
            owners = _owners(session, [found[0]])
    except release_hold.OrderIsPaid as error:
        say(str(error), "warn")
        return redirect(HELD.path, 303)
    return page("desk/stock_release.html", hold=_hold(*found, owners))


@stock.post("/holds/<uuid:hold_id>/release")
@allow(Who.STAFF, roles=_ACT)
def release(hold_id: uuid.UUID) -> AnyResponse:
    """Let it go."""
    try:
        release_hold.release(house(), hold_id, actor())
    except (NotFound, release_hold.OrderIsPaid) as error:
        say(str(error), "warn")
    else:
        say("It can be had by others now.")
    return redirect(HELD.path, 303)


@stock.get("/<uuid:level_id>")
@allow(Who.STAFF, roles=_SEE)
def one(level_id: uuid.UUID) -> str:
    """One level: figures, what changed it, what is held, and correcting it."""
    return _show(level_id)


@stock.post("/<uuid:level_id>")
@allow(Who.STAFF, roles=_ACT)
def adjust(level_id: uuid.UUID) -> str | AnyResponse | tuple[str, int]:
    """Pieces came, went or were counted."""
    form = AdjustForm(request.form)
    if not form.validate():
        return _show(level_id, form=form), 422
    asked = Adjustment(
        level_id,
        str(form.reason.data),
        int(form.pieces.data or 0),
        form.seen.data,
        bool(form.even_so.data),
        " ".join((form.note.data or "").split()),
    )
    try:
        done = adjust_stock.adjust(house(), asked, actor(), str(form.once.data))
    except (NotFound, KeyReused):
        raise
    except ShopError as error:
        form.pieces.errors = [*form.pieces.errors, str(error)]
        return _show(level_id, form=form), 422
    words = f"{done.on_hand} are on hand now."
    if done.raised_to is not None:
        words += (
            f" More are sold or held than that: the limit for back-orders is {done.raised_to} now, "
            "and nothing more can be sold."
        )
    say(words, "good" if done.raised_to is None else "warn")
    return redirect(f"{BASE}/{level_id}", 303)


@stock.post("/<uuid:level_id>/limits")
@allow(Who.STAFF, roles=_ACT)
def limit(level_id: uuid.UUID) -> str | AnyResponse | tuple[str, int]:
    """From when on it is low, and what may be sold beyond what is there."""
    form = LimitsForm(request.form)
    if not form.validate():
        return _show(level_id, limits=form), 422
    try:
        adjust_stock.limit(house(), level_id, form.limits(), actor())
    except adjusting.BelowPromised as error:
        form.backorder_limit.errors = [*form.backorder_limit.errors, str(error)]
        return _show(level_id, limits=form), 422
    say("Kept.")
    return redirect(f"{BASE}/{level_id}", 303)


def _show(
    level_id: uuid.UUID, form: AdjustForm | None = None, limits: LimitsForm | None = None
) -> str:
    now, before = house().clock.now(), paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        row = listing.one(session, level_id, now)
        moved = listing.movements(session, level_id, before=before, limit=lists.PAGE_SIZE + 1)
        shown = moved[: lists.PAGE_SIZE]
        held = listing.lapsing(session, now, level_id=level_id, limit=10)
        owners = _owners(session, [one[0] for one in held])
        names = users.names(session, [one.actor for one in shown if one.actor])
        sales = _orders(session, [one.reference for one in shown])
        coming = transfers.coming(session, [level_id]).get(level_id, 0)
        pool = picking.pool_of_level(session, level_id) if row.variant.numbered else None
    level = row.level
    fresh = {"seen": level.on_hand, "once": new_public_id()}
    if form is not None and "pieces" in form.errors:
        form.seen.data = level.on_hand
    more = len(moved) > len(shown)
    following = paging.write(shown[-1].at, shown[-1].id) if more else None
    return page(
        "desk/stock_level.html",
        level=_level(row)
        | {
            "slug": row.slug,
            "low_at": level.low_at,
            "coming": coming,
            "pool_href": f"{BASE}/numbers/{pool}" if pool is not None else "",
        },
        movements=[_movement(one, names, sales) for one in shown],
        holds=[_hold(*one, owners) for one in held],
        form=form or AdjustForm(data=fresh),
        limits=limits or LimitsForm(obj=level),
        page=paging.links(f"{BASE}/{level_id}", "before", following, before is None),
    )


def _orders(session: Any, references: list[str]) -> dict[str, tuple[str, str]]:
    """Movements' references that are orders, with number and address."""
    keys = [text.removeprefix("order:") for text in references if text.startswith("order:")]
    return {
        f"order:{public_id}": (number or "", f"/desk/orders/{public_id}")
        for _, public_id, number in orders.names(session, public_ids=keys)
    }


def _movement(row: Any, names: dict[str, str], sales: dict[str, tuple[str, str]]) -> dict[str, Any]:
    number, href = sales.get(row.reference, ("", ""))
    return {
        "at": row.at,
        "what": _MOVED[row.kind],
        "why": number or _reason(row.reference),
        "href": href or _transfer(row.reference),
        "note": row.note or "",
        "who": names.get(row.actor or "", row.actor or ""),
        "on_hand": row.on_hand,
        "allocated": row.allocated,
    }


def _reason(reference: str) -> str:
    return "Transfer" if _transfer(reference) else REASONS.get(reference, reference.capitalize())


def _transfer(reference: str) -> str:
    """Where the transfer stands that a movement is part of."""
    kind, _, key = reference.partition(":")
    return f"{BASE}/transfers/{uuid.UUID(key)}" if kind == "transfer" else ""
