"""Orders that are held until somebody has checked them, and a channel's rules for it."""

import sqlalchemy as sa

from app.migrations.ops import guarded_batch

revision = "0021"
down_revision = "0019"


def upgrade() -> None:
    with guarded_batch("channel") as batch:
        batch.add_column(sa.Column("screening", sa.JSON(), nullable=True))
    with guarded_batch("order") as batch:
        batch.add_column(sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("held_reasons", sa.String(length=120), nullable=True))
        batch.add_column(sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("decided_by", sa.String(length=80), nullable=True))
        batch.create_check_constraint("ck_order_held", "(held_at IS NULL) = (held_reasons IS NULL)")
        batch.create_check_constraint(
            "ck_order_decided",
            "(decided_at IS NULL) = (decided_by IS NULL) "
            "AND (decided_at IS NULL OR held_at IS NOT NULL)",
        )
        batch.create_index(
            "ix_order_held_at",
            ["held_at", "id"],
            unique=False,
            sqlite_where=sa.text("held_at IS NOT NULL"),
            postgresql_where=sa.text("held_at IS NOT NULL"),
        )
