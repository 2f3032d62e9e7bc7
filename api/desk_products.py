"""Products by a key of the desk: listed, read, made, changed, archived, priced."""

import uuid
from collections.abc import Sequence

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, cursors, reading
from api import product_shapes as shapes
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from core.catalog import editing
from core.catalog.editing import Words
from core.catalog.limits import Limits
from core.catalog.models import Product
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.ids import token_hash
from core.kernel.money import extend
from core.kernel.sorting import Place
from core.prices import setting
from core.prices.plans import Terms
from flows import keep_products, keep_things
from flows.keep_things import NewThing
from web.access import Guard, Who, allow
from web.context import channel, house, web_settings

desk_products = Blueprint("api_desk_products", __name__, url_prefix="/api/v1/desk")
desk_products.after_request(add_headers)


@desk_products.get("/products")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:read")
def listed() -> Response:
    """Products in shelf order, archived ones too."""
    asked, secret = reading.query(shapes.DeskProductQuery), web_settings().secret_key
    active = None if asked.active is None else asked.active == "yes"
    with house().db.snapshot() as session:
        found = editing.page(
            session,
            words=asked.q.strip(),
            active=active,
            place=Place("shelf", cursors.read(secret, asked.cursor) if asked.cursor else None),
            limit=asked.page_size + 1,
        )
        rows = found[: asked.page_size]
        items = _told(session, rows)
    last = rows[-1] if len(found) > len(rows) else None
    following = cursors.write(secret, (last.position, last.id)) if last else None
    return answers.respond({"items": items, "next_cursor": following})


@desk_products.get("/products/<slug>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:read")
def show(slug: str) -> Response:
    """One product."""
    return _answered(reading.slug(slug))


def _answered(slug: str) -> Response:
    """With its mark as ETag, for ``If-Match``."""
    told = _one(slug)
    response = answers.respond(told)
    response.headers["ETag"] = f'"{told["revision"]}"'
    return response


def _one(slug: str) -> answers.Json:
    with house().db.snapshot() as session:
        return _told(session, [editing.one(session, slug)])[0]


def _told(session: Session, rows: Sequence[Product]) -> list[answers.Json]:
    things = editing.variants_of(session, [row.id for row in rows])
    shelves: dict[uuid.UUID, str] = {row.id: row.slug for row in editing.categories(session)}
    found = channel()[0]
    book = setting.base_list(session, found.id, found.currency)
    every = [one.id for some in things.values() for one in some]
    micros = setting.of_variants(session, book, every)
    return [
        {
            "slug": row.slug,
            "name": row.name,
            "summary": row.summary,
            "description": row.description,
            "pictures": editing.pictures_of(row),
            "category": shelves.get(row.category_id) if row.category_id else None,
            "active": row.active,
            "revision": editing.mark(row),
            "variants": [
                {
                    "sku": one.sku,
                    "name": one.name,
                    "kind": one.kind,
                    "tax_category": one.tax_category,
                    "active": one.active,
                    "limits": vars(Limits.of(one)),
                    "weight_g": one.weight_g,
                    "goes_by": one.goes_by,
                    "price": answers.money(extend(micros[one.id], 1, found.currency))
                    if one.id in micros
                    else None,
                }
                for one in things.get(row.id, [])
            ],
        }
        for row in rows
    ]


@desk_products.post("/products")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def make() -> Response:
    """Make a product with its first thing."""
    wish = reading.body(shapes.ProductWish)
    words = Words(wish.name, wish.summary, wish.description, wish.category)
    scope = f"product:{caller().token_id.hex}"

    def run() -> tuple[int, answers.Json]:
        try:
            keep_products.make(
                house(),
                wish.slug,
                words,
                wish.pictures,
                new_thing(wish.variant),
                caller().actor,
                token_hash(f"{scope}:{reading.idempotency_key()}")[:60],
            )
        except Invalid as error:
            raise reading.refused(error) from None
        return 201, _one(wish.slug)

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


def new_thing(wish: shapes.VariantWish) -> NewThing:
    """As the flow takes it."""
    plan = wish.plan
    terms = (
        Terms(plan.interval, plan.activation, plan.family or "", tuple(plan.features))
        if plan is not None
        else None
    )
    return NewThing(wish.sku, wish.name, wish.kind, wish.tax_category, wish.price or "", terms)


@desk_products.patch("/products/<slug>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def change(slug: str) -> Response:
    """Change its words, show or archive it; what is left out stays."""
    wish, key = reading.body(shapes.ProductChange), reading.slug(slug)
    before = _one(key)
    seen = wish.revision or _if_match()
    if seen is not None and seen != before["revision"]:
        raise StaleState("product", "changed")
    given = wish.model_dump(exclude_none=True, exclude={"active", "revision", "slug", "pictures"})
    said = {name: before[name] or "" for name in Words.__dataclass_fields__} | given
    try:
        if given or wish.pictures is not None:
            words, actor = Words(**said), caller().actor
            keep_products.change(
                house(), key, words, actor, before["revision"], pictures=wish.pictures
            )
        if wish.active is not None:
            keep_products.publish(house(), key, wish.active, caller().actor)
        if wish.slug is not None:
            keep_products.move(house(), key, wish.slug, caller().actor)
            key = wish.slug
    except Invalid as error:
        raise reading.refused(error) from None
    return _answered(key)


def _if_match() -> str | None:
    text = request.headers.get("If-Match", "").strip()
    return text.removeprefix("W/").strip('"') if text and text != "*" else None


@desk_products.post("/products/<slug>/variants")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def add(slug: str) -> Response:
    """Sell another thing of a product."""
    wish, key = reading.body(shapes.VariantWish), reading.slug(slug)
    scope = f"variant:{caller().token_id.hex}"

    def run() -> tuple[int, answers.Json]:
        name = token_hash(f"{scope}:{reading.idempotency_key()}")[:60]
        try:
            keep_things.add(house(), key, new_thing(wish), caller().actor, name)
        except Invalid as error:
            raise reading.refused(error) from None
        return 201, _one(key)

    status, body = once(f"{scope}:{key}"[:120], wish, run)
    return answers.respond(body, status)


@desk_products.patch("/products/<slug>/variants/<sku>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("products:write")
def change_variant(slug: str, sku: str) -> Response:
    """Another name or price of a thing, or whether it can be bought."""
    wish, key = reading.body(shapes.VariantChange), reading.slug(slug)
    with house().db.reading() as session:
        product, row = editing.one(session, key), editing.variant(session, reading.slug(sku))
    if row.product_id != product.id:
        raise NotFound("product")
    try:
        keep_things.change(
            house(),
            row.sku,
            caller().actor,
            name=wish.name,
            price=wish.price,
            active=wish.active,
            limits=Limits(**wish.limits.model_dump()) if wish.limits is not None else None,
            weight_g=wish.weight_g,
            goes_by=wish.goes_by,
        )
    except Invalid as error:
        raise reading.refused(error) from None
    return _answered(key)
