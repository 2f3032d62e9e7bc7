"""Services, trials, quotes, bundles, cards on file, tokens.

A subscription held its one plan itself; now its plans are phases. What there was becomes phase 0, under the
subscription's own key, and the bills' lines of it say which period they are for. A variant that has pieces
is a bundle by its kind now.
"""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import CannotMigrate, behind, guarded_batch, run, unfenced
from core.kernel.money import minor_digits

revision = "0002"
down_revision = "0001"

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER quote_message_no_update BEFORE UPDATE ON quote_message BEGIN SELECT RAISE(ABORT, 'quote_message is append-only'); END",
        "CREATE TRIGGER quote_message_no_delete BEFORE DELETE ON quote_message BEGIN SELECT RAISE(ABORT, 'quote_message is append-only'); END",
        "CREATE TRIGGER quote_acceptance_no_update BEFORE UPDATE ON quote_acceptance BEGIN SELECT RAISE(ABORT, 'quote_acceptance is append-only'); END",
        "CREATE TRIGGER quote_acceptance_no_delete BEFORE DELETE ON quote_acceptance BEGIN SELECT RAISE(ABORT, 'quote_acceptance is append-only'); END",
        "CREATE TRIGGER quote_file_no_update BEFORE UPDATE ON quote_file BEGIN SELECT RAISE(ABORT, 'quote_file is append-only'); END",
        "CREATE TRIGGER quote_file_no_delete BEFORE DELETE ON quote_file BEGIN SELECT RAISE(ABORT, 'quote_file is append-only'); END",
        """CREATE TRIGGER quote_version_stays BEFORE UPDATE ON quote_version WHEN OLD.frozen_at IS NOT NULL AND NOT (CAST(NEW.id AS TEXT) IS CAST(OLD.id AS TEXT) AND CAST(NEW.quote_id AS TEXT) IS CAST(OLD.quote_id AS TEXT) AND CAST(NEW.number AS TEXT) IS CAST(OLD.number AS TEXT) AND CAST(NEW.revision AS TEXT) IS CAST(OLD.revision AS TEXT) AND CAST(NEW.valid_through AS TEXT) IS CAST(OLD.valid_through AS TEXT) AND CAST(NEW.expires_at AS TEXT) IS CAST(OLD.expires_at AS TEXT) AND CAST(NEW.discount_ppm AS TEXT) IS CAST(OLD.discount_ppm AS TEXT) AND CAST(NEW.discount_minor AS TEXT) IS CAST(OLD.discount_minor AS TEXT) AND CAST(NEW.discount_reason AS TEXT) IS CAST(OLD.discount_reason AS TEXT) AND CAST(NEW.delivery_method AS TEXT) IS CAST(OLD.delivery_method AS TEXT) AND CAST(NEW.delivery_minor AS TEXT) IS CAST(OLD.delivery_minor AS TEXT) AND CAST(NEW.payment AS TEXT) IS CAST(OLD.payment AS TEXT) AND CAST(NEW.note AS TEXT) IS CAST(OLD.note AS TEXT) AND CAST(NEW.needs_approval AS TEXT) IS CAST(OLD.needs_approval AS TEXT) AND CAST(NEW.drafted_by AS TEXT) IS CAST(OLD.drafted_by AS TEXT) AND CAST(NEW.approved_by AS TEXT) IS CAST(OLD.approved_by AS TEXT) AND CAST(NEW.net_minor AS TEXT) IS CAST(OLD.net_minor AS TEXT) AND CAST(NEW.tax_minor AS TEXT) IS CAST(OLD.tax_minor AS TEXT) AND CAST(NEW.document AS TEXT) IS CAST(OLD.document AS TEXT) AND CAST(NEW.created_at AS TEXT) IS CAST(OLD.created_at AS TEXT) AND CAST(NEW.changed_at AS TEXT) IS CAST(OLD.changed_at AS TEXT) AND CAST(NEW.frozen_at AS TEXT) IS CAST(OLD.frozen_at AS TEXT))
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_version_kept BEFORE DELETE ON quote_version WHEN OLD.frozen_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_line_stays_on_insert BEFORE INSERT ON quote_line WHEN EXISTS (SELECT 1 FROM quote_version WHERE id = NEW.version_id AND frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_line_stays_on_update BEFORE UPDATE ON quote_line WHEN EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_line_stays_on_delete BEFORE DELETE ON quote_line WHEN EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_site_stays_on_insert BEFORE INSERT ON quote_site WHEN EXISTS (SELECT 1 FROM quote_version WHERE id = NEW.version_id AND frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_site_stays_on_update BEFORE UPDATE ON quote_site WHEN EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_site_stays_on_delete BEFORE DELETE ON quote_site WHEN EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_line_tax_stays_on_insert BEFORE INSERT ON quote_line_tax WHEN EXISTS (SELECT 1 FROM quote_version v JOIN quote_line l ON l.version_id = v.id WHERE l.id = NEW.quote_line_id AND v.frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_line_tax_stays_on_update BEFORE UPDATE ON quote_line_tax WHEN EXISTS (SELECT 1 FROM quote_version v JOIN quote_line l ON l.version_id = v.id WHERE l.id = OLD.quote_line_id AND v.frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        """CREATE TRIGGER quote_line_tax_stays_on_delete BEFORE DELETE ON quote_line_tax WHEN EXISTS (SELECT 1 FROM quote_version v JOIN quote_line l ON l.version_id = v.id WHERE l.id = OLD.quote_line_id AND v.frozen_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what was sent of a quote does not change'); END""",
        "CREATE TRIGGER entitlement_event_no_update BEFORE UPDATE ON entitlement_event BEGIN SELECT RAISE(ABORT, 'entitlement_event is append-only'); END",
        "CREATE TRIGGER entitlement_event_no_delete BEFORE DELETE ON entitlement_event BEGIN SELECT RAISE(ABORT, 'entitlement_event is append-only'); END",
        "CREATE TRIGGER usage_record_no_update BEFORE UPDATE ON usage_record BEGIN SELECT RAISE(ABORT, 'usage_record is append-only'); END",
        "CREATE TRIGGER usage_record_no_delete BEFORE DELETE ON usage_record BEGIN SELECT RAISE(ABORT, 'usage_record is append-only'); END",
        "CREATE TRIGGER authorisation_only_ends BEFORE UPDATE ON authorisation WHEN OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL OR OLD.id IS NOT NEW.id OR OLD.public_id IS NOT NEW.public_id OR OLD.account_id IS NOT NEW.account_id OR OLD.user_id IS NOT NEW.user_id OR OLD.payment_method_id IS NOT NEW.payment_method_id OR OLD.operation_id IS NOT NEW.operation_id OR OLD.purpose IS NOT NEW.purpose OR OLD.subject IS NOT NEW.subject OR OLD.text IS NOT NEW.text OR OLD.text_version IS NOT NEW.text_version OR OLD.address IS NOT NEW.address OR OLD.agreed_at IS NOT NEW.agreed_at BEGIN SELECT RAISE(ABORT, 'authorisation is append-only'); END",
        "CREATE TRIGGER authorisation_no_delete BEFORE DELETE ON authorisation BEGIN SELECT RAISE(ABORT, 'authorisation is append-only'); END",
    ),
    "postgresql": (
        "CREATE TRIGGER quote_message_append_only BEFORE UPDATE OR DELETE ON quote_message FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER quote_message_no_truncate BEFORE TRUNCATE ON quote_message FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER quote_acceptance_append_only BEFORE UPDATE OR DELETE ON quote_acceptance FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER quote_acceptance_no_truncate BEFORE TRUNCATE ON quote_acceptance FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER quote_file_append_only BEFORE UPDATE OR DELETE ON quote_file FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER quote_file_no_truncate BEFORE TRUNCATE ON quote_file FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION quote_version_stays() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF OLD.frozen_at IS NOT NULL AND NOT (CAST(NEW.id AS TEXT) IS NOT DISTINCT FROM CAST(OLD.id AS TEXT) AND CAST(NEW.quote_id AS TEXT) IS NOT DISTINCT FROM CAST(OLD.quote_id AS TEXT) AND CAST(NEW.number AS TEXT) IS NOT DISTINCT FROM CAST(OLD.number AS TEXT) AND CAST(NEW.revision AS TEXT) IS NOT DISTINCT FROM CAST(OLD.revision AS TEXT) AND CAST(NEW.valid_through AS TEXT) IS NOT DISTINCT FROM CAST(OLD.valid_through AS TEXT) AND CAST(NEW.expires_at AS TEXT) IS NOT DISTINCT FROM CAST(OLD.expires_at AS TEXT) AND CAST(NEW.discount_ppm AS TEXT) IS NOT DISTINCT FROM CAST(OLD.discount_ppm AS TEXT) AND CAST(NEW.discount_minor AS TEXT) IS NOT DISTINCT FROM CAST(OLD.discount_minor AS TEXT) AND CAST(NEW.discount_reason AS TEXT) IS NOT DISTINCT FROM CAST(OLD.discount_reason AS TEXT) AND CAST(NEW.delivery_method AS TEXT) IS NOT DISTINCT FROM CAST(OLD.delivery_method AS TEXT) AND CAST(NEW.delivery_minor AS TEXT) IS NOT DISTINCT FROM CAST(OLD.delivery_minor AS TEXT) AND CAST(NEW.payment AS TEXT) IS NOT DISTINCT FROM CAST(OLD.payment AS TEXT) AND CAST(NEW.note AS TEXT) IS NOT DISTINCT FROM CAST(OLD.note AS TEXT) AND CAST(NEW.needs_approval AS TEXT) IS NOT DISTINCT FROM CAST(OLD.needs_approval AS TEXT) AND CAST(NEW.drafted_by AS TEXT) IS NOT DISTINCT FROM CAST(OLD.drafted_by AS TEXT) AND CAST(NEW.approved_by AS TEXT) IS NOT DISTINCT FROM CAST(OLD.approved_by AS TEXT) AND CAST(NEW.net_minor AS TEXT) IS NOT DISTINCT FROM CAST(OLD.net_minor AS TEXT) AND CAST(NEW.tax_minor AS TEXT) IS NOT DISTINCT FROM CAST(OLD.tax_minor AS TEXT) AND CAST(NEW.document AS TEXT) IS NOT DISTINCT FROM CAST(OLD.document AS TEXT) AND CAST(NEW.created_at AS TEXT) IS NOT DISTINCT FROM CAST(OLD.created_at AS TEXT) AND CAST(NEW.changed_at AS TEXT) IS NOT DISTINCT FROM CAST(OLD.changed_at AS TEXT) AND CAST(NEW.frozen_at AS TEXT) IS NOT DISTINCT FROM CAST(OLD.frozen_at AS TEXT)) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER quote_version_stays BEFORE UPDATE ON quote_version FOR EACH ROW EXECUTE FUNCTION quote_version_stays()",
        """CREATE OR REPLACE FUNCTION quote_version_kept() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF OLD.frozen_at IS NOT NULL THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN OLD;
END $body$""",
        "CREATE TRIGGER quote_version_kept BEFORE DELETE ON quote_version FOR EACH ROW EXECUTE FUNCTION quote_version_kept()",
        """CREATE OR REPLACE FUNCTION quote_line_stays_on_insert() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version WHERE id = NEW.version_id AND frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER quote_line_stays_on_insert BEFORE INSERT ON quote_line FOR EACH ROW EXECUTE FUNCTION quote_line_stays_on_insert()",
        """CREATE OR REPLACE FUNCTION quote_line_stays_on_update() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER quote_line_stays_on_update BEFORE UPDATE ON quote_line FOR EACH ROW EXECUTE FUNCTION quote_line_stays_on_update()",
        """CREATE OR REPLACE FUNCTION quote_line_stays_on_delete() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN OLD;
END $body$""",
        "CREATE TRIGGER quote_line_stays_on_delete BEFORE DELETE ON quote_line FOR EACH ROW EXECUTE FUNCTION quote_line_stays_on_delete()",
        """CREATE OR REPLACE FUNCTION quote_site_stays_on_insert() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version WHERE id = NEW.version_id AND frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER quote_site_stays_on_insert BEFORE INSERT ON quote_site FOR EACH ROW EXECUTE FUNCTION quote_site_stays_on_insert()",
        """CREATE OR REPLACE FUNCTION quote_site_stays_on_update() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER quote_site_stays_on_update BEFORE UPDATE ON quote_site FOR EACH ROW EXECUTE FUNCTION quote_site_stays_on_update()",
        """CREATE OR REPLACE FUNCTION quote_site_stays_on_delete() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version WHERE id = OLD.version_id AND frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN OLD;
END $body$""",
        "CREATE TRIGGER quote_site_stays_on_delete BEFORE DELETE ON quote_site FOR EACH ROW EXECUTE FUNCTION quote_site_stays_on_delete()",
        """CREATE OR REPLACE FUNCTION quote_line_tax_stays_on_insert() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version v JOIN quote_line l ON l.version_id = v.id WHERE l.id = NEW.quote_line_id AND v.frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER quote_line_tax_stays_on_insert BEFORE INSERT ON quote_line_tax FOR EACH ROW EXECUTE FUNCTION quote_line_tax_stays_on_insert()",
        """CREATE OR REPLACE FUNCTION quote_line_tax_stays_on_update() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version v JOIN quote_line l ON l.version_id = v.id WHERE l.id = OLD.quote_line_id AND v.frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER quote_line_tax_stays_on_update BEFORE UPDATE ON quote_line_tax FOR EACH ROW EXECUTE FUNCTION quote_line_tax_stays_on_update()",
        """CREATE OR REPLACE FUNCTION quote_line_tax_stays_on_delete() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM quote_version v JOIN quote_line l ON l.version_id = v.id WHERE l.id = OLD.quote_line_id AND v.frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION 'what was sent of a quote does not change' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN OLD;
END $body$""",
        "CREATE TRIGGER quote_line_tax_stays_on_delete BEFORE DELETE ON quote_line_tax FOR EACH ROW EXECUTE FUNCTION quote_line_tax_stays_on_delete()",
        "CREATE TRIGGER entitlement_event_append_only BEFORE UPDATE OR DELETE ON entitlement_event FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER entitlement_event_no_truncate BEFORE TRUNCATE ON entitlement_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER usage_record_append_only BEFORE UPDATE OR DELETE ON usage_record FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER usage_record_no_truncate BEFORE TRUNCATE ON usage_record FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER authorisation_only_ends BEFORE UPDATE ON authorisation FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL OR OLD.id IS DISTINCT FROM NEW.id OR OLD.public_id IS DISTINCT FROM NEW.public_id OR OLD.account_id IS DISTINCT FROM NEW.account_id OR OLD.user_id IS DISTINCT FROM NEW.user_id OR OLD.payment_method_id IS DISTINCT FROM NEW.payment_method_id OR OLD.operation_id IS DISTINCT FROM NEW.operation_id OR OLD.purpose IS DISTINCT FROM NEW.purpose OR OLD.subject IS DISTINCT FROM NEW.subject OR OLD.text IS DISTINCT FROM NEW.text OR OLD.text_version IS DISTINCT FROM NEW.text_version OR OLD.address IS DISTINCT FROM NEW.address OR OLD.agreed_at IS DISTINCT FROM NEW.agreed_at) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER authorisation_no_delete BEFORE DELETE ON authorisation FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER authorisation_no_truncate BEFORE TRUNCATE ON authorisation FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ),
}


