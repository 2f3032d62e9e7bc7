"""Numbers, addresses and keys: their pools, what became of each, and which ones a line has.

The table of them was there from the first day on, and nothing ever wrote into it: it is made anew.
"""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import CannotMigrate, guarded_batch, run

revision = "0026"
down_revision = "0025"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER resource_step_no_update BEFORE UPDATE ON resource_step BEGIN SELECT RAISE(ABORT, 'resource_step is append-only'); END",
        "CREATE TRIGGER resource_step_no_delete BEFORE DELETE ON resource_step BEGIN SELECT RAISE(ABORT, 'resource_step is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER resource_step_append_only BEFORE UPDATE OR DELETE ON resource_step FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER resource_step_no_truncate BEFORE TRUNCATE ON resource_step FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.exec_driver_sql("SELECT count(*) FROM logical_resource").scalar():
        raise CannotMigrate(
            "logical_resource has rows that no version of the shop wrote. Move them elsewhere first, and "
            "add them to a pool afterwards."
        )
    op.drop_table("logical_resource")
    _change_what_is_there()
    _create_pools()
    _create_what_becomes_of_them()
    run(GUARDS)


def _change_what_is_there() -> None:
    for name in ("hold", "order_line", "variant"):
        with guarded_batch(name) as batch:
            batch.add_column(
                sa.Column("numbered", sa.Boolean(), server_default=sa.false(), nullable=False)
            )
    for name in ("hold", "order_line", "variant"):
        with guarded_batch(name) as batch:
            batch.alter_column("numbered", existing_type=sa.Boolean(), server_default=None)
            if name == "hold":
                batch.drop_constraint("ck_hold_owner_kind", type_="check")
                batch.create_check_constraint(
                    "ck_hold_owner_kind",
                    "owner_kind IN ('cart', 'quote', 'order', 'offer', 'exchange', 'quarantine')",
                )
            if name == "variant":
                batch.create_check_constraint(
                    "ck_variant_numbered",
                    "NOT numbered OR kind IN ('digital', 'service', 'plan')",
                )


def _create_pools() -> None:
    op.create_table(
        "resource_pool",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("level_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("picked", sa.Boolean(), nullable=False),
        sa.Column("quarantine_days", INT, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("NOT picked OR kind <> 'licence_key'", name="ck_resource_pool_picked"),
        sa.CheckConstraint(
            "kind IN ('number', 'address', 'licence_key')", name="ck_resource_pool_kind"
        ),
        sa.CheckConstraint(
            "quarantine_days BETWEEN 0 AND 3650", name="ck_resource_pool_quarantine_days"
        ),
        sa.ForeignKeyConstraint(["level_id"], ["stock_level.id"], name="fk_resource_pool_level_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_resource_pool_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_resource_pool"),
        sa.UniqueConstraint("id", "kind", name="uq_resource_pool_id_kind"),
        sa.UniqueConstraint("level_id", name="uq_resource_pool_level_id"),
        sa.UniqueConstraint("variant_id", name="uq_resource_pool_variant_id"),
    )
    op.create_table(
        "logical_resource",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("plain", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('free', 'reserved', 'assigned', 'quarantined', 'withdrawn')",
            name="ck_logical_resource_state",
        ),
        sa.CheckConstraint(
            "(state IN ('reserved', 'quarantined')) = (hold_id IS NOT NULL)",
            name="ck_logical_resource_held",
        ),
        sa.CheckConstraint(
            "(state = 'assigned') = (line_id IS NOT NULL)", name="ck_logical_resource_assigned"
        ),
        sa.ForeignKeyConstraint(
            ["pool_id", "kind"],
            ["resource_pool.id", "resource_pool.kind"],
            name="fk_logical_resource_pool_id_kind",
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name="fk_logical_resource_hold_id"),
        sa.PrimaryKeyConstraint("id", name="pk_logical_resource"),
        sa.UniqueConstraint("kind", "plain", name="uq_logical_resource_kind_plain"),
    )
    with guarded_batch("logical_resource") as batch:
        batch.create_index("ix_logical_resource_pool_id", ["pool_id", "plain"], unique=False)
        batch.create_index("ix_logical_resource_state", ["pool_id", "state"], unique=False)
        batch.create_index(
            "ix_logical_resource_hold_id",
            ["hold_id"],
            unique=False,
            sqlite_where=sa.text("hold_id IS NOT NULL"),
            postgresql_where=sa.text("hold_id IS NOT NULL"),
        )
        batch.create_index(
            "ix_logical_resource_line_id",
            ["line_id"],
            unique=False,
            sqlite_where=sa.text("line_id IS NOT NULL"),
            postgresql_where=sa.text("line_id IS NOT NULL"),
        )


def _create_what_becomes_of_them() -> None:
    op.create_table(
        "resource_pick",
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(length=10), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("picked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["logical_resource.id"], name="fk_resource_pick_resource_id"
        ),
        sa.PrimaryKeyConstraint("line_id", "resource_id", name="pk_resource_pick"),
    )
    with guarded_batch("resource_pick") as batch:
        batch.create_index("ix_resource_pick_owner", ["owner_kind", "owner_id"], unique=False)
        batch.create_index("ix_resource_pick_resource_id", ["resource_id"], unique=False)

    op.create_table(
        "resource_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "act IN ('add', 'reserve', 'assign', 'quarantine', 'release', 'withdraw', 'restore')",
            name="ck_resource_step_act",
        ),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["logical_resource.id"], name="fk_resource_step_resource_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_resource_step"),
    )
    with guarded_batch("resource_step") as batch:
        batch.create_index("ix_resource_step_resource_id", ["resource_id", "at"], unique=False)
