"""Webhooks."""

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0009"
down_revision = "0010"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (),
    "postgresql": (),
}


def upgrade() -> None:
    op.create_table(
        "hook_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hook_message"),
        sa.UniqueConstraint("key", name="uq_hook_message_key"),
        sa.UniqueConstraint("public_id", name="uq_hook_message_public_id"),
    )
    with guarded_batch("hook_message", schema=None) as batch_op:
        batch_op.create_index("ix_hook_message_made_at", ["made_at"], unique=False)

    op.create_table(
        "hook_endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("off_because", sa.String(length=10), nullable=False),
        sa.Column("off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", INT, nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint("(state = 'on') = (off_at IS NULL)", name="ck_hook_endpoint_off"),
        sa.CheckConstraint(
            "off_because IN ('', 'person', 'failing')", name="ck_hook_endpoint_off_because"
        ),
        sa.CheckConstraint("state IN ('on', 'off', 'removed')", name="ck_hook_endpoint_state"),
        sa.CheckConstraint(
            "(old_secret IS NULL) = (old_until IS NULL)", name="ck_hook_endpoint_rotation"
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_hook_endpoint_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hook_endpoint"),
        sa.UniqueConstraint("public_id", name="uq_hook_endpoint_public_id"),
    )
    with guarded_batch("hook_endpoint", schema=None) as batch_op:
        batch_op.create_index("ix_hook_endpoint_created_at", ["created_at", "id"], unique=False)

    op.create_table(
        "hook_delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("round", INT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", INT, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') = (finished_at IS NULL)", name="ck_hook_delivery_finished"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed', 'dropped')", name="ck_hook_delivery_state"
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["hook_endpoint.id"], name="fk_hook_delivery_endpoint_id"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["hook_message.id"], name="fk_hook_delivery_message_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_hook_delivery"),
        sa.UniqueConstraint(
            "message_id",
            "endpoint_id",
            "round",
            name="uq_hook_delivery_message_id_endpoint_id_round",
        ),
        sa.UniqueConstraint("public_id", name="uq_hook_delivery_public_id"),
    )
    with guarded_batch("hook_delivery", schema=None) as batch_op:
        batch_op.create_index("ix_hook_delivery_created_at", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_hook_delivery_endpoint_id", ["endpoint_id", "created_at", "id"], unique=False
        )

    op.create_table(
        "hook_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", INT, nullable=False),
        sa.Column("status", INT, nullable=True),
        sa.Column("trouble", sa.String(length=200), nullable=False),
        sa.Column("said", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["hook_delivery.id"], name="fk_hook_attempt_delivery_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_hook_attempt"),
        sa.UniqueConstraint("delivery_id", "number", name="uq_hook_attempt_delivery_id_number"),
    )
    run(GUARDS)
