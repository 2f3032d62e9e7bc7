"""Numbers of their own, consents taken back, which goods come by which delivery, what is fetched, back-orders."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0024"
down_revision = "0023"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: What was taken back or released stays as it was.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER consent_withdrawal_no_update BEFORE UPDATE ON consent_withdrawal BEGIN SELECT RAISE(ABORT, 'consent_withdrawal is append-only'); END",
        "CREATE TRIGGER back_order_release_no_update BEFORE UPDATE ON back_order_release BEGIN SELECT RAISE(ABORT, 'back_order_release is append-only'); END",
        "CREATE TRIGGER back_order_release_no_delete BEFORE DELETE ON back_order_release BEGIN SELECT RAISE(ABORT, 'back_order_release is append-only'); END",
        "CREATE TRIGGER consent_withdrawal_no_delete BEFORE DELETE ON consent_withdrawal BEGIN SELECT RAISE(ABORT, 'consent_withdrawal is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER consent_withdrawal_append_only BEFORE UPDATE OR DELETE ON consent_withdrawal FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER back_order_release_append_only BEFORE UPDATE OR DELETE ON back_order_release FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER back_order_release_no_truncate BEFORE TRUNCATE ON back_order_release FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
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
    with guarded_batch("location") as batch:
        for name, length in (("address", 300), ("hours", 200)):
            text = sa.String(length=length)
            batch.add_column(sa.Column(name, text, nullable=False, server_default=""))
        batch.add_column(
            sa.Column(
                "releases_back_orders", sa.Boolean(), nullable=False, server_default=sa.true()
            )
        )
    with guarded_batch("location") as batch:
        batch.alter_column("releases_back_orders", server_default=None)
        for name, length in (("address", 300), ("hours", 200)):
            batch.alter_column(name, existing_type=sa.String(length=length), server_default=None)
    with guarded_batch("fulfilment") as batch:
        batch.drop_constraint("ck_fulfilment_kind", type_="check")
        batch.create_check_constraint(
            "ck_fulfilment_kind", "kind IN ('parcel', 'pickup', 'provision')"
        )
        batch.drop_constraint("ck_fulfilment_delivered", type_="check")
        batch.create_check_constraint(
            "ck_fulfilment_delivered", "kind <> 'provision' OR delivered_at IS NULL"
        )
    op.create_table(
        "pick_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("fulfilment_id", sa.Uuid(), nullable=True),
        sa.Column("once", sa.String(length=80), nullable=False),
        sa.CheckConstraint("state IN ('ready', 'collected', 'put_back')", name="ck_pick_up_state"),
        sa.CheckConstraint("(state = 'ready') = (ended_at IS NULL)", name="ck_pick_up_ended"),
        sa.CheckConstraint(
            "(state = 'collected') = (fulfilment_id IS NOT NULL)", name="ck_pick_up_collected"
        ),
        sa.ForeignKeyConstraint(
            ["fulfilment_id"], ["fulfilment.id"], name="fk_pick_up_fulfilment_id"
        ),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name="fk_pick_up_location_id"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_pick_up_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pick_up"),
        sa.UniqueConstraint("fulfilment_id", name="uq_pick_up_fulfilment_id"),
        sa.UniqueConstraint("once", name="uq_pick_up_once"),
        sa.UniqueConstraint("order_id", "number", name="uq_pick_up_order_id_number"),
        sa.UniqueConstraint("public_id", name="uq_pick_up_public_id"),
    )
    op.create_index(
        "ix_pick_up_ready",
        "pick_up",
        ["ready_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_table(
        "pick_up_line",
        sa.Column("pick_up_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_pick_up_line_quantity"),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_pick_up_line_order_line_id"
        ),
        sa.ForeignKeyConstraint(["pick_up_id"], ["pick_up.id"], name="fk_pick_up_line_pick_up_id"),
        sa.PrimaryKeyConstraint("pick_up_id", "order_line_id", name="pk_pick_up_line"),
    )
    op.create_index(
        "ix_pick_up_line_order_line_id", "pick_up_line", ["order_line_id"], unique=False
    )
    op.create_table(
        "back_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("level_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("waiting", INT, nullable=False),
        sa.Column("let_go", INT, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND waiting >= 0 AND let_go >= 0", name="ck_back_order_signs"
        ),
        sa.CheckConstraint("waiting + let_go <= quantity", name="ck_back_order_pieces"),
        sa.ForeignKeyConstraint(["level_id"], ["stock_level.id"], name="fk_back_order_level_id"),
        sa.PrimaryKeyConstraint("id", name="pk_back_order"),
        sa.UniqueConstraint("level_id", "reference", name="uq_back_order_level_id_reference"),
    )
    op.create_index("ix_back_order_reference", "back_order", ["reference"], unique=False)
    op.create_index(
        "ix_back_order_waiting",
        "back_order",
        ["level_id", "since", "id"],
        unique=False,
        sqlite_where=sa.text("waiting > 0"),
        postgresql_where=sa.text("waiting > 0"),
    )
    op.create_table(
        "back_order_release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("back_order_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_back_order_release_quantity"),
        sa.ForeignKeyConstraint(
            ["back_order_id"], ["back_order.id"], name="fk_back_order_release_back_order_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_back_order_release"),
    )
    op.create_index(
        "ix_back_order_release_back_order_id",
        "back_order_release",
        ["back_order_id"],
        unique=False,
    )
    op.create_index("ix_back_order_release_batch", "back_order_release", ["batch"], unique=False)
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