def upgrade() -> None:
    _refuse_what_cannot_be_held()
    _create_tables()
    _change_variants_and_bundles()
    _change_plans()
    _change_subscriptions()
    _change_orders_and_payments()
    _change_invoices()
    run(GUARDS)


#: What the first tables took and these don't: nobody could enter it but by hand, and nobody but its
#: owner knows what it should be.
_REFUSED = (
    (
        "Services that run have a day on which they began. Give activated_on of subscription",
        "SELECT public_id FROM subscription WHERE state IN ('active', 'paused') AND activated_on IS NULL",
    ),
    (
        "Services that ended have their first day without service. Give ended_on of subscription",
        "SELECT public_id FROM subscription WHERE state = 'ended' AND ended_on IS NULL",
    ),
    (
        "When a pause began is kept now, and was not. Set to active or ended, and pause again afterwards, subscription",
        "SELECT public_id FROM subscription WHERE state = 'paused'",
    ),
    (
        "A bill day is between 1 and 31. Correct anchor_day of subscription",
        "SELECT public_id FROM subscription WHERE anchor_day NOT BETWEEN 1 AND 31",
    ),
    (
        "A plan or a gift card can't be a bundle. Take the pieces out of",
        "SELECT DISTINCT v.sku FROM bundle_component c JOIN variant v ON v.id = c.bundle_id "
        "WHERE v.kind IN ('plan', 'gift_card')",
    ),
    (
        "A bundle holds no bundle, no gift card, no more than 99 of a piece and 10 of a plan. Change the pieces of",
        "SELECT DISTINCT v.sku FROM bundle_component c JOIN variant v ON v.id = c.bundle_id "
        "JOIN variant p ON p.id = c.component_id "
        "WHERE p.kind = 'gift_card' OR c.quantity > 99 OR (p.kind = 'plan' AND c.quantity > 10) "
        "OR c.component_id IN (SELECT bundle_id FROM bundle_component)",
    ),
)


