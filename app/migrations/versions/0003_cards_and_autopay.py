"""AutoPay, payments on a date, and tries after a decline.

An authorisation may be given for a card that is on file already, so without a set-up of its own. A charge is
either of one bill or of a payment that was scheduled.
"""

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import behind, guarded_batch

revision = "0003"
down_revision = "0005"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "autopay_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=False),
        sa.Column("authorisation_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=80), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "(state = 'stopped') = (stopped_at IS NOT NULL)", name="ck_autopay_rule_stopped"
        ),
        sa.CheckConstraint("state IN ('active', 'stopped')", name="ck_autopay_rule_state"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_autopay_rule_account_id"),
        sa.ForeignKeyConstraint(
            ["authorisation_id"], ["authorisation.id"], name="fk_autopay_rule_authorisation_id"
        ),
        sa.ForeignKeyConstraint(
            ["payment_method_id"], ["payment_method.id"], name="fk_autopay_rule_payment_method_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_autopay_rule"),
        sa.UniqueConstraint("public_id", name="uq_autopay_rule_public_id"),
    )
    with guarded_batch("autopay_rule") as batch:
        batch.create_index("ix_autopay_rule_payment_method_id", ["payment_method_id"], unique=False)
        batch.create_index(
            "uq_autopay_rule_active",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "scheduled_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("payment_method_id", sa.Uuid(), nullable=False),
        sa.Column("authorisation_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("wants", sa.String(length=10), nullable=False),
        sa.Column("amount_minor", INT, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("invoice_ids", sa.JSON(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("tries", INT, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noticed_minor", INT, nullable=True),
        sa.Column("failure", sa.String(length=60), nullable=True),
        sa.Column("revision", INT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(origin = 'autopay') = (rule_id IS NOT NULL)", name="ck_scheduled_payment_of_a_rule"
        ),
        sa.CheckConstraint(
            "(origin = 'bill') = (invoice_id IS NOT NULL)", name="ck_scheduled_payment_of_a_bill"
        ),
        sa.CheckConstraint(
            "(state IN ('paid', 'nothing_due', 'cancelled')) = (closed_at IS NOT NULL)",
            name="ck_scheduled_payment_closed",
        ),
        sa.CheckConstraint(
            "(state IN ('planned', 'retrying')) = (next_at IS NOT NULL)",
            name="ck_scheduled_payment_next",
        ),
        sa.CheckConstraint(
            "(wants = 'amount') = (amount_minor IS NOT NULL)", name="ck_scheduled_payment_amount"
        ),
        sa.CheckConstraint(
            "origin = 'bill' OR authorisation_id IS NOT NULL", name="ck_scheduled_payment_agreed"
        ),
        sa.CheckConstraint(
            "origin IN ('customer', 'autopay', 'bill')", name="ck_scheduled_payment_origin"
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'retrying', 'waiting', 'failed', 'paid', 'nothing_due', 'cancelled')",
            name="ck_scheduled_payment_state",
        ),
        sa.CheckConstraint(
            "wants IN ('balance', 'amount', 'bills')", name="ck_scheduled_payment_wants"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_scheduled_payment_positive"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_scheduled_payment_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["authorisation_id"], ["authorisation.id"], name="fk_scheduled_payment_authorisation_id"
        ),
        sa.ForeignKeyConstraint(
            ["payment_method_id"],
            ["payment_method.id"],
            name="fk_scheduled_payment_payment_method_id",
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["autopay_rule.id"], name="fk_scheduled_payment_rule_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_scheduled_payment"),
        sa.UniqueConstraint("invoice_id", name="uq_scheduled_payment_invoice_id"),
        sa.UniqueConstraint("public_id", name="uq_scheduled_payment_public_id"),
    )
    with guarded_batch("scheduled_payment") as batch:
        batch.create_index(
            "ix_scheduled_payment_account_id", ["account_id", "created_at"], unique=False
        )
        batch.create_index("ix_scheduled_payment_due", ["state", "next_at"], unique=False)
        batch.create_index(
            "ix_scheduled_payment_payment_method_id", ["payment_method_id"], unique=False
        )
        batch.create_index(
            "uq_scheduled_payment_upcoming",
            ["rule_id", "on_date"],
            unique=True,
            sqlite_where=sa.text("state = 'planned' AND origin = 'autopay'"),
            postgresql_where=sa.text("state = 'planned' AND origin = 'autopay'"),
        )

    with guarded_batch("authorisation") as batch:
        batch.alter_column("operation_id", existing_type=sa.Uuid(), nullable=True)
    with guarded_batch("payment_customer", recreate="always") as batch:
        batch.add_column(sa.Column("default_method_id", sa.Uuid()), **behind("gateway_id"))
    with guarded_batch("payment_method") as batch:
        batch.add_column(sa.Column("expiry_told_at", sa.DateTime(timezone=True)))
        batch.create_index("ix_payment_method_expires", ["exp_year", "exp_month"])
    under_way = sa.text("kind = 'charge' AND state IN ('pending', 'sent', 'indeterminate')")
    with guarded_batch("payment_operation", recreate="always") as batch:
        batch.add_column(sa.Column("scheduled_payment_id", sa.Uuid()), **behind("invoice_id"))
        batch.drop_constraint("ck_payment_operation_charge_of_a_bill", type_="check")
        batch.create_check_constraint(
            "ck_payment_operation_charge_of_a_bill",
            "kind <> 'charge' OR (payment_method_id IS NOT NULL AND "
            "(invoice_id IS NULL) <> (scheduled_payment_id IS NULL))",
        )
        batch.create_index(
            "uq_payment_operation_scheduled_under_way",
            ["scheduled_payment_id"],
            unique=True,
            sqlite_where=under_way,
            postgresql_where=under_way,
        )
