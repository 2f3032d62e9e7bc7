"""What is earned: obligations by contract, and schedules of what was posted of each.

Nobody wrote either table before, so both are made anew. What was given before is earned by the job that looks
for what nobody looked at.
"""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import run

revision = "0025"
down_revision = "0024"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = sa.text("due_on IS NOT NULL")
GUARDS = {
    "sqlite": [
        "CREATE TRIGGER revenue_schedule_no_update BEFORE UPDATE ON revenue_schedule BEGIN SELECT RAISE(ABORT, 'revenue_schedule is append-only'); END",
        "CREATE TRIGGER revenue_schedule_no_delete BEFORE DELETE ON revenue_schedule BEGIN SELECT RAISE(ABORT, 'revenue_schedule is append-only'); END",
    ],
    "postgresql": [
        "CREATE TRIGGER revenue_schedule_append_only BEFORE UPDATE OR DELETE ON revenue_schedule FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER revenue_schedule_no_truncate BEFORE TRUNCATE ON revenue_schedule FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
}


def upgrade() -> None:
    op.drop_table("revenue_schedule")
    op.drop_table("obligation")
    op.create_table(
        "obligation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_line_id", sa.Uuid(), nullable=True),
        sa.Column("trigger", sa.String(length=12), nullable=False),
        sa.Column("allocated_minor", INT, nullable=False),
        sa.Column("earned_minor", INT, nullable=False),
        sa.Column("unbilled_minor", INT, nullable=False),
        sa.Column("steps", INT, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "trigger IN ('shipped', 'provisioned', 'accepted', 'ratable', 'usage')",
            name="ck_obligation_trigger",
        ),
        sa.CheckConstraint(
            "order_line_id IS NOT NULL OR invoice_line_id IS NOT NULL",
            name="ck_obligation_promised",
        ),
        sa.CheckConstraint(
            "earned_minor = 0 OR (earned_minor > 0) = (allocated_minor > 0)",
            name="ck_obligation_sign",
        ),
        sa.CheckConstraint(
            "abs(earned_minor) <= abs(allocated_minor)", name="ck_obligation_within"
        ),
        sa.CheckConstraint(
            "unbilled_minor = 0 OR (invoice_line_id IS NULL AND unbilled_minor = earned_minor)",
            name="ck_obligation_unbilled",
        ),
        sa.CheckConstraint("due_on IS NULL OR trigger = 'ratable'", name="ck_obligation_due"),
        sa.ForeignKeyConstraint(
            ["invoice_line_id"], ["invoice_line.id"], name="fk_obligation_invoice_line_id"
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_obligation_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_obligation_order_line_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_obligation"),
        sa.UniqueConstraint("order_line_id", name="uq_obligation_order_line_id"),
        sa.UniqueConstraint("invoice_line_id", name="uq_obligation_invoice_line_id"),
    )
    op.create_index("ix_obligation_contract_id", "obligation", ["contract_id"], unique=False)
    op.create_index(
        "ix_obligation_due_on",
        "obligation",
        ["due_on"],
        unique=False,
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    )
    op.create_table(
        "revenue_schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("obligation_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("earned_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("unbilled_minor", INT, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "amount_minor <> 0 OR unbilled_minor <> 0", name="ck_revenue_schedule_not_zero"
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["journal_entry.id"], name="fk_revenue_schedule_entry_id"
        ),
        sa.ForeignKeyConstraint(
            ["obligation_id"], ["obligation.id"], name="fk_revenue_schedule_obligation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_revenue_schedule"),
        sa.UniqueConstraint(
            "obligation_id", "number", name="uq_revenue_schedule_obligation_id_number"
        ),
    )
    op.create_index("ix_revenue_schedule_entry_id", "revenue_schedule", ["entry_id"], unique=False)
    run(GUARDS)
