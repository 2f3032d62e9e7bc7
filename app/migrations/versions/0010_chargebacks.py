"""Chargebacks of the card network, and what it is answered."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0010"
down_revision = "0004"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER chargeback_evidence_stays_update BEFORE UPDATE ON chargeback_evidence WHEN OLD.sent_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'chargeback_evidence stays as it is'); END",
        "CREATE TRIGGER chargeback_evidence_stays_delete BEFORE DELETE ON chargeback_evidence WHEN OLD.sent_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'chargeback_evidence stays as it is'); END",
        "CREATE TRIGGER chargeback_file_stays_update BEFORE UPDATE ON chargeback_file WHEN OLD.sent_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'chargeback_file stays as it is'); END",
        "CREATE TRIGGER chargeback_file_stays_delete BEFORE DELETE ON chargeback_file WHEN OLD.sent_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'chargeback_file stays as it is'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER chargeback_evidence_stays BEFORE UPDATE OR DELETE ON chargeback_evidence FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER chargeback_file_stays BEFORE UPDATE OR DELETE ON chargeback_file FOR EACH ROW WHEN (OLD.sent_at IS NOT NULL) EXECUTE FUNCTION refuse_change()",
    ),
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
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
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
    op.create_table(
        "chargeback_evidence",
        sa.Column("chargeback_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("tries", INT, nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'sending', 'sent')", name="ck_chargeback_evidence_state"
        ),
        sa.CheckConstraint(
            "(state = 'sent') = (sent_at IS NOT NULL)", name="ck_chargeback_evidence_sent"
        ),
        sa.CheckConstraint(
            "state = 'draft' OR asked_by IS NOT NULL", name="ck_chargeback_evidence_asked"
        ),
        sa.ForeignKeyConstraint(
            ["chargeback_id"], ["chargeback.id"], name="fk_chargeback_evidence_chargeback_id"
        ),
        sa.PrimaryKeyConstraint("chargeback_id", name="pk_chargeback_evidence"),
    )
    op.create_table(
        "chargeback_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("chargeback_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", INT, nullable=False),
        sa.Column("width", INT, nullable=False),
        sa.Column("height", INT, nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gateway_id", sa.String(length=120), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('receipt', 'correspondence', 'delivery', 'service', 'other')",
            name="ck_chargeback_file_kind",
        ),
        sa.ForeignKeyConstraint(
            ["chargeback_id"], ["chargeback.id"], name="fk_chargeback_file_chargeback_id"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_chargeback_file_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_chargeback_file"),
        sa.UniqueConstraint("chargeback_id", "kind", name="uq_chargeback_file_chargeback_id_kind"),
        sa.UniqueConstraint("public_id", name="uq_chargeback_file_public_id"),
    )
    run(GUARDS)
