"""Carts: one for each who is logged in, with a version; things saved for later."""

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch

revision = "0013"
down_revision = "0011"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ONE_EACH = sa.text("user_id IS NOT NULL AND state <> 'ordered'")
#: Of several open carts of somebody the one that was changed last stays theirs.
_OLDER = """
UPDATE cart SET user_id = NULL WHERE user_id IS NOT NULL AND state <> 'ordered' AND EXISTS (
    SELECT 1 FROM cart AS newer WHERE newer.user_id = cart.user_id AND newer.channel_id = cart.channel_id
    AND newer.state <> 'ordered' AND (newer.changed_at > cart.changed_at
    OR (newer.changed_at = cart.changed_at AND newer.id > cart.id)))
"""


def upgrade() -> None:
    op.execute(_OLDER)
    with guarded_batch("cart") as batch:
        batch.add_column(sa.Column("version", INT, server_default="1", nullable=False))
        batch.create_index(
            "ix_cart_user_id",
            ["user_id", "channel_id"],
            unique=True,
            sqlite_where=_ONE_EACH,
            postgresql_where=_ONE_EACH,
        )
    with guarded_batch("cart") as batch:
        batch.alter_column("version", existing_type=INT, server_default=None)
    op.create_table(
        "saved_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("cart_id", sa.Uuid(), nullable=True),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_saved_line_quantity"),
        sa.CheckConstraint("(user_id IS NULL) <> (cart_id IS NULL)", name="ck_saved_line_keeper"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_saved_line_user_id"),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name="fk_saved_line_cart_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_saved_line_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_line"),
        sa.UniqueConstraint("public_id", name="uq_saved_line_public_id"),
        sa.UniqueConstraint("user_id", "variant_id", name="uq_saved_line_user_id_variant_id"),
        sa.UniqueConstraint("cart_id", "variant_id", name="uq_saved_line_cart_id_variant_id"),
    )
