"""What is past due."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0004"
down_revision = "0006"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER dunning_act_no_update BEFORE UPDATE ON dunning_act BEGIN SELECT RAISE(ABORT, 'dunning_act is append-only'); END",
        "CREATE TRIGGER dunning_act_no_delete BEFORE DELETE ON dunning_act BEGIN SELECT RAISE(ABORT, 'dunning_act is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER dunning_act_append_only BEFORE UPDATE OR DELETE ON dunning_act FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dunning_act_no_truncate BEFORE TRUNCATE ON dunning_act FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "reconcile_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", INT, nullable=False),
        sa.Column("found", INT, nullable=False),
        sa.Column("mended", INT, nullable=False),
        sa.Column("indeterminate", INT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconcile_run"),
        sa.UniqueConstraint("public_id", name="uq_reconcile_run_public_id"),
    )
    with guarded_batch("reconcile_run", schema=None) as batch_op:
        batch_op.create_index("ix_reconcile_run_ended_at", ["ended_at", "id"], unique=False)

    op.create_table(
        "dunning_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("lock_on", sa.Date(), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promise_until", sa.Date(), nullable=True),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("promises", INT, nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("next_step", sa.String(length=20), nullable=False),
        sa.CheckConstraint("(next_step = '') = (next_on IS NULL)", name="ck_dunning_case_next"),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)", name="ck_dunning_case_closed"
        ),
        sa.CheckConstraint(
            "state = 'open' OR locked_at IS NULL", name="ck_dunning_case_closed_is_unlocked"
        ),
        sa.CheckConstraint("state IN ('open', 'closed')", name="ck_dunning_case_state"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_dunning_case_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dunning_case"),
        sa.UniqueConstraint("public_id", name="uq_dunning_case_public_id"),
    )
    with guarded_batch("dunning_case", schema=None) as batch_op:
        batch_op.create_index("ix_dunning_case_account_id", ["account_id"], unique=False)
        batch_op.create_index("ix_dunning_case_listed", ["state", "due_on", "id"], unique=False)
        batch_op.create_index(
            "uq_dunning_case_open",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "dunning_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("amount_minor", INT, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('opened', 'reminded', 'passed_over', 'fee', 'fee_waived', 'locked', 'unlocked', 'promised', 'promise_broken', 'promise_kept', 'promise_ended', 'held', 'released', 'closed')",
            name="ck_dunning_act_kind",
        ),
        sa.CheckConstraint(
            "(amount_minor IS NULL) = (currency IS NULL)", name="ck_dunning_act_amount"
        ),
        sa.ForeignKeyConstraint(["case_id"], ["dunning_case.id"], name="fk_dunning_act_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_dunning_act"),
        sa.UniqueConstraint("key", name="uq_dunning_act_key"),
    )
    with guarded_batch("dunning_act", schema=None) as batch_op:
        batch_op.create_index("ix_dunning_act_case_id", ["case_id", "at"], unique=False)

    op.create_table(
        "reconcile_finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('mended', 'open', 'problem')", name="ck_reconcile_finding_outcome"
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["payment_operation.id"], name="fk_reconcile_finding_operation_id"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["reconcile_run.id"], name="fk_reconcile_finding_run_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reconcile_finding"),
    )
    with guarded_batch("reconcile_finding", schema=None) as batch_op:
        batch_op.create_index("ix_reconcile_finding_run_id", ["run_id", "position"], unique=False)

    with guarded_batch("open_now", schema=None) as batch_op:
        batch_op.drop_index("ix_open_now_account_id")
        batch_op.create_index(
            "ix_open_now_due",
            ["account_id", "ledger_code", "due", "item_id", "currency", "open_minor"],
            unique=False,
        )
    with guarded_batch("invoice", schema=None) as batch_op:
        batch_op.drop_index("ix_invoice_account_id")
        batch_op.create_index(
            "ix_invoice_account_id", ["payer_account_id", "issue_date", "id"], unique=False
        )
    with guarded_batch("payment", schema=None) as batch_op:
        batch_op.drop_index("ix_payment_account_id")
        batch_op.create_index(
            "ix_payment_account_id", ["account_id", "captured_at", "id"], unique=False
        )
    with guarded_batch("open_item", schema=None) as batch_op:
        batch_op.create_index(
            "ix_open_item_history",
            ["account_id", "id"],
            unique=False,
            sqlite_where=sa.text("is_history = 1"),
            postgresql_where=sa.text("is_history"),
        )
    run(GUARDS)
