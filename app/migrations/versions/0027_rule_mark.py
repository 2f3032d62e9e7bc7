"""A mark for what each order asks and a merchant rarely changes, drawn anew with each change of it."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import run

revision = "0027"
down_revision = "0026"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER delivery_zone_draws_on_insert AFTER INSERT ON delivery_zone BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER delivery_zone_draws_on_update AFTER UPDATE ON delivery_zone BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER delivery_zone_draws_on_delete AFTER DELETE ON delivery_zone BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER delivery_method_draws_on_insert AFTER INSERT ON delivery_method BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER delivery_method_draws_on_update AFTER UPDATE ON delivery_method BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER delivery_method_draws_on_delete AFTER DELETE ON delivery_method BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER consent_ask_draws_on_insert AFTER INSERT ON consent_ask BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER consent_ask_draws_on_update AFTER UPDATE ON consent_ask BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER consent_ask_draws_on_delete AFTER DELETE ON consent_ask BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER location_draws_on_insert AFTER INSERT ON location BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER location_draws_on_update AFTER UPDATE ON location BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER location_draws_on_delete AFTER DELETE ON location BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER tax_rate_draws_on_insert AFTER INSERT ON tax_rate BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER tax_rate_draws_on_update AFTER UPDATE ON tax_rate BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
        "CREATE TRIGGER tax_rate_draws_on_delete AFTER DELETE ON tax_rate BEGIN INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark; END",
    ),
    "postgresql": (
        """
CREATE OR REPLACE FUNCTION draw_rule_mark() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO rule_mark (id, mark) VALUES (1, gen_random_uuid())
  ON CONFLICT (id) DO UPDATE SET mark = EXCLUDED.mark;
  RETURN NULL;
END $body$
""",
        "CREATE TRIGGER delivery_zone_draws AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON delivery_zone FOR EACH STATEMENT EXECUTE FUNCTION draw_rule_mark()",
        "CREATE TRIGGER delivery_method_draws AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON delivery_method FOR EACH STATEMENT EXECUTE FUNCTION draw_rule_mark()",
        "CREATE TRIGGER consent_ask_draws AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON consent_ask FOR EACH STATEMENT EXECUTE FUNCTION draw_rule_mark()",
        "CREATE TRIGGER location_draws AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON location FOR EACH STATEMENT EXECUTE FUNCTION draw_rule_mark()",
        "CREATE TRIGGER tax_rate_draws AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON tax_rate FOR EACH STATEMENT EXECUTE FUNCTION draw_rule_mark()",
    ),
}

#: What stands already is kept from the first order on.
FIRST = {
    "sqlite": ("INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16))))",),
    "postgresql": ("INSERT INTO rule_mark (id, mark) VALUES (1, gen_random_uuid())",),
}


def upgrade() -> None:
    op.create_table(
        "rule_mark",
        sa.Column("id", INT, autoincrement=False, nullable=False),
        sa.Column("mark", sa.Uuid(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_rule_mark_one"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_mark"),
    )
    run(GUARDS)
    run(FIRST)
