"""What an order comes to now stands on it, and lists are sorted by it; what changes added is found by itself."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch

revision = "0029"
down_revision = "0028"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: Orders from before: as placed, with what later bills and debit memos added, without what was credited.
WORTH = """UPDATE "order" SET worth_minor = due_now_minor + COALESCE((SELECT SUM(
CASE WHEN invoice.kind = 'credit_memo' THEN -invoice.total_minor ELSE invoice.total_minor END)
FROM invoice WHERE invoice.order_id = "order".id
AND (invoice.kind <> 'invoice' OR invoice.order_change_id IS NOT NULL)), 0)"""


def upgrade() -> None:
    with guarded_batch("order") as batch:
        batch.add_column(sa.Column("worth_minor", INT, nullable=False, server_default="0"))
    op.execute(WORTH)
    with guarded_batch("order") as batch:
        batch.alter_column("worth_minor", existing_type=INT, server_default=None)
    op.drop_index("ix_order_due_now_minor", table_name="order")
    op.create_index("ix_order_worth_minor", "order", ["worth_minor", "id"], unique=False)
    op.create_index(
        "ix_order_line_change_id",
        "order_line",
        ["change_id"],
        unique=False,
        sqlite_where=sa.text("change_id IS NOT NULL"),
        postgresql_where=sa.text("change_id IS NOT NULL"),
    )
