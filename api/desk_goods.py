"""Stock and customers by a key of the desk: levels and accounts, listed, read, corrected, opened."""

import uuid

from flask import Blueprint, Response

from api import answers, cursors, order_answers, reading
from api import order_shapes as shapes
from api.callers import caller, staff
from api.once import once
from api.order_shapes import CustomerWish
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import token_hash
from core.kernel.sorting import Place
from core.ledger import balances
from core.parties import accounts
from core.parties import listing as customers
from core.parties.models import Account
from core.stock import listing
from core.stock.adjusting import Adjustment
from flows import adjust_stock, keep_customer
from flows.keep_customer import Details
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_goods = Blueprint("api_desk_goods", __name__, url_prefix="/api/v1/desk")
desk_goods.after_request(add_headers)


@desk_goods.get("/stock")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:read")
def levels() -> Response:
    """Levels, by SKU."""
    asked, secret, now = (
        reading.query(shapes.StockQuery),
        web_settings().secret_key,
        house().clock.now(),
    )
    with house().db.snapshot() as session:
        found = listing.page(
            session,
            now,
            state=asked.state or "",
            words=asked.q.strip(),
            place=Place("sku", _after(session, secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
        places = listing.places(session)
    rows = found[: asked.page_size]
    more = len(found) > len(rows)
    following = cursors.write(secret, (0, rows[-1].level.id)) if more else None
    items = [order_answers.level(row, places[row.level.location_id]) for row in rows]
    return answers.respond({"items": items, "next_cursor": following})


def _after(session: object, secret: str, cursor: str | None) -> tuple[str, uuid.UUID] | None:
    if cursor is None:
        return None
    _, key = cursors.read(secret, cursor)
    sku = listing.sku_of(session, key)  # type: ignore[arg-type]  # a session
    if sku is None:
        raise InvalidRequest([field_error("cursor", "bad_cursor", "This level is gone.")])
    return sku, key


@desk_goods.post("/stock/adjustments")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("stock:write")
def adjust() -> Response:
    """Pieces came, went or were counted."""
    wish = reading.body(shapes.StockWish)
    with house().db.reading() as session:
        level_id = listing.level_of(session, wish.sku, wish.location)
    if level_id is None:
        raise NotFound("stock level")
    scope = f"adjust:{caller().token_id.hex}"

    def run() -> tuple[int, answers.Json]:
        asked = Adjustment(
            level_id, wish.reason, wish.quantity, wish.on_hand_seen, wish.even_so, wish.note
        )
        name = token_hash(f"{scope}:{reading.idempotency_key()}")[:60]
        adjust_stock.adjust(house(), asked, caller().actor, name)
        with house().db.snapshot() as session:
            row = listing.one(session, level_id, house().clock.now())
        return 200, order_answers.level(row, wish.location)

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


# --- customers ------------------------------------------------------------------------------------


@desk_goods.get("/customers")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("customers:read")
def listed() -> Response:
    """Customers, the newest first."""
    asked, secret = reading.query(shapes.CustomerQuery), web_settings().secret_key
    with house().db.snapshot() as session:
        found = customers.page(
            session,
            words=asked.q.strip(),
            kind=asked.kind or "",
            place=Place("-created", cursors.read_moment(secret, asked.cursor)),
            limit=asked.page_size + 1,
        )
        rows = found[: asked.page_size]
        owed = balances.owed_by_each(session, [row.id for row in rows])
    last = rows[-1] if len(found) > len(rows) else None
    following = cursors.write_moment(secret, last.created_at, last.id) if last else None
    items = [order_answers.customer(row, owed.get(row.id)) for row in rows]
    return answers.respond({"items": items, "next_cursor": following})


@desk_goods.get("/customers/<account_number>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("customers:read")
def show(account_number: str) -> Response:
    """One customer."""
    return answers.respond(_told(reading.account_number(account_number)))


def _told(number: str) -> answers.Json:
    with house().db.snapshot() as session:
        account = accounts.by_number(session, number)
        owed = balances.owed_by_each(session, [account.id])
    return order_answers.customer(account, owed.get(account.id))


@desk_goods.post("/customers")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("customers:write")
def make() -> Response:
    """Open an account."""
    wish = reading.body(shapes.CustomerWish)
    scope = f"customer:{caller().token_id.hex}"

    def run() -> tuple[int, answers.Json]:
        name = token_hash(f"{scope}:{reading.idempotency_key()}")[:60]
        try:
            account = keep_customer.open_one(house(), _details(wish), caller().actor, name)
        except Invalid as error:
            raise reading.refused(error) from None
        return 201, _told(account.number)

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


@desk_goods.put("/customers/<account_number>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("customers:write")
def change(account_number: str) -> Response:
    """Other words for a customer."""
    wish = reading.body(shapes.CustomerChange)
    with house().db.reading() as session:
        account = accounts.by_number(session, reading.account_number(account_number))
    try:
        keep_customer.change(
            house(),
            account.public_id,
            _details(wish),
            caller().actor,
            _seen(account, wish.revision),
        )
    except Invalid as error:
        raise reading.refused(error) from None
    return answers.respond(_told(account.number))


def _seen(account: Account, revision: str | None) -> str | None:
    """The whole mark, where its beginning is what they saw."""
    if revision is None:
        return None
    mark = keep_customer.mark(account)
    return mark if mark.startswith(revision) else revision


def _details(wish: CustomerWish) -> Details:
    place = wish.address.model_dump() if wish.address is not None else {}
    return Details(wish.name, wish.email, wish.kind, place, wish.needs_purchase_order)
