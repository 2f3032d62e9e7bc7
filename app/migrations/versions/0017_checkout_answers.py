"""What is answered at checkout: a business's references, terms and consents."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import behind, guarded_batch, run

revision = "0017"
down_revision = "0016"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NOW = sa.text("ended_at IS NULL")
#: What somebody agreed to stays as it was.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END",
        "CREATE TRIGGER consent_no_delete BEFORE DELETE ON consent BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON consent FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER consent_no_truncate BEFORE TRUNCATE ON consent FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    with guarded_batch("cart", recreate="always") as batch:
        batch.add_column(sa.Column("answers", sa.JSON(), nullable=True), **behind("paying"))
    with guarded_batch("order", recreate="always") as batch:
        batch.add_column(
            sa.Column("purchase_order", sa.String(length=60), nullable=True), **behind("vat_id")
        )
        batch.add_column(
            sa.Column("cost_centre", sa.String(length=60), nullable=True),
            **behind("purchase_order"),
        )
    op.create_table(
        "consent_ask",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("href", sa.String(length=300), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "mode IN ('stated', 'required', 'optional')", name="ck_consent_ask_mode"
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_consent_ask_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_consent_ask"),
        sa.UniqueConstraint(
            "channel_id", "code", "version", name="uq_consent_ask_channel_id_code_version"
        ),
    )
    op.create_index(
        "ix_consent_ask_now",
        "consent_ask",
        ["channel_id", "code"],
        unique=True,
        sqlite_where=_NOW,
        postgresql_where=_NOW,
    )
    op.create_table(
        "consent",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("href", sa.String(length=300), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_consent_order_id"),
        sa.PrimaryKeyConstraint("order_id", "code", name="pk_consent"),
    )
    op.create_index("ix_consent_email", "consent", ["email", "code"])
    run(GUARDS)
