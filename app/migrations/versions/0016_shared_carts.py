"""Carts that are shared by a link."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "shared_cart",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_shared_cart_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shared_cart"),
        sa.UniqueConstraint("public_id", name="uq_shared_cart_public_id"),
    )
    op.create_index("ix_shared_cart_expires_at", "shared_cart", ["expires_at"])
