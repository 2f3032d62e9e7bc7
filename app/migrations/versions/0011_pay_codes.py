"""Pay codes that can be made anew."""

import sqlalchemy as sa

from app.migrations.ops import guarded_batch

revision = "0011"
down_revision = "0009"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with guarded_batch("account") as batch:
        batch.add_column(sa.Column("pay_code_series", INT, server_default="0", nullable=False))
    with guarded_batch("account") as batch:
        batch.alter_column("pay_code_series", existing_type=INT, server_default=None)
