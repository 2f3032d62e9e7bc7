"""Disputes of bills' lines."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0005"
down_revision = "0008"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        """CREATE TRIGGER dispute_stays BEFORE UPDATE ON dispute WHEN OLD.number IS NOT NEW.number OR OLD.legal_entity_id IS NOT NEW.legal_entity_id OR OLD.account_id IS NOT NEW.account_id OR OLD.invoice_id IS NOT NEW.invoice_id OR OLD.line_id IS NOT NEW.line_id OR OLD.currency IS NOT NEW.currency OR OLD.amount_minor IS NOT NEW.amount_minor OR OLD.reason IS NOT NEW.reason OR OLD.opened_by IS NOT NEW.opened_by OR OLD.opened_at IS NOT NEW.opened_at OR (OLD.closed_at IS NOT NULL AND (OLD.state IS NOT NEW.state OR OLD.outcome IS NOT NEW.outcome OR OLD.credited_minor IS NOT NEW.credited_minor OR OLD.memo_id IS NOT NEW.memo_id OR OLD.answer IS NOT NEW.answer OR OLD.decided_by IS NOT NEW.decided_by OR OLD.closed_at IS NOT NEW.closed_at))
BEGIN SELECT RAISE(ABORT, 'what was disputed and answered does not change'); END""",
        """CREATE TRIGGER dispute_kept BEFORE DELETE ON dispute
