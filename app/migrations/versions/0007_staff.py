"""Roles and the second step of staff; what the desk's lists are sorted by.

Whoever was staff before there were roles could do everything, and is an admin now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0002"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_recovery_code_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
        sa.UniqueConstraint("code_hash", name="uq_recovery_code_code_hash"),
    )
    op.create_index("ix_recovery_code_user_id", "recovery_code", ["user_id"])
    op.create_table(
        "second_factor",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", INT, nullable=False),
        sa.Column("wrong_in_a_row", INT, nullable=False),
        sa.CheckConstraint("last_step >= 0", name="ck_second_factor_last_step"),
        sa.CheckConstraint("wrong_in_a_row >= 0", name="ck_second_factor_wrong_in_a_row"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_second_factor_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factor"),
    )
    op.create_index("ix_audit_entry_act", "audit_entry", ["act", "id"])
    op.create_index("ix_audit_entry_actor", "audit_entry", ["actor", "id"])
    op.create_index("ix_audit_entry_at", "audit_entry", ["at", "id"])
    op.create_index("ix_order_created_at", "order", ["created_at", "id"])
    op.create_index("ix_order_due_now_minor", "order", ["due_now_minor", "id"])
    op.create_index("ix_invoice_issue_date", "invoice", ["issue_date", "id"])
    op.create_index("ix_invoice_total_minor", "invoice", ["total_minor", "id"])
    op.create_index("ix_payment_amount_minor", "payment", ["amount_minor", "id"])
    op.create_index("ix_gift_card_worth_minor", "gift_card", ["worth_minor", "id"])
    op.execute("""UPDATE "user" SET roles = '["admin"]' WHERE is_staff""")
