"""Content for headless shops: published pages with their blocks, menus.

And writing them with a key of the desk.
"""

import re
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, callers, reading
from api.callers import staff
from api.content_shapes import (
    AddressWish,
    DraftWish,
    MenuQuery,
    NewPageWish,
    PageListQuery,
    PageQuery,
    PublishWish,
)
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from cms_content import addresses, checks, menus, pages, publishing, writing
from cms_content import reading as published
from cms_content.models import ContentPage
from cms_content.pages import NewPage
from cms_content.publishing import Window
from cms_content.segments import Visitor
from core.kernel.errors import Invalid, NotFound
from flows import show_page
from flows.show_page import Kept
from web import site
from web.access import Guard, Who, allow
from web.context import channel, house, web_settings

content = Blueprint("api_content", __name__, url_prefix="/api/v1")
content.after_request(add_headers)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@content.get("/pages")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def listed() -> Response:
    """What everybody reads now, by address."""
    asked = reading.query(PageListQuery)
    now, after = house().clock.now(), asked.cursor or ""
    with house().db.reading() as session:
        found = published.all_live(
            session, channel()[0].id, now, after=after, limit=asked.page_size
        )
    slugs = list(dict.fromkeys(one.slug for one in found))
    items = [
        {
            "slug": one.slug,
            "locale": one.locale,
            "kind": one.kind,
            "title": one.content.title,
            "description": one.content.seo.description,
            "live_since": one.since,
        }
        for one in found
    ]
    following = slugs[-1] if len(slugs) == asked.page_size else None
    return answers.respond({"items": items, "next_cursor": following})


