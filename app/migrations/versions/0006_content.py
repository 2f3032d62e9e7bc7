"""Content."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0006"
down_revision = "0003"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER media_rendition_no_update BEFORE UPDATE ON media_rendition BEGIN SELECT RAISE(ABORT, 'media_rendition is append-only'); END",
        "CREATE TRIGGER media_rendition_no_delete BEFORE DELETE ON media_rendition BEGIN SELECT RAISE(ABORT, 'media_rendition is append-only'); END",
        "CREATE TRIGGER content_menu_version_no_update BEFORE UPDATE ON content_menu_version BEGIN SELECT RAISE(ABORT, 'content_menu_version is append-only'); END",
        "CREATE TRIGGER content_menu_version_no_delete BEFORE DELETE ON content_menu_version BEGIN SELECT RAISE(ABORT, 'content_menu_version is append-only'); END",
        "CREATE TRIGGER content_version_no_delete BEFORE DELETE ON content_version BEGIN SELECT RAISE(ABORT, 'content_version keeps what was said'); END",
        "CREATE TRIGGER content_version_frozen BEFORE UPDATE ON content_version WHEN OLD.state <> 'draft' AND (NEW.content IS NOT OLD.content OR NEW.number <> OLD.number) BEGIN SELECT RAISE(ABORT, 'content_version is frozen'); END",
        "CREATE TRIGGER brand_kit_no_delete BEFORE DELETE ON brand_kit BEGIN SELECT RAISE(ABORT, 'brand_kit keeps what was said'); END",
        "CREATE TRIGGER brand_kit_frozen BEFORE UPDATE ON brand_kit WHEN OLD.state <> 'draft' AND (NEW.content IS NOT OLD.content OR NEW.number <> OLD.number) BEGIN SELECT RAISE(ABORT, 'brand_kit is frozen'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER media_rendition_append_only BEFORE UPDATE OR DELETE ON media_rendition FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER media_rendition_no_truncate BEFORE TRUNCATE ON media_rendition FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER content_menu_version_append_only BEFORE UPDATE OR DELETE ON content_menu_version FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER content_menu_version_no_truncate BEFORE TRUNCATE ON content_menu_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER content_version_no_delete BEFORE DELETE ON content_version FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER content_version_frozen BEFORE UPDATE ON content_version FOR EACH ROW WHEN (OLD.state <> 'draft' AND (NEW.content::text IS DISTINCT FROM OLD.content::text OR NEW.number <> OLD.number)) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER brand_kit_no_delete BEFORE DELETE ON brand_kit FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER brand_kit_frozen BEFORE UPDATE ON brand_kit FOR EACH ROW WHEN (OLD.state <> 'draft' AND (NEW.content::text IS DISTINCT FROM OLD.content::text OR NEW.number <> OLD.number)) EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "media_asset",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("alt", sa.String(length=300), nullable=False),
        sa.Column("width", INT, nullable=False),
        sa.Column("height", INT, nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('picture', 'video')", name="ck_media_asset_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_media_asset"),
        sa.UniqueConstraint("public_id", name="uq_media_asset_public_id"),
    )
    with guarded_batch("media_asset", schema=None) as batch_op:
        batch_op.create_index("ix_media_asset_created_at", ["created_at"], unique=False)

    op.create_table(
        "media_captions",
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["media_asset.id"], name="fk_media_captions_asset_id"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_media_captions_sha256"),
        sa.PrimaryKeyConstraint("asset_id", "language", name="pk_media_captions"),
    )

    op.create_table(
        "media_rendition",
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("width", INT, autoincrement=False, nullable=False),
        sa.Column("height", INT, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["media_asset.id"], name="fk_media_rendition_asset_id"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_media_rendition_sha256"),
        sa.PrimaryKeyConstraint("asset_id", "width", name="pk_media_rendition"),
    )
    op.create_table(
        "brand_kit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("changed_by", sa.String(length=60), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'published', 'retired')", name="ck_brand_kit_state"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_brand_kit_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_brand_kit"),
        sa.UniqueConstraint("channel_id", "number", name="uq_brand_kit_channel_id_number"),
    )
    with guarded_batch("brand_kit", schema=None) as batch_op:
        batch_op.create_index(
            "uq_brand_kit_draft",
            ["channel_id"],
            unique=True,
            sqlite_where=sa.text("state = 'draft'"),
            postgresql_where=sa.text("state = 'draft'"),
        )
        batch_op.create_index(
            "uq_brand_kit_published",
            ["channel_id"],
            unique=True,
            sqlite_where=sa.text("state = 'published'"),
            postgresql_where=sa.text("state = 'published'"),
        )

    op.create_table(
        "content_banner",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("link_label", sa.String(length=60), nullable=False),
        sa.Column("link_href", sa.String(length=600), nullable=False),
        sa.Column("tone", sa.String(length=10), nullable=False),
        sa.Column("dismissible", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", INT, nullable=False),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tone IN ('plain', 'warn')", name="ck_content_banner_tone"),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at > starts_at", name="ck_content_banner_window"
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name="fk_content_banner_channel_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_content_banner"),
        sa.UniqueConstraint("public_id", name="uq_content_banner_public_id"),
    )
    with guarded_batch("content_banner", schema=None) as batch_op:
        batch_op.create_index("ix_content_banner_window", ["channel_id", "starts_at"], unique=False)

    op.create_table(
        "content_menu",
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.String(length=10), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("changed_by", sa.String(length=60), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("place IN ('header', 'footer')", name="ck_content_menu_place"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_content_menu_channel_id"),
        sa.PrimaryKeyConstraint("channel_id", "place", "locale", name="pk_content_menu"),
    )
    op.create_table(
        "content_menu_version",
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.String(length=10), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("revision", INT, autoincrement=False, nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.String(length=60), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name="fk_content_menu_version_channel_id"
        ),
        sa.PrimaryKeyConstraint(
            "channel_id", "place", "locale", "revision", name="pk_content_menu_version"
        ),
    )
    op.create_table(
        "content_page",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('home', 'landing', 'page', 'help')", name="ck_content_page_kind"
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_content_page_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_content_page"),
        sa.UniqueConstraint(
            "channel_id",
            "slug",
            "locale",
            "segment",
            name="uq_content_page_channel_id_slug_locale_segment",
        ),
        sa.UniqueConstraint("public_id", name="uq_content_page_public_id"),
    )
    op.create_table(
        "content_redirect",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("target", sa.String(length=600), nullable=False),
        sa.Column("permanent", sa.Boolean(), nullable=False),
        sa.Column("hits", INT, nullable=False),
        sa.Column("last_hit_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("source <> target", name="ck_content_redirect_leads_away"),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name="fk_content_redirect_channel_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_content_redirect"),
        sa.UniqueConstraint("channel_id", "source", name="uq_content_redirect_channel_id_source"),
    )
    op.create_table(
        "content_segment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("priority", INT, nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name="fk_content_segment_channel_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_content_segment"),
        sa.UniqueConstraint("channel_id", "code", name="uq_content_segment_channel_id_code"),
    )
    op.create_table(
        "content_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("goes_live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=60), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state IN ('scheduled', 'published', 'retired')) = (goes_live_at IS NOT NULL)",
            name="ck_content_version_live",
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'set_aside', 'scheduled', 'published', 'retired')",
            name="ck_content_version_state",
        ),
        sa.CheckConstraint(
            "ends_at IS NULL OR ends_at > goes_live_at", name="ck_content_version_ends"
        ),
        sa.ForeignKeyConstraint(
            ["page_id"], ["content_page.id"], name="fk_content_version_page_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_content_version"),
        sa.UniqueConstraint("page_id", "number", name="uq_content_version_page_id_number"),
    )
    with guarded_batch("content_version", schema=None) as batch_op:
        batch_op.create_index(
            "uq_content_version_draft",
            ["page_id"],
            unique=True,
            sqlite_where=sa.text("state = 'draft'"),
            postgresql_where=sa.text("state = 'draft'"),
        )
        batch_op.create_index(
            "uq_content_version_published",
            ["page_id"],
            unique=True,
            sqlite_where=sa.text("state = 'published'"),
            postgresql_where=sa.text("state = 'published'"),
        )
        batch_op.create_index(
            "uq_content_version_scheduled",
            ["page_id"],
            unique=True,
            sqlite_where=sa.text("state = 'scheduled'"),
            postgresql_where=sa.text("state = 'scheduled'"),
        )
    with guarded_batch("product") as batch_op:
        batch_op.add_column(sa.Column("pictures", sa.JSON(), server_default="[]", nullable=False))
    with guarded_batch("product") as batch_op:
        batch_op.alter_column("pictures", existing_type=sa.JSON(), server_default=None)
    with guarded_batch("notice") as batch_op:
        batch_op.add_column(sa.Column("logo_sha256", sa.String(length=64)))
        batch_op.create_foreign_key("fk_notice_logo_sha256", "blob", ["logo_sha256"], ["sha256"])
    run(GUARDS)
