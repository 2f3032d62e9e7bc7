"""What the desk's pages of content are given: who wrote, in which state a version is.

What there is to choose from.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms_content import checks, media, videos
from cms_content.addresses import path_of
from cms_content.blocks import Content
from cms_content.models import ContentPage, PageVersion
from cms_content.pages import KINDS
from cms_content.reading import Live
from core.parties.models import User
from desk.content_forms import Offered
from flows.show_page import Kept
from web.context import house
from web.documents import State
from web.login import person
from web.pages import shelves

STATES = {
    "draft": State("wait", "Draft"),
    "set_aside": State("", "Set aside"),
    "scheduled": State("wait", "Waits for its time"),
    "published": State("go", "Published"),
    "retired": State("", "Was published"),
}


def actor() -> str:
    """Who does it, for the audit log."""
    who = person()
    assert who is not None
    return f"user:{who.key}"


def names(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """Who they are, for people: one query."""
    keys = {}
    for one in actors:
        kind, _, key = one.partition(":")
        if kind == "user" and len(key) in (32, 36):
            keys[uuid.UUID(key)] = one
    rows = session.execute(select(User.id, User.name, User.email).where(User.id.in_(keys)))
    found = {keys[key]: name or email for key, name, email in rows}
    return {one: found.get(one, one.partition(":")[2] or "the shop") for one in actors}


def offered(session: Session) -> Offered:
    """Pictures, videos and categories to choose from: one query."""
    uploads = media.listing(session, kind="", limit=400)

    def named(kind: str, prefix: str) -> list[tuple[str, str]]:
        return [(prefix + one.public_id, one.name) for one in uploads if one.kind == kind]

    drawn = [(name, f"Drawing: {_drawn(name)}") for name in media.drawings()]
    categories = [("", "The whole shop"), *((one.slug, one.name) for one in shelves())]
    pictures = [("", "None"), *named("picture", media.UPLOADED), *drawn]
    return Offered(pictures, categories, [("", "None"), *named("video", videos.UPLOADED)])


def _drawn(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".svg").replace("-", " ")


def row(page: ContentPage, found: Mapping[str, PageVersion], now: datetime) -> dict[str, Any]:
    """A row of the list of pages."""
    scheduled = found.get("scheduled")
    due = scheduled is not None and _has_come(scheduled, now)
    return {
        "href": f"/desk/content/pages/{page.public_id}",
        "name": page.name,
        "path": path_of(page.slug),
        "kind": KINDS[page.kind],
        "segment": page.segment,
        "locale": page.locale.replace("_", "-"),
        "state": STATES["published"] if due else state_of(found),
        "has_draft": "draft" in found and len(found) > 1,
        "changed": max((one.changed_at for one in found.values()), default=page.created_at),
    }


def _has_come(version: PageVersion, now: datetime) -> bool:
    return version.goes_live_at is not None and version.goes_live_at <= now


def state_of(found: Mapping[str, PageVersion]) -> State:
    """What people read of a page."""
    for name in ("published", "scheduled", "draft"):
        if name in found:
            return STATES[name]
    return State("", "Withdrawn")


def version(one: PageVersion, page: ContentPage, who: Mapping[str, str]) -> dict[str, Any]:
    """A row of the list of versions."""
    return {
        "number": one.number,
        "href": f"/desk/content/pages/{page.public_id}/versions/{one.number}",
        "title": str(one.content.get("title", "")),
        "blocks": len(one.content.get("blocks", ())),
        "state": STATES[one.state],
        "name": one.state,
        "who": who[one.changed_by],
        "changed": one.changed_at,
        "goes_live_at": one.goes_live_at,
        "ends_at": one.ends_at,
    }


def kept(session: Session, page: ContentPage, content: Content) -> Kept:
    """What somebody is about to publish, as a page takes it."""
    live = Live(
        version_id=page.id,
        public_id=page.public_id,
        kind=page.kind,
        slug=page.slug,
        locale=page.locale,
        segment=page.segment,
        content=content,
        since=house().clock.now(),
        ends_at=None,
    )
    films = videos.resolve(session, checks.videos(content))
    return Kept(live, media.resolve(session, checks.pictures(content)), films)