@content.get("/pages/<slug>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def show(slug: str) -> Response:
    """One page in the variant of a reader, whom the program tells about."""
    if not _SLUG.fullmatch(slug):
        raise NotFound("page")
    asked, now, found = reading.query(PageQuery), house().clock.now(), channel()[0]
    visitor = Visitor(asked.campaign or "", (), asked.returning, asked.signed_in)
    with house().db.reading() as session:
        at = house().pages.at(session, found, slug, now)
        kept = at.choose(visitor, found.locale, asked.locale or "")
        if kept is None:
            raise NotFound("page")
        goods = show_page.goods(session, house().shelves, found, kept.live.content, now)
    base = web_settings().base_url
    return answers.respond(
        {**_page(kept), "products": [answers.product(one, base) for one in goods]}
    )


def _page(kept: Kept) -> answers.Json:
    live, base = kept.live, web_settings().base_url
    told = live.content.model_dump(mode="json")
    return {
        "slug": live.slug,
        "locale": live.locale,
        "segment": live.segment,
        "kind": live.kind,
        "title": told["title"],
        "seo": told["seo"],
        "blocks": told["blocks"],
        "pictures": {
            name: answers.picture(kept.pictures[name], base)
            for name in sorted(checks.pictures(live.content))
            if name in kept.pictures
        },
        "videos": {
            name: answers.film(kept.films[name], base)
            for name in sorted(checks.videos(live.content))
            if name in kept.films
        },
        "live_since": live.since,
    }


@content.get("/menus/<place>")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def menu(place: str) -> Response:
    """The links of one place."""
    if place not in menus.PLACES:
        raise NotFound("menu")
    asked, found = reading.query(MenuQuery), channel()[0]
    with house().db.reading() as session:
        written = menus.every(session, found.id)
    links = menus.read(written, place, asked.locale or found.locale)
    told = [{"label": one.label, "href": one.href} for one in links]
    return answers.respond({"place": place, "links": told})


# --- with a key of the desk --------------------------------------------------------------------


@content.get("/desk/pages")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:read")
def desk_listed() -> Response:
    """All pages by address."""
    asked = reading.query(PageListQuery)
    with house().db.snapshot() as session:
        found = pages.by_slug(
            session, channel()[0].id, after=asked.cursor or "", limit=asked.page_size
        )
        items = _told(session, found, with_draft=False)
    slugs = list(dict.fromkeys(one.slug for one in found))
    following = slugs[-1] if len(slugs) == asked.page_size else None
    return answers.respond({"items": items, "next_cursor": following})


def _told(
    session: Session, found: list[ContentPage], *, with_draft: bool = True
) -> list[answers.Json]:
    states = pages.states_of(session, found)
    return [_desk_page(one, states[one.id], with_draft=with_draft) for one in found]


def _desk_page(row: ContentPage, states: dict[str, Any], *, with_draft: bool) -> answers.Json:
    state = next(
        (name for name in ("published", "scheduled", "draft") if name in states), "withdrawn"
    )
    draft = states.get("draft")
    return {
        "id": row.public_id,
        "kind": row.kind,
        "slug": row.slug,
        "locale": row.locale,
        "segment": row.segment,
        "name": row.name,
        "state": state,
        "draft_revision": draft.revision if draft is not None else None,
        "draft": draft.content if draft is not None and with_draft else None,
    }


def _one(session: Session, public_id: str) -> answers.Json:
    return _told(session, [pages.one(session, public_id)])[0]


def _actor() -> str:
    return f"user:{callers.caller().user_id}"


def _change(work: Any, status: int = 200) -> Response:
    """Do it and answer the page as it is then; fields of ours are told as the API tells fields."""

    def run(session: Session) -> answers.Json:
        public_id = work(session, house().clock.now())
        session.flush()
        return _one(session, public_id)

    try:
        told = house().db.run_tx(run)
    except Invalid as error:
        raise reading.refused(error) from None
    site.forget()
    return answers.respond(told, status)


@content.post("/desk/pages")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def begin() -> Response:
    """Begin a page with an empty draft."""
    wish = reading.body(NewPageWish)
    new = NewPage(wish.kind, wish.slug, wish.locale, wish.segment, wish.name)
    return _change(
        lambda session, now: pages.create(session, channel()[0].id, new, _actor(), now).public_id,
        201,
    )


@content.get("/desk/pages/<page_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:read")
def desk_show(page_id: str) -> Response:
    """One page and its draft."""
    key = reading.public_id(page_id, "page")
    with house().db.snapshot() as session:
        return answers.respond(_one(session, key))


@content.post("/desk/pages/<page_id>/draft")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def begin_draft(page_id: str) -> Response:
    """Have a draft to write on."""
    reading.body(Nothing, optional=True)
    key = reading.public_id(page_id, "page")

    def work(session: Session, now: Any) -> str:
        writing.draft(session, key, _actor(), now)
        return key

    return _change(work)


@content.put("/desk/pages/<page_id>/draft")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def write(page_id: str) -> Response:
    """Write the draft anew."""
    wish, key = reading.body(DraftWish), reading.public_id(page_id, "page")
    said = checks.read(wish.content.model_dump(mode="json"))

    def work(session: Session, now: Any) -> str:
        writing.save(session, key, said, wish.revision, _actor(), now)
        return key

    return _change(work)


@content.put("/desk/pages/<page_id>/address")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def move(page_id: str) -> Response:
    """Read it elsewhere."""
    wish, key = reading.body(AddressWish), reading.public_id(page_id, "page")

    def work(session: Session, now: Any) -> str:
        addresses.move(session, key, wish.slug, _actor(), now)
        return key

    return _change(work)


@content.post("/desk/pages/<page_id>/publish")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def publish(page_id: str) -> Response:
    """Let people read the draft."""
    wish, key = reading.body(PublishWish), reading.public_id(page_id, "page")
    window = Window(wish.begins, wish.ends)

    def work(session: Session, now: Any) -> str:
        publishing.publish(session, key, wish.revision, window, _actor(), now)
        return key

    return _change(work)


@content.post("/desk/pages/<page_id>/withdraw")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("content:write")
def withdraw(page_id: str) -> Response:
    """Let nobody read it any more."""
    reading.body(Nothing, optional=True)
    key = reading.public_id(page_id, "page")

    def work(session: Session, now: Any) -> str:
        publishing.withdraw(session, key, _actor(), now)
        return key

    return _change(work)
