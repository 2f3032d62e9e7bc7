"""Delivery by zone, weight and worth, pick-up, further deliveries, and appointments."""

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import behind, guarded_batch

revision = "0018"
down_revision = "0017"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OWNED = sa.text("state IN ('active', 'booked')")


def upgrade() -> None:
    _variants()
    op.create_table(
        "delivery_zone",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_delivery_zone_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_zone"),
        sa.UniqueConstraint("channel_id", "code", name="uq_delivery_zone_channel_id_code"),
    )
    _methods()
    _slots()
    with guarded_batch("order", recreate="always") as batch:
        batch.add_column(sa.Column("ways", sa.JSON(), nullable=True), **behind("shipping_method"))


def _variants() -> None:
    with guarded_batch("variant") as batch:
        batch.add_column(sa.Column("weight_g", INT, server_default="0", nullable=False))
        batch.add_column(
            sa.Column("goes_by", sa.String(length=20), server_default="parcel", nullable=False)
        )
    with guarded_batch("variant") as batch:
        batch.alter_column("weight_g", existing_type=INT, server_default=None)
        batch.alter_column("goes_by", existing_type=sa.String(length=20), server_default=None)
        batch.create_check_constraint("ck_variant_weight", "weight_g >= 0")


def _methods() -> None:
    with guarded_batch("delivery_method") as batch:
        batch.add_column(sa.Column("zone_id", sa.Uuid(), nullable=True))
        batch.add_column(
            sa.Column("kind", sa.String(length=8), server_default="ship", nullable=False)
        )
        batch.add_column(sa.Column("location_id", sa.Uuid(), nullable=True))
        batch.add_column(
            sa.Column("goes_by", sa.String(length=20), server_default="parcel", nullable=False)
        )
        batch.add_column(sa.Column("goods_from_minor", INT, nullable=True))
        batch.add_column(sa.Column("goods_to_minor", INT, nullable=True))
        batch.add_column(sa.Column("weight_to_g", INT, nullable=True))
        batch.add_column(sa.Column("per_kg_minor", INT, server_default="0", nullable=False))
        batch.add_column(
            sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
    with guarded_batch("delivery_method") as batch:
        batch.alter_column("kind", existing_type=sa.String(length=8), server_default=None)
        batch.alter_column("goes_by", existing_type=sa.String(length=20), server_default=None)
        batch.alter_column("per_kg_minor", existing_type=INT, server_default=None)
        batch.alter_column("active", existing_type=sa.Boolean(), server_default=None)
        batch.create_foreign_key("fk_delivery_method_zone_id", "delivery_zone", ["zone_id"], ["id"])
        batch.create_foreign_key(
            "fk_delivery_method_location_id", "location", ["location_id"], ["id"]
        )
        batch.create_check_constraint("ck_delivery_method_kind", "kind IN ('ship', 'pickup')")
        batch.create_check_constraint(
            "ck_delivery_method_pickup", "kind <> 'pickup' OR location_id IS NOT NULL"
        )


def _slots() -> None:
    op.create_table(
        "visit_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", INT, nullable=False),
        sa.Column("held", INT, nullable=False),
        sa.Column("booked", INT, nullable=False),
        sa.CheckConstraint(
            "capacity >= 0 AND held >= 0 AND booked >= 0", name="ck_visit_slot_signs"
        ),
        sa.CheckConstraint("held + booked <= capacity", name="ck_visit_slot_promised"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_visit_slot_times"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_visit_slot_channel_id"),
        sa.ForeignKeyConstraint(["zone_id"], ["delivery_zone.id"], name="fk_visit_slot_zone_id"),
        sa.PrimaryKeyConstraint("id", name="pk_visit_slot"),
        sa.UniqueConstraint("public_id", name="uq_visit_slot_public_id"),
        sa.UniqueConstraint(
            "channel_id", "zone_id", "starts_at", name="uq_visit_slot_channel_id_zone_id_starts_at"
        ),
    )
    op.create_index("ix_visit_slot_starts_at", "visit_slot", ["channel_id", "starts_at"])
    op.create_table(
        "slot_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(length=8), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("owner_kind IN ('cart', 'order')", name="ck_slot_hold_owner_kind"),
        sa.CheckConstraint(
            "state IN ('active', 'released', 'lapsed', 'booked')", name="ck_slot_hold_state"
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["visit_slot.id"], name="fk_slot_hold_slot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_slot_hold"),
    )
    op.create_index(
        "ix_slot_hold_owner",
        "slot_hold",
        ["owner_kind", "owner_id"],
        unique=True,
        sqlite_where=_OWNED,
        postgresql_where=_OWNED,
    )
    op.create_index("ix_slot_hold_slot_id", "slot_hold", ["slot_id", "state"])
