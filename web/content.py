"""Pages of content in HTML: blocks to markup, and whose variant it is.

A page whose variant depends on what its visitor brings along is never kept by anybody; any other holds no
byte of its visitor (docs/adr/0036-variants.md).
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, make_response, request
from markupsafe import Markup

from cms_content import blocks, markdown
from cms_content.addresses import path_of
from cms_content.blocks import Block, Content, Offer, Prices, Products
from cms_content.segments import Visitor
from flows import show_page
from flows.browse import Offer as Offered
from flows.browse import Shown
from flows.show_page import Address, Kept
from web import packs, site
from web.cards import card
from web.context import channel, house, web_settings
from web.login import person
from web.pages import page
from web.visitors import has_been_here

_CAMPAIGN = re.compile(r"[a-z0-9_-]{1,60}")
#: Blocks that show prices and what can be had: looked at for every answer.
LIVE = (Products, Prices, Offer)


def answer(slug: str) -> Response | None:
    """The page at an address for whoever asks; None when there is none for them."""
    found, now = channel()[0], house().clock.now()
    with house().db.reading() as session:
        at = house().pages.at(session, found, slug, now)
        kept = at.choose(visitor(at), found.locale, request.args.get("lang", ""))
        if kept is None:
            return None
        goods = show_page.goods(session, house().shelves, found, kept.live.content, now)
    response = make_response(render(kept, goods, cacheable=not at.is_personal))
    if at.asks_language:
        response.vary.add("Accept-Language")
    return response


def visitor(at: Address) -> Visitor:
    """What counts of whoever asks; what they bring along only where a rule looks at it."""
    campaign = (request.args.get("campaign") or request.args.get("utm_campaign") or "").lower()
    languages = [one.lower().partition("-")[0] for one, _ in request.accept_languages]
    return Visitor(
        campaign=campaign if _CAMPAIGN.fullmatch(campaign) else "",
        languages=tuple(dict.fromkeys(languages)),
        returning=at.is_personal and has_been_here(),
        signed_in=at.is_personal and person() is not None,
    )


def render(kept: Kept, goods: Sequence[Shown], *, cacheable: bool, **more: Any) -> str:
    """A variant as a page."""
    live = kept.live
    content = live.content
    headed = bool(content.blocks) and content.blocks[0].kind == "hero"
    return page(
        "shared/content.html",
        cacheable=cacheable,
        words=_words(kept),
        headed=headed,
        parts=_parts(kept, goods),
        nav_current=live.slug,
        **{"site": site.site(live.locale), "said_in": live.locale.replace("_", "-"), **more},
    )


def _words(kept: Kept) -> dict[str, Any]:
    content, base = kept.live.content, web_settings().base_url
    seo = content.seo
    path = seo.canonical or path_of(kept.live.slug)
    if not seo.canonical and kept.live.locale != channel()[0].locale:
        path = f"{path}?lang={kept.live.locale.replace('_', '-')}"
    picture = kept.pictures.get(seo.og_picture)
    return {
        "title": content.title,
        "description": seo.description,
        "canonical": f"{base}{path}" if path.startswith("/") else path,
        "noindex": seo.noindex,
        "og_title": seo.og_title,
        "og_description": seo.og_description,
        "og_picture": f"{base}{picture.largest}" if picture is not None and picture.largest else "",
    }


def _parts(kept: Kept, goods: Sequence[Shown]) -> list[Markup]:
    macros = current_app.jinja_env.get_template("macros/blocks.html").module
    still: dict[int, Markup] | None = kept.made.get("still")
    if still is None:
        still = {
            at: _still(macros, block, kept, top=at == 0)
            for at, block in enumerate(kept.live.content.blocks)
            if not isinstance(block, LIVE)
        }
        kept.made["still"] = still
    by_sku = show_page.by_sku(goods)
    return [
        still[at] if at in still else _live(macros, at, block, _facts(block, goods, by_sku), kept)
        for at, block in enumerate(kept.live.content.blocks)
    ]


def words(text: str) -> Markup:
    """Markdown as HTML that was cleaned."""
    return Markup(markdown.html(text))  # noqa: S704  # cleaned by nh3


def _still(macros: Any, block: Block, kept: Kept, *, top: bool) -> Markup:
    """A block that is the same until its page is published anew."""
    pic = kept.pictures.get(getattr(block, "picture", ""))
    macro = getattr(macros, getattr(block, "kind", ""))
    if isinstance(block, blocks.Hero):
        made = macro(block, pic, top)
    elif isinstance(block, blocks.Words):
        made = macro(block, words(block.text))
    elif isinstance(block, blocks.Video):
        host = (urlsplit(block.href).hostname or "").removeprefix("www.")
        made = macro(
            block, pic, words(block.text), host, kept.films.get(block.clip), kept.live.locale
        )
    elif isinstance(block, blocks.Feature):
        made = macro(block, pic, words(block.text))
    elif isinstance(block, blocks.Faq):
        made = macro(block, [(one.question, words(one.answer)) for one in block.items])
    elif isinstance(block, blocks.PictureBlock):
        made = macro(block, pic)
    else:
        made = macro(block)
    return Markup(made)  # noqa: S704  # a macro of ours, which escapes


def _facts(block: Block, goods: Sequence[Shown], by_sku: dict[str, tuple[Shown, Offered]]) -> Any:
    """What a block with prices shows at this moment."""
    if isinstance(block, Products):
        return [card(one) for one in show_page.of_block(block, goods)]
    if isinstance(block, Prices):
        return [_column(one, *by_sku[one.sku]) for one in block.columns if one.sku in by_sku]
    assert isinstance(block, Offer)
    return _offer(*by_sku[block.sku]) if block.sku in by_sku else None


def _live(macros: Any, at: int, block: Block, facts: Any, kept: Kept) -> Markup:
    """Its markup; that of before while it says the same."""
    known: tuple[Any, Markup] | None = kept.made.get(at)
    if known is not None and known[0] == facts:
        return known[1]
    macro = getattr(macros, getattr(block, "kind", ""))
    made = Markup(macro(block, facts))  # noqa: S704  # a macro of ours, which escapes
    kept.made[at] = (facts, made)
    return made


def _column(column: blocks.Column, of: Shown, offer: Offered) -> dict[str, Any]:
    return {
        "name": of.product.name,
        "figure": column.figure,
        "unit": column.unit,
        "note": column.note,
        "points": column.points,
        "price": offer.price.unit_price,
        "per": packs.EACH.get(offer.price.interval or "", ""),
        "href": f"/p/{of.product.slug}",
    }


def _offer(of: Shown, offer: Offered) -> dict[str, Any]:
    price, again = offer.price, []
    if price.interval is not None and offer.bundle is None:
        again = [(price.unit_price, price.interval, "")]
    inside = {
        "parts": [],
        "pictures": [of.product.picture],
        "due_now": price.unit_price,
        "again": again,
        "saving": "",
    }
    if offer.bundle is not None:
        inside = packs.contents(offer.bundle)
    return {
        **inside,
        "name": of.product.name,
        "text": of.product.summary,
        "href": f"/p/{of.product.slug}",
        "sku": offer.variant.sku,
        "available": offer.available,
        "tax_word": "tax included" if channel()[0].prices_include_tax else "before tax",
    }


def preview(content: Content, kept: Kept, **more: Any) -> str:
    """A page that nobody reads yet, for the desk."""
    found, now = channel()[0], house().clock.now()
    with house().db.reading() as session:
        goods = show_page.goods(session, house().shelves, found, content, now)
    return render(kept, goods, cacheable=False, previewing=True, **more)
