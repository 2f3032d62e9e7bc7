"""What search engines ask for: robots.txt and the site map.

An index of parts so that no part grows too long.
"""

from collections.abc import Iterable
from html import escape

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from cms_content import pages, reading
from cms_content.addresses import path_of
from core.catalog import products
from core.kernel.errors import NotFound
from web.access import Guard, Who, allow
from web.context import channel, house, web_settings
from web.pages import shelves

seo = Blueprint("seo", __name__)
#: So many addresses stand in one part.
PART = 5_000
MOST_PARTS = 10_000
_CLOSED = ("/cart", "/checkout", "/account", "/desk", "/api/", "/o/", "/q/", "/pay/", "/methods/")
_SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


@seo.get("/robots.txt")
@allow(Who.EVERYBODY, Guard.NONE)
def robots() -> Response:
    """Where programs that look around have nothing to look for."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED)]
    lines += ["", f"Sitemap: {web_settings().base_url}/sitemap.xml", ""]
    return _kept("\n".join(lines), "text/plain")


@seo.get("/sitemap.xml")
@allow(Who.EVERYBODY, Guard.NONE)
def index() -> Response:
    """The parts: pages and shelves, then products, so many a part."""
    with house().db.reading() as session:
        parts = 1 + -(-products.count_listed(session) // PART)
    base = web_settings().base_url
    listed = "".join(
        f"<sitemap><loc>{escape(base)}/sitemap/{number}.xml</loc></sitemap>"
        for number in range(parts)
    )
    return _kept(
        f'{_HEAD}<sitemapindex xmlns="{_SPACE}">{listed}</sitemapindex>', "application/xml"
    )


@seo.get("/sitemap/<int:number>.xml")
@allow(Who.EVERYBODY, Guard.NONE)
def part(number: int) -> Response:
    """One part: 0 has pages and shelves, the others products."""
    if number > MOST_PARTS:
        raise NotFound("site map")
    with house().db.reading() as session:
        paths = list(_pages(session)) if number == 0 else _products(session, number)
    if not paths:
        raise NotFound("site map")
    base = web_settings().base_url
    listed = "".join(f"<url><loc>{escape(base + path)}</loc></url>" for path in paths)
    return _kept(f'{_HEAD}<urlset xmlns="{_SPACE}">{listed}</urlset>', "application/xml")


_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def _pages(session: Session) -> Iterable[str]:
    yield "/"
    yield "/c/all"
    yield from (f"/c/{one.slug}" for one in shelves())
    found, now, after = channel()[0], house().clock.now(), ""
    while True:
        listed = reading.all_live(session, found.id, now, after=after, limit=500)
        for one in listed:
            seo_ = one.content.seo
            listed_by_itself = not seo_.noindex and not seo_.canonical and one.slug != pages.HOME
            if one.locale == found.locale and listed_by_itself:
                yield path_of(one.slug)
            after = max(after, one.slug)
        if not listed:
            return


def _products(session: Session, number: int) -> list[str]:
    return [f"/p/{slug}" for slug in products.slugs(session, (number - 1) * PART, PART)]


def _kept(text: str, mimetype: str) -> Response:
    headers = {"Cache-Control": "public, max-age=300"}
    return Response(text, mimetype=mimetype, headers=headers)
