"""How many of a thing are bought at once."""

import sqlalchemy as sa

from app.migrations.ops import guarded_batch

revision = "0015"
down_revision = "0013"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with guarded_batch("variant") as batch:
        batch.add_column(sa.Column("quantity_step", INT, server_default="1", nullable=False))
        batch.add_column(sa.Column("quantity_least", INT, server_default="1", nullable=False))
        batch.add_column(sa.Column("quantity_most", INT, nullable=True))
    with guarded_batch("variant") as batch:
        batch.alter_column("quantity_step", existing_type=INT, server_default=None)
        batch.alter_column("quantity_least", existing_type=INT, server_default=None)
        batch.create_check_constraint(
            "ck_variant_limits",
            "quantity_step >= 1 AND quantity_least >= 1 AND quantity_most >= quantity_least",
        )
