"""Home, categories and products: pages that hold no byte of their visitor."""

import uuid

from flask import Blueprint, request
from werkzeug.wrappers import Response

from cms_content.pages import HOME
from core.kernel.errors import NotFound
from core.stock import picking
from flows import trial_offers
from storefront import home, shown
from web import content, json_ld, trials
from web.access import Guard, Who, allow
from web.cards import card
from web.context import channel, house
from web.pages import hold_words, page, shelf

shop = Blueprint("shop", __name__, template_folder="templates")
PAGE_SIZE = 24


@shop.get("/")
@allow(Who.EVERYBODY, Guard.NONE)
def front() -> str | Response:
    """The home page: the one that was written, else what any shop can say of itself."""
    written = content.answer(HOME)
    if written is not None:
        return written
    found, _ = channel()
    with house().db.reading() as session:
        shelf = house().shelves.page(session, found, house().clock.now(), limit=60)
    return page("storefront/home.html", cacheable=True, **home.contents(found, shelf.products))


@shop.get("/c/<slug>")
@allow(Who.EVERYBODY, Guard.NONE)
def category(slug: str) -> str:
    """One shelf, or with ``all`` every one, paged."""
    found, _ = channel()
    after = read_cursor(request.args.get("after", ""))
    in_stock = request.args.get("in-stock") == "yes"
    here, more = f"/c/{slug}", "in-stock=yes&" if in_stock else ""
    row = None if slug == "all" else shelf(slug)
    with house().db.reading() as session:
        listed = house().shelves.page(
            session,
            found,
            house().clock.now(),
            category_slug=row.slug if row else None,
            after=after,
            limit=PAGE_SIZE,
            in_stock=in_stock,
        )
    return page(
        "storefront/category.html",
        cacheable=True,
        category={
            "name": row.name if row else "Everything we have",
            "slug": slug,
            "text": row.text if row else "",
        },
        products=[card(item) for item in listed.products],
        facets=[],
        sorts=[],
        shows=[("All", here, not in_stock), ("In stock", f"{here}?in-stock=yes", in_stock)],
        page={
            "next_href": f"{here}?{more}after={write_cursor(listed.after)}"
            if listed.after
            else None,
            "prev_href": f"{here}?{more}".rstrip("?&") if after else None,
            "said": "",
        },
    )


@shop.get("/p/<slug>")
@allow(Who.EVERYBODY, Guard.NONE)
def product(slug: str) -> str:
    """One product and its buying box."""
    found, _ = channel()
    with house().db.reading() as session:
        detail, offered = house().shelves.product(session, found, house().clock.now(), slug)
        pictures = house().shelves.pictures(session, detail, house().clock.now())
        is_plan = any(offer.variant.kind == "plan" for offer in offered.offers)
        sold = (
            picking.sold_with(session, shown.numbered(offered)) if shown.numbered(offered) else {}
        )
        tried = trial_offers.offered(session, found.currency, slug) if is_plan else []
    return page(
        "storefront/product.html",
        cacheable=True,
        product=shown.product_page(
            detail,
            offered,
            hold_words(house().rules.hold_for),
            pictures,
            tax_included=channel()[0].prices_include_tax,
            numbers=sold,
        ),
        data=json_ld.product(detail, offered, pictures),
        goes_with=[],
        trials=[trials.offer(one, room) for one, room in tried],
    )


def write_cursor(after: tuple[int, uuid.UUID]) -> str:
    """Where a page begins, for an address."""
    return f"{after[0]}-{after[1].hex}"


def read_cursor(text: str) -> tuple[int, uuid.UUID] | None:
    """What ``write_cursor`` wrote; NotFound for anything else."""
    if not text:
        return None
    position, _, key = text.rpartition("-")
    try:
        if len(position) < 12:
            return int(position), uuid.UUID(key)
    except ValueError:
        pass
    raise NotFound("page")
