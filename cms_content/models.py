"""Tables of the content. What was published never changes: a correction is another version."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class ContentPage(Base):
    """An address in one language, for everybody (segment "") or for one segment."""

    __tablename__ = "content_page"
    __table_args__ = (
        CheckConstraint("kind IN ('home', 'landing', 'page', 'help')", name="kind"),
        UniqueConstraint("channel_id", "slug", "locale", "segment"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    kind: Mapped[str] = mapped_column(String(10))
    slug: Mapped[str] = mapped_column(String(80))
    locale: Mapped[str] = mapped_column(String(20))
    #: The code of a segment, or "" for everybody.
    segment: Mapped[str] = mapped_column(String(40), default="")
    #: What the desk calls it.
    name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime]


class PageVersion(Base):
    """What a page says, or said, or will say. Only a draft changes."""

    __tablename__ = "content_version"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'set_aside', 'scheduled', 'published', 'retired')", name="state"
        ),
        CheckConstraint(
            "(state IN ('scheduled', 'published', 'retired')) = (goes_live_at IS NOT NULL)",
            name="live",
        ),
        CheckConstraint("ends_at IS NULL OR ends_at > goes_live_at", name="ends"),
        UniqueConstraint("page_id", "number"),
        *(
            Index(
                f"uq_content_version_{state}",
                "page_id",
                unique=True,
                sqlite_where=text(f"state = '{state}'"),
                postgresql_where=text(f"state = '{state}'"),
            )
            for state in ("draft", "scheduled", "published")
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    page_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("content_page.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    #: A ``cms_content.blocks.Content``.
    content: Mapped[dict[str, Any]]
    #: Counts the changes of a draft, so that two people do not write over each other.
    revision: Mapped[int] = mapped_column(default=1)
    #: From when on it is read by everybody, and until when, if it ends by itself.
    goes_live_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    made_by: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime]


class ContentSegment(Base):
    """Whom a variant of a page is for; of several that fit, the one of the lowest priority number."""

    __tablename__ = "content_segment"
    __table_args__ = (UniqueConstraint("channel_id", "code"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    priority: Mapped[int] = mapped_column(default=100)
    #: A ``cms_content.segments.Rule``.
    rule: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class ContentRedirect(Base):
    """An address that has gone, and where it leads now."""

    __tablename__ = "content_redirect"
    __table_args__ = (
        UniqueConstraint("channel_id", "source"),
        CheckConstraint("source <> target", name="leads_away"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    source: Mapped[str] = mapped_column(String(300))
    target: Mapped[str] = mapped_column(String(600))
    permanent: Mapped[bool] = mapped_column(default=True)
    hits: Mapped[int] = mapped_column(default=0)
    last_hit_at: Mapped[datetime | None]
    made_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]


class ContentMenu(Base):
    """The links of one place of the pages, in a language or (locale "") in every other."""

    __tablename__ = "content_menu"
    __table_args__ = (CheckConstraint("place IN ('header', 'footer')", name="place"),)

    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"), primary_key=True)
    place: Mapped[str] = mapped_column(String(10), primary_key=True)
    locale: Mapped[str] = mapped_column(String(20), primary_key=True, default="")
    #: ``[{"label": …, "href": …}]``
    links: Mapped[list[Any]]
    revision: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime]


class MenuVersion(Base):
    """What a menu said as of a revision. Append-only."""

    __tablename__ = "content_menu_version"

    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"), primary_key=True)
    place: Mapped[str] = mapped_column(String(10), primary_key=True)
    locale: Mapped[str] = mapped_column(String(20), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    links: Mapped[list[Any]]
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime]


class ContentBanner(Base):
    """A sentence above every page of the shop, for a while."""

    __tablename__ = "content_banner"
    __table_args__ = (
        CheckConstraint("tone IN ('plain', 'warn')", name="tone"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="window"),
        Index("ix_content_banner_window", "channel_id", "starts_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    #: For whoever reads in that language; "" for everybody.
    locale: Mapped[str] = mapped_column(String(20), default="")
    text: Mapped[str] = mapped_column(String(200))
    link_label: Mapped[str] = mapped_column(String(60), default="")
    link_href: Mapped[str] = mapped_column(String(600), default="")
    tone: Mapped[str] = mapped_column(String(10), default="plain")
    dismissible: Mapped[bool] = mapped_column(default=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)
    made_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]


class MediaAsset(Base):
    """A picture that somebody uploaded, as we encoded it, or a video.

    ``alt`` is "" for what only decorates, and for videos.
    """

    __tablename__ = "media_asset"
    __table_args__ = (
        CheckConstraint("kind IN ('picture', 'video')", name="kind"),
        Index("ix_media_asset_created_at", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    kind: Mapped[str] = mapped_column(String(10), default="picture")
    name: Mapped[str] = mapped_column(String(120))
    alt: Mapped[str] = mapped_column(String(300))
    width: Mapped[int]
    height: Mapped[int]
    revision: Mapped[int] = mapped_column(default=1)
    retired_at: Mapped[datetime | None]
    made_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]


class MediaRendition(Base):
    """One picture at one width, or a video. Never changes: its address may be kept for ever."""

    __tablename__ = "media_rendition"

    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("media_asset.id"), primary_key=True)
    width: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    height: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]


class MediaCaptions(Base):
    """What is said in a video, in one language: the stored WebVTT."""

    __tablename__ = "media_captions"

    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("media_asset.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(12), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))


class BrandKit(Base):
    """How a channel looks: logo, colours, typeface. A draft, what is published, and what was."""

    __tablename__ = "brand_kit"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'retired')", name="state"),
        UniqueConstraint("channel_id", "number"),
        *(
            Index(
                f"uq_brand_kit_{state}",
                "channel_id",
                unique=True,
                sqlite_where=text(f"state = '{state}'"),
                postgresql_where=text(f"state = '{state}'"),
            )
            for state in ("draft", "published")
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    #: A ``cms_content.brand.Kit``.
    content: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(String(60))
    changed_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


guards.append_only(MediaRendition.__table__)
guards.append_only(MenuVersion.__table__)

#: What has left the state of a draft says the same for ever, and no version is deleted.
_FROZEN_SQLITE = (
    "OLD.state <> 'draft' AND (NEW.content IS NOT OLD.content OR NEW.number <> OLD.number)"
)
_FROZEN_PG = (
    "OLD.state <> 'draft' AND (NEW.content::text IS DISTINCT FROM OLD.content::text "
    "OR NEW.number <> OLD.number)"
)
for _table in (PageVersion, BrandKit):
    _name = _table.__tablename__
    guards.install(
        _table.__table__,
        "sqlite",
        [
            f"CREATE TRIGGER {_name}_no_delete BEFORE DELETE ON {_name} "
            f"BEGIN SELECT RAISE(ABORT, '{_name} keeps what was said'); END",
            f"CREATE TRIGGER {_name}_frozen BEFORE UPDATE ON {_name} WHEN {_FROZEN_SQLITE} "
            f"BEGIN SELECT RAISE(ABORT, '{_name} is frozen'); END",
        ],
    )
    guards.install(
        _table.__table__,
        "postgresql",
        [
            guards.PG_REFUSE,
            f"CREATE TRIGGER {_name}_no_delete BEFORE DELETE ON {_name} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER {_name}_frozen BEFORE UPDATE ON {_name} FOR EACH ROW "
            f"WHEN ({_FROZEN_PG}) EXECUTE FUNCTION refuse_change()",
        ],
    )