def _refuse_what_cannot_be_held() -> None:
    connection = op.get_bind()
    for words, query in _REFUSED:
        found = [str(name) for (name,) in connection.exec_driver_sql(query)]
        if found:
            raise CannotMigrate(f"{words} {', '.join(found[:5])}. Nothing was changed.")


def _create_tables() -> None:
    op.create_table(
        "meter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("counts", sa.String(length=10), nullable=False),
        sa.CheckConstraint("counts IN ('sum', 'max', 'last')", name="ck_meter_counts"),
        sa.PrimaryKeyConstraint("id", name="pk_meter"),
        sa.UniqueConstraint("code", name="uq_meter_code"),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("beginning", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('user', 'staff')", name="ck_api_token_kind"),
        sa.CheckConstraint(
            "expires_on IS NULL OR expires_on > created_on", name="ck_api_token_expires"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_api_token_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("public_id", name="uq_api_token_public_id"),
        sa.UniqueConstraint("token_hash", name="uq_api_token_token_hash"),
    )
    op.create_index("ix_api_token_kind", "api_token", ["kind", "created_at"], unique=False)
    op.create_index("ix_api_token_user_id", "api_token", ["user_id", "created_at"], unique=False)

    op.create_table(
        "bill_parking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parked_by", sa.String(length=80), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(length=80), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)", name="ck_bill_parking_released"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_bill_parking_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_parking"),
        sa.UniqueConstraint("public_id", name="uq_bill_parking_public_id"),
    )
    op.create_index("ix_bill_parking_account_id", "bill_parking", ["account_id"], unique=False)
    op.create_index("ix_bill_parking_parked_at", "bill_parking", ["parked_at", "id"], unique=False)
    op.create_index(
        "uq_bill_parking_open",
        "bill_parking",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )

    op.create_table(
        "bill_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("accounts", INT, nullable=False),
        sa.Column("started_by", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totals", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("kind IN ('real', 'preview')", name="ck_bill_run_kind"),
        sa.CheckConstraint("(finished_at IS NULL) = (totals IS NULL)", name="ck_bill_run_finished"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_bill_run_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_run"),
        sa.UniqueConstraint("public_id", name="uq_bill_run_public_id"),
    )
    op.create_index("ix_bill_run_as_of", "bill_run", ["kind", "as_of"], unique=False)
    op.create_index("ix_bill_run_started_at", "bill_run", ["started_at", "id"], unique=False)

    op.create_table(
        "payment_customer",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("op_key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("gateway_id", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_payment_customer_account_id"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_payment_customer"),
        sa.UniqueConstraint("gateway_id", name="uq_payment_customer_gateway_id"),
        sa.UniqueConstraint("op_key", name="uq_payment_customer_op_key"),
    )
    op.create_table(
        "payment_method",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("gateway_customer_id", sa.String(length=120), nullable=False),
        sa.Column("gateway_id", sa.String(length=120), nullable=False),
        sa.Column("brand", sa.String(length=20), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("exp_month", INT, nullable=False),
        sa.Column("exp_year", INT, nullable=False),
        sa.Column("fingerprint_digest", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detached_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'detached') = (detached_at IS NOT NULL)", name="ck_payment_method_detached"
        ),
        sa.CheckConstraint("state IN ('active', 'detached')", name="ck_payment_method_state"),
        sa.CheckConstraint("exp_month BETWEEN 1 AND 12", name="ck_payment_method_exp_month"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_payment_method_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_method"),
        sa.UniqueConstraint("gateway_id", name="uq_payment_method_gateway_id"),
        sa.UniqueConstraint("public_id", name="uq_payment_method_public_id"),
    )
    op.create_index(
        "ix_payment_method_account_id", "payment_method", ["account_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_payment_method_fingerprint_digest",
        "payment_method",
        ["fingerprint_digest"],
        unique=False,
    )

    op.create_table(
        "quote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("company", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("vat_id", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("value_minor", INT, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_side", sa.String(length=10), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.String(length=40), nullable=True),
        sa.Column("close_note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('accepted', 'declined', 'withdrawn')) = (closed_at IS NOT NULL)",
            name="ck_quote_closed",
        ),
        sa.CheckConstraint("last_side IN ('customer', 'staff')", name="ck_quote_last_side"),
        sa.CheckConstraint("source IN ('cart', 'product', 'staff')", name="ck_quote_source"),
        sa.CheckConstraint("state <> 'sent' OR expires_at IS NOT NULL", name="ck_quote_expires"),
        sa.CheckConstraint(
            "state IN ('requested', 'drafting', 'sent', 'accepted', 'declined', 'withdrawn')",
            name="ck_quote_state",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_quote_account_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_quote_channel_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_quote_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name="fk_quote_owner_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_quote_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_quote"),
        sa.UniqueConstraint("legal_entity_id", "number", name="uq_quote_legal_entity_id_number"),
        sa.UniqueConstraint("public_id", name="uq_quote_public_id"),
    )
    op.create_index("ix_quote_account_id", "quote", ["account_id", "requested_at"], unique=False)
    op.create_index("ix_quote_changed_at", "quote", ["changed_at", "id"], unique=False)
    op.create_index("ix_quote_requested_at", "quote", ["requested_at", "id"], unique=False)
    op.create_index("ix_quote_state", "quote", ["state", "changed_at"], unique=False)
    op.create_index("ix_quote_value_minor", "quote", ["value_minor", "id"], unique=False)

    op.create_table(
        "trial_offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("days", INT, nullable=True),
        sa.Column("notice_days", INT, nullable=False),
        sa.Column("follow_up_days", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'free_tier') = (days IS NULL)", name="ck_trial_offer_has_an_end"
        ),
        sa.CheckConstraint("kind IN ('no_card', 'card', 'free_tier')", name="ck_trial_offer_kind"),
        sa.CheckConstraint("days > notice_days AND days <= 366", name="ck_trial_offer_days"),
        sa.CheckConstraint("notice_days >= 7", name="ck_trial_offer_notice"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_trial_offer_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trial_offer"),
        sa.UniqueConstraint("code", name="uq_trial_offer_code"),
    )
    op.create_index("ix_trial_offer_variant_id", "trial_offer", ["variant_id"], unique=False)

    op.create_table(
        "bill_chunk",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, autoincrement=False, nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.Column("accounts", INT, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("accounts >= 1", name="ck_bill_chunk_accounts"),
        sa.ForeignKeyConstraint(["run_id"], ["bill_run.id"], name="fk_bill_chunk_run_id"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_bill_chunk"),
    )
    op.create_table(
        "bill_mark",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("open_from", sa.Date(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_bill_mark_subscription_id"
        ),
        sa.PrimaryKeyConstraint("subscription_id", name="pk_bill_mark"),
    )
    op.create_index("ix_bill_mark_next_on", "bill_mark", ["next_on"], unique=False)

    op.create_table(
        "entitlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("lock_reason", sa.String(length=30), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'locked') = (lock_reason <> '')", name="ck_entitlement_lock_reason"
        ),
        sa.CheckConstraint(
            "state IN ('granted', 'locked', 'revoked')", name="ck_entitlement_state"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_entitlement_account_id"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_entitlement_subscription_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_entitlement"),
        sa.UniqueConstraint(
            "subscription_id", "feature", name="uq_entitlement_subscription_id_feature"
        ),
    )
    op.create_index(
        "ix_entitlement_account_id", "entitlement", ["account_id", "feature"], unique=False
    )

    op.create_table(
        "quote_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('customer', 'staff')", name="ck_quote_message_side"),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name="fk_quote_message_quote_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_quote_message_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_quote_message"),
    )
    op.create_index("ix_quote_message_quote_id", "quote_message", ["quote_id", "at"], unique=False)

    op.create_table(
        "quote_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("valid_through", sa.Date(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discount_ppm", INT, nullable=False),
        sa.Column("discount_minor", INT, nullable=False),
        sa.Column("discount_reason", sa.String(length=200), nullable=False),
        sa.Column("delivery_method", sa.String(length=40), nullable=False),
        sa.Column("delivery_minor", INT, nullable=True),
        sa.Column("payment", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=600), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("drafted_by", sa.String(length=80), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=True),
        sa.Column("net_minor", INT, nullable=True),
        sa.Column("tax_minor", INT, nullable=True),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('draft', 'waiting', 'approved', 'dropped')) = (frozen_at IS NULL)",
            name="ck_quote_version_frozen",
        ),
        sa.CheckConstraint(
            "payment IN ('either', 'terms', 'card')", name="ck_quote_version_payment"
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR approved_by IS NOT NULL", name="ck_quote_version_approved"
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'waiting', 'approved', 'sent', 'accepted', 'declined', 'superseded', 'withdrawn', 'dropped')",
            name="ck_quote_version_state",
        ),
        sa.CheckConstraint("approved_by <> drafted_by", name="ck_quote_version_never_oneself"),
        sa.CheckConstraint("delivery_minor >= 0", name="ck_quote_version_delivery"),
        sa.CheckConstraint("discount_minor >= 0", name="ck_quote_version_discount_minor"),
        sa.CheckConstraint(
            "discount_ppm = 0 OR discount_minor = 0", name="ck_quote_version_one_discount"
        ),
        sa.CheckConstraint(
            "discount_ppm BETWEEN 0 AND 1000000", name="ck_quote_version_discount_ppm"
        ),
        sa.CheckConstraint(
            "frozen_at IS NULL OR (document IS NOT NULL AND expires_at IS NOT NULL AND net_minor IS NOT NULL AND tax_minor IS NOT NULL)",
            name="ck_quote_version_whole",
        ),
        sa.CheckConstraint(
            "frozen_at IS NULL OR NOT needs_approval OR approved_by IS NOT NULL",
            name="ck_quote_version_second_person",
        ),
        sa.ForeignKeyConstraint(["quote_id"], ["quote.id"], name="fk_quote_version_quote_id"),
        sa.PrimaryKeyConstraint("id", name="pk_quote_version"),
        sa.UniqueConstraint("quote_id", "number", name="uq_quote_version_quote_id_number"),
    )
    op.create_index("ix_quote_version_expires_at", "quote_version", ["expires_at"], unique=False)
    op.create_index(
        "ix_quote_version_waiting", "quote_version", ["state", "changed_at"], unique=False
    )
    op.create_index(
        "uq_quote_version_open",
        "quote_version",
        ["quote_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('draft', 'waiting', 'approved')"),
        postgresql_where=sa.text("state IN ('draft', 'waiting', 'approved')"),
    )
    op.create_index(
        "uq_quote_version_sent",
        "quote_version",
        ["quote_id"],
        unique=True,
        sqlite_where=sa.text("state = 'sent'"),
        postgresql_where=sa.text("state = 'sent'"),
    )

    op.create_table(
        "subscription_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint(
            "ends_on IS NULL OR ends_on >= starts_on", name="ck_subscription_pause_order"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_subscription_pause_subscription_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscription_pause"),
    )
    op.create_index(
        "ix_subscription_pause_subscription_id",
        "subscription_pause",
        ["subscription_id"],
        unique=False,
    )
    op.create_index(
        "uq_subscription_pause_open",
        "subscription_pause",
        ["subscription_id"],
        unique=True,
        sqlite_where=sa.text("ends_on IS NULL"),
        postgresql_where=sa.text("ends_on IS NULL"),
    )

    op.create_table(
        "subscription_phase",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("number", INT, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("price_trace", sa.JSON(), nullable=False),
        sa.Column("interval", sa.String(length=10), nullable=False),
        sa.Column("interval_count", INT, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("cycle_from", sa.Date(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", sa.String(length=80), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.CheckConstraint("interval IN ('month', 'year')", name="ck_subscription_phase_interval"),
        sa.CheckConstraint(
            "kind <> 'trial' OR unit_price_micros = 0", name="ck_subscription_phase_trial_is_free"
        ),
        sa.CheckConstraint("kind IN ('paid', 'trial')", name="ck_subscription_phase_kind"),
        sa.CheckConstraint(
            "(starts_on IS NULL) = (cycle_from IS NULL)", name="ck_subscription_phase_begun"
        ),
        sa.CheckConstraint("interval_count >= 1", name="ck_subscription_phase_interval_count"),
        sa.CheckConstraint("quantity > 0", name="ck_subscription_phase_quantity"),
        sa.CheckConstraint("unit_price_micros >= 0", name="ck_subscription_phase_price"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_subscription_phase_subscription_id"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name="fk_subscription_phase_variant_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscription_phase"),
        sa.UniqueConstraint(
            "subscription_id", "number", name="uq_subscription_phase_subscription_id_number"
        ),
    )
    op.create_index(
        "ix_subscription_phase_starts_on", "subscription_phase", ["starts_on"], unique=False
    )
    op.create_index(
        "ix_subscription_phase_variant_id", "subscription_phase", ["variant_id"], unique=False
    )

    op.create_table(
        "trial",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=15), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("price_micros", INT, nullable=False),
        sa.Column("price_trace", sa.JSON(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("interval", sa.String(length=10), nullable=False),
        sa.Column("interval_count", INT, nullable=False),
        sa.Column("days", INT, nullable=True),
        sa.Column("notice_days", INT, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("words_version", sa.String(length=20), nullable=False),
        sa.Column("agreed_from", sa.String(length=45), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.String(length=30), nullable=False),
        sa.Column("first_invoice_id", sa.Uuid(), nullable=True),
        sa.Column("first_net_minor", INT, nullable=True),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("noticed_on", sa.Date(), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(first_invoice_id IS NULL) = (first_net_minor IS NULL) AND (first_invoice_id IS NULL OR state = 'converted')",
            name="ck_trial_first_bill",
        ),
        sa.CheckConstraint(
            "(state IN ('awaiting_card', 'abandoned')) = (subscription_id IS NULL)",
            name="ck_trial_begun",
        ),
        sa.CheckConstraint(
            "(state IN ('awaiting_card', 'running')) = (closed_at IS NULL)", name="ck_trial_closed"
        ),
        sa.CheckConstraint(
            "kind = 'free_tier' OR (starts_on IS NULL) = (ends_on IS NULL)", name="ck_trial_ends"
        ),
        sa.CheckConstraint("kind IN ('no_card', 'card', 'free_tier')", name="ck_trial_kind"),
        sa.CheckConstraint(
            "state <> 'awaiting_card' OR kind = 'card'", name="ck_trial_waits_for_a_card"
        ),
        sa.CheckConstraint(
            "state IN ('awaiting_card', 'running', 'converted', 'cancelled', 'lapsed', 'abandoned')",
            name="ck_trial_state",
        ),
        sa.CheckConstraint(
            "(subscription_id IS NULL) = (starts_on IS NULL)", name="ck_trial_starts"
        ),
        sa.CheckConstraint("ends_on >= starts_on", name="ck_trial_order"),
        sa.CheckConstraint("price_micros >= 0", name="ck_trial_price"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_trial_account_id"),
        sa.ForeignKeyConstraint(["offer_id"], ["trial_offer.id"], name="fk_trial_offer_id"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_trial_subscription_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_trial_user_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_trial_variant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trial"),
        sa.UniqueConstraint("public_id", name="uq_trial_public_id"),
        sa.UniqueConstraint("subscription_id", name="uq_trial_subscription_id"),
    )
    op.create_index("ix_trial_account_id", "trial", ["account_id"], unique=False)
    op.create_index("ix_trial_asked_at", "trial", ["asked_at", "id"], unique=False)
    op.create_index("ix_trial_due", "trial", ["state", "next_on"], unique=False)
    op.create_index("ix_trial_offer_id", "trial", ["offer_id"], unique=False)

    op.create_table(
        "usage_price",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("meter_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("model", sa.String(length=10), nullable=False),
        sa.Column("free", sa.String(length=40), nullable=False),
        sa.Column("tiers", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "model IN ('graduated', 'volume', 'package')", name="ck_usage_price_model"
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="fk_usage_price_meter_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name="fk_usage_price_plan_id"),
        sa.PrimaryKeyConstraint("id", name="pk_usage_price"),
        sa.UniqueConstraint(
            "plan_id", "meter_id", "currency", name="uq_usage_price_plan_id_meter_id_currency"
        ),
    )
    op.create_table(
        "usage_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("meter_id", sa.Uuid(), nullable=False),
        sa.Column("record_key", sa.String(length=80), nullable=False),
        sa.Column("quantity_micros", INT, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("quantity_micros >= 0", name="ck_usage_record_not_negative"),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["usage_record.id"], name="fk_usage_record_corrects_id"
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="fk_usage_record_meter_id"),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_usage_record_subscription_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_usage_record"),
        sa.UniqueConstraint(
            "subscription_id",
            "meter_id",
            "record_key",
            name="uq_usage_record_subscription_id_meter_id_record_key",
        ),
    )
    op.create_index("ix_usage_record_corrects_id", "usage_record", ["corrects_id"], unique=False)
    op.create_index(
        "ix_usage_record_recorded_at",
        "usage_record",
        ["subscription_id", "recorded_at"],
        unique=False,
    )
    op.create_index(
        "ix_usage_record_used_on",
        "usage_record",
        ["subscription_id", "meter_id", "used_on"],
        unique=False,
    )

    op.create_table(
        "authorisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("payment_method_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_version", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_authorisation_account_id"),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["payment_operation.id"], name="fk_authorisation_operation_id"
        ),
        sa.ForeignKeyConstraint(
            ["payment_method_id"], ["payment_method.id"], name="fk_authorisation_payment_method_id"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_authorisation_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_authorisation"),
        sa.UniqueConstraint("operation_id", name="uq_authorisation_operation_id"),
        sa.UniqueConstraint("public_id", name="uq_authorisation_public_id"),
    )
    op.create_index(
        "ix_authorisation_payment_method_id", "authorisation", ["payment_method_id"], unique=False
    )
    op.create_index("ix_authorisation_subject", "authorisation", ["subject"], unique=False)

    op.create_table(
        "bill_outcome",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('parked', 'waiting')) = (reason <> '')", name="ck_bill_outcome_reason"
        ),
        sa.CheckConstraint(
            "kind IN ('billed', 'credited', 'parked', 'waiting')", name="ck_bill_outcome_kind"
        ),
        sa.CheckConstraint("reason = '' OR invoice_id IS NULL", name="ck_bill_outcome_no_document"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_bill_outcome_account_id"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_bill_outcome_invoice_id"),
        sa.ForeignKeyConstraint(["run_id"], ["bill_run.id"], name="fk_bill_outcome_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_outcome"),
    )
    op.create_index("ix_bill_outcome_account_id", "bill_outcome", ["account_id"], unique=False)
    op.create_index(
        "ix_bill_outcome_run_id", "bill_outcome", ["run_id", "account_id", "id"], unique=False
    )
    op.create_index(
        "uq_bill_outcome_invoice_id",
        "bill_outcome",
        ["invoice_id"],
        unique=True,
        sqlite_where=sa.text("invoice_id IS NOT NULL"),
        postgresql_where=sa.text("invoice_id IS NOT NULL"),
    )

    op.create_table(
        "entitlement_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('grant', 'lock', 'unlock', 'revoke')", name="ck_entitlement_event_kind"
        ),
        sa.ForeignKeyConstraint(
            ["entitlement_id"], ["entitlement.id"], name="fk_entitlement_event_entitlement_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_entitlement_event"),
    )
    op.create_index(
        "ix_entitlement_event_entitlement_id", "entitlement_event", ["entitlement_id"], unique=False
    )

    op.create_table(
        "order_line_charge",
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("charge_kind", sa.String(length=10), nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("priced_minor", INT, nullable=False),
        sa.CheckConstraint(
            "charge_kind IN ('one_off', 'monthly', 'yearly')",
            name="ck_order_line_charge_charge_kind",
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name="fk_order_line_charge_order_line_id"
        ),
        sa.PrimaryKeyConstraint("order_line_id", "charge_kind", name="pk_order_line_charge"),
    )
    op.create_table(
        "quote_acceptance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("payment", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=120), nullable=False),
        sa.Column("consent_version", sa.String(length=20), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("payment IN ('terms', 'card')", name="ck_quote_acceptance_payment"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_quote_acceptance_order_id"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_quote_acceptance_user_id"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["quote_version.id"], name="fk_quote_acceptance_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quote_acceptance"),
        sa.UniqueConstraint("order_id", name="uq_quote_acceptance_order_id"),
    )
    op.create_index(
        "ix_quote_acceptance_version_id",
        "quote_acceptance",
        ["version_id", "accepted_at"],
        unique=False,
    )

    op.create_table(
        "quote_approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.String(length=80), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('approved', 'declined')) = (decided_by IS NOT NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="ck_quote_approval_decided",
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'approved', 'declined', 'void')", name="ck_quote_approval_state"
        ),
        sa.CheckConstraint(
            "decided_by <> asked_by AND decided_by <> drafted_by",
            name="ck_quote_approval_second_person",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["quote_version.id"], name="fk_quote_approval_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quote_approval"),
    )
    op.create_index(
        "ix_quote_approval_version_id", "quote_approval", ["version_id", "asked_at"], unique=False
    )
    op.create_index(
        "uq_quote_approval_asked",
        "quote_approval",
        ["version_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )

    op.create_table(
        "quote_file",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("template_version", sa.String(length=40), nullable=False),
        sa.Column("renderer_version", sa.String(length=40), nullable=False),
        sa.Column("fonts_version", sa.String(length=64), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_quote_file_sha256"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["quote_version.id"], name="fk_quote_file_version_id"
        ),
        sa.PrimaryKeyConstraint("version_id", name="pk_quote_file"),
    )
    op.create_table(
        "quote_site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", INT, nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["quote_version.id"], name="fk_quote_site_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quote_site"),
        sa.UniqueConstraint("version_id", "position", name="uq_quote_site_version_id_position"),
    )
    op.create_index("ix_quote_site_version_id", "quote_site", ["version_id"], unique=False)

    op.create_table(
        "trial_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trial_id", sa.Uuid(), nullable=False),
        sa.Column("family", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('account', 'card', 'address', 'email')", name="ck_trial_claim_kind"
        ),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], name="fk_trial_claim_trial_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trial_claim"),
        sa.UniqueConstraint("family", "kind", "digest", name="uq_trial_claim_family_kind_digest"),
    )
    op.create_index("ix_trial_claim_trial_id", "trial_claim", ["trial_id"], unique=False)

    op.create_table(
        "trial_follow_up",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("trial_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(length=80), nullable=False),
        sa.Column("outcome", sa.String(length=15), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint("(done_at IS NULL) = (done_by = '')", name="ck_trial_follow_up_done_by"),
        sa.CheckConstraint("(done_at IS NULL) = (outcome = '')", name="ck_trial_follow_up_done"),
        sa.CheckConstraint(
            "outcome IN ('', 'reached', 'no_answer', 'going_on', 'not_wanted')",
            name="ck_trial_follow_up_outcome",
        ),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"], name="fk_trial_follow_up_trial_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trial_follow_up"),
        sa.UniqueConstraint("public_id", name="uq_trial_follow_up_public_id"),
        sa.UniqueConstraint("trial_id", "due_on", name="uq_trial_follow_up_trial_id_due_on"),
    )
    op.create_index("ix_trial_follow_up_due_on", "trial_follow_up", ["due_on", "id"], unique=False)

    op.create_table(
        "quote_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("line_number", INT, nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.Column("sku", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("tax_category", sa.String(length=40), nullable=False),
        sa.Column("charge_kind", sa.String(length=10), nullable=False),
        sa.Column("term_months", INT, nullable=True),
        sa.Column("quantity", INT, nullable=False),
        sa.Column("list_price_micros", INT, nullable=True),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.Column("cost_micros", INT, nullable=True),
        sa.Column("price_trace", sa.JSON(), nullable=False),
        sa.Column("final_price_micros", INT, nullable=True),
        sa.Column("net_minor", INT, nullable=True),
        sa.Column("tax_minor", INT, nullable=True),
        sa.Column("contained_minor", INT, nullable=True),
        sa.CheckConstraint(
            "charge_kind = 'one_off' OR variant_id IS NOT NULL",
            name="ck_quote_line_recurs_from_catalog",
        ),
        sa.CheckConstraint(
            "charge_kind IN ('one_off', 'monthly', 'yearly')", name="ck_quote_line_charge_kind"
        ),
        sa.CheckConstraint(
            "term_months IS NULL OR (charge_kind <> 'one_off' AND term_months BETWEEN 1 AND 120)",
            name="ck_quote_line_term",
        ),
        sa.CheckConstraint("quantity BETWEEN 1 AND 999", name="ck_quote_line_quantity"),
        sa.CheckConstraint(
            "unit_price_micros >= 0 AND final_price_micros >= 0", name="ck_quote_line_price"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["quote_site.id"], name="fk_quote_line_site_id"),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name="fk_quote_line_variant_id"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["quote_version.id"], name="fk_quote_line_version_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quote_line"),
        sa.UniqueConstraint(
            "version_id", "line_number", name="uq_quote_line_version_id_line_number"
        ),
    )
    op.create_index("ix_quote_line_site_id", "quote_line", ["site_id"], unique=False)

    op.create_table(
        "quote_line_tax",
        sa.Column("quote_line_id", sa.Uuid(), nullable=False),
        sa.Column("position", INT, autoincrement=False, nullable=False),
        sa.Column("jurisdiction", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("rate_ppm", INT, nullable=False),
        sa.Column("base_minor", INT, nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("inclusive", sa.Boolean(), nullable=False),
        sa.Column("compound", sa.Boolean(), nullable=False),
        sa.Column("relief", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.CheckConstraint("relief = '' OR amount_minor = 0", name="ck_quote_line_tax_relieved"),
        sa.CheckConstraint(
            "relief IN ('', 'exempt', 'reverse_charge')", name="ck_quote_line_tax_relief"
        ),
        sa.ForeignKeyConstraint(
            ["quote_line_id"], ["quote_line.id"], name="fk_quote_line_tax_quote_line_id"
        ),
        sa.PrimaryKeyConstraint("quote_line_id", "position", name="pk_quote_line_tax"),
    )


def _change_variants_and_bundles() -> None:
    """What has pieces becomes a bundle; its price in each list is what it costs once."""
    with guarded_batch("variant") as batch:
        batch.drop_constraint("ck_variant_kind", type_="check")
        batch.create_check_constraint(
            "ck_variant_kind",
            "kind IN ('physical', 'digital', 'service', 'plan', 'gift_card', 'bundle')",
        )
        batch.create_unique_constraint("uq_variant_id_kind", ["id", "kind"])
    op.create_table(
        "bundle_price",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("variant_kind", sa.String(length=10), nullable=False),
        sa.Column("charge_kind", sa.String(length=10), nullable=False),
        sa.Column("unit_price_micros", INT, nullable=False),
        sa.CheckConstraint(
            "charge_kind IN ('one_off', 'monthly', 'yearly')", name="ck_bundle_price_charge_kind"
        ),
        sa.CheckConstraint("variant_kind = 'bundle'", name="ck_bundle_price_variant_kind"),
        sa.CheckConstraint("unit_price_micros >= 0", name="ck_bundle_price_not_negative"),
        sa.ForeignKeyConstraint(
            ["price_list_id"], ["price_list.id"], name="fk_bundle_price_price_list_id"
        ),
        sa.ForeignKeyConstraint(
            ["variant_id", "variant_kind"],
            ["variant.id", "variant.kind"],
            name="fk_bundle_price_variant_id_variant_kind",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_bundle_price"),
        sa.UniqueConstraint(
            "variant_id",
            "price_list_id",
            "charge_kind",
            name="uq_bundle_price_variant_id_price_list_id_charge_kind",
        ),
    )
    op.execute(
        "UPDATE variant SET kind = 'bundle' WHERE id IN (SELECT bundle_id FROM bundle_component)"
    )
    op.execute(
        "INSERT INTO bundle_price (id, price_list_id, variant_id, variant_kind, charge_kind, unit_price_micros) "
        "SELECT p.id, p.price_list_id, p.variant_id, 'bundle', 'one_off', p.unit_price_micros FROM price p "
        "JOIN variant v ON v.id = p.variant_id WHERE v.kind = 'bundle' AND p.min_quantity = 1"
    )
    kind = sa.String(length=10)
    with guarded_batch("bundle_component", recreate="always") as batch:
        batch.add_column(sa.Column("bundle_kind", kind), **behind("component_id"))
        batch.add_column(sa.Column("component_kind", kind), **behind("bundle_kind"))
        batch.add_column(sa.Column("position", INT), **behind("component_kind"))
    op.execute(
        "UPDATE bundle_component SET bundle_kind = 'bundle', "
        "component_kind = (SELECT v.kind FROM variant v WHERE v.id = component_id), "
        "position = (SELECT count(*) FROM bundle_component o WHERE o.bundle_id = bundle_component.bundle_id "
        "AND o.component_id < bundle_component.component_id)"
    )
    with guarded_batch("bundle_component") as batch:
        batch.alter_column("bundle_kind", existing_type=kind, nullable=False)
        batch.alter_column("component_kind", existing_type=kind, nullable=False)
        batch.alter_column("position", existing_type=INT, nullable=False)
        batch.drop_constraint("ck_bundle_component_positive", type_="check")
        batch.create_check_constraint(
            "ck_bundle_component_positive", "quantity BETWEEN 1 AND 99 AND weight >= 0"
        )
        batch.create_check_constraint(
            "ck_bundle_component_plans", "component_kind <> 'plan' OR quantity <= 10"
        )
        batch.create_check_constraint("ck_bundle_component_bundle_kind", "bundle_kind = 'bundle'")
        batch.create_check_constraint(
            "ck_bundle_component_component_kind",
            "component_kind IN ('physical', 'digital', 'service', 'plan')",
        )
        batch.drop_constraint("fk_bundle_component_bundle_id", type_="foreignkey")
        batch.drop_constraint("fk_bundle_component_component_id", type_="foreignkey")
        batch.create_foreign_key(
            "fk_bundle_component_bundle_id_bundle_kind",
            "variant",
            ["bundle_id", "bundle_kind"],
            ["id", "kind"],
        )
        batch.create_foreign_key(
            "fk_bundle_component_component_id_component_kind",
            "variant",
            ["component_id", "component_kind"],
            ["id", "kind"],
        )
        batch.create_index("ix_bundle_component_component_id", ["component_id"])


def _change_plans() -> None:
    """Activated by hand, billed from that day, in no family: as they were. Nobody read what is dropped."""
    with guarded_batch("plan") as batch:
        batch.add_column(
            sa.Column("family", sa.String(length=40), server_default="", nullable=False)
        )
        batch.add_column(
            sa.Column("activation", sa.String(length=10), server_default="by_hand", nullable=False)
        )
        batch.add_column(
            sa.Column("bills_on", sa.String(length=10), server_default="activation", nullable=False)
        )
        batch.add_column(sa.Column("features", sa.JSON(), server_default="[]", nullable=False))
    with guarded_batch("plan") as batch:
        batch.alter_column("family", existing_type=sa.String(length=40), server_default=None)
        batch.alter_column("activation", existing_type=sa.String(length=10), server_default=None)
        batch.alter_column("bills_on", existing_type=sa.String(length=10), server_default=None)
        batch.alter_column("features", existing_type=sa.JSON(), server_default=None)
        batch.drop_column("phases")
        batch.drop_column("trial")
        batch.drop_column("usage_tiers")
        batch.create_check_constraint("ck_plan_activation", "activation IN ('at_once', 'by_hand')")
        batch.create_check_constraint("ck_plan_bills_on", "bills_on IN ('activation', 'account')")
        batch.create_index("ix_plan_family", ["family"])


def _change_subscriptions() -> None:
    """The plan that each one held itself becomes its phase 0, with the key of the subscription."""
    with guarded_batch("subscription", recreate="always") as batch:
        batch.add_column(sa.Column("service_location", sa.JSON()), **behind("service_account_id"))
        batch.add_column(
            sa.Column("label", sa.String(length=80), server_default="", nullable=False),
            **behind("service_location"),
        )
        batch.add_column(sa.Column("bill_day", INT), **behind("activated_on"))
        batch.add_column(sa.Column("term_months", INT), **behind("bill_day"))
        batch.add_column(sa.Column("end_reason", sa.String(length=30)))
        batch.add_column(
            sa.Column("end_note", sa.String(length=500), server_default="", nullable=False),
        )
        batch.add_column(sa.Column("payment_method_id", sa.Uuid()))
        batch.add_column(sa.Column("arrived_on", sa.Date()))
        batch.add_column(sa.Column("revision", INT, server_default="1", nullable=False))
    op.execute(_FIRST_PHASES)
    run(_BILL_DAYS)
    op.execute(
        "UPDATE subscription SET service_location = (SELECT l.service_location FROM order_line l "
        "WHERE l.subscription_id = subscription.id AND l.period_index = 0)"
    )
    with guarded_batch("subscription") as batch:
        batch.alter_column("label", existing_type=sa.String(length=80), server_default=None)
        batch.alter_column("end_note", existing_type=sa.String(length=500), server_default=None)
        batch.alter_column("revision", existing_type=INT, server_default=None)
        batch.drop_constraint("fk_subscription_variant_id", type_="foreignkey")
        for gone in ("variant_id", "quantity", "unit_price_micros", "interval", "interval_count"):
            batch.drop_column(gone)
        batch.drop_column("anchor_day")
        batch.create_check_constraint(
            "ck_subscription_activated",
            "state = 'ordered' OR activated_on IS NOT NULL OR ended_on IS NOT NULL",
        )
        batch.create_check_constraint(
            "ck_subscription_ended", "state <> 'ended' OR ended_on IS NOT NULL"
        )
        batch.create_check_constraint("ck_subscription_bill_day", "bill_day BETWEEN 1 AND 31")
        batch.drop_index("ix_subscription_payer_account_id")
        batch.create_index("ix_subscription_payer_account_id", ["payer_account_id", "state"])
        batch.create_index("ix_subscription_ordered_at", ["ordered_at", "id"])
        batch.create_index("ix_subscription_ended_on", ["ended_on"])


#: The day that was set, else the day on which it began; none before that.
_BILL_DAYS = {
    "sqlite": (
        "UPDATE subscription SET bill_day = COALESCE(anchor_day, CAST(strftime('%d', activated_on) AS INTEGER)) "
        "WHERE activated_on IS NOT NULL",
    ),
    "postgresql": (
        "UPDATE subscription SET bill_day = COALESCE(anchor_day, CAST(EXTRACT(DAY FROM activated_on) AS BIGINT)) "
        "WHERE activated_on IS NOT NULL",
    ),
}
#: What was ordered was agreed with the order, at the price and for the reason of its line.
_FIRST_PHASES = """
INSERT INTO subscription_phase (id, subscription_id, number, kind, variant_id, quantity, unit_price_micros,
  price_trace, interval, interval_count, starts_on, cycle_from, agreed_at, agreed_by, revision)
SELECT s.id, s.id, 0, 'paid', s.variant_id, s.quantity, s.unit_price_micros,
  COALESCE(l.price_trace, '{}'), s.interval, s.interval_count, s.activated_on, s.activated_on, s.ordered_at,
  COALESCE('order:' || o.public_id, 'system'), 1
FROM subscription s
LEFT JOIN order_line l ON l.subscription_id = s.id AND l.period_index = 0
LEFT JOIN "order" o ON o.id = l.order_id
"""


def _change_orders_and_payments() -> None:
    with guarded_batch("order_line", recreate="always") as batch:
        batch.add_column(sa.Column("term_months", INT), **behind("service_location"))
        batch.create_check_constraint(
            "ck_order_line_bundle",
            "kind <> 'bundle' OR (parent_id IS NULL AND tax_minor = 0 AND contained_minor = 0 AND subscription_id IS NULL)",
        )
        batch.create_index(
            "ix_order_line_parent_id",
            ["parent_id"],
            sqlite_where=sa.text("parent_id IS NOT NULL"),
            postgresql_where=sa.text("parent_id IS NOT NULL"),
        )
    under_way = sa.text("kind = 'charge' AND state IN ('pending', 'sent', 'indeterminate')")
    with guarded_batch("payment_operation", recreate="always") as batch:
        batch.add_column(sa.Column("invoice_id", sa.Uuid()), **behind("order_id"))
        batch.add_column(sa.Column("payment_method_id", sa.Uuid()), **behind("invoice_id"))
        batch.add_column(sa.Column("failure", sa.String(length=60)), **behind("last_error"))
        batch.create_foreign_key(
            "fk_payment_operation_payment_method_id",
            "payment_method",
            ["payment_method_id"],
            ["id"],
        )
        batch.drop_constraint("ck_payment_operation_kind", type_="check")
        batch.create_check_constraint(
            "ck_payment_operation_kind", "kind IN ('checkout', 'refund', 'setup', 'charge')"
        )
        batch.drop_constraint("ck_payment_operation_positive", type_="check")
        batch.create_check_constraint(
            "ck_payment_operation_positive", "amount_minor > 0 OR kind = 'setup'"
        )
        batch.create_check_constraint(
            "ck_payment_operation_setup_takes_nothing", "amount_minor = 0 OR kind <> 'setup'"
        )
        batch.create_check_constraint(
            "ck_payment_operation_charge_of_a_bill",
            "kind <> 'charge' OR (invoice_id IS NOT NULL AND payment_method_id IS NOT NULL)",
        )
        batch.create_index(
            "uq_payment_operation_charge_under_way",
            ["invoice_id"],
            unique=True,
            sqlite_where=under_way,
            postgresql_where=under_way,
        )


def _change_invoices() -> None:
    """A line of an order's plan is period 0 of its first phase. What documents say stays as it is."""
    with guarded_batch("invoice") as batch:
        batch.drop_constraint("uq_invoice_subscription_id_period_index", type_="unique")
        batch.drop_constraint("fk_invoice_subscription_id", type_="foreignkey")
        batch.drop_column("subscription_id")
        batch.drop_column("period_index")
    with guarded_batch("invoice_line", recreate="always") as batch:
        batch.add_column(sa.Column("phase_id", sa.Uuid()), **behind("period_end"))
        batch.add_column(sa.Column("period_index", INT), **behind("phase_id"))
        batch.add_column(sa.Column("meter_id", sa.Uuid()), **behind("period_index"))
        batch.add_column(sa.Column("charge_key", sa.String(length=120)), **behind("meter_id"))
        batch.add_column(sa.Column("rated_minor", INT), **behind("charge_key"))
        batch.create_foreign_key(
            "fk_invoice_line_phase_id", "subscription_phase", ["phase_id"], ["id"]
        )
        batch.create_foreign_key("fk_invoice_line_meter_id", "meter", ["meter_id"], ["id"])
        batch.create_unique_constraint("uq_invoice_line_charge_key", ["charge_key"])
        batch.create_check_constraint(
            "ck_invoice_line_charge_of_phase", "charge_key IS NULL OR phase_id IS NOT NULL"
        )
        batch.create_check_constraint(
            "ck_invoice_line_charge_of_period", "(charge_key IS NULL) = (period_index IS NULL)"
        )
        batch.create_check_constraint(
            "ck_invoice_line_charge_is_rated", "charge_key IS NULL OR rated_minor >= 0"
        )
        batch.create_index("ix_invoice_line_phase_id", ["phase_id"])
    connection = op.get_bind()
    lines = connection.execute(
        sa.text(
            "SELECT l.id, o.subscription_id AS phase, o.unit_price_micros, o.quantity, i.currency "
            "FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id AND i.kind = 'invoice' "
            "JOIN order_line o ON o.id = l.order_line_id "
            "WHERE o.subscription_id IS NOT NULL AND o.period_index = 0"
        )
    )
    found = [
        {
            "id": line.id,
            "phase": line.phase,
            "key": f"{str(line.phase).replace('-', '')}/0/0",
            "rated": _rated(line.unit_price_micros, line.quantity, line.currency),
        }
        for line in lines
    ]
    if found:
        with unfenced("invoice_line"):
            connection.execute(
                sa.text(
                    "UPDATE invoice_line SET phase_id = :phase, period_index = 0, charge_key = :key, "
                    "rated_minor = :rated WHERE id = :id"
                ),
                found,
            )


def _rated(unit_price_micros: int, quantity: int, currency: str) -> int:
    """Price times quantity, rounded half up to the minor unit."""
    unit = int(10 ** (6 - minor_digits(currency)))
    return (2 * unit_price_micros * quantity + unit) // (2 * unit)
