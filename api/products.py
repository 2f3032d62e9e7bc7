"""Products: what is sold, at today's price, and what can be had."""

from flask import Blueprint, Response

from api import answers, cursors, reading
from api.pace import limit
from api.problems import add_headers
from api.shapes import ProductQuery
from web.access import Guard, Who, allow
from web.context import channel, house, web_settings

products = Blueprint("api_products", __name__, url_prefix="/api/v1")
products.after_request(add_headers)


@products.get("/products")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def listing() -> Response:
    """One page of products, of a category or of all."""
    asked = reading.query(ProductQuery)
    secret, base_url = web_settings().secret_key, web_settings().base_url
    after = cursors.read(secret, asked.cursor) if asked.cursor else None
    with house().db.reading() as session:
        page = house().shelves.page(
            session,
            channel()[0],
            house().clock.now(),
            category_slug=asked.category,
            in_stock=asked.in_stock,
            after=after,
            limit=asked.page_size,
        )
    items = [answers.product(shown, base_url) for shown in page.products]
    following = cursors.write(secret, page.after) if page.after else None
    return answers.respond({"items": items, "next_cursor": following})


@products.get("/products/<slug>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def product(slug: str) -> Response:
    """One product."""
    wanted = reading.slug(slug)
    with house().db.reading() as session:
        now = house().clock.now()
        detail, shown = house().shelves.product(session, channel()[0], now, wanted)
        pictures = house().shelves.pictures(session, detail, now)
    base_url = web_settings().base_url
    return answers.respond(
        {
            **answers.product(shown, base_url),
            "description": detail.description,
            "facts": [list(fact) for fact in detail.facts],
            "pictures": [answers.picture(one, base_url) for one in pictures],
        }
    )
