"""What people read now: of each page the newest version that has gone live, unless it has ended."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from cms_content import checks, segments
from cms_content.blocks import Content
from cms_content.models import ContentPage, PageVersion


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
        content=checks.read(row.content),
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
