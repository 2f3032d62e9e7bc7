"""The movements of a level are found by time: of what waits only the last sales are read."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.create_index(
        "ix_stock_movement_level_id_at", "stock_movement", ["level_id", "at", "id"], unique=False
    )
    op.drop_index("ix_stock_movement_level_id", table_name="stock_movement")
