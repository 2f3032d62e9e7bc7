"""Where places stand; transfers; who waits for what; how carts hold things.

Places that are there have no address yet, and are taken from by their codes, as if all stood together.
"""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch

revision = "0012"
down_revision = "0015"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = sa.text("state IN ('asked', 'waiting', 'offered')")


def upgrade() -> None:
    _change_what_is_there()
    _create_transfers_and_waits()
    op.create_table(
        "hold_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=120), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("segment", sa.String(length=12), nullable=False),
        sa.Column("minutes", INT, nullable=False),
        sa.Column("extends", sa.Boolean(), nullable=False),
        sa.Column("most_for_one", INT, nullable=True),
        sa.Column("holds_beyond", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "segment IN ('', 'guest', 'person', 'organisation')", name="ck_hold_policy_segment"
        ),
        sa.CheckConstraint("minutes BETWEEN 1 AND 10080", name="ck_hold_policy_minutes"),
        sa.CheckConstraint(
            "most_for_one IS NULL OR most_for_one > 0", name="ck_hold_policy_most_for_one"
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_hold_policy_channel_id"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_hold_policy_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hold_policy"),
        sa.UniqueConstraint("scope", name="uq_hold_policy_scope"),
    )
    with guarded_batch("hold_policy") as batch:
        batch.create_index("ix_hold_policy_product_id", ["product_id"], unique=False)


def _change_what_is_there() -> None:
    with guarded_batch("location") as batch:
        batch.add_column(
            sa.Column("country", sa.String(length=2), server_default="", nullable=False)
        )
        batch.add_column(
            sa.Column("region", sa.String(length=40), server_default="", nullable=False)
        )
        batch.add_column(
            sa.Column("postal_prefix", sa.String(length=20), server_default="", nullable=False)
        )
        batch.add_column(sa.Column("priority", INT, server_default="0", nullable=False))
    with guarded_batch("location") as batch:
        for name, kind in (
            ("country", sa.String(length=2)),
            ("region", sa.String(length=40)),
            ("postal_prefix", sa.String(length=20)),
            ("priority", INT),
        ):
            batch.alter_column(name, existing_type=kind, server_default=None)
    with guarded_batch("stock_level", recreate="always") as batch:
        batch.add_column(sa.Column("safety_stock", INT, server_default="0", nullable=False))
        batch.add_column(sa.Column("preorder_limit", INT, server_default="0", nullable=False))
        batch.add_column(sa.Column("expected_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("low_told_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_check_constraint(
            "ck_stock_level_limits", "safety_stock >= 0 AND preorder_limit >= 0"
        )
        batch.drop_constraint("ck_stock_level_not_oversold", type_="check")
        batch.create_check_constraint(
            "ck_stock_level_not_oversold",
            "on_hand - allocated - held + backorder_limit + preorder_limit >= 0",
        )
    with guarded_batch("stock_level") as batch:
        for name in ("safety_stock", "preorder_limit"):
            batch.alter_column(name, existing_type=INT, server_default=None)
    with guarded_batch("hold") as batch:
        batch.drop_constraint("ck_hold_owner_kind", type_="check")
        batch.create_check_constraint(
            "ck_hold_owner_kind", "owner_kind IN ('cart', 'quote', 'order', 'offer')"
        )
    with guarded_batch("stock_movement") as batch:
        batch.drop_constraint("ck_stock_movement_kind", type_="check")
        batch.create_check_constraint(
            "ck_stock_movement_kind",
            "kind IN ('received', 'adjusted', 'allocated', 'deallocated', 'shipped', 'returned', 'sent_on', 'arrived')",
        )
    with guarded_batch("cart_line") as batch:
        batch.add_column(
            sa.Column("unheld", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    with guarded_batch("cart_line") as batch:
        batch.alter_column("unheld", existing_type=sa.Boolean(), server_default=None)


def _create_transfers_and_waits() -> None:
    op.create_table(
        "stock_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("from_level_id", sa.Uuid(), nullable=False),
        sa.Column("to_level_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("arrived", INT, nullable=False),
        sa.Column("lost", INT, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("sent_by", sa.String(length=80), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity > 0", name="ck_stock_transfer_quantity"),
        sa.CheckConstraint(
            "arrived >= 0 AND lost >= 0 AND arrived + lost <= quantity",
            name="ck_stock_transfer_pieces",
        ),
        sa.CheckConstraint("from_level_id <> to_level_id", name="ck_stock_transfer_elsewhere"),
        sa.CheckConstraint("state IN ('on_the_way', 'done')", name="ck_stock_transfer_state"),
        sa.ForeignKeyConstraint(
            ["from_level_id"], ["stock_level.id"], name="fk_stock_transfer_from_level_id"
        ),
        sa.ForeignKeyConstraint(
            ["to_level_id"], ["stock_level.id"], name="fk_stock_transfer_to_level_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_stock_transfer"),
    )
    with guarded_batch("stock_transfer") as batch:
        batch.create_index("ix_stock_transfer_sent_at", ["sent_at"], unique=False)
        batch.create_index("ix_stock_transfer_to_level_id", ["to_level_id"], unique=False)
    op.create_table(
        "stock_wait",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'waiting', 'offered', 'taken', 'let_go', 'left')",
            name="ck_stock_wait_state",
        ),
        sa.CheckConstraint(
            "state <> 'offered' OR offered_until IS NOT NULL", name="ck_stock_wait_offered"
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_stock_wait_channel_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_stock_wait_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stock_wait"),
        sa.UniqueConstraint("public_id", name="uq_stock_wait_public_id"),
    )
    with guarded_batch("stock_wait") as batch:
        batch.create_index(
            "ix_stock_wait_open",
            ["channel_id", "variant_id", "email"],
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        )
        batch.create_index(
            "ix_stock_wait_turn", ["variant_id", "state", "confirmed_at"], unique=False
        )
        batch.create_index("ix_stock_wait_asked_at", ["asked_at"], unique=False)
