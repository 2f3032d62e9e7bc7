"""What things cost, by a key of the desk: prices on every list, what is in a bundle, the lists."""

from collections.abc import Sequence

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, reading
from api import product_shapes as shapes
from api.callers import caller, staff
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.catalog import bundles, editing
from core.catalog.models import BUNDLE, Variant
from core.catalog.packing import Wanted
from core.kernel.errors import Invalid, NotFound
from core.kernel.money import written_micros
from core.prices import plans, setting
from core.prices.models import PriceList
from flows import keep_prices
from flows.keep_prices import NewList
from web.access import Guard, Who, allow
from web.context import channel, house

desk_prices = Blueprint("api_desk_prices", __name__, url_prefix="/api/v1/desk")
desk_prices.after_request(add_headers)


@desk_prices.get("/products/<slug>/variants/<sku>/prices")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:read")
def show(slug: str, sku: str) -> Response:
    """What a thing costs on every list."""
    return _shown(slug, sku)


def _shown(slug: str, sku: str) -> Response:
    found = channel()[0]
    with house().db.snapshot() as session:
        row = _of(session, slug, sku)
        books = setting.lists(session, found.id, found.currency)
        plan = plans.of_variants(session, [row.id]).get(row.id)
        inside = bundles.components(session, [row.id]).get(row.id, ())
        prices = _prices(session, row, books)
    terms = None
    if plan is not None:
        terms = {
            "interval": plan.interval,
            "activation": plan.activation,
            "family": plan.family or None,
            "features": plan.features,
        }
    pieces = [{"sku": p.sku, "quantity": p.quantity, "weight": p.weight} for p in inside]
    return answers.respond(
        {"sku": row.sku, "kind": row.kind, "plan": terms, "prices": prices, "pieces": pieces}
    )


def _of(session: Session, slug: str, sku: str) -> Variant:
    product = editing.one(session, reading.slug(slug))
    row = editing.variant(session, reading.slug(sku))
    if row.product_id != product.id:
        raise NotFound("product")
    return row


def _prices(session: Session, row: Variant, books: Sequence[PriceList]) -> list[answers.Json]:
    packed = setting.of_bundle(session, row.id) if row.kind == BUNDLE else {}
    priced = setting.of_variant(session, row.id) if row.kind != BUNDLE else {}
    return [
        {
            "list": book.code,
            "price": written_micros(one.unit_price_micros),
            "min_quantity": getattr(one, "min_quantity", None),
            "charge_kind": getattr(one, "charge_kind", None),
        }
        for book in books
        for one in [*priced.get(book.id, ()), *packed.get(book.id, ())]
    ]


@desk_prices.put("/products/<slug>/variants/<sku>/prices")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def price(slug: str, sku: str) -> Response:
    """Set what a thing costs on one list."""
    wish = reading.body(shapes.PriceWish)
    with house().db.reading() as session:
        row = _of(session, slug, sku)
    try:
        keep_prices.price(
            house(),
            row.sku,
            wish.list,
            wish.price or "",
            caller().actor,
            min_quantity=wish.min_quantity,
            charge_kind=wish.charge_kind or "",
        )
    except Invalid as error:
        raise reading.refused(error) from None
    return _shown(slug, sku)


@desk_prices.put("/products/<slug>/variants/<sku>/pieces")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def pack(slug: str, sku: str) -> Response:
    """Put pieces into a bundle."""
    wish = reading.body(shapes.PiecesWish)
    with house().db.reading() as session:
        row = _of(session, slug, sku)
    pieces = [Wanted(one.sku, one.quantity, one.weight) for one in wish.pieces]
    try:
        keep_prices.pack(house(), row.sku, pieces, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    return _shown(slug, sku)


# --- the lists --------------------------------------------------------------------------------


@desk_prices.get("/price-lists")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:read")
def listed() -> Response:
    """The price lists: few enough for one answer."""
    found = channel()[0]
    with house().db.reading() as session:
        rows = setting.lists(session, found.id, found.currency)
    return answers.respond({"items": [_list(one) for one in rows]})


def _list(row: PriceList) -> answers.Json:
    return {
        "code": row.code,
        "currency": row.currency,
        "priority": row.priority,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
    }


@desk_prices.post("/price-lists")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def open_list() -> Response:
    """Open one."""
    wish = reading.body(shapes.PriceListWish)
    new = NewList(wish.code, wish.priority, wish.valid_from, wish.valid_to)
    try:
        row = keep_prices.open_list(house(), new, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    return answers.respond(_list(row), 201)


@desk_prices.post("/price-lists/<code>/end")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def end_list(code: str) -> Response:
    """Let one hold no more."""
    reading.body(Nothing, optional=True)
    key = reading.slug(code)
    try:
        keep_prices.end_list(house(), key, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    with house().db.reading() as session:
        row = setting.by_code(session, key)
    if row is None:
        raise NotFound("price list")
    return answers.respond(_list(row))
