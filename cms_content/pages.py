"""Pages and their versions: begun, written, published now or later, withdrawn, brought back.

What people read is decided by the time at which they read: the newest version that has gone live and has not
ended. The worker only tidies up the states behind that; nothing waits for it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Row, func, select, tuple_, update
from sqlalchemy.orm import Session

from cms_content import blocks, media, segments
from cms_content.blocks import Content, Lack
from cms_content.models import ContentPage, PageVersion
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, ShopError, StaleState

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


@dataclass(eq=False)
class Unfinished(ShopError):
    """What is to be published lacks something; ``lacks`` says what and where."""

    code: ClassVar[str] = "page_unfinished"
    text: ClassVar[str] = "This page is not finished yet."
    lacks: dict[str, str]


@dataclass(eq=False)
class ScheduledAlready(ShopError):
    """A version waits for its time; another can't be scheduled beside it."""

    code: ClassVar[str] = "scheduled_already"
    text: ClassVar[str] = "A version of this page waits to go live already. Take it back first."


@dataclass(frozen=True)
class NewPage:
    """A page that is wanted."""

    kind: str
    slug: str
    locale: str
    segment: str
    name: str


@dataclass(frozen=True)
class Window:
    """When a version is read: at once or from a moment on, and until it ends or is replaced."""

    begins: datetime | None = None
    ends: datetime | None = None


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
    _begin(session, page, Content(title=new.name), actor, now)
    audit.write(session, now, actor, "page.begun", ("page", page.public_id), slug=slug)
    return page


def one(session: Session, public_id: str) -> ContentPage:
    """A page by its public id. NotFound when there is none."""
    found = session.scalar(select(ContentPage).where(ContentPage.public_id == public_id))
    if found is None:
        raise NotFound("page")
    return found


def _lock(session: Session, public_id: str) -> ContentPage:
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


def listing(
    session: Session,
    channel_id: uuid.UUID,
    *,
    kind: str = "",
    words: str = "",
    after: tuple[str, uuid.UUID] | None = None,
    limit: int = 50,
) -> Sequence[ContentPage]:
    """Pages by address."""
    query = select(ContentPage).where(ContentPage.channel_id == channel_id)
    if kind:
        query = query.where(ContentPage.kind == kind)
    if words:
        sought = words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_").lower()
        query = query.where(
            func.lower(ContentPage.name).like(f"%{sought}%", escape="\\")
            | ContentPage.slug.like(f"%{sought}%", escape="\\")
        )
    if after is not None:
        query = query.where(tuple_(ContentPage.slug, ContentPage.id) > tuple_(*after))
    return session.scalars(query.order_by(ContentPage.slug, ContentPage.id).limit(limit)).all()


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


# --- writing ----------------------------------------------------------------------------------


def draft(session: Session, public_id: str, actor: str, now: datetime) -> PageVersion:
    """The draft to write on: the one there is, else a new one that says what people read."""
    page = _lock(session, public_id)
    found = in_state(session, page, "draft")
    if found is not None:
        return found
    latest = versions(session, page, limit=1)
    read = in_state(session, page, "scheduled") or in_state(session, page, "published")
    source = read or (latest[0] if latest else None)
    content = blocks.read(source.content) if source is not None else Content(title=page.name)
    return _begin(session, page, content, actor, now)


def save(
    session: Session, public_id: str, content: Content, revision: int, actor: str, now: datetime
) -> PageVersion:
    """Write the draft anew. StaleState when somebody else wrote, published or set it aside first."""
    page = _lock(session, public_id)
    found = in_state(session, page, "draft")
    if found is None or found.revision != revision:
        raise StaleState("draft", f"revision {revision}")
    move = (
        update(PageVersion)
        .where(
            PageVersion.id == found.id,
            PageVersion.state == "draft",
            PageVersion.revision == revision,
        )
        .values(content=content.to_dict(), revision=revision + 1, changed_by=actor, changed_at=now)
    )
    if not changed(session.execute(move)):
        raise StaleState("draft", f"revision {revision}")
    session.refresh(found)
    return found


