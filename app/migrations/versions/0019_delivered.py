"""When parcels arrived, and when their customers were asked whether all was well."""

import sqlalchemy as sa

from app.migrations.ops import guarded_batch

revision = "0019"
down_revision = "0014"


def upgrade() -> None:
    with guarded_batch("fulfilment") as batch:
        batch.add_column(sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_check_constraint(
            "ck_fulfilment_delivered", "kind = 'parcel' OR delivered_at IS NULL"
        )
        batch.create_check_constraint(
            "ck_fulfilment_asked", "asked_at IS NULL OR delivered_at IS NOT NULL"
        )
        batch.create_index("ix_fulfilment_delivered_at", ["delivered_at"], unique=False)
