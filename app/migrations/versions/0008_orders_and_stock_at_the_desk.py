"""Orders and stock at the desk: what becomes of an order's pieces, and who changed the stock.

Of the orders that are there: what needs nobody's hands (gift cards, digital goods, services that have begun) is
fulfilled; the rest waits to be sent.
"""
# ruff: noqa: E501  (frozen text)

import uuid

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "0008"
down_revision = "0007"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER fulfilment_line_no_update BEFORE UPDATE ON fulfilment_line BEGIN SELECT RAISE(ABORT, 'fulfilment_line is append-only'); END",
        "CREATE TRIGGER fulfilment_line_no_delete BEFORE DELETE ON fulfilment_line BEGIN SELECT RAISE(ABORT, 'fulfilment_line is append-only'); END",
        "CREATE TRIGGER order_change_memo_no_update BEFORE UPDATE ON order_change_memo BEGIN SELECT RAISE(ABORT, 'order_change_memo is append-only'); END",
        "CREATE TRIGGER order_change_memo_no_delete BEFORE DELETE ON order_change_memo BEGIN SELECT RAISE(ABORT, 'order_change_memo is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER fulfilment_line_append_only BEFORE UPDATE OR DELETE ON fulfilment_line FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER fulfilment_line_no_truncate BEFORE TRUNCATE ON fulfilment_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER order_change_memo_append_only BEFORE UPDATE OR DELETE ON order_change_memo FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER order_change_memo_no_truncate BEFORE TRUNCATE ON order_change_memo FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


#: Pieces that were given already, of orders that are certain.
_GIVEN = sa.text(
    "SELECT l.id, l.order_id, l.quantity, o.placed_at FROM order_line l "
    "JOIN \"order\" o ON o.id = l.order_id AND o.lifecycle = 'confirmed' "
    "LEFT JOIN subscription s ON s.id = l.subscription_id "
    "WHERE l.kind IN ('digital', 'gift_card') OR (l.subscription_id IS NOT NULL AND s.state <> 'ordered') "
    "ORDER BY l.order_id, l.line_number"
)