BEGIN SELECT RAISE(ABORT, 'what was disputed and answered does not change'); END""",
        "CREATE TRIGGER dispute_message_no_update BEFORE UPDATE ON dispute_message BEGIN SELECT RAISE(ABORT, 'dispute_message is append-only'); END",
        "CREATE TRIGGER dispute_message_no_delete BEFORE DELETE ON dispute_message BEGIN SELECT RAISE(ABORT, 'dispute_message is append-only'); END",
        "CREATE TRIGGER dispute_file_no_update BEFORE UPDATE ON dispute_file BEGIN SELECT RAISE(ABORT, 'dispute_file is append-only'); END",
        "CREATE TRIGGER dispute_file_no_delete BEFORE DELETE ON dispute_file BEGIN SELECT RAISE(ABORT, 'dispute_file is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER dispute_stays BEFORE UPDATE ON dispute FOR EACH ROW WHEN (OLD.number IS DISTINCT FROM NEW.number OR OLD.legal_entity_id IS DISTINCT FROM NEW.legal_entity_id OR OLD.account_id IS DISTINCT FROM NEW.account_id OR OLD.invoice_id IS DISTINCT FROM NEW.invoice_id OR OLD.line_id IS DISTINCT FROM NEW.line_id OR OLD.currency IS DISTINCT FROM NEW.currency OR OLD.amount_minor IS DISTINCT FROM NEW.amount_minor OR OLD.reason IS DISTINCT FROM NEW.reason OR OLD.opened_by IS DISTINCT FROM NEW.opened_by OR OLD.opened_at IS DISTINCT FROM NEW.opened_at OR (OLD.closed_at IS NOT NULL AND (OLD.state IS DISTINCT FROM NEW.state OR OLD.outcome IS DISTINCT FROM NEW.outcome OR OLD.credited_minor IS DISTINCT FROM NEW.credited_minor OR OLD.memo_id IS DISTINCT FROM NEW.memo_id OR OLD.answer IS DISTINCT FROM NEW.answer OR OLD.decided_by IS DISTINCT FROM NEW.decided_by OR OLD.closed_at IS DISTINCT FROM NEW.closed_at))) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_kept BEFORE DELETE ON dispute FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_no_truncate BEFORE TRUNCATE ON dispute FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_message_append_only BEFORE UPDATE OR DELETE ON dispute_message FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_message_no_truncate BEFORE TRUNCATE ON dispute_message FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_file_append_only BEFORE UPDATE OR DELETE ON dispute_file FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_file_no_truncate BEFORE TRUNCATE ON dispute_file FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("wish", sa.String(length=6), nullable=False),
        sa.Column("opened_by", sa.String(length=80), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("outcome", sa.String(length=4), nullable=True),
        sa.Column("credited_minor", INT, nullable=False),
        sa.Column("memo_id", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("last_side", sa.String(length=10), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(memo_id IS NOT NULL) = (credited_minor > 0) AND (outcome IS NULL OR (outcome = 'none') = (credited_minor = 0))",
            name="ck_dispute_credited",
        ),
        sa.CheckConstraint(
            "(state = 'resolved') = (outcome IS NOT NULL) AND (state = 'resolved') = (decided_by IS NOT NULL)",
            name="ck_dispute_decided",
        ),
        sa.CheckConstraint(
            "(state IN ('resolved', 'withdrawn')) = (closed_at IS NOT NULL)",
            name="ck_dispute_closed",
        ),
        sa.CheckConstraint(
            "NOT needs_second OR state <> 'resolved' OR proposed_by IS NOT NULL",
            name="ck_dispute_proposed",
        ),
        sa.CheckConstraint("last_side IN ('customer', 'staff')", name="ck_dispute_last_side"),
        sa.CheckConstraint("outcome IN ('full', 'part', 'none')", name="ck_dispute_outcome"),
        sa.CheckConstraint(
            "reason IN ('overcharge', 'duplicate', 'late_fee', 'not_received', 'courtesy')",
            name="ck_dispute_reason",
        ),
        sa.CheckConstraint(
            "state IN ('open', 'waiting', 'resolved', 'withdrawn')", name="ck_dispute_state"
        ),
        sa.CheckConstraint("wish IN ('keep', 'refund')", name="ck_dispute_wish"),
        sa.CheckConstraint(
            "NOT needs_second OR decided_by <> proposed_by", name="ck_dispute_second_person"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_dispute_positive"),
        sa.CheckConstraint("credited_minor BETWEEN 0 AND amount_minor", name="ck_dispute_within"),
        sa.CheckConstraint("decided_by <> opened_by", name="ck_dispute_never_ones_own"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_dispute_account_id"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_dispute_invoice_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_dispute_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(["line_id"], ["invoice_line.id"], name="fk_dispute_line_id"),
        sa.ForeignKeyConstraint(["memo_id"], ["invoice.id"], name="fk_dispute_memo_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute"),
        sa.UniqueConstraint("legal_entity_id", "number", name="uq_dispute_legal_entity_id_number"),
        sa.UniqueConstraint("memo_id", name="uq_dispute_memo_id"),
        sa.UniqueConstraint("public_id", name="uq_dispute_public_id"),
    )
    with guarded_batch("dispute", schema=None) as batch_op:
        batch_op.create_index("ix_dispute_account_id", ["account_id", "opened_at"], unique=False)
        batch_op.create_index("ix_dispute_amount_minor", ["amount_minor", "id"], unique=False)
        batch_op.create_index("ix_dispute_answer_by", ["answer_by", "id"], unique=False)
        batch_op.create_index("ix_dispute_invoice_id", ["invoice_id"], unique=False)
        batch_op.create_index("ix_dispute_opened_at", ["opened_at", "id"], unique=False)
        batch_op.create_index("ix_dispute_state", ["state", "answer_by", "id"], unique=False)
        batch_op.create_index(
            "uq_dispute_standing",
            ["line_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'waiting')"),
            postgresql_where=sa.text("state IN ('open', 'waiting')"),
        )

    op.create_table(
        "dispute_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('customer', 'staff')", name="ck_dispute_message_side"),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name="fk_dispute_message_dispute_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_dispute_message_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_message"),
    )
    with guarded_batch("dispute_message", schema=None) as batch_op:
        batch_op.create_index("ix_dispute_message_dispute_id", ["dispute_id", "at"], unique=False)

    op.create_table(
        "dispute_proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('approved', 'declined')) = (decided_by IS NOT NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="ck_dispute_proposal_decided",
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'approved', 'declined', 'void')", name="ck_dispute_proposal_state"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_dispute_proposal_positive"),
        sa.CheckConstraint("decided_by <> asked_by", name="ck_dispute_proposal_second_person"),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name="fk_dispute_proposal_dispute_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_proposal"),
        sa.UniqueConstraint("public_id", name="uq_dispute_proposal_public_id"),
    )
    with guarded_batch("dispute_proposal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dispute_proposal_dispute_id", ["dispute_id", "asked_at"], unique=False
        )
        batch_op.create_index(
            "uq_dispute_proposal_asked",
            ["dispute_id"],
            unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        )

    op.create_table(
        "dispute_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("width", INT, nullable=False),
        sa.Column("height", INT, nullable=False),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name="fk_dispute_file_dispute_id"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["dispute_message.id"], name="fk_dispute_file_message_id"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_dispute_file_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_file"),
        sa.UniqueConstraint("message_id", "position", name="uq_dispute_file_message_id_position"),
        sa.UniqueConstraint("public_id", name="uq_dispute_file_public_id"),
    )
    with guarded_batch("dispute_file", schema=None) as batch_op:
        batch_op.create_index("ix_dispute_file_dispute_id", ["dispute_id"], unique=False)
    run(GUARDS)
