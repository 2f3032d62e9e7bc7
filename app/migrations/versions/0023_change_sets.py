"""Changes of what was ordered, the lines and bills that they add, and exchanges."""

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch

revision = "0023"
down_revision = "0021"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PLACED = sa.text("kind = 'invoice' AND order_change_id IS NULL")
_ADDED = sa.text("order_change_id IS NOT NULL")


def upgrade() -> None:
    with guarded_batch("hold") as batch:
        batch.drop_constraint("ck_hold_owner_kind", type_="check")
        batch.create_check_constraint(
            "ck_hold_owner_kind", "owner_kind IN ('cart', 'quote', 'order', 'offer', 'exchange')"
        )
    with guarded_batch("order_change") as batch:
        batch.add_column(sa.Column("details", sa.JSON(), nullable=True))
        batch.drop_constraint("ck_order_change_kind", type_="check")
        batch.create_check_constraint(
            "ck_order_change_kind", "kind IN ('cancellation', 'return', 'change')"
        )
        batch.create_check_constraint(
            "ck_order_change_details", "details IS NULL OR kind = 'change'"
        )
    with guarded_batch("order_line") as batch:
        batch.add_column(sa.Column("change_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key("fk_order_line_change_id", "order_change", ["change_id"], ["id"])
    with guarded_batch("invoice") as batch:
        batch.add_column(sa.Column("order_change_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            "fk_invoice_order_change_id", "order_change", ["order_change_id"], ["id"]
        )
        batch.drop_index("uq_invoice_order_id")
        batch.create_index(
            "uq_invoice_order_id",
            ["order_id"],
            unique=True,
            sqlite_where=_PLACED,
            postgresql_where=_PLACED,
        )
        batch.create_index(
            "uq_invoice_order_change_id",
            ["order_change_id"],
            unique=True,
            sqlite_where=_ADDED,
            postgresql_where=_ADDED,
        )
    op.create_table(
        "order_exchange",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("sends", sa.String(length=6), nullable=False),
        sa.CheckConstraint(
            "state IN ('wanted', 'held', 'added', 'let_go')", name="ck_order_exchange_state"
        ),
        sa.CheckConstraint("sends IN ('after', 'before')", name="ck_order_exchange_sends"),
        sa.ForeignKeyConstraint(
            ["change_id"], ["order_change.id"], name="fk_order_exchange_change_id"
        ),
        sa.PrimaryKeyConstraint("change_id", name="pk_order_exchange"),
    )
    op.create_table(
        "order_exchange_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit_price_micros", INT, nullable=True),
        sa.CheckConstraint(
            "unit_price_micros IS NULL OR unit_price_micros >= 0",
            name="ck_order_exchange_line_price",
        ),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["order_exchange.change_id"],
            name="fk_order_exchange_line_change_id",
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_order_exchange_line_order_line_id"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_order_exchange_line_variant_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_order_exchange_line"),
        sa.UniqueConstraint(
            "change_id", "order_line_id", name="uq_order_exchange_line_change_id_order_line_id"
        ),
    )
