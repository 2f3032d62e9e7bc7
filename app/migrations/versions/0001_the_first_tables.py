"""The first tables."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import run

revision = "0001"
down_revision = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry WHEN NOT (NEW.id IS  OLD.id AND NEW.at IS  OLD.at AND NEW.actor IS  OLD.actor AND NEW.act IS  OLD.act AND NEW.subject_kind IS  OLD.subject_kind AND NEW.subject_id IS  OLD.subject_id AND NEW.detail IS OLD.detail AND (OLD.seal_number IS NULL OR (NEW.seal_number IS  OLD.seal_number AND NEW.seal_hash IS  OLD.seal_hash)) AND (NEW.personal IS NULL OR NEW.personal IS OLD.personal)) BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
        "CREATE TRIGGER journal_entry_no_update BEFORE UPDATE ON journal_entry BEGIN SELECT RAISE(ABORT, 'journal_entry is append-only'); END",
        "CREATE TRIGGER journal_entry_no_delete BEFORE DELETE ON journal_entry BEGIN SELECT RAISE(ABORT, 'journal_entry is append-only'); END",
        "CREATE TRIGGER journal_line_no_update BEFORE UPDATE ON journal_line BEGIN SELECT RAISE(ABORT, 'journal_line is append-only'); END",
        "CREATE TRIGGER journal_line_no_delete BEFORE DELETE ON journal_line BEGIN SELECT RAISE(ABORT, 'journal_line is append-only'); END",
        "CREATE TRIGGER open_item_no_update BEFORE UPDATE ON open_item BEGIN SELECT RAISE(ABORT, 'open_item is append-only'); END",
        "CREATE TRIGGER open_item_no_delete BEFORE DELETE ON open_item BEGIN SELECT RAISE(ABORT, 'open_item is append-only'); END",
        "CREATE TRIGGER application_no_update BEFORE UPDATE ON application BEGIN SELECT RAISE(ABORT, 'application is append-only'); END",
        "CREATE TRIGGER application_no_delete BEFORE DELETE ON application BEGIN SELECT RAISE(ABORT, 'application is append-only'); END",
        """CREATE TRIGGER journal_entry_balances BEFORE INSERT ON journal_entry
WHEN NOT EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id)
  OR EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id
             GROUP BY currency HAVING SUM(amount_minor) <> 0)
  OR (SELECT SUM(functional_minor) FROM journal_line WHERE entry_id = NEW.id) <> 0
BEGIN SELECT RAISE(ABORT, 'journal entry does not balance'); END""",
        """CREATE TRIGGER journal_line_not_late BEFORE INSERT ON journal_line
WHEN EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'journal entry is already posted'); END""",
        "CREATE TRIGGER stock_movement_no_update BEFORE UPDATE ON stock_movement BEGIN SELECT RAISE(ABORT, 'stock_movement is append-only'); END",
        "CREATE TRIGGER stock_movement_no_delete BEFORE DELETE ON stock_movement BEGIN SELECT RAISE(ABORT, 'stock_movement is append-only'); END",
        "CREATE TRIGGER invoice_no_update BEFORE UPDATE ON invoice BEGIN SELECT RAISE(ABORT, 'invoice is append-only'); END",
        "CREATE TRIGGER invoice_no_delete BEFORE DELETE ON invoice BEGIN SELECT RAISE(ABORT, 'invoice is append-only'); END",
        "CREATE TRIGGER invoice_line_no_update BEFORE UPDATE ON invoice_line BEGIN SELECT RAISE(ABORT, 'invoice_line is append-only'); END",
        "CREATE TRIGGER invoice_line_no_delete BEFORE DELETE ON invoice_line BEGIN SELECT RAISE(ABORT, 'invoice_line is append-only'); END",
        "CREATE TRIGGER invoice_line_tax_no_update BEFORE UPDATE ON invoice_line_tax BEGIN SELECT RAISE(ABORT, 'invoice_line_tax is append-only'); END",
        "CREATE TRIGGER invoice_line_tax_no_delete BEFORE DELETE ON invoice_line_tax BEGIN SELECT RAISE(ABORT, 'invoice_line_tax is append-only'); END",
        "CREATE TRIGGER stored_document_no_update BEFORE UPDATE ON stored_document BEGIN SELECT RAISE(ABORT, 'stored_document is append-only'); END",
        "CREATE TRIGGER stored_document_no_delete BEFORE DELETE ON stored_document BEGIN SELECT RAISE(ABORT, 'stored_document is append-only'); END",
    ),
    "postgresql": (
        """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $body$
