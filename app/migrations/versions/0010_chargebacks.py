"""Chargebacks of the card network."""

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0010"
down_revision = "0004"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (),
    "postgresql": (),
}


def upgrade() -> None:
    op.create_table(
        "chargeback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("gateway_id", sa.String(length=120), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("fee_minor", INT, nullable=False),
        sa.Column("fee_back_minor", INT, nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("evidence_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('won', 'lost', 'ended')) = (closed_at IS NOT NULL)",
            name="ck_chargeback_closed",
        ),
        sa.CheckConstraint(
            "state IN ('warned', 'open', 'won', 'lost', 'ended')", name="ck_chargeback_state"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_chargeback_positive"),
        sa.CheckConstraint("fee_minor >= 0 AND fee_back_minor >= 0", name="ck_chargeback_fee"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name="fk_chargeback_payment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_chargeback"),
        sa.UniqueConstraint("gateway_id", name="uq_chargeback_gateway_id"),
        sa.UniqueConstraint("public_id", name="uq_chargeback_public_id"),
    )
    with guarded_batch("chargeback", schema=None) as batch_op:
        batch_op.create_index("ix_chargeback_opened_at", ["opened_at", "id"], unique=False)
        batch_op.create_index("ix_chargeback_payment_id", ["payment_id"], unique=False)
        batch_op.create_index("ix_chargeback_state", ["state", "opened_at", "id"], unique=False)
    run(GUARDS)
