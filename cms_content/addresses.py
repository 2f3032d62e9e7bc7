"""Where pages are read, and moving them: an address that is given up leads on to the new one by itself."""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms_content import pages, redirects
from cms_content.models import ContentPage, ContentRedirect
from core.kernel import audit
from core.kernel.errors import Invalid
from core.parties.models import Channel

#: Pages that every shop has, written or not: they answer at addresses of their own.
_OWN = {
    "home": "/",
    "terms": "/terms",
    "privacy": "/privacy",
    "accessibility": "/accessibility",
}
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def path_of(slug: str) -> str:
    """Where a page is read."""
    return _OWN.get(slug, f"/pages/{slug}")


def may_move(page: ContentPage) -> bool:
    """Can it be read elsewhere? Not what every shop has: its old address would go on answering."""
    return page.slug not in _OWN


def move(
    session: Session, public_id: str, slug: str, actor: str, now: datetime
) -> Sequence[ContentPage]:
    """Read a page elsewhere, with all its variants; whoever comes by the old address is led on.

    Moving it back is the same again. Answers the pages that moved. Raises NotFound and Invalid.
    """
    page = pages.one(session, public_id)
    # Whoever moves or leads an address waits here.
    session.execute(select(Channel.id).where(Channel.id == page.channel_id).with_for_update())
    session.refresh(page)
    if not _SLUG.fullmatch(slug):
        raise Invalid({"slug": "Small letters, digits and dashes, such as moving-house."})
    if not may_move(page) or slug in _OWN:
        raise Invalid({"slug": "This address belongs to a page that every shop has."})
    if slug == page.slug:
        return []
    if variants(session, page.channel_id, slug):
        raise Invalid({"slug": "There is a page at this address already."})
    was, moved = page.slug, variants(session, page.channel_id, page.slug, lock=True)
    for one in moved:
        one.slug = slug
    session.flush()
    redirects.moved(session, page.channel_id, path_of(was), path_of(slug), actor, now)
    audit.write(session, now, actor, "page.moved", ("page", public_id), slug=slug, was=was)
    return moved


def variants(
    session: Session, channel_id: uuid.UUID, slug: str, *, lock: bool = False
) -> Sequence[ContentPage]:
    """The pages at an address, one for each language and segment."""
    query = (
        select(ContentPage)
        .where(ContentPage.channel_id == channel_id, ContentPage.slug == slug)
        .order_by(ContentPage.id)
    )
    return session.scalars(query.with_for_update() if lock else query).all()


def given_up(
    session: Session, channel_id: uuid.UUID, path: str, limit: int = 20
) -> Sequence[ContentRedirect]:
    """Addresses beside this one that lead to it: it may move back to each. The newest first."""
    beside = path.rpartition("/")[0] + "/"
    return session.scalars(
        select(ContentRedirect)
        .where(
            ContentRedirect.channel_id == channel_id,
            ContentRedirect.target == path,
            ContentRedirect.source.startswith(beside, autoescape=True),
        )
        .order_by(ContentRedirect.created_at.desc(), ContentRedirect.id.desc())
        .limit(limit)
    ).all()