""",
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW WHEN (NOT (NEW.id IS NOT DISTINCT FROM OLD.id AND NEW.at IS NOT DISTINCT FROM OLD.at AND NEW.actor IS NOT DISTINCT FROM OLD.actor AND NEW.act IS NOT DISTINCT FROM OLD.act AND NEW.subject_kind IS NOT DISTINCT FROM OLD.subject_kind AND NEW.subject_id IS NOT DISTINCT FROM OLD.subject_id AND NEW.detail::text IS NOT DISTINCT FROM OLD.detail::text AND (OLD.seal_number IS NULL OR (NEW.seal_number IS NOT DISTINCT FROM OLD.seal_number AND NEW.seal_hash IS NOT DISTINCT FROM OLD.seal_hash)) AND (NEW.personal IS NULL OR NEW.personal::text IS NOT DISTINCT FROM OLD.personal::text))) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE ON journal_entry FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER journal_entry_no_truncate BEFORE TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER journal_line_append_only BEFORE UPDATE OR DELETE ON journal_line FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER journal_line_no_truncate BEFORE TRUNCATE ON journal_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER open_item_append_only BEFORE UPDATE OR DELETE ON open_item FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER open_item_no_truncate BEFORE TRUNCATE ON open_item FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER application_append_only BEFORE UPDATE OR DELETE ON application FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER application_no_truncate BEFORE TRUNCATE ON application FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION journal_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id)
    OR EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id
               GROUP BY currency HAVING SUM(amount_minor) <> 0)
    OR (SELECT SUM(functional_minor) FROM journal_line WHERE entry_id = NEW.id) <> 0
  THEN
    RAISE EXCEPTION 'journal entry does not balance'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER journal_entry_balances BEFORE INSERT ON journal_entry FOR EACH ROW EXECUTE FUNCTION journal_entry_balances()",
        """CREATE OR REPLACE FUNCTION journal_line_not_late() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id) THEN
    RAISE EXCEPTION 'journal entry is already posted'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER journal_line_not_late BEFORE INSERT ON journal_line FOR EACH ROW EXECUTE FUNCTION journal_line_not_late()",
        "CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE ON stock_movement FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stock_movement_no_truncate BEFORE TRUNCATE ON stock_movement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_append_only BEFORE UPDATE OR DELETE ON invoice FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_no_truncate BEFORE TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_append_only BEFORE UPDATE OR DELETE ON invoice_line FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_no_truncate BEFORE TRUNCATE ON invoice_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_tax_append_only BEFORE UPDATE OR DELETE ON invoice_line_tax FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_tax_no_truncate BEFORE TRUNCATE ON invoice_line_tax FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stored_document_append_only BEFORE UPDATE OR DELETE ON stored_document FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stored_document_no_truncate BEFORE TRUNCATE ON stored_document FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("act", sa.String(length=80), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("personal", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("seal_number", INT, nullable=True),
        sa.Column("seal_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
        sa.UniqueConstraint("seal_number", name="uq_audit_entry_seal_number"),
    )
    op.create_index(
        "ix_audit_entry_subject", "audit_entry", ["subject_kind", "subject_id"], unique=False
    )
    op.create_table(
        "audit_head",
        sa.Column("id", INT, autoincrement=False, nullable=False),
        sa.Column("seal_number", INT, nullable=False),
        sa.Column("seal_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", INT, nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )
    op.create_table(
        "category",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("intro", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("position", INT, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["category.id"], name="fk_category_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_category"),
        sa.UniqueConstraint("slug", name="uq_category_slug"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.String(length=120), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", INT, nullable=True),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_idempotency_key"),
    )
    op.create_table(
        "inbound_event",
        sa.Column("event_id", sa.String(length=120), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("object_type", sa.String(length=60), nullable=False),
        sa.Column("object_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'applied', 'ignored')", name="ck_inbound_event_state"
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_inbound_event"),
    )
    op.create_index("ix_inbound_event_received_at", "inbound_event", ["received_at"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", INT, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("handler", sa.String(length=80), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("payload_version", INT, nullable=False),
        sa.Column("priority", INT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", INT, nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('ready', 'running', 'done', 'dead')", name="ck_job_state"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("key", name="uq_job_key"),
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["priority", "run_at", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('ready', 'running')"),
        postgresql_where=sa.text("state IN ('ready', 'running')"),
    )
    op.create_index("ix_job_state", "job", ["state", "finished_at"], unique=False)
    op.create_table(
        "job_schedule",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("every_seconds", INT, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_job_schedule"),
    )
    op.create_table(
        "legal_entity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("functional_currency", sa.String(length=3), nullable=False),
        sa.Column("tax_id", sa.String(length=40), nullable=True),
        sa.Column("tax_rounding", sa.String(length=10), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("email", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "tax_rounding IN ('document', 'line')", name="ck_legal_entity_tax_rounding"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_legal_entity"),
        sa.UniqueConstraint("code", name="uq_legal_entity_code"),
    )
    op.create_table(
        "location",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_location"),
        sa.UniqueConstraint("code", name="uq_location_code"),
    )
    op.create_table(
        "logical_resource",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('free', 'reserved', 'assigned', 'quarantined')",
            name="ck_logical_resource_state",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_logical_resource"),
        sa.UniqueConstraint("kind", "value", name="uq_logical_resource_kind_value"),
    )
    op.create_table(
        "rate_counter",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("count", INT, nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_counter"),
    )
    op.create_index("ix_rate_counter_ends_at", "rate_counter", ["ends_at"], unique=False)
    op.create_table(
        "reconcile_cursor",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("position", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_reconcile_cursor"),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("is_staff", sa.Boolean(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("email", name="uq_user_email"),
        sa.UniqueConstraint("public_id", name="uq_user_public_id"),
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("prices_include_tax", sa.Boolean(), nullable=False),
        sa.Column("terms_days", INT, nullable=False),
        sa.Column("brand", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_channel_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_channel"),
        sa.UniqueConstraint("code", name="uq_channel_code"),
    )
    op.create_table(
        "journal_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("posting_number", INT, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_kind", sa.String(length=30), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_journal_entry_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["journal_entry.id"], name="fk_journal_entry_reverses_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_journal_entry"),
        sa.UniqueConstraint(
            "legal_entity_id",
            "posting_number",
            name="uq_journal_entry_legal_entity_id_posting_number",
        ),
    )
    op.create_index(
        "ix_journal_entry_effective",
        "journal_entry",
        ["legal_entity_id", "effective_date"],
        unique=False,
    )
    op.create_index(
        "ix_journal_entry_source", "journal_entry", ["source_kind", "source_id"], unique=False
    )
    op.create_table(
        "ledger_account",
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("class", sa.String(length=10), nullable=False),
        sa.CheckConstraint(
            "class IN ('asset', 'liability', 'income', 'expense')", name="ck_ledger_account_class"
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_ledger_account_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("legal_entity_id", "code", name="pk_ledger_account"),
    )
    op.create_table(
        "number_series",
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("next_number", INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_number_series_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("legal_entity_id", "series", name="pk_number_series"),
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("picture", sa.String(length=200), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("position", INT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name="fk_product_category_id"),
        sa.PrimaryKeyConstraint("id", name="pk_product"),
        sa.UniqueConstraint("slug", name="uq_product_slug"),
    )
    op.create_index(
        "ix_product_category_id", "product", ["category_id", "position", "id"], unique=False
    )
    op.create_index("ix_product_listed", "product", ["active", "position", "id"], unique=False)
    op.create_table(
        "tax_rate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=10), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("jurisdiction", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rate_ppm", INT, nullable=False),
        sa.Column("inclusive", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("rate_ppm >= 0", name="ck_tax_rate_not_negative"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_tax_rate_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tax_rate"),
    )
    op.create_index(
        "ix_tax_rate_place", "tax_rate", ["legal_entity_id", "country", "region"], unique=False
    )
    op.create_table(
        "user_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_user_session_user_id"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_user_session"),
    )
    op.create_index("ix_user_session_expires_at", "user_session", ["expires_at"], unique=False)
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=9), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("bill_day", INT, nullable=False),
        sa.Column("terms_days", INT, nullable=True),
        sa.Column("credit_limit_minor", INT, nullable=True),
        sa.Column("billing_address", sa.JSON(), nullable=True),
        sa.Column("external_ref", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'organisation')", name="ck_account_kind"),
        sa.CheckConstraint("bill_day BETWEEN 1 AND 31", name="ck_account_bill_day"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_account_channel_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_account_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["account.id"], name="fk_account_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint(
            "legal_entity_id", "external_ref", name="uq_account_legal_entity_id_external_ref"
        ),
        sa.UniqueConstraint("number", name="uq_account_number"),
        sa.UniqueConstraint("public_id", name="uq_account_public_id"),
    )
    op.create_index("ix_account_name", "account", ["name"], unique=False)
    op.create_table(
        "delivery_method",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("price_minor", INT, nullable=False),
        sa.Column("free_from_minor", INT, nullable=True),
        sa.Column("tax_category", sa.String(length=40), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name="fk_delivery_method_channel_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delivery_method"),
        sa.UniqueConstraint(
            "channel_id", "country", "code", name="uq_delivery_method_channel_id_country_code"
        ),
    )
    op.create_table(
        "variant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tax_category", sa.String(length=40), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('physical', 'digital', 'service', 'plan')", name="ck_variant_kind"
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_variant_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_variant"),
        sa.UniqueConstraint("sku", name="uq_variant_sku"),
    )
    op.create_index("ix_variant_product_id", "variant", ["product_id", "position"], unique=False)
    op.create_table(
        "address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_address_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_address"),
    )
    op.create_index("ix_address_account_id", "address", ["account_id"], unique=False)
    op.create_table(
        "bundle_component",
        sa.Column("bundle_id", sa.Uuid(), nullable=False),
        sa.Column("component_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("weight", INT, nullable=False),
        sa.Column("tax_category", sa.String(length=40), nullable=True),
        sa.CheckConstraint("quantity > 0 AND weight >= 0", name="ck_bundle_component_positive"),
        sa.ForeignKeyConstraint(
            ["bundle_id"], ["variant.id"], name="fk_bundle_component_bundle_id"
        ),
        sa.ForeignKeyConstraint(
            ["component_id"], ["variant.id"], name="fk_bundle_component_component_id"
        ),
        sa.PrimaryKeyConstraint("bundle_id", "component_id", name="pk_bundle_component"),
    )
    op.create_table(
        "cart",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("shipping_address", sa.JSON(), nullable=True),
        sa.Column("shipping_method", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'checking_out', 'ordered')", name="ck_cart_state"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_cart_account_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_cart_channel_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_cart_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_cart_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_cart"),
        sa.UniqueConstraint("public_id", name="uq_cart_public_id"),
    )
    op.create_index("ix_cart_changed_at", "cart", ["changed_at"], unique=False)
    op.create_table(
        "journal_line",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("line_number", INT, autoincrement=False, nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_code", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("functional_minor", INT, nullable=False),
        sa.Column("rate", sa.String(length=24), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name="ck_journal_line_not_zero"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_journal_line_account_id"),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["journal_entry.id"],
            name="fk_journal_line_entry_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id", "ledger_code"],
            ["ledger_account.legal_entity_id", "ledger_account.code"],
            name="fk_journal_line_ledger_account",
        ),
        sa.PrimaryKeyConstraint("entry_id", "line_number", name="pk_journal_line"),
    )
    op.create_index("ix_journal_line_account_id", "journal_line", ["account_id"], unique=False)
    op.create_index(
        "ix_journal_line_balance",
        "journal_line",
        ["legal_entity_id", "ledger_code", "account_id"],
        unique=False,
    )
    op.create_table(
        "link_token",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('reset', 'invite', 'verify')", name="ck_link_token_purpose"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_link_token_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_link_token_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_link_token"),
    )
    op.create_index("ix_link_token_user_id", "link_token", ["user_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("limit_minor", INT, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('owner', 'buyer', 'approver', 'payer', 'viewer')", name="ck_membership_role"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_membership_account_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_membership_user_id"),
        sa.PrimaryKeyConstraint("user_id", "account_id", name="pk_membership"),
    )
    op.create_index("ix_membership_account_id", "membership", ["account_id"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("template", sa.String(length=60), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text_body", sa.Text(), nullable=False),
        sa.Column("html_body", sa.Text(), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("attachment_sha256", sa.String(length=64), nullable=True),
        sa.Column("attachment_name", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name="ck_notice_state"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_notice_account_id"),
        sa.ForeignKeyConstraint(
            ["attachment_sha256"], ["blob.sha256"], name="fk_notice_attachment_sha256"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("key", name="uq_notice_key"),
    )
    op.create_index("ix_notice_account_id", "notice", ["account_id"], unique=False)
    op.create_table(
        "open_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_code", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=6), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("source_kind", sa.String(length=30), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("is_history", sa.Boolean(), nullable=False),
        sa.CheckConstraint("side IN ('debit', 'credit')", name="ck_open_item_side"),
        sa.CheckConstraint("amount_minor > 0", name="ck_open_item_positive"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_open_item_account_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entry.id"], name="fk_open_item_entry_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_open_item_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_open_item"),
    )
    op.create_index(
        "ix_open_item_account_id", "open_item", ["account_id", "currency"], unique=False
    )
    op.create_index("ix_open_item_order_id", "open_item", ["order_id"], unique=False)
    op.create_index("ix_open_item_source", "open_item", ["source_kind", "source_id"], unique=False)
    op.create_table(
        "order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payer_account_id", sa.Uuid(), nullable=False),
        sa.Column("service_account_id", sa.Uuid(), nullable=False),
        sa.Column("cart_id", sa.Uuid(), nullable=True),
        sa.Column("from_cart_id", sa.Uuid(), nullable=True),
        sa.Column("quote_version_id", sa.Uuid(), nullable=True),
        sa.Column("lifecycle", sa.String(length=10), nullable=False),
        sa.Column("payment", sa.String(length=10), nullable=False),
        sa.Column("fulfilment", sa.String(length=12), nullable=False),
        sa.Column("payment_method", sa.String(length=10), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("shipping_address", sa.JSON(), nullable=True),
        sa.Column("shipping_method", sa.String(length=40), nullable=True),
        sa.Column("net_minor", INT, nullable=False),
        sa.Column("tax_minor", INT, nullable=False),
        sa.Column("due_now_minor", INT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(length=60), nullable=True),
        sa.CheckConstraint(
            "fulfilment IN ('unfulfilled', 'partial', 'fulfilled')", name="ck_order_fulfilment"
        ),
        sa.CheckConstraint(
            "lifecycle IN ('pending', 'confirmed', 'cancelled', 'completed')",
            name="ck_order_lifecycle",
        ),
        sa.CheckConstraint(
            "payment IN ('awaiting', 'on_terms', 'paid', 'released', 'refund_due', 'refunded')",
            name="ck_order_payment",
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_order_channel_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_order_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["payer_account_id"], ["account.id"], name="fk_order_payer_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["service_account_id"], ["account.id"], name="fk_order_service_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_order"),
        sa.UniqueConstraint("cart_id", name="uq_order_cart_id"),
        sa.UniqueConstraint("legal_entity_id", "number", name="uq_order_legal_entity_id_number"),
        sa.UniqueConstraint("public_id", name="uq_order_public_id"),
        sa.UniqueConstraint("quote_version_id", name="uq_order_quote_version_id"),
    )
    op.create_index(
        "ix_order_payer_account_id", "order", ["payer_account_id", "placed_at"], unique=False
    )
    op.create_index("ix_order_placed_at", "order", ["placed_at"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("gateway_id", sa.String(length=120), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("instrument", sa.String(length=80), nullable=False),
        sa.Column("captured_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_payment_positive"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_payment_account_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_payment_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment"),
        sa.UniqueConstraint("gateway_id", name="uq_payment_gateway_id"),
        sa.UniqueConstraint("legal_entity_id", "number", name="uq_payment_legal_entity_id_number"),
        sa.UniqueConstraint("operation_id", name="uq_payment_operation_id"),
        sa.UniqueConstraint("public_id", name="uq_payment_public_id"),
    )
    op.create_index("ix_payment_account_id", "payment", ["account_id", "captured_at"], unique=False)
    op.create_index("ix_payment_captured_at", "payment", ["captured_at"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("interval", sa.String(length=10), nullable=False),
        sa.Column("interval_count", INT, nullable=False),
        sa.Column("phases", sa.JSON(), nullable=False),
        sa.Column("trial", sa.JSON(), nullable=True),
        sa.Column("usage_tiers", sa.JSON(), nullable=False),
        sa.CheckConstraint("interval IN ('month', 'year')", name="ck_plan_interval"),
        sa.CheckConstraint("interval_count >= 1", name="ck_plan_interval_count"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_plan_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_plan"),
    )
    op.create_index("ix_plan_variant_id", "plan", ["variant_id"], unique=True)
    op.create_table(
        "price_list",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("segment", sa.String(length=40), nullable=True),
        sa.Column("priority", INT, nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_price_list_account_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_price_list_channel_id"),
        sa.PrimaryKeyConstraint("id", name="pk_price_list"),
        sa.UniqueConstraint("code", name="uq_price_list_code"),
    )
    op.create_index("ix_price_list_channel_id", "price_list", ["channel_id"], unique=False)
    op.create_table(
        "stock_level",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("on_hand", INT, nullable=False),
        sa.Column("allocated", INT, nullable=False),
        sa.Column("held", INT, nullable=False),
        sa.Column("backorder_limit", INT, nullable=False),
        sa.CheckConstraint(
            "held >= 0 AND allocated >= 0 AND backorder_limit >= 0", name="ck_stock_level_signs"
        ),
        sa.CheckConstraint(
            "on_hand - allocated - held + backorder_limit >= 0", name="ck_stock_level_not_oversold"
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["location.id"], name="fk_stock_level_location_id"
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_stock_level_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stock_level"),
        sa.UniqueConstraint(
            "variant_id", "location_id", name="uq_stock_level_variant_id_location_id"
        ),
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payer_account_id", sa.Uuid(), nullable=False),
        sa.Column("service_account_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("interval", sa.String(length=10), nullable=False),
        sa.Column("interval_count", INT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_on", sa.Date(), nullable=True),
        sa.Column("anchor_day", INT, nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "state IN ('ordered', 'active', 'paused', 'ended')", name="ck_subscription_state"
        ),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_subscription_channel_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_subscription_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["payer_account_id"], ["account.id"], name="fk_subscription_payer_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["service_account_id"], ["account.id"], name="fk_subscription_service_account_id"
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_subscription_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
        sa.UniqueConstraint("public_id", name="uq_subscription_public_id"),
    )
    op.create_index(
        "ix_subscription_payer_account_id", "subscription", ["payer_account_id"], unique=False
    )
    op.create_index(
        "ix_subscription_service_account_id", "subscription", ["service_account_id"], unique=False
    )
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("credit_item_id", sa.Uuid(), nullable=True),
        sa.Column("debit_item_id", sa.Uuid(), nullable=True),
        sa.Column("source_kind", sa.String(length=30), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(amount_minor > 0) = (reverses_id IS NULL)", name="ck_application_reversal_sign"
        ),
        sa.CheckConstraint("amount_minor <> 0", name="ck_application_not_zero"),
        sa.CheckConstraint(
            "credit_item_id IS NOT NULL OR debit_item_id IS NOT NULL", name="ck_application_touches"
        ),
        sa.ForeignKeyConstraint(
            ["credit_item_id"], ["open_item.id"], name="fk_application_credit_item_id"
        ),
        sa.ForeignKeyConstraint(
            ["debit_item_id"], ["open_item.id"], name="fk_application_debit_item_id"
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entry.id"], name="fk_application_entry_id"),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["application.id"], name="fk_application_reverses_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_application"),
        sa.UniqueConstraint("reverses_id", name="uq_application_reverses_id"),
    )
    op.create_index(
        "ix_application_credit_item_id", "application", ["credit_item_id"], unique=False
    )
    op.create_index("ix_application_debit_item_id", "application", ["debit_item_id"], unique=False)
    op.create_index(
        "ix_application_source", "application", ["source_kind", "source_id"], unique=False
    )
    op.create_table(
        "cart_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("price_trace", sa.JSON(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_cart_line_quantity"),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name="fk_cart_line_cart_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_cart_line_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_cart_line"),
        sa.UniqueConstraint("cart_id", "variant_id", name="uq_cart_line_cart_id_variant_id"),
        sa.UniqueConstraint("public_id", name="uq_cart_line_public_id"),
    )
    op.create_table(
        "contested_amount",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("source_kind", sa.String(length=30), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name="ck_contested_amount_positive"),
        sa.ForeignKeyConstraint(["item_id"], ["open_item.id"], name="fk_contested_amount_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contested_amount"),
    )
    op.create_index("ix_contested_amount_item_id", "contested_amount", ["item_id"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("level_id", sa.Uuid(), nullable=False),
        sa.Column("owner_kind", sa.String(length=10), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("owner_kind IN ('cart', 'quote', 'order')", name="ck_hold_owner_kind"),
        sa.CheckConstraint(
            "state IN ('active', 'released', 'lapsed', 'allocated')", name="ck_hold_state"
        ),
        sa.CheckConstraint("quantity > 0", name="ck_hold_quantity"),
        sa.ForeignKeyConstraint(["level_id"], ["stock_level.id"], name="fk_hold_level_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
    )
    op.create_index(
        "ix_hold_active",
        "hold",
        ["level_id", "expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index("ix_hold_owner", "hold", ["owner_kind", "owner_id"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("payer_account_id", sa.Uuid(), nullable=False),
        sa.Column("service_account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("series_position", INT, nullable=True),
        sa.Column("is_external", sa.Boolean(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("period_index", INT, nullable=True),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("net_minor", INT, nullable=False),
        sa.Column("tax_minor", INT, nullable=False),
        sa.Column("total_minor", INT, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('invoice', 'credit_memo', 'debit_memo', 'note')", name="ck_invoice_kind"
        ),
        sa.CheckConstraint("total_minor = net_minor + tax_minor", name="ck_invoice_adds_up"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_invoice_channel_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_invoice_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_invoice_order_id"),
        sa.ForeignKeyConstraint(
            ["payer_account_id"], ["account.id"], name="fk_invoice_payer_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["service_account_id"], ["account.id"], name="fk_invoice_service_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_invoice_subscription_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invoice"),
        sa.UniqueConstraint(
            "legal_entity_id", "series", "number", name="uq_invoice_legal_entity_id_series_number"
        ),
        sa.UniqueConstraint("public_id", name="uq_invoice_public_id"),
        sa.UniqueConstraint(
            "subscription_id", "period_index", name="uq_invoice_subscription_id_period_index"
        ),
    )
    op.create_index(
        "ix_invoice_account_id", "invoice", ["payer_account_id", "issue_date"], unique=False
    )
    op.create_index("ix_invoice_issued_at", "invoice", ["issued_at"], unique=False)
    op.create_index(
        "uq_invoice_order_id",
        "invoice",
        ["order_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'invoice'"),
        postgresql_where=sa.text("kind = 'invoice'"),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("line_number", INT, nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tax_category", sa.String(length=40), nullable=False),
        sa.Column("charge_kind", sa.String(length=10), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("price_trace", sa.JSON(), nullable=False),
        sa.Column("net_minor", INT, nullable=False),
        sa.Column("tax_minor", INT, nullable=False),
        sa.Column("service_account_id", sa.Uuid(), nullable=True),
        sa.Column("payer_account_id", sa.Uuid(), nullable=True),
        sa.Column("service_location", sa.JSON(), nullable=True),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("period_index", INT, nullable=True),
        sa.CheckConstraint(
            "charge_kind IN ('one_off', 'monthly', 'yearly')", name="ck_order_line_charge_kind"
        ),
        sa.CheckConstraint("quantity > 0", name="ck_order_line_quantity"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_order_line_order_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["order_line.id"], name="fk_order_line_parent_id"),
        sa.ForeignKeyConstraint(
            ["payer_account_id"], ["account.id"], name="fk_order_line_payer_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["service_account_id"], ["account.id"], name="fk_order_line_service_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_order_line_subscription_id"
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_order_line_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_line"),
        sa.UniqueConstraint("order_id", "line_number", name="uq_order_line_order_id_line_number"),
        sa.UniqueConstraint(
            "subscription_id", "period_index", name="uq_order_line_subscription_id_period_index"
        ),
    )
    op.create_table(
        "payment_operation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("op_key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("gateway_id", sa.String(length=120), nullable=True),
        sa.Column("redirect_url", sa.Text(), nullable=True),
        sa.Column("attempts", INT, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('checkout', 'refund')", name="ck_payment_operation_kind"),
        sa.CheckConstraint(
            "state IN ('pending', 'sent', 'succeeded', 'failed', 'expired', 'indeterminate')",
            name="ck_payment_operation_state",
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_payment_operation_positive"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_payment_operation_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name="fk_payment_operation_payment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_operation"),
        sa.UniqueConstraint("op_key", name="uq_payment_operation_op_key"),
        sa.UniqueConstraint("public_id", name="uq_payment_operation_public_id"),
    )
    op.create_index(
        "ix_payment_operation_due", "payment_operation", ["state", "next_at"], unique=False
    )
    op.create_index(
        "ix_payment_operation_gateway_id", "payment_operation", ["gateway_id"], unique=False
    )
    op.create_index(
        "ix_payment_operation_order_id", "payment_operation", ["order_id"], unique=False
    )
    op.create_table(
        "price",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("min_quantity", INT, nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.CheckConstraint("min_quantity >= 1", name="ck_price_min_quantity"),
        sa.CheckConstraint("unit_price_micros >= 0", name="ck_price_not_negative"),
        sa.ForeignKeyConstraint(
            ["price_list_id"], ["price_list.id"], name="fk_price_price_list_id"
        ),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_price_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_price"),
        sa.UniqueConstraint(
            "variant_id",
            "price_list_id",
            "min_quantity",
            name="uq_price_variant_id_price_list_id_min_quantity",
        ),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("gateway_id", sa.String(length=120), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_refund_positive"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name="fk_refund_payment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refund"),
        sa.UniqueConstraint("gateway_id", name="uq_refund_gateway_id"),
        sa.UniqueConstraint("operation_id", name="uq_refund_operation_id"),
    )
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"], unique=False)
    op.create_table(
        "stock_movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("level_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=15), nullable=False),
        sa.Column("on_hand", INT, nullable=False),
        sa.Column("allocated", INT, nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('received', 'adjusted', 'allocated', 'deallocated', 'shipped', 'returned')",
            name="ck_stock_movement_kind",
        ),
        sa.ForeignKeyConstraint(
            ["level_id"], ["stock_level.id"], name="fk_stock_movement_level_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_stock_movement"),
    )
    op.create_index("ix_stock_movement_level_id", "stock_movement", ["level_id"], unique=False)
    op.create_table(
        "tender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("open_item_id", sa.Uuid(), nullable=True),
        sa.Column("position", INT, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('card', 'terms', 'credit', 'gift_card')", name="ck_tender_kind"
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'committed', 'released')", name="ck_tender_state"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_tender_positive"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_tender_account_id"),
        sa.ForeignKeyConstraint(["open_item_id"], ["open_item.id"], name="fk_tender_open_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tender"),
    )
    op.create_index("ix_tender_operation_id", "tender", ["operation_id"], unique=False)
    op.create_index("ix_tender_order_id", "tender", ["order_id"], unique=False)
    op.create_table(
        "invoice_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("line_number", INT, nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("memo_of_id", sa.Uuid(), nullable=True),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("quantity", sa.String(length=40), nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("net_minor", INT, nullable=False),
        sa.Column("tax_minor", INT, nullable=False),
        sa.Column("ledger_code", sa.String(length=40), nullable=False),
        sa.Column("cost_minor", INT, nullable=True),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_invoice_line_invoice_id"),
        sa.ForeignKeyConstraint(
            ["memo_of_id"], ["invoice_line.id"], name="fk_invoice_line_memo_of_id"
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_invoice_line_order_line_id"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["invoice_line.id"], name="fk_invoice_line_parent_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_line"),
        sa.UniqueConstraint(
            "invoice_id", "line_number", name="uq_invoice_line_invoice_id_line_number"
        ),
    )
    op.create_index("ix_invoice_line_memo_of_id", "invoice_line", ["memo_of_id"], unique=False)
    op.create_index(
        "ix_invoice_line_order_line_id", "invoice_line", ["order_line_id"], unique=False
    )
    op.create_table(
        "order_line_tax",
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("position", INT, autoincrement=False, nullable=False),
        sa.Column("jurisdiction", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rate_ppm", INT, nullable=False),
        sa.Column("base_minor", INT, nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("inclusive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_order_line_tax_order_line_id"
        ),
        sa.PrimaryKeyConstraint("order_line_id", "position", name="pk_order_line_tax"),
    )
    op.create_table(
        "stored_document",
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("template_version", sa.String(length=40), nullable=False),
        sa.Column("renderer_version", sa.String(length=40), nullable=False),
        sa.Column("fonts_version", sa.String(length=64), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name="fk_stored_document_invoice_id"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_stored_document_sha256"),
        sa.PrimaryKeyConstraint("invoice_id", name="pk_stored_document"),
    )
    op.create_table(
        "invoice_line_tax",
        sa.Column("invoice_line_id", sa.Uuid(), nullable=False),
        sa.Column("position", INT, autoincrement=False, nullable=False),
        sa.Column("jurisdiction", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rate_ppm", INT, nullable=False),
        sa.Column("base_minor", INT, nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("inclusive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_line_id"], ["invoice_line.id"], name="fk_invoice_line_tax_invoice_line_id"
        ),
        sa.PrimaryKeyConstraint("invoice_line_id", "position", name="pk_invoice_line_tax"),
    )
    op.create_table(
        "obligation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_line_id", sa.Uuid(), nullable=False),
        sa.Column("trigger", sa.String(length=12), nullable=False),
        sa.Column("allocated_minor", INT, nullable=False),
        sa.CheckConstraint(
            "trigger IN ('shipped', 'provisioned', 'accepted', 'ratable', 'usage')",
            name="ck_obligation_trigger",
        ),
        sa.ForeignKeyConstraint(
            ["invoice_line_id"], ["invoice_line.id"], name="fk_obligation_invoice_line_id"
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_obligation_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_obligation_order_line_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_obligation"),
    )
    op.create_index(
        "ix_obligation_invoice_line_id", "obligation", ["invoice_line_id"], unique=False
    )
    op.create_table(
        "revenue_schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("obligation_id", sa.Uuid(), nullable=False),
        sa.Column("earned_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["journal_entry.id"], name="fk_revenue_schedule_entry_id"
        ),
        sa.ForeignKeyConstraint(
            ["obligation_id"], ["obligation.id"], name="fk_revenue_schedule_obligation_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_revenue_schedule"),
        sa.UniqueConstraint(
            "obligation_id", "earned_on", name="uq_revenue_schedule_obligation_id_earned_on"
        ),
    )
    run(GUARDS)
