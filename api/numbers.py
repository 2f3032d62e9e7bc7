"""Choosing a number: the free ones of a thing. Putting one into a cart holds it."""

from flask import Blueprint, Response
from sqlalchemy import select

from api import answers, cursors, reading
from api.number_shapes import NumberQuery
from api.pace import limit
from api.problems import add_headers
from core.catalog.models import Product, Variant
from core.kernel.errors import NotFound
from core.stock import picking
from web.access import Guard, Who, allow
from web.context import house, web_settings

numbers = Blueprint("api_numbers", __name__, url_prefix="/api/v1/products")
numbers.after_request(add_headers)


@numbers.get("/<slug>/variants/<sku>/numbers")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def listed(slug: str, sku: str) -> Response:
    """Those that can be chosen now, a page at a time."""
    asked, secret = reading.query(NumberQuery), web_settings().secret_key
    place = cursors.read(secret, asked.cursor) if asked.cursor else None
    wanted = reading.slug(slug)
    with house().db.snapshot() as session:
        variant = session.scalar(
            select(Variant)
            .join(Product, Product.id == Variant.product_id)
            .where(Product.slug == wanted, Product.active)
            .where(Variant.sku == sku, Variant.active, Variant.numbered)
        )
        sold = picking.sold_with(session, [variant.id]).get(variant.id) if variant else None
        if variant is None or sold is None or not sold.picked:
            raise NotFound("list of numbers")
        found = picking.page(
            session,
            variant.id,
            house().clock.now(),
            words=asked.q,
            after=picking.plain_of(session, place[1]) if place else "",
            limit=asked.page_size + 1,
        )
    shown = found[: asked.page_size]
    more = len(found) > len(shown)
    return answers.respond(
        {
            "kind": sold.kind,
            "items": [{"value": one.value} for one in shown],
            "next_cursor": cursors.write(secret, (0, shown[-1].id)) if more else None,
        }
    )