def save_over(
    session: Session, public_id: str, content: Content, revision: int, actor: str, now: datetime
) -> PageVersion:
    """The same over what somebody else has written since; what they wrote is kept as a version set aside."""
    page = _lock(session, public_id)
    theirs = in_state(session, page, "draft")
    if theirs is not None and theirs.revision != revision:
        raise StaleState("draft", f"revision {revision}")
    if theirs is not None:
        _move(session, theirs, "set_aside")
    made = _begin(session, page, content, actor, now)
    audit.write(session, now, actor, "page.saved_over", ("page", public_id), version=made.number)
    return made


def bring_back(
    session: Session, public_id: str, number: int, actor: str, now: datetime
) -> PageVersion:
    """Make a draft that says what a version said. A draft there is is set aside, not lost."""
    page = _lock(session, public_id)
    source = version(session, page, number)
    if source.state == "draft":
        return source
    written = in_state(session, page, "draft")
    if written is not None:
        _move(session, written, "set_aside")
    content = blocks.read(source.content).model_copy(update={"removed": None})
    made = _begin(session, page, content, actor, now)
    audit.write(session, now, actor, "page.brought_back", ("page", public_id), version=number)
    return made


def _begin(
    session: Session, page: ContentPage, content: Content, actor: str, now: datetime
) -> PageVersion:
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


def _move(session: Session, row: PageVersion, to: str, **values: Any) -> None:
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


# --- publishing -------------------------------------------------------------------------------


def lacks(session: Session, content: Content) -> list[Lack]:
    """What keeps it from being published: what is still to be written, and pictures that are not there."""
    found = blocks.wanting(content)
    missing = blocks.pictures(content) - set(media.resolve(session, blocks.pictures(content)))
    for at, block in enumerate(content.blocks):
        if getattr(block, "picture", "") in missing:
            found.append(Lack(f"blocks.{at}.picture", "This picture is not there any more."))
    if content.seo.og_picture in missing:
        found.append(Lack("seo.og_picture", "This picture is not there any more."))
    return found


def publish(
    session: Session, public_id: str, revision: int, window: Window, actor: str, now: datetime
) -> PageVersion:
    """Let people read the draft, at once or from a moment on.

    Raises Unfinished, Invalid for a window that is none, ScheduledAlready, StaleState as ``save`` does.
    """
    page = _lock(session, public_id)
    _settle(session, page, now)
    found = in_state(session, page, "draft")
    if found is None or found.revision != revision:
        raise StaleState("draft", f"revision {revision}")
    content = blocks.read(found.content)
    missing = lacks(session, content)
    if missing:
        raise Unfinished({one.place: one.text for one in missing})
    begins = window.begins if window.begins is not None and window.begins > now else now
    if window.ends is not None and window.ends <= begins:
        raise Invalid({"ends": "It cannot end before it begins."})
    values = {"goes_live_at": begins, "ends_at": window.ends, "changed_by": actor}
    if begins > now:
        if in_state(session, page, "scheduled") is not None:
            raise ScheduledAlready
        _move(session, found, "scheduled", **values)
    else:
        _retire(session, page)
        _move(session, found, "published", **values)
    audit.write(
        session,
        now,
        actor,
        f"page.{found.state}",
        ("page", public_id),
        version=found.number,
        at=begins.isoformat(),
    )
    return found


def _retire(session: Session, page: ContentPage) -> None:
    old = in_state(session, page, "published")
    if old is not None:
        _move(session, old, "retired")


def take_back(session: Session, public_id: str, actor: str, now: datetime) -> None:
    """A version that waits to go live will not. It is kept; without a draft it is the draft again."""
    page = _lock(session, public_id)
    _settle(session, page, now)
    found = in_state(session, page, "scheduled")
    if found is None:
        raise StaleState("schedule", "scheduled")
    _move(session, found, "set_aside", goes_live_at=None, ends_at=None)
    if in_state(session, page, "draft") is None:
        _begin(session, page, blocks.read(found.content), actor, now)
    audit.write(session, now, actor, "page.taken_back", ("page", public_id), version=found.number)


def withdraw(session: Session, public_id: str, actor: str, now: datetime) -> None:
    """Nobody reads the page any more. StaleState when nobody did."""
    page = _lock(session, public_id)
    _settle(session, page, now)
    found = in_state(session, page, "published")
    if found is None:
        raise StaleState("page", "published")
    _move(session, found, "retired")
    audit.write(session, now, actor, "page.withdrawn", ("page", public_id), version=found.number)


