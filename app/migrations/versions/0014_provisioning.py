"""Services that a system outside begins."""

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch

revision = "0014"
down_revision = "0018"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with guarded_batch("plan") as batch:
        batch.drop_constraint("ck_plan_activation", type_="check")
        batch.create_check_constraint(
            "ck_plan_activation", "activation IN ('at_once', 'by_hand', 'by_system')"
        )
    op.create_table(
        "provisioning",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", INT, nullable=False),
        sa.Column("round", INT, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("began_on", sa.Date(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint(
            "(state = 'done') = (began_on IS NOT NULL)", name="ck_provisioning_began"
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (next_at IS NOT NULL)", name="ck_provisioning_next"
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'dropped')) = (closed_at IS NOT NULL)",
            name="ck_provisioning_closed",
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'failed', 'done', 'dropped')", name="ck_provisioning_state"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_provisioning_account_id"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_provisioning_order_id"),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_provisioning_order_line_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provisioning"),
        sa.UniqueConstraint("order_line_id", name="uq_provisioning_order_line_id"),
        sa.UniqueConstraint("public_id", name="uq_provisioning_public_id"),
        sa.UniqueConstraint("subscription_id", name="uq_provisioning_subscription_id"),
    )
    with guarded_batch("provisioning") as batch:
        batch.create_index("ix_provisioning_asked_at", ["asked_at", "id"], unique=False)
        batch.create_index("ix_provisioning_due", ["state", "next_at"], unique=False)