def upgrade() -> None:
    op.create_table(
        "fulfilment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("carrier", sa.String(length=60), nullable=False),
        sa.Column("tracking_number", sa.String(length=80), nullable=False),
        sa.Column("tracking_link", sa.String(length=400), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("once", sa.String(length=80), nullable=False),
        sa.CheckConstraint("kind = 'parcel' OR tracking_number = ''", name="ck_fulfilment_tracked"),
        sa.CheckConstraint("kind IN ('parcel', 'provision')", name="ck_fulfilment_kind"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_fulfilment_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_fulfilment"),
        sa.UniqueConstraint("once", name="uq_fulfilment_once"),
        sa.UniqueConstraint("order_id", "number", name="uq_fulfilment_order_id_number"),
        sa.UniqueConstraint("public_id", name="uq_fulfilment_public_id"),
    )
    with guarded_batch("fulfilment") as batch:
        batch.create_index("ix_fulfilment_at", ["at"], unique=False)

    op.create_table(
        "order_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("answer", sa.String(length=300), nullable=False),
        sa.Column("refund_to", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=80), nullable=True),
        sa.Column("once", sa.String(length=80), nullable=False),
        sa.CheckConstraint(
            "(state IN ('asked', 'announced')) = (done_at IS NULL)", name="ck_order_change_done"
        ),
        sa.CheckConstraint("answer = '' OR state = 'declined'", name="ck_order_change_answered"),
        sa.CheckConstraint(
            "kind = 'return' OR state = 'done'", name="ck_order_change_cancelled_at_once"
        ),
        sa.CheckConstraint("kind IN ('cancellation', 'return')", name="ck_order_change_kind"),
        sa.CheckConstraint(
            "refund_to IN ('usual', 'gift_card', 'credit', 'kept')",
            name="ck_order_change_refund_to",
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'announced', 'declined', 'done', 'withdrawn')",
            name="ck_order_change_state",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_order_change_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_change"),
        sa.UniqueConstraint("once", name="uq_order_change_once"),
        sa.UniqueConstraint("order_id", "number", name="uq_order_change_order_id_number"),
        sa.UniqueConstraint("public_id", name="uq_order_change_public_id"),
    )
    with guarded_batch("order_change") as batch:
        batch.create_index("ix_order_change_asked_at", ["asked_at"], unique=False)

    op.create_table(
        "fulfilment_line",
        sa.Column("fulfilment_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_fulfilment_line_quantity"),
        sa.ForeignKeyConstraint(
            ["fulfilment_id"], ["fulfilment.id"], name="fk_fulfilment_line_fulfilment_id"
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_fulfilment_line_order_line_id"
        ),
        sa.PrimaryKeyConstraint("fulfilment_id", "order_line_id", name="pk_fulfilment_line"),
    )
    with guarded_batch("fulfilment_line") as batch:
        batch.create_index("ix_fulfilment_line_order_line_id", ["order_line_id"], unique=False)

    op.create_table(
        "order_change_line",
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("restocked", sa.Boolean(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_order_change_line_quantity"),
        sa.ForeignKeyConstraint(
            ["change_id"], ["order_change.id"], name="fk_order_change_line_change_id"
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_order_change_line_order_line_id"
        ),
        sa.PrimaryKeyConstraint("change_id", "order_line_id", name="pk_order_change_line"),
    )
    with guarded_batch("order_change_line") as batch:
        batch.create_index("ix_order_change_line_order_line_id", ["order_line_id"], unique=False)

    op.create_table(
        "order_change_memo",
        sa.Column("memo_id", sa.Uuid(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["order_change.id"], name="fk_order_change_memo_change_id"
        ),
        sa.PrimaryKeyConstraint("memo_id", name="pk_order_change_memo"),
    )
    with guarded_batch("order_change_memo") as batch:
        batch.create_index("ix_order_change_memo_change_id", ["change_id"], unique=False)

    with guarded_batch("order") as batch:
        batch.add_column(sa.Column("taken_by", sa.String(length=80)))
    with guarded_batch("order_line", recreate="always") as batch:
        for name in ("fulfilled", "cancelled", "returned"):
            batch.add_column(sa.Column(name, INT, server_default="0", nullable=False))
        batch.create_check_constraint(
            "ck_order_line_signs", "fulfilled >= 0 AND cancelled >= 0 AND returned >= 0"
        )
        batch.create_check_constraint(
            "ck_order_line_no_more_than_ordered", "fulfilled + cancelled <= quantity"
        )
        batch.create_check_constraint("ck_order_line_returned_was_sent", "returned <= fulfilled")
    with guarded_batch("order_line") as batch:
        for name in ("fulfilled", "cancelled", "returned"):
            batch.alter_column(name, existing_type=INT, server_default=None)
    with guarded_batch("stock_level", recreate="always") as batch:
        batch.add_column(sa.Column("low_at", INT, server_default="0", nullable=False))
        batch.create_check_constraint("ck_stock_level_pieces", "on_hand >= 0 AND low_at >= 0")
    with guarded_batch("stock_level") as batch:
        batch.alter_column("low_at", existing_type=INT, server_default=None)
    with guarded_batch("stock_movement") as batch:
        batch.add_column(sa.Column("actor", sa.String(length=80)))
        batch.add_column(sa.Column("note", sa.String(length=200)))
        batch.create_index("ix_stock_movement_reference", ["reference"])
    _give_what_was_given()
    run(GUARDS)


def _give_what_was_given() -> None:
    connection = op.get_bind()
    given: dict[object, list[sa.Row[tuple[object, ...]]]] = {}
    for row in connection.execute(_GIVEN):
        given.setdefault(row.order_id, []).append(row)
    for order_id, rows in given.items():
        key = uuid.uuid4()
        connection.execute(
            sa.text(
                "INSERT INTO fulfilment (id, public_id, order_id, number, kind, carrier, "
                "tracking_number, tracking_link, at, actor, once) VALUES (:id, :public, "
                ":order, 1, 'provision', '', '', '', :at, 'system', :once)"
            ).bindparams(sa.bindparam("id", type_=sa.Uuid()), sa.bindparam("order")),
            {
                "id": key,
                "public": uuid.uuid4().hex,
                "order": order_id,
                "at": rows[0].placed_at,
                "once": f"migrated:{key.hex}",
            },
        )
        for row in rows:
            connection.execute(
                sa.text(
                    "INSERT INTO fulfilment_line (fulfilment_id, order_line_id, quantity) "
                    "VALUES (:id, :line, :quantity)"
                ).bindparams(sa.bindparam("id", type_=sa.Uuid())),
                {"id": key, "line": row.id, "quantity": row.quantity},
            )
            connection.execute(
                sa.text("UPDATE order_line SET fulfilled = quantity WHERE id = :line"),
                {"line": row.id},
            )
    connection.execute(
        sa.text(
            'UPDATE "order" SET fulfilment = CASE WHEN EXISTS (SELECT 1 FROM order_line l '
            "WHERE l.order_id = \"order\".id AND l.kind <> 'bundle' AND l.fulfilled < l.quantity) "
            "THEN 'partial' ELSE 'fulfilled' END WHERE id IN (SELECT order_id FROM fulfilment)"
        )
    )
    connection.execute(
        sa.text(
            "UPDATE \"order\" SET lifecycle = 'completed' "
            "WHERE lifecycle = 'confirmed' AND fulfilment = 'fulfilled'"
        )
    )
