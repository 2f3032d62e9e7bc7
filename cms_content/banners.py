"""Banners: a sentence above every page of the shop, within its window; of several the one that began last."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms_content.fields import WRONG_LINK, is_link
from cms_content.models import ContentBanner
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.sorting import Place, Sorts


@dataclass(frozen=True)
class Banner:
    """What one says, and when."""

    text: str
    starts_at: datetime
    ends_at: datetime | None = None
    link_label: str = ""
    link_href: str = ""
    tone: str = "plain"
    dismissible: bool = True
    #: Only for whoever reads in this language; "" for everybody.
    locale: str = ""


def _check(banner: Banner) -> None:
    wrong: dict[str, str] = {}
    if not banner.text or len(banner.text) > 200:
        wrong["text"] = "Write a sentence of at most 200 characters."
    if bool(banner.link_label) != bool(banner.link_href):
        wrong["link_href"] = "Say both where it leads and what it is called."
    if banner.link_href and (not is_link(banner.link_href) or len(banner.link_href) > 600):
        wrong["link_href"] = WRONG_LINK
    if len(banner.link_label) > 60:
        wrong["link_label"] = "At most 60 characters."
    if banner.tone not in ("plain", "warn"):
        wrong["tone"] = "Choose one of the two."
    if len(banner.locale) > 20:
        wrong["locale"] = "Choose one of these."
    if banner.ends_at is not None and banner.ends_at <= banner.starts_at:
        wrong["ends_at"] = "It cannot end before it begins."
    if wrong:
        raise Invalid(wrong)


def add(
    session: Session, channel_id: uuid.UUID, banner: Banner, actor: str, now: datetime
) -> ContentBanner:
    """Put one up, now or later. Raises Invalid by field."""
    _check(banner)
    row = ContentBanner(channel_id=channel_id, made_by=actor, created_at=now, **asdict(banner))
    session.add(row)
    session.flush()
    audit.write(session, now, actor, "banner.added", ("banner", row.public_id))
    return row


def change(
    session: Session, public_id: str, banner: Banner, revision: int, actor: str, now: datetime
) -> None:
    """Change one. Raises Invalid by field, StaleState when somebody else was first."""
    _check(banner)
    move = (
        update(ContentBanner)
        .where(ContentBanner.public_id == public_id, ContentBanner.revision == revision)
        .values(revision=revision + 1, **asdict(banner))
    )
    if not changed(session.execute(move)):
        raise StaleState("banner", f"revision {revision}")
    audit.write(session, now, actor, "banner.changed", ("banner", public_id))


def end(session: Session, public_id: str, actor: str, now: datetime) -> None:
    """Take one down at once; one that has not begun is gone."""
    row = one(session, public_id)
    if row.starts_at >= now:
        session.delete(row)
    elif row.ends_at is None or row.ends_at > now:
        row.ends_at, row.revision = now, row.revision + 1
    audit.write(session, now, actor, "banner.ended", ("banner", public_id))


def one(session: Session, public_id: str) -> ContentBanner:
    """A banner. NotFound when there is none."""
    found = session.scalar(select(ContentBanner).where(ContentBanner.public_id == public_id))
    if found is None:
        raise NotFound("banner")
    return found


def showing(
    session: Session, channel_id: uuid.UUID, now: datetime, locale: str = ""
) -> ContentBanner | None:
    """The one that is up now for whoever reads in a language; one of that language goes first."""
    return session.scalar(
        select(ContentBanner)
        .where(
            ContentBanner.channel_id == channel_id,
            ContentBanner.locale.in_(["", locale]),
            ContentBanner.starts_at <= now,
            ContentBanner.ends_at.is_(None) | (ContentBanner.ends_at > now),
        )
        .order_by(
            ContentBanner.locale.desc(), ContentBanner.starts_at.desc(), ContentBanner.id.desc()
        )
        .limit(1)
    )


#: What the desk's list may be sorted by.
SORTS = Sorts(ContentBanner.id, {"from": ContentBanner.starts_at})
NEWEST = Place("-from")


def listing(
    session: Session,
    channel_id: uuid.UUID,
    *,
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> Sequence[ContentBanner]:
    """All of them, from a place on; ``words`` in what they say."""
    query = select(ContentBanner).where(ContentBanner.channel_id == channel_id)
    if words:
        query = query.where(ContentBanner.text.icontains(words, autoescape=True))
    return session.scalars(SORTS.apply(query, place, limit)).all()
