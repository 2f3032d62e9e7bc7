"""Pages and their versions as rows: begun, found, listed, moved from state to state.

Written by ``writing``, published by ``publishing``, read by people through ``reading``.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cms_content import segments
from cms_content.blocks import Content
from cms_content.models import ContentPage, PageVersion
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.sorting import By, Place, Sorts

HOME = "home"
KINDS = {"page": "Page", "landing": "Landing page", "help": "Help page", "home": "Home page"}
TRANSITIONS = {
    "draft": ("set_aside", "scheduled", "published"),
    "set_aside": (),
    "scheduled": ("published", "set_aside"),
    "published": ("retired",),
    "retired": (),
}
_ADDRESS = r"^[a-z0-9][a-z0-9-]{0,79}$"


@dataclass(frozen=True)
class NewPage:
    """A page that is wanted."""

    kind: str
    slug: str
    locale: str
    segment: str
    name: str


def create(
    session: Session, channel_id: uuid.UUID, new: NewPage, actor: str, now: datetime
) -> ContentPage:
    """Begin a page with an empty draft. Raises Invalid by field."""
    slug = HOME if new.kind == "home" else new.slug
    taken = select(ContentPage.id).where(
        ContentPage.channel_id == channel_id,
        ContentPage.slug == slug,
        ContentPage.locale == new.locale,
        ContentPage.segment == new.segment,
    )
    if new.kind != "home" and slug == HOME:
        raise Invalid({"slug": "This is the address of the home page. Choose another."})
    if session.scalar(taken) is not None:
        raise Invalid({"slug": "There is a page at this address already, for the same readers."})
    if new.segment != segments.EVERYBODY:
        segments.one(session, channel_id, new.segment)
    page = ContentPage(
        channel_id=channel_id,
        kind=new.kind,
        slug=slug,
        locale=new.locale,
        segment=new.segment,
        name=new.name,
        created_at=now,
    )
    session.add(page)
    session.flush()
    begin(session, page, Content(title=new.name), actor, now)
    audit.write(session, now, actor, "page.begun", ("page", page.public_id), slug=slug)
    return page


def one(session: Session, public_id: str) -> ContentPage:
    """A page by its public id. NotFound when there is none."""
    found = session.scalar(select(ContentPage).where(ContentPage.public_id == public_id))
    if found is None:
        raise NotFound("page")
    return found


def lock(session: Session, public_id: str) -> ContentPage:
    """The page, for whoever changes it: others wait. NotFound when there is none."""
    found = session.scalar(
        select(ContentPage).where(ContentPage.public_id == public_id).with_for_update()
    )
    if found is None:
        raise NotFound("page")
    return found


def in_state(session: Session, page: ContentPage, state: str) -> PageVersion | None:
    """The version of a page that is in a state of which there is one at most."""
    return session.scalar(
        select(PageVersion).where(PageVersion.page_id == page.id, PageVersion.state == state)
    )


def version(session: Session, page: ContentPage, number: int) -> PageVersion:
    """A version by its number. NotFound when there is none."""
    found = session.scalar(
        select(PageVersion).where(PageVersion.page_id == page.id, PageVersion.number == number)
    )
    if found is None:
        raise NotFound("version")
    return found


def versions(
    session: Session, page: ContentPage, *, below: int | None = None, limit: int = 50
) -> Sequence[PageVersion]:
    """Versions of a page, the newest first."""
    query = select(PageVersion).where(PageVersion.page_id == page.id)
    if below is not None:
        query = query.where(PageVersion.number < below)
    return session.scalars(query.order_by(PageVersion.number.desc()).limit(limit)).all()


#: What the desk's list may be sorted by.
SORTS = Sorts(
    ContentPage.id,
    {"address": ContentPage.slug, "name": By(ContentPage.name, ignores_case=True)},
)
BY_ADDRESS = Place("address")


def listing(
    session: Session,
    channel_id: uuid.UUID,
    *,
    kind: str = "",
    words: str = "",
    place: Place = BY_ADDRESS,
    limit: int = 50,
) -> Sequence[ContentPage]:
    """Pages by address, from a place on."""
    query = select(ContentPage).where(ContentPage.channel_id == channel_id)
    if kind:
        query = query.where(ContentPage.kind == kind)
    if words:
        sought = words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_").lower()
        query = query.where(
            func.lower(ContentPage.name).like(f"%{sought}%", escape="\\")
            | ContentPage.slug.like(f"%{sought}%", escape="\\")
        )
    return session.scalars(SORTS.apply(query, place, limit)).all()


def locales(session: Session, channel_id: uuid.UUID) -> list[str]:
    """The languages in which there are pages."""
    query = select(ContentPage.locale).where(ContentPage.channel_id == channel_id).distinct()
    return sorted(session.scalars(query))


def by_slug(
    session: Session, channel_id: uuid.UUID, *, after: str = "", limit: int = 50
) -> list[ContentPage]:
    """Pages with all their variants, so many addresses from behind ``after``."""
    slugs = (
        select(ContentPage.slug)
        .where(ContentPage.channel_id == channel_id, ContentPage.slug > after)
        .distinct()
        .order_by(ContentPage.slug)
        .limit(limit)
    )
    return list(
        session.scalars(
            select(ContentPage)
            .where(ContentPage.channel_id == channel_id, ContentPage.slug.in_(slugs))
            .order_by(ContentPage.slug, ContentPage.locale, ContentPage.segment)
        )
    )


def states_of(
    session: Session, pages: Sequence[ContentPage]
) -> dict[uuid.UUID, dict[str, PageVersion]]:
    """Of each page the versions that are draft, scheduled or published."""
    rows = session.scalars(
        select(PageVersion).where(
            PageVersion.page_id.in_([page.id for page in pages]),
            PageVersion.state.in_(("draft", "scheduled", "published")),
        )
    )
    found: dict[uuid.UUID, dict[str, PageVersion]] = {page.id: {} for page in pages}
    for row in rows:
        found[row.page_id][row.state] = row
    return found


def begin(
    session: Session, page: ContentPage, content: Content, actor: str, now: datetime
) -> PageVersion:
    """A draft with the next number; there must be none yet."""
    last = session.scalar(
        select(func.max(PageVersion.number)).where(PageVersion.page_id == page.id)
    )
    made = PageVersion(
        page_id=page.id,
        number=(last or 0) + 1,
        content=content.model_copy(update={"removed": None}).to_dict(),
        made_by=actor,
        made_at=now,
        changed_by=actor,
        changed_at=now,
    )
    session.add(made)
    session.flush()
    return made


def move(session: Session, row: PageVersion, to: str, **values: Any) -> None:
    """From the state that was read to another. StaleState when it had left it."""
    if to not in TRANSITIONS[row.state]:
        raise StaleState("version", row.state)
    move = (
        update(PageVersion)
        .where(
            PageVersion.id == row.id,
            PageVersion.state == row.state,
            PageVersion.revision == row.revision,
        )
        .values(state=to, **values)
    )
    if not changed(session.execute(move)):
        raise StaleState("version", row.state)
    session.refresh(row)
