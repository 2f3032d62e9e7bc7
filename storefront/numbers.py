"""Choosing a number: the free ones of a thing, a page at a time, searched by digits; without JavaScript too.

A number in the list is not held; the button puts it in the cart, where it is.
"""

from urllib.parse import urlencode

from flask import Blueprint, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import lines
from core.catalog.models import Product, Variant
from core.kernel.errors import NotFound
from core.stock import picking
from web import carts
from web.access import Who, allow
from web.context import house
from web.pages import page

numbers = Blueprint("numbers", __name__, template_folder="templates")
PAGE_SIZE = 24
_LONGEST = 40


@numbers.get("/numbers/<sku>")
@allow(Who.EVERYBODY)
def listed(sku: str) -> str:
    """The free ones. ``line`` and ``instead``: for a line of this browser's cart, instead of that one."""
    words = request.args.get("q", "").strip()[:_LONGEST]
    after = request.args.get("after", "")[:120]
    line, instead = (request.args.get(name, "")[:120] for name in ("line", "instead"))
    if "\0" in words + after:
        raise NotFound("page")
    now = house().clock.now()
    with house().db.reading() as session:
        variant, product, sold = _thing(session, sku)
        line = _own(session, line)
        found = picking.page(
            session, variant.id, now, words=words, after=after, limit=PAGE_SIZE + 1
        )
    shown = found[:PAGE_SIZE]
    kept = {"q": words, "line": line, "instead": instead if line else ""}
    asked = {name: text for name, text in kept.items() if text}
    here = f"/numbers/{sku}"
    more = len(found) > PAGE_SIZE
    return page(
        "storefront/numbers.html",
        thing={"sku": sku, "name": variant.name, "slug": product.slug, "product": product.name},
        word=sold.word,
        several=sold.words,
        q=words,
        line=line,
        instead=kept["instead"],
        choices=[one.value for one in shown],
        action=f"/cart/lines/{line}/number" if line else "/cart/lines",
        here=here,
        all_href=_href(here, {name: text for name, text in asked.items() if name != "q"}),
        page={
            "next_href": _href(here, asked | {"after": shown[-1].plain}) if more else None,
            "prev_href": _href(here, asked) if after else None,
            "said": "",
        },
    )


def _href(here: str, asked: dict[str, str]) -> str:
    return f"{here}?{urlencode(asked)}" if asked else here


def _thing(session: Session, sku: str) -> tuple[Variant, Product, picking.Sold]:
    """What is sold with numbers that customers choose. NotFound for anything else."""
    row = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(Variant.sku == sku, Variant.active, Product.active, Variant.numbered)
    ).first()
    sold = picking.sold_with(session, [row[0].id]).get(row[0].id) if row is not None else None
    if row is None or sold is None or not sold.picked:
        raise NotFound("list of numbers")
    return row[0], row[1], sold


def _own(session: Session, line_id: str) -> str:
    """The line, where it is one of this browser's cart; else none."""
    mine = carts.find(session) if line_id else None
    if mine is None:
        return ""
    try:
        return lines.one(session, mine, line_id)[0].public_id
    except NotFound:
        return ""