def settle_due(session: Session, now: datetime) -> int:
    """Bring the states of what went live by its time up to date; answers how many versions."""
    due = select(PageVersion.page_id).where(
        PageVersion.state == "scheduled", PageVersion.goes_live_at <= now
    )
    pages = session.scalars(select(ContentPage).where(ContentPage.id.in_(due)).with_for_update())
    return sum(_settle(session, page, now) for page in pages)


def _settle(session: Session, page: ContentPage, now: datetime) -> bool:
    found = in_state(session, page, "scheduled")
    if found is None or found.goes_live_at is None or found.goes_live_at > now:
        return False
    _retire(session, page)
    _move(session, found, "published")
    audit.write(
        session, now, "system", "page.published", ("page", page.public_id), version=found.number
    )
    return True


# --- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Live:
    """What is read now under one address, by readers of one language and segment."""

    version_id: uuid.UUID
    public_id: str
    kind: str
    slug: str
    locale: str
    segment: str
    content: Content
    since: datetime
    ends_at: datetime | None


def live(
    session: Session, channel_id: uuid.UUID, slug: str, now: datetime
) -> tuple[list[Live], datetime | None]:
    """Everything that is read now at an address, and when that changes by itself: one query."""
    rows = session.execute(
        select(ContentPage, PageVersion)
        .join(PageVersion, PageVersion.page_id == ContentPage.id)
        .where(
            ContentPage.channel_id == channel_id,
            ContentPage.slug == slug,
            PageVersion.state.in_(("published", "scheduled")),
        )
        .order_by(PageVersion.goes_live_at.desc())
    ).all()
    found = _newest(rows, now)
    moments = [
        moment
        for _, row in rows
        for moment in (row.goes_live_at, row.ends_at)
        if moment is not None and moment > now
    ]
    return [_live(page, row) for page, row in found], min(moments, default=None)


def _newest(
    rows: Sequence[Row[ContentPage, PageVersion]], now: datetime
) -> list[tuple[ContentPage, PageVersion]]:
    newest: dict[uuid.UUID, tuple[ContentPage, PageVersion]] = {}
    for page, row in rows:
        if row.goes_live_at is not None and row.goes_live_at <= now:
            newest.setdefault(page.id, (page, row))
    return [
        (page, row) for page, row in newest.values() if row.ends_at is None or row.ends_at > now
    ]


def _live(page: ContentPage, row: PageVersion) -> Live:
    since = row.goes_live_at
    assert since is not None  # a constraint says so
    return Live(
        version_id=row.id,
        public_id=page.public_id,
        kind=page.kind,
        slug=page.slug,
        locale=page.locale,
        segment=page.segment,
        content=blocks.read(row.content),
        since=since,
        ends_at=row.ends_at,
    )


def all_live(
    session: Session,
    channel_id: uuid.UUID,
    now: datetime,
    *,
    after: str = "",
    limit: int = 100,
) -> list[Live]:
    """What everybody reads now, by address; ``after`` is the last address of the page of answers before."""
    slugs = (
        select(ContentPage.slug)
        .join(PageVersion, PageVersion.page_id == ContentPage.id)
        .where(
            ContentPage.channel_id == channel_id,
            ContentPage.segment == segments.EVERYBODY,
            ContentPage.slug > after,
            PageVersion.state.in_(("published", "scheduled")),
            PageVersion.goes_live_at <= now,
            PageVersion.ends_at.is_(None) | (PageVersion.ends_at > now),
        )
        .distinct()
        .order_by(ContentPage.slug)
        .limit(limit)
    )
    rows = session.execute(
        select(ContentPage, PageVersion)
        .join(PageVersion, PageVersion.page_id == ContentPage.id)
        .where(
            ContentPage.channel_id == channel_id,
            ContentPage.segment == segments.EVERYBODY,
            ContentPage.slug.in_(slugs),
            PageVersion.state.in_(("published", "scheduled")),
        )
        .order_by(ContentPage.slug, ContentPage.locale, PageVersion.goes_live_at.desc())
    ).all()
    return [_live(page, row) for page, row in _newest(rows, now)]
