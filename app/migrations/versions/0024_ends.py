"""Accounts that need a number of their own on each order; consents that were taken back."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0024"
down_revision = "0021"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: What somebody took back stays as it was.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER consent_withdrawal_no_update BEFORE UPDATE ON consent_withdrawal BEGIN SELECT RAISE(ABORT, 'consent_withdrawal is append-only'); END",
        "CREATE TRIGGER consent_withdrawal_no_delete BEFORE DELETE ON consent_withdrawal BEGIN SELECT RAISE(ABORT, 'consent_withdrawal is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER consent_withdrawal_append_only BEFORE UPDATE OR DELETE ON consent_withdrawal FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER consent_withdrawal_no_truncate BEFORE TRUNCATE ON consent_withdrawal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}
#: Orders from before: goods go as their thing says, deliveries as their way does.
WAYS = (
    "UPDATE order_line SET goes_by = (SELECT goes_by FROM variant WHERE variant.id = order_line.variant_id) WHERE kind = 'physical'",
    """UPDATE order_line SET goes_by = (SELECT delivery_method.goes_by FROM delivery_method
JOIN "order" ON "order".channel_id = delivery_method.channel_id WHERE "order".id = order_line.order_id
AND 'delivery:' || delivery_method.code = order_line.sku ORDER BY delivery_method.country LIMIT 1)
WHERE kind = 'delivery'""",
    """UPDATE order_line SET pickup_id = (SELECT delivery_method.location_id FROM delivery_method
JOIN "order" ON "order".channel_id = delivery_method.channel_id WHERE "order".id = order_line.order_id
AND 'delivery:' || delivery_method.code = order_line.sku AND delivery_method.kind = 'pickup'
ORDER BY delivery_method.country LIMIT 1) WHERE kind = 'delivery'""",
)


def upgrade() -> None:
    with guarded_batch("account") as batch:
        batch.add_column(
            sa.Column(
                "needs_purchase_order", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
    with guarded_batch("account") as batch:
        batch.alter_column("needs_purchase_order", server_default=None)
    with guarded_batch("order_line") as batch:
        batch.add_column(sa.Column("goes_by", sa.String(length=20), nullable=True))
        batch.add_column(sa.Column("pickup_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key("fk_order_line_pickup_id", "location", ["pickup_id"], ["id"])
    for statement in WAYS:
        op.execute(statement)
    op.create_table(
        "consent_withdrawal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", INT, nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=80), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_consent_withdrawal_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_consent_withdrawal"),
    )
    op.create_index(
        "ix_consent_withdrawal_account_id",
        "consent_withdrawal",
        ["account_id", "code", "withdrawn_at"],
        unique=False,
    )
    run(GUARDS)
