"""Letting people read a draft, now or from a moment on; taking that back; withdrawing a page.

What people read is decided by the time at which they read (``reading``). The worker only tidies up the states
behind that; nothing waits for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms_content import checks, media, pages, videos
from cms_content.blocks import Content, Video
from cms_content.checks import Lack
from cms_content.models import ContentPage, PageVersion
from core.kernel import audit
from core.kernel.errors import Invalid, ShopError, StaleState


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
class Window:
    """When a version is read: at once or from a moment on, and until it ends or is replaced."""

    begins: datetime | None = None
    ends: datetime | None = None


def lacks(session: Session, content: Content) -> list[Lack]:
    """What keeps it from being published: what is still to be written, and what is not there."""
    found = checks.wanting(content)
    missing = checks.pictures(content) - set(media.resolve(session, checks.pictures(content)))
    for at, block in enumerate(content.blocks):
        if getattr(block, "picture", "") in missing:
            found.append(Lack(f"blocks.{at}.picture", "This picture is not there any more."))
    if content.seo.og_picture in missing:
        found.append(Lack("seo.og_picture", "This picture is not there any more."))
    return found + list(_lacks_of_videos(session, content))


def _lacks_of_videos(session: Session, content: Content) -> Iterator[Lack]:
    """What is said must be there to read: as captions, or beside the video."""
    there = videos.resolve(session, checks.videos(content))
    for at, block in enumerate(content.blocks):
        if not isinstance(block, Video) or not block.clip:
            continue
        if block.clip not in there:
            yield Lack(f"blocks.{at}.clip", "This video is not there any more.")
        elif not there[block.clip].captions and not block.text:
            yield Lack(
                f"blocks.{at}.text", "Say what it shows and says, or give the video captions."
            )


def publish(
    session: Session, public_id: str, revision: int, window: Window, actor: str, now: datetime
) -> PageVersion:
    """Let people read the draft, at once or from a moment on.

    Raises Unfinished, Invalid for a window that is none, ScheduledAlready, StaleState as ``save`` does.
    """
    page = pages.lock(session, public_id)
    _settle(session, page, now)
    found = pages.in_state(session, page, "draft")
    if found is None or found.revision != revision:
        raise StaleState("draft", f"revision {revision}")
    content = checks.read(found.content)
    missing = lacks(session, content)
    if missing:
        raise Unfinished({one.place: one.text for one in missing})
    begins = window.begins if window.begins is not None and window.begins > now else now
    if window.ends is not None and window.ends <= begins:
        raise Invalid({"ends": "It cannot end before it begins."})
    values = {"goes_live_at": begins, "ends_at": window.ends, "changed_by": actor}
    if begins > now:
        if pages.in_state(session, page, "scheduled") is not None:
            raise ScheduledAlready
        pages.move(session, found, "scheduled", **values)
    else:
        _retire(session, page)
        pages.move(session, found, "published", **values)
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
    old = pages.in_state(session, page, "published")
    if old is not None:
        pages.move(session, old, "retired")


def take_back(session: Session, public_id: str, actor: str, now: datetime) -> None:
    """A version that waits to go live will not. It is kept; without a draft it is the draft again."""
    page = pages.lock(session, public_id)
    _settle(session, page, now)
    found = pages.in_state(session, page, "scheduled")
    if found is None:
        raise StaleState("schedule", "scheduled")
    pages.move(session, found, "set_aside", goes_live_at=None, ends_at=None)
    if pages.in_state(session, page, "draft") is None:
        pages.begin(session, page, checks.read(found.content), actor, now)
    audit.write(session, now, actor, "page.taken_back", ("page", public_id), version=found.number)


def withdraw(session: Session, public_id: str, actor: str, now: datetime) -> None:
    """Nobody reads the page any more. StaleState when nobody did."""
    page = pages.lock(session, public_id)
    _settle(session, page, now)
    found = pages.in_state(session, page, "published")
    if found is None:
        raise StaleState("page", "published")
    pages.move(session, found, "retired")
    audit.write(session, now, actor, "page.withdrawn", ("page", public_id), version=found.number)


def settle_due(session: Session, now: datetime) -> int:
    """Bring the states of what went live by its time up to date; answers how many versions."""
    due = select(PageVersion.page_id).where(
        PageVersion.state == "scheduled", PageVersion.goes_live_at <= now
    )
    pages = session.scalars(select(ContentPage).where(ContentPage.id.in_(due)).with_for_update())
    return sum(_settle(session, page, now) for page in pages)


def _settle(session: Session, page: ContentPage, now: datetime) -> bool:
    found = pages.in_state(session, page, "scheduled")
    if found is None or found.goes_live_at is None or found.goes_live_at > now:
        return False
    _retire(session, page)
    pages.move(session, found, "published")
    audit.write(
        session, now, "system", "page.published", ("page", page.public_id), version=found.number
    )
    return True
