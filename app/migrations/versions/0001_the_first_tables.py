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
        "CREATE TRIGGER currency_rate_no_update BEFORE UPDATE ON currency_rate BEGIN SELECT RAISE(ABORT, 'currency_rate is append-only'); END",
        "CREATE TRIGGER currency_rate_no_delete BEFORE DELETE ON currency_rate BEGIN SELECT RAISE(ABORT, 'currency_rate is append-only'); END",
        """CREATE TRIGGER journal_entry_balances BEFORE INSERT ON journal_entry WHEN NOT EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id)
  OR EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id
             GROUP BY currency HAVING SUM(amount_minor) <> 0)
  OR (SELECT SUM(functional_minor) FROM journal_line WHERE entry_id = NEW.id) <> 0
BEGIN SELECT RAISE(ABORT, 'journal entry does not balance'); END""",
        """CREATE TRIGGER journal_entry_in_open_period BEFORE INSERT ON journal_entry WHEN EXISTS (SELECT 1 FROM period_close
          WHERE legal_entity_id = NEW.legal_entity_id AND reopened_at IS NULL
            AND through_date >= NEW.effective_date)
BEGIN SELECT RAISE(ABORT, 'journal entry lies in a closed period'); END""",
        """CREATE TRIGGER journal_line_not_late BEFORE INSERT ON journal_line WHEN EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'journal entry is already posted'); END""",
        """CREATE TRIGGER open_item_on_its_day BEFORE INSERT ON open_item WHEN NOT EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id
            AND effective_date = NEW.effective_date)
BEGIN SELECT RAISE(ABORT, 'open_item is of another day than its entry'); END""",
        """CREATE TRIGGER application_on_its_day BEFORE INSERT ON application WHEN NOT EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id
            AND effective_date = NEW.effective_date)
BEGIN SELECT RAISE(ABORT, 'application is of another day than its entry'); END""",
        """CREATE TRIGGER application_reverses BEFORE INSERT ON application WHEN NEW.reverses_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM application o WHERE o.id = NEW.reverses_id AND o.reverses_id IS NULL
      AND COALESCE(o.debit_item_id = NEW.debit_item_id,
                   o.debit_item_id IS NULL AND NEW.debit_item_id IS NULL)
      AND COALESCE(o.credit_item_id = NEW.credit_item_id,
                   o.credit_item_id IS NULL AND NEW.credit_item_id IS NULL)
      AND o.amount_minor + NEW.amount_minor >= COALESCE((
            SELECT -SUM(r.amount_minor) FROM application r WHERE r.reverses_id = o.id), 0))
BEGIN SELECT RAISE(ABORT, 'reversal of more or else than was applied'); END""",
        """CREATE TRIGGER application_on_its_side BEFORE INSERT ON application WHEN EXISTS (SELECT 1 FROM open_item WHERE id = NEW.debit_item_id AND side <> 'debit')
  OR EXISTS (SELECT 1 FROM open_item WHERE id = NEW.credit_item_id AND side <> 'credit')
BEGIN SELECT RAISE(ABORT, 'a debit item is no credit item'); END""",
        """CREATE TRIGGER period_close_reopens_once BEFORE UPDATE ON period_close WHEN NOT (COALESCE(NEW.id = OLD.id, NEW.id IS NULL AND OLD.id IS NULL) AND COALESCE(NEW.legal_entity_id = OLD.legal_entity_id, NEW.legal_entity_id IS NULL AND OLD.legal_entity_id IS NULL) AND COALESCE(NEW.through_date = OLD.through_date, NEW.through_date IS NULL AND OLD.through_date IS NULL) AND COALESCE(NEW.closed_at = OLD.closed_at, NEW.closed_at IS NULL AND OLD.closed_at IS NULL) AND COALESCE(NEW.closed_by = OLD.closed_by, NEW.closed_by IS NULL AND OLD.closed_by IS NULL) AND OLD.reopened_at IS NULL AND NEW.reopened_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'period_close is append-only but for its reopening'); END""",
        "CREATE TRIGGER period_close_no_delete BEFORE DELETE ON period_close BEGIN SELECT RAISE(ABORT, 'period_close is append-only'); END",
        """CREATE TRIGGER contested_amount_closes_once BEFORE UPDATE ON contested_amount WHEN NOT (COALESCE(NEW.id = OLD.id, NEW.id IS NULL AND OLD.id IS NULL) AND COALESCE(NEW.item_id = OLD.item_id, NEW.item_id IS NULL AND OLD.item_id IS NULL) AND COALESCE(NEW.amount_minor = OLD.amount_minor, NEW.amount_minor IS NULL AND OLD.amount_minor IS NULL) AND COALESCE(NEW.source_kind = OLD.source_kind, NEW.source_kind IS NULL AND OLD.source_kind IS NULL) AND COALESCE(NEW.source_id = OLD.source_id, NEW.source_id IS NULL AND OLD.source_id IS NULL) AND COALESCE(NEW.opened_at = OLD.opened_at, NEW.opened_at IS NULL AND OLD.opened_at IS NULL) AND COALESCE(NEW.opened_on = OLD.opened_on, NEW.opened_on IS NULL AND OLD.opened_on IS NULL) AND OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'contested_amount is append-only but for its end'); END""",
        "CREATE TRIGGER contested_amount_no_delete BEFORE DELETE ON contested_amount BEGIN SELECT RAISE(ABORT, 'contested_amount is append-only'); END",
        """CREATE TRIGGER write_off_decided_once BEFORE UPDATE ON write_off WHEN NOT (COALESCE(NEW.id = OLD.id, NEW.id IS NULL AND OLD.id IS NULL) AND COALESCE(NEW.item_id = OLD.item_id, NEW.item_id IS NULL AND OLD.item_id IS NULL) AND COALESCE(NEW.amount_minor = OLD.amount_minor, NEW.amount_minor IS NULL AND OLD.amount_minor IS NULL) AND COALESCE(NEW.currency = OLD.currency, NEW.currency IS NULL AND OLD.currency IS NULL) AND COALESCE(NEW.reason = OLD.reason, NEW.reason IS NULL AND OLD.reason IS NULL) AND COALESCE(NEW.requested_by = OLD.requested_by, NEW.requested_by IS NULL AND OLD.requested_by IS NULL) AND COALESCE(NEW.requested_at = OLD.requested_at, NEW.requested_at IS NULL AND OLD.requested_at IS NULL) AND OLD.state = 'requested' AND NEW.state <> 'requested')
BEGIN SELECT RAISE(ABORT, 'write_off is append-only but for its decision'); END""",
        "CREATE TRIGGER write_off_no_delete BEFORE DELETE ON write_off BEGIN SELECT RAISE(ABORT, 'write_off is append-only'); END",
        """CREATE TRIGGER legal_entity_keeps_currency BEFORE UPDATE ON legal_entity
WHEN NEW.functional_currency <> OLD.functional_currency
  AND EXISTS (SELECT 1 FROM journal_entry WHERE legal_entity_id = OLD.id)
BEGIN SELECT RAISE(ABORT, 'books are kept in this currency'); END""",
        """CREATE TRIGGER open_item_is_open AFTER INSERT ON open_item BEGIN INSERT INTO open_now (item_id, legal_entity_id, account_id, ledger_code, side, currency, due, open_minor) VALUES (NEW.id, NEW.legal_entity_id, NEW.account_id,
  NEW.ledger_code, NEW.side, NEW.currency, COALESCE(NEW.due_date, NEW.effective_date),
  NEW.amount_minor); END""",
        """CREATE TRIGGER application_debit_item_id AFTER INSERT ON application
WHEN NEW.debit_item_id IS NOT NULL
BEGIN INSERT INTO open_now (item_id, legal_entity_id, account_id, ledger_code, side, currency, due, open_minor)
    SELECT id, legal_entity_id, account_id, ledger_code, side, currency,
      COALESCE(due_date, effective_date), 0
    FROM open_item WHERE id = NEW.debit_item_id AND NOT EXISTS
      (SELECT 1 FROM open_now WHERE item_id = NEW.debit_item_id);
  UPDATE open_now SET open_minor = open_minor - NEW.amount_minor WHERE item_id = NEW.debit_item_id;
  DELETE FROM open_now WHERE item_id = NEW.debit_item_id AND open_minor = 0; END""",
        """CREATE TRIGGER application_credit_item_id AFTER INSERT ON application
WHEN NEW.credit_item_id IS NOT NULL
BEGIN INSERT INTO open_now (item_id, legal_entity_id, account_id, ledger_code, side, currency, due, open_minor)
    SELECT id, legal_entity_id, account_id, ledger_code, side, currency,
      COALESCE(due_date, effective_date), 0
    FROM open_item WHERE id = NEW.credit_item_id AND NOT EXISTS
      (SELECT 1 FROM open_now WHERE item_id = NEW.credit_item_id);
  UPDATE open_now SET open_minor = open_minor - NEW.amount_minor WHERE item_id = NEW.credit_item_id;
  DELETE FROM open_now WHERE item_id = NEW.credit_item_id AND open_minor = 0; END""",
        "CREATE TRIGGER gift_card_entry_no_update BEFORE UPDATE ON gift_card_entry BEGIN SELECT RAISE(ABORT, 'gift_card_entry is append-only'); END",
        "CREATE TRIGGER gift_card_entry_no_delete BEFORE DELETE ON gift_card_entry BEGIN SELECT RAISE(ABORT, 'gift_card_entry is append-only'); END",
        "CREATE TRIGGER tender_return_no_update BEFORE UPDATE ON tender_return BEGIN SELECT RAISE(ABORT, 'tender_return is append-only'); END",
        "CREATE TRIGGER tender_return_no_delete BEFORE DELETE ON tender_return BEGIN SELECT RAISE(ABORT, 'tender_return is append-only'); END",
        "CREATE TRIGGER tender_is_covered_1 BEFORE INSERT ON tender WHEN NEW.gift_card_id IS NOT NULL AND NEW.state = 'reserved' AND (SELECT COALESCE(SUM(amount_minor), 0) FROM gift_card_entry WHERE card_id = NEW.gift_card_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE gift_card_id = NEW.gift_card_id AND state = 'reserved') < NEW.amount_minor BEGIN SELECT RAISE(ABORT, 'gift card has not as much'); END",
        "CREATE TRIGGER tender_is_covered_2 BEFORE INSERT ON tender WHEN NEW.credit_item_id IS NOT NULL AND NEW.state = 'reserved' AND (SELECT amount_minor FROM open_item WHERE id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM application WHERE credit_item_id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE credit_item_id = NEW.credit_item_id AND state = 'reserved') < NEW.amount_minor BEGIN SELECT RAISE(ABORT, 'credit has not as much'); END",
        "CREATE TRIGGER tender_only_concludes_1 BEFORE UPDATE ON tender WHEN (OLD.state <> 'reserved' OR OLD.amount_minor <> NEW.amount_minor) AND (OLD.state <> NEW.state OR OLD.amount_minor <> NEW.amount_minor OR OLD.taken_minor <> NEW.taken_minor) BEGIN SELECT RAISE(ABORT, 'tender is concluded'); END",
        "CREATE TRIGGER gift_card_is_covered_1 BEFORE INSERT ON gift_card_entry WHEN NEW.amount_minor < 0 AND (SELECT COALESCE(SUM(amount_minor), 0) FROM gift_card_entry WHERE card_id = NEW.card_id) + NEW.amount_minor < (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE gift_card_id = NEW.card_id AND state = 'reserved') BEGIN SELECT RAISE(ABORT, 'gift card has not as much'); END",
        "CREATE TRIGGER credit_is_covered_1 BEFORE INSERT ON application WHEN NEW.credit_item_id IS NOT NULL AND NEW.amount_minor > 0 AND (SELECT amount_minor FROM open_item WHERE id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM application WHERE credit_item_id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE credit_item_id = NEW.credit_item_id AND state = 'reserved') < NEW.amount_minor BEGIN SELECT RAISE(ABORT, 'credit has not as much'); END",
        "CREATE TRIGGER tender_return_is_within_1 BEFORE INSERT ON tender_return WHEN NEW.amount_minor <> 0 AND ((SELECT COALESCE(SUM(amount_minor), 0) FROM tender_return WHERE tender_id = NEW.tender_id) + NEW.amount_minor NOT BETWEEN 0 AND (SELECT taken_minor FROM tender WHERE id = NEW.tender_id)) BEGIN SELECT RAISE(ABORT, 'more than the tender paid'); END",
        "CREATE TRIGGER stock_movement_no_update BEFORE UPDATE ON stock_movement BEGIN SELECT RAISE(ABORT, 'stock_movement is append-only'); END",
        "CREATE TRIGGER stock_movement_no_delete BEFORE DELETE ON stock_movement BEGIN SELECT RAISE(ABORT, 'stock_movement is append-only'); END",
        "CREATE TRIGGER tax_exemption_no_update BEFORE UPDATE ON tax_exemption BEGIN SELECT RAISE(ABORT, 'tax_exemption is append-only'); END",
        "CREATE TRIGGER tax_exemption_no_delete BEFORE DELETE ON tax_exemption BEGIN SELECT RAISE(ABORT, 'tax_exemption is append-only'); END",
        "CREATE TRIGGER tax_exemption_end_no_update BEFORE UPDATE ON tax_exemption_end BEGIN SELECT RAISE(ABORT, 'tax_exemption_end is append-only'); END",
        "CREATE TRIGGER tax_exemption_end_no_delete BEFORE DELETE ON tax_exemption_end BEGIN SELECT RAISE(ABORT, 'tax_exemption_end is append-only'); END",
        "CREATE TRIGGER vat_check_no_update BEFORE UPDATE ON vat_check BEGIN SELECT RAISE(ABORT, 'vat_check is append-only'); END",
        "CREATE TRIGGER vat_check_no_delete BEFORE DELETE ON vat_check BEGIN SELECT RAISE(ABORT, 'vat_check is append-only'); END",
        "CREATE TRIGGER invoice_no_update BEFORE UPDATE ON invoice BEGIN SELECT RAISE(ABORT, 'invoice is append-only'); END",
        "CREATE TRIGGER invoice_no_delete BEFORE DELETE ON invoice BEGIN SELECT RAISE(ABORT, 'invoice is append-only'); END",
        "CREATE TRIGGER invoice_line_no_update BEFORE UPDATE ON invoice_line BEGIN SELECT RAISE(ABORT, 'invoice_line is append-only'); END",
        "CREATE TRIGGER invoice_line_no_delete BEFORE DELETE ON invoice_line BEGIN SELECT RAISE(ABORT, 'invoice_line is append-only'); END",
        "CREATE TRIGGER invoice_line_tax_no_update BEFORE UPDATE ON invoice_line_tax BEGIN SELECT RAISE(ABORT, 'invoice_line_tax is append-only'); END",
        "CREATE TRIGGER invoice_line_tax_no_delete BEFORE DELETE ON invoice_line_tax BEGIN SELECT RAISE(ABORT, 'invoice_line_tax is append-only'); END",
        "CREATE TRIGGER stored_document_no_update BEFORE UPDATE ON stored_document BEGIN SELECT RAISE(ABORT, 'stored_document is append-only'); END",
        "CREATE TRIGGER stored_document_no_delete BEFORE DELETE ON stored_document BEGIN SELECT RAISE(ABORT, 'stored_document is append-only'); END",
        """CREATE TRIGGER invoice_line_credit_bound BEFORE INSERT ON invoice_line
WHEN NEW.memo_of_id IS NOT NULL AND (SELECT kind FROM invoice WHERE id = NEW.invoice_id) = 'credit_memo'
  AND EXISTS (SELECT 1 FROM invoice_line o, (SELECT COALESCE(SUM(m.net_minor), 0) AS net, COALESCE(SUM(m.tax_minor), 0) AS tax
FROM invoice_line m JOIN invoice i ON i.id = m.invoice_id
WHERE m.memo_of_id = NEW.memo_of_id AND i.kind = 'credit_memo') c
              WHERE o.id = NEW.memo_of_id AND ((CASE WHEN o.net_minor < 0 THEN -1 ELSE 1 END) * NEW.net_minor < 0
OR (CASE WHEN o.net_minor < 0 THEN -1 ELSE 1 END) * (c.net + NEW.net_minor - o.net_minor) > 0
OR (CASE WHEN o.tax_minor < 0 THEN -1 ELSE 1 END) * NEW.tax_minor < 0
OR (CASE WHEN o.tax_minor < 0 THEN -1 ELSE 1 END) * (c.tax + NEW.tax_minor - o.tax_minor) > 0
OR (c.net + NEW.net_minor = o.net_minor AND c.tax + NEW.tax_minor <> o.tax_minor)))
BEGIN SELECT RAISE(ABORT, 'credit is more than its line'); END""",
        "CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END",
        "CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END",
        "CREATE TRIGGER statement_range_no_update BEFORE UPDATE ON statement_range BEGIN SELECT RAISE(ABORT, 'statement_range is append-only'); END",
        "CREATE TRIGGER statement_range_no_delete BEFORE DELETE ON statement_range BEGIN SELECT RAISE(ABORT, 'statement_range is append-only'); END",
        "CREATE TRIGGER stored_statement_no_update BEFORE UPDATE ON stored_statement BEGIN SELECT RAISE(ABORT, 'stored_statement is append-only'); END",
        "CREATE TRIGGER stored_statement_no_delete BEFORE DELETE ON stored_statement BEGIN SELECT RAISE(ABORT, 'stored_statement is append-only'); END",
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
        "CREATE TRIGGER currency_rate_append_only BEFORE UPDATE OR DELETE ON currency_rate FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER currency_rate_no_truncate BEFORE TRUNCATE ON currency_rate FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION journal_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id)
  OR EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id
             GROUP BY currency HAVING SUM(amount_minor) <> 0)
  OR (SELECT SUM(functional_minor) FROM journal_line WHERE entry_id = NEW.id) <> 0 THEN
    RAISE EXCEPTION 'journal entry does not balance' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER journal_entry_balances BEFORE INSERT ON journal_entry FOR EACH ROW EXECUTE FUNCTION journal_entry_balances()",
        """CREATE OR REPLACE FUNCTION journal_entry_in_open_period() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM period_close
          WHERE legal_entity_id = NEW.legal_entity_id AND reopened_at IS NULL
            AND through_date >= NEW.effective_date) THEN
    RAISE EXCEPTION 'journal entry lies in a closed period' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER journal_entry_in_open_period BEFORE INSERT ON journal_entry FOR EACH ROW EXECUTE FUNCTION journal_entry_in_open_period()",
        """CREATE OR REPLACE FUNCTION journal_line_not_late() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id) THEN
    RAISE EXCEPTION 'journal entry is already posted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER journal_line_not_late BEFORE INSERT ON journal_line FOR EACH ROW EXECUTE FUNCTION journal_line_not_late()",
        """CREATE OR REPLACE FUNCTION open_item_on_its_day() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id
            AND effective_date = NEW.effective_date) THEN
    RAISE EXCEPTION 'open_item is of another day than its entry' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER open_item_on_its_day BEFORE INSERT ON open_item FOR EACH ROW EXECUTE FUNCTION open_item_on_its_day()",
        """CREATE OR REPLACE FUNCTION application_on_its_day() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id
            AND effective_date = NEW.effective_date) THEN
    RAISE EXCEPTION 'application is of another day than its entry' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER application_on_its_day BEFORE INSERT ON application FOR EACH ROW EXECUTE FUNCTION application_on_its_day()",
        """CREATE OR REPLACE FUNCTION application_reverses() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.reverses_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM application o WHERE o.id = NEW.reverses_id AND o.reverses_id IS NULL
      AND COALESCE(o.debit_item_id = NEW.debit_item_id,
                   o.debit_item_id IS NULL AND NEW.debit_item_id IS NULL)
      AND COALESCE(o.credit_item_id = NEW.credit_item_id,
                   o.credit_item_id IS NULL AND NEW.credit_item_id IS NULL)
      AND o.amount_minor + NEW.amount_minor >= COALESCE((
            SELECT -SUM(r.amount_minor) FROM application r WHERE r.reverses_id = o.id), 0)) THEN
    RAISE EXCEPTION 'reversal of more or else than was applied' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER application_reverses BEFORE INSERT ON application FOR EACH ROW EXECUTE FUNCTION application_reverses()",
        """CREATE OR REPLACE FUNCTION application_on_its_side() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM open_item WHERE id = NEW.debit_item_id AND side <> 'debit')
  OR EXISTS (SELECT 1 FROM open_item WHERE id = NEW.credit_item_id AND side <> 'credit') THEN
    RAISE EXCEPTION 'a debit item is no credit item' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER application_on_its_side BEFORE INSERT ON application FOR EACH ROW EXECUTE FUNCTION application_on_its_side()",
        """CREATE OR REPLACE FUNCTION period_close_reopens_once() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT (COALESCE(NEW.id = OLD.id, NEW.id IS NULL AND OLD.id IS NULL) AND COALESCE(NEW.legal_entity_id = OLD.legal_entity_id, NEW.legal_entity_id IS NULL AND OLD.legal_entity_id IS NULL) AND COALESCE(NEW.through_date = OLD.through_date, NEW.through_date IS NULL AND OLD.through_date IS NULL) AND COALESCE(NEW.closed_at = OLD.closed_at, NEW.closed_at IS NULL AND OLD.closed_at IS NULL) AND COALESCE(NEW.closed_by = OLD.closed_by, NEW.closed_by IS NULL AND OLD.closed_by IS NULL) AND OLD.reopened_at IS NULL AND NEW.reopened_at IS NOT NULL) THEN
    RAISE EXCEPTION 'period_close is append-only but for its reopening' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER period_close_reopens_once BEFORE UPDATE ON period_close FOR EACH ROW EXECUTE FUNCTION period_close_reopens_once()",
        "CREATE TRIGGER period_close_no_delete BEFORE DELETE ON period_close FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER period_close_no_truncate BEFORE TRUNCATE ON period_close FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION contested_amount_closes_once() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT (COALESCE(NEW.id = OLD.id, NEW.id IS NULL AND OLD.id IS NULL) AND COALESCE(NEW.item_id = OLD.item_id, NEW.item_id IS NULL AND OLD.item_id IS NULL) AND COALESCE(NEW.amount_minor = OLD.amount_minor, NEW.amount_minor IS NULL AND OLD.amount_minor IS NULL) AND COALESCE(NEW.source_kind = OLD.source_kind, NEW.source_kind IS NULL AND OLD.source_kind IS NULL) AND COALESCE(NEW.source_id = OLD.source_id, NEW.source_id IS NULL AND OLD.source_id IS NULL) AND COALESCE(NEW.opened_at = OLD.opened_at, NEW.opened_at IS NULL AND OLD.opened_at IS NULL) AND COALESCE(NEW.opened_on = OLD.opened_on, NEW.opened_on IS NULL AND OLD.opened_on IS NULL) AND OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'contested_amount is append-only but for its end' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER contested_amount_closes_once BEFORE UPDATE ON contested_amount FOR EACH ROW EXECUTE FUNCTION contested_amount_closes_once()",
        "CREATE TRIGGER contested_amount_no_delete BEFORE DELETE ON contested_amount FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER contested_amount_no_truncate BEFORE TRUNCATE ON contested_amount FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION write_off_decided_once() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT (COALESCE(NEW.id = OLD.id, NEW.id IS NULL AND OLD.id IS NULL) AND COALESCE(NEW.item_id = OLD.item_id, NEW.item_id IS NULL AND OLD.item_id IS NULL) AND COALESCE(NEW.amount_minor = OLD.amount_minor, NEW.amount_minor IS NULL AND OLD.amount_minor IS NULL) AND COALESCE(NEW.currency = OLD.currency, NEW.currency IS NULL AND OLD.currency IS NULL) AND COALESCE(NEW.reason = OLD.reason, NEW.reason IS NULL AND OLD.reason IS NULL) AND COALESCE(NEW.requested_by = OLD.requested_by, NEW.requested_by IS NULL AND OLD.requested_by IS NULL) AND COALESCE(NEW.requested_at = OLD.requested_at, NEW.requested_at IS NULL AND OLD.requested_at IS NULL) AND OLD.state = 'requested' AND NEW.state <> 'requested') THEN
    RAISE EXCEPTION 'write_off is append-only but for its decision' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER write_off_decided_once BEFORE UPDATE ON write_off FOR EACH ROW EXECUTE FUNCTION write_off_decided_once()",
        "CREATE TRIGGER write_off_no_delete BEFORE DELETE ON write_off FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER write_off_no_truncate BEFORE TRUNCATE ON write_off FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION legal_entity_keeps_currency() RETURNS trigger
LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.functional_currency <> OLD.functional_currency
    AND EXISTS (SELECT 1 FROM journal_entry WHERE legal_entity_id = OLD.id) THEN
    RAISE EXCEPTION 'books are kept in this currency'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER legal_entity_keeps_currency BEFORE UPDATE ON legal_entity FOR EACH ROW EXECUTE FUNCTION legal_entity_keeps_currency()",
        """CREATE OR REPLACE FUNCTION open_item_is_open() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
INSERT INTO open_now (item_id, legal_entity_id, account_id, ledger_code, side, currency, due, open_minor) VALUES (NEW.id, NEW.legal_entity_id, NEW.account_id,
  NEW.ledger_code, NEW.side, NEW.currency, COALESCE(NEW.due_date, NEW.effective_date),
  NEW.amount_minor);
RETURN NULL;
END $body$""",
        "CREATE TRIGGER open_item_is_open AFTER INSERT ON open_item FOR EACH ROW EXECUTE FUNCTION open_item_is_open()",
        """CREATE OR REPLACE FUNCTION application_debit_item_id() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
INSERT INTO open_now (item_id, legal_entity_id, account_id, ledger_code, side, currency, due, open_minor)
    SELECT id, legal_entity_id, account_id, ledger_code, side, currency,
      COALESCE(due_date, effective_date), 0
    FROM open_item WHERE id = NEW.debit_item_id AND NOT EXISTS
      (SELECT 1 FROM open_now WHERE item_id = NEW.debit_item_id);
  UPDATE open_now SET open_minor = open_minor - NEW.amount_minor WHERE item_id = NEW.debit_item_id;
  DELETE FROM open_now WHERE item_id = NEW.debit_item_id AND open_minor = 0;
RETURN NULL;
END $body$""",
        "CREATE TRIGGER application_debit_item_id AFTER INSERT ON application FOR EACH ROW WHEN (NEW.debit_item_id IS NOT NULL) EXECUTE FUNCTION application_debit_item_id()",
        """CREATE OR REPLACE FUNCTION application_credit_item_id() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
INSERT INTO open_now (item_id, legal_entity_id, account_id, ledger_code, side, currency, due, open_minor)
    SELECT id, legal_entity_id, account_id, ledger_code, side, currency,
      COALESCE(due_date, effective_date), 0
    FROM open_item WHERE id = NEW.credit_item_id AND NOT EXISTS
      (SELECT 1 FROM open_now WHERE item_id = NEW.credit_item_id);
  UPDATE open_now SET open_minor = open_minor - NEW.amount_minor WHERE item_id = NEW.credit_item_id;
  DELETE FROM open_now WHERE item_id = NEW.credit_item_id AND open_minor = 0;
RETURN NULL;
END $body$""",
        "CREATE TRIGGER application_credit_item_id AFTER INSERT ON application FOR EACH ROW WHEN (NEW.credit_item_id IS NOT NULL) EXECUTE FUNCTION application_credit_item_id()",
        "CREATE TRIGGER gift_card_entry_append_only BEFORE UPDATE OR DELETE ON gift_card_entry FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER gift_card_entry_no_truncate BEFORE TRUNCATE ON gift_card_entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER tender_return_append_only BEFORE UPDATE OR DELETE ON tender_return FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER tender_return_no_truncate BEFORE TRUNCATE ON tender_return FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION tender_is_covered() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.gift_card_id IS NOT NULL AND NEW.state = 'reserved' THEN PERFORM 1 FROM gift_card WHERE id = NEW.gift_card_id FOR UPDATE;
    IF (SELECT COALESCE(SUM(amount_minor), 0) FROM gift_card_entry WHERE card_id = NEW.gift_card_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE gift_card_id = NEW.gift_card_id AND state = 'reserved') < NEW.amount_minor THEN
      RAISE EXCEPTION 'gift card has not as much' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  IF NEW.credit_item_id IS NOT NULL AND NEW.state = 'reserved' THEN PERFORM 1 FROM open_item WHERE id = NEW.credit_item_id FOR UPDATE;
    IF (SELECT amount_minor FROM open_item WHERE id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM application WHERE credit_item_id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE credit_item_id = NEW.credit_item_id AND state = 'reserved') < NEW.amount_minor THEN
      RAISE EXCEPTION 'credit has not as much' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER tender_is_covered BEFORE INSERT ON tender FOR EACH ROW EXECUTE FUNCTION tender_is_covered()",
        """CREATE OR REPLACE FUNCTION tender_only_concludes() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF (OLD.state <> 'reserved' OR OLD.amount_minor <> NEW.amount_minor) THEN
    IF (OLD.state <> NEW.state OR OLD.amount_minor <> NEW.amount_minor OR OLD.taken_minor <> NEW.taken_minor) THEN
      RAISE EXCEPTION 'tender is concluded' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER tender_only_concludes BEFORE UPDATE ON tender FOR EACH ROW EXECUTE FUNCTION tender_only_concludes()",
        """CREATE OR REPLACE FUNCTION gift_card_is_covered() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.amount_minor < 0 THEN PERFORM 1 FROM gift_card WHERE id = NEW.card_id FOR UPDATE;
    IF (SELECT COALESCE(SUM(amount_minor), 0) FROM gift_card_entry WHERE card_id = NEW.card_id) + NEW.amount_minor < (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE gift_card_id = NEW.card_id AND state = 'reserved') THEN
      RAISE EXCEPTION 'gift card has not as much' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER gift_card_is_covered BEFORE INSERT ON gift_card_entry FOR EACH ROW EXECUTE FUNCTION gift_card_is_covered()",
        """CREATE OR REPLACE FUNCTION credit_is_covered() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.credit_item_id IS NOT NULL AND NEW.amount_minor > 0 THEN PERFORM 1 FROM open_item WHERE id = NEW.credit_item_id FOR UPDATE;
    IF (SELECT amount_minor FROM open_item WHERE id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM application WHERE credit_item_id = NEW.credit_item_id) - (SELECT COALESCE(SUM(amount_minor), 0) FROM tender WHERE credit_item_id = NEW.credit_item_id AND state = 'reserved') < NEW.amount_minor THEN
      RAISE EXCEPTION 'credit has not as much' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER credit_is_covered BEFORE INSERT ON application FOR EACH ROW EXECUTE FUNCTION credit_is_covered()",
        """CREATE OR REPLACE FUNCTION tender_return_is_within() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.amount_minor <> 0 THEN PERFORM 1 FROM tender WHERE id = NEW.tender_id FOR UPDATE;
    IF ((SELECT COALESCE(SUM(amount_minor), 0) FROM tender_return WHERE tender_id = NEW.tender_id) + NEW.amount_minor NOT BETWEEN 0 AND (SELECT taken_minor FROM tender WHERE id = NEW.tender_id)) THEN
      RAISE EXCEPTION 'more than the tender paid' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER tender_return_is_within BEFORE INSERT ON tender_return FOR EACH ROW EXECUTE FUNCTION tender_return_is_within()",
        "CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE ON stock_movement FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stock_movement_no_truncate BEFORE TRUNCATE ON stock_movement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER tax_exemption_append_only BEFORE UPDATE OR DELETE ON tax_exemption FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER tax_exemption_no_truncate BEFORE TRUNCATE ON tax_exemption FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER tax_exemption_end_append_only BEFORE UPDATE OR DELETE ON tax_exemption_end FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER tax_exemption_end_no_truncate BEFORE TRUNCATE ON tax_exemption_end FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER vat_check_append_only BEFORE UPDATE OR DELETE ON vat_check FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER vat_check_no_truncate BEFORE TRUNCATE ON vat_check FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_append_only BEFORE UPDATE OR DELETE ON invoice FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_no_truncate BEFORE TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_append_only BEFORE UPDATE OR DELETE ON invoice_line FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_no_truncate BEFORE TRUNCATE ON invoice_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_tax_append_only BEFORE UPDATE OR DELETE ON invoice_line_tax FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER invoice_line_tax_no_truncate BEFORE TRUNCATE ON invoice_line_tax FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stored_document_append_only BEFORE UPDATE OR DELETE ON stored_document FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stored_document_no_truncate BEFORE TRUNCATE ON stored_document FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        """CREATE OR REPLACE FUNCTION invoice_line_credit_bound() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.memo_of_id IS NULL OR NOT (SELECT kind FROM invoice WHERE id = NEW.invoice_id) = 'credit_memo' THEN
    RETURN NEW;
  END IF;
  -- Whoever credits the same line waits here, and then sees what was credited before.
  PERFORM 1 FROM invoice_line WHERE id = NEW.memo_of_id FOR UPDATE;
  IF EXISTS (SELECT 1 FROM invoice_line o, (SELECT COALESCE(SUM(m.net_minor), 0) AS net, COALESCE(SUM(m.tax_minor), 0) AS tax
FROM invoice_line m JOIN invoice i ON i.id = m.invoice_id
WHERE m.memo_of_id = NEW.memo_of_id AND i.kind = 'credit_memo') c
             WHERE o.id = NEW.memo_of_id AND ((CASE WHEN o.net_minor < 0 THEN -1 ELSE 1 END) * NEW.net_minor < 0
OR (CASE WHEN o.net_minor < 0 THEN -1 ELSE 1 END) * (c.net + NEW.net_minor - o.net_minor) > 0
OR (CASE WHEN o.tax_minor < 0 THEN -1 ELSE 1 END) * NEW.tax_minor < 0
OR (CASE WHEN o.tax_minor < 0 THEN -1 ELSE 1 END) * (c.tax + NEW.tax_minor - o.tax_minor) > 0
OR (c.net + NEW.net_minor = o.net_minor AND c.tax + NEW.tax_minor <> o.tax_minor)))
  THEN
    RAISE EXCEPTION 'credit is more than its line'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$""",
        "CREATE TRIGGER invoice_line_credit_bound BEFORE INSERT ON invoice_line FOR EACH ROW EXECUTE FUNCTION invoice_line_credit_bound()",
        "CREATE TRIGGER statement_append_only BEFORE UPDATE OR DELETE ON statement FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER statement_no_truncate BEFORE TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER statement_range_append_only BEFORE UPDATE OR DELETE ON statement_range FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER statement_range_no_truncate BEFORE TRUNCATE ON statement_range FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stored_statement_append_only BEFORE UPDATE OR DELETE ON stored_statement FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER stored_statement_no_truncate BEFORE TRUNCATE ON stored_statement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
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
        "currency_rate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("functional", sa.String(length=3), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("rate", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency <> functional", name="ck_currency_rate_pair"),
        sa.PrimaryKeyConstraint("id", name="pk_currency_rate"),
    )
    op.create_index("ix_currency_rate_on_date", "currency_rate", ["on_date", "id"], unique=False)
    op.create_index(
        "ix_currency_rate_pair",
        "currency_rate",
        ["currency", "functional", "on_date"],
        unique=False,
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
        "open_now",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("ledger_code", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=6), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("open_minor", INT, nullable=False),
        sa.CheckConstraint("open_minor >= 0", name="ck_open_now_not_below_zero"),
        sa.PrimaryKeyConstraint("item_id", name="pk_open_now"),
    )
    op.create_index(
        "ix_open_now_account_id",
        "open_now",
        ["account_id", "ledger_code", "currency"],
        unique=False,
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
        "vat_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('valid', 'invalid', 'no_answer')", name="ck_vat_check_outcome"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_vat_check"),
    )
    op.create_index("ix_vat_check_number", "vat_check", ["number", "asked_at"], unique=False)
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
        sa.Column("terms", sa.JSON(), nullable=True),
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
    op.create_index(
        "ux_journal_entry_chargeback",
        "journal_entry",
        ["source_id", "kind"],
        unique=True,
        sqlite_where=sa.text("source_kind = 'chargeback'"),
        postgresql_where=sa.text("source_kind = 'chargeback'"),
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
        "period_close",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("through_date", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(length=80), nullable=False),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "(reopened_at IS NULL) = (reopened_by IS NULL)", name="ck_period_close_reopened"
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_period_close_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_period_close"),
    )
    op.create_index(
        "uq_period_close_open",
        "period_close",
        ["legal_entity_id", "through_date"],
        unique=True,
        sqlite_where=sa.text("reopened_at IS NULL"),
        postgresql_where=sa.text("reopened_at IS NULL"),
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
        sa.Column("compound", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("rate_ppm >= 0", name="ck_tax_rate_not_negative"),
        sa.CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="ck_tax_rate_days"),
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
        sa.Column("is_stated_with_parent", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=True),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("bill_day", INT, nullable=False),
        sa.Column("terms_days", INT, nullable=True),
        sa.Column("terms", sa.JSON(), nullable=True),
        sa.Column("credit_limit_minor", INT, nullable=True),
        sa.Column("billing_address", sa.JSON(), nullable=True),
        sa.Column("vat_id", sa.String(length=20), nullable=True),
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
            "kind IN ('physical', 'digital', 'service', 'plan', 'gift_card')",
            name="ck_variant_kind",
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
        sa.Column("vat_id", sa.String(length=20), nullable=True),
        sa.Column("shipping_address", sa.JSON(), nullable=True),
        sa.Column("shipping_method", sa.String(length=40), nullable=True),
        sa.Column("paying", sa.JSON(), nullable=True),
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
        "gift_card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("piece", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("worth_minor", INT, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=4), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(state = 'void') = (voided_at IS NOT NULL)", name="ck_gift_card_voided"
        ),
        sa.CheckConstraint("state IN ('live', 'void')", name="ck_gift_card_state"),
        sa.CheckConstraint("worth_minor > 0", name="ck_gift_card_positive"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_gift_card_account_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_gift_card_legal_entity_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_gift_card"),
        sa.UniqueConstraint("code_hash", name="uq_gift_card_code_hash"),
        sa.UniqueConstraint("order_line_id", "piece", name="uq_gift_card_order_line_id_piece"),
        sa.UniqueConstraint("public_id", name="uq_gift_card_public_id"),
    )
    op.create_index("ix_gift_card_account_id", "gift_card", ["account_id"], unique=False)
    op.create_index("ix_gift_card_created_at", "gift_card", ["created_at", "id"], unique=False)
    op.create_index("ix_gift_card_last_four", "gift_card", ["last_four"], unique=False)
    op.create_index("ix_gift_card_order_id", "gift_card", ["order_id"], unique=False)
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
        sa.CheckConstraint(
            "amount_minor <> 0 OR (functional_minor <> 0 AND ledger_code = 'currency_difference')",
            name="ck_journal_line_not_zero",
        ),
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
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_code", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=6), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("functional_minor", INT, nullable=False),
        sa.Column("source_kind", sa.String(length=30), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("effective_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("is_history", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "account_id IS NOT NULL OR ledger_code = 'unidentified'", name="ck_open_item_whose"
        ),
        sa.CheckConstraint("side IN ('debit', 'credit')", name="ck_open_item_side"),
        sa.CheckConstraint("amount_minor > 0", name="ck_open_item_positive"),
        sa.CheckConstraint("functional_minor >= 0", name="ck_open_item_functional"),
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
    op.create_index("ix_open_item_number", "open_item", ["number"], unique=False)
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
        sa.Column("paying_digest", sa.String(length=64), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("vat_id", sa.String(length=20), nullable=True),
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
        "statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("series_position", INT, nullable=False),
        sa.Column("sequence", INT, nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("previous_sequence", INT, nullable=True),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cutoff", INT, nullable=False),
        sa.Column("opening_minor", INT, nullable=False),
        sa.Column("moved_minor", INT, nullable=False),
        sa.Column("payments_minor", INT, nullable=False),
        sa.Column("adjustments_minor", INT, nullable=False),
        sa.Column("charges_minor", INT, nullable=False),
        sa.Column("closing_minor", INT, nullable=False),
        sa.Column("due_minor", INT, nullable=False),
        sa.Column("entry_count", INT, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(sequence = 1 AND previous_id IS NULL AND previous_sequence IS NULL AND opening_minor = 0) OR (sequence > 1 AND previous_id IS NOT NULL AND previous_sequence IS NOT NULL AND previous_sequence = sequence - 1)",
            name="ck_statement_chain",
        ),
        sa.CheckConstraint(
            "opening_minor + moved_minor + payments_minor + adjustments_minor + charges_minor = closing_minor",
            name="ck_statement_adds_up",
        ),
        sa.CheckConstraint("period_start <= period_end", name="ck_statement_period"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_statement_account_id"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_statement_channel_id"),
        sa.ForeignKeyConstraint(
            ["legal_entity_id"], ["legal_entity.id"], name="fk_statement_legal_entity_id"
        ),
        sa.ForeignKeyConstraint(
            ["previous_id", "account_id", "currency", "previous_sequence", "opening_minor"],
            [
                "statement.id",
                "statement.account_id",
                "statement.currency",
                "statement.sequence",
                "statement.closing_minor",
            ],
            name="fk_statement_previous",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_statement"),
        sa.UniqueConstraint(
            "account_id",
            "currency",
            "period_end",
            name="uq_statement_account_id_currency_period_end",
        ),
        sa.UniqueConstraint(
            "account_id", "currency", "sequence", name="uq_statement_account_id_currency_sequence"
        ),
        sa.UniqueConstraint(
            "id", "account_id", "currency", "sequence", "closing_minor", name="uq_statement_link"
        ),
        sa.UniqueConstraint(
            "legal_entity_id",
            "series_position",
            name="uq_statement_legal_entity_id_series_position",
        ),
        sa.UniqueConstraint("public_id", name="uq_statement_public_id"),
    )
    op.create_index("ix_statement_listing", "statement", ["issue_date", "id"], unique=False)
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
        "tax_exemption",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_number", sa.String(length=80), nullable=False),
        sa.Column("jurisdictions", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("file_reference", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(length=80), nullable=False),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > valid_from", name="ck_tax_exemption_days"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_tax_exemption_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tax_exemption"),
        sa.UniqueConstraint("public_id", name="uq_tax_exemption_public_id"),
    )
    op.create_index("ix_tax_exemption_account_id", "tax_exemption", ["account_id"], unique=False)
    op.create_index("ix_tax_exemption_ends_on", "tax_exemption", ["ends_on", "id"], unique=False)
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
    )
    op.create_index(
        "ix_application_credit_item_id", "application", ["credit_item_id"], unique=False
    )
    op.create_index("ix_application_debit_item_id", "application", ["debit_item_id"], unique=False)
    op.create_index("ix_application_reverses_id", "application", ["reverses_id"], unique=False)
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
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (closed_on IS NULL)", name="ck_contested_amount_closed"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_contested_amount_positive"),
        sa.ForeignKeyConstraint(["item_id"], ["open_item.id"], name="fk_contested_amount_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contested_amount"),
    )
    op.create_index("ix_contested_amount_item_id", "contested_amount", ["item_id"], unique=False)
    op.create_index(
        "uq_contested_amount_open",
        "contested_amount",
        ["item_id", "source_kind", "source_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
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
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("made_of", sa.String(length=60), nullable=True),
        sa.Column("discount_ppm", INT, nullable=True),
        sa.Column("discount_until", sa.Date(), nullable=True),
        sa.Column("discount_minor", INT, nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('invoice', 'credit_memo', 'debit_memo', 'note')", name="ck_invoice_kind"
        ),
        sa.CheckConstraint(
            "(discount_ppm IS NULL) = (discount_until IS NULL) AND (discount_ppm IS NULL) = (discount_minor IS NULL)",
            name="ck_invoice_discount",
        ),
        sa.CheckConstraint("total_minor = net_minor + tax_minor", name="ck_invoice_adds_up"),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name="fk_invoice_channel_id"),
        sa.ForeignKeyConstraint(["corrects_id"], ["invoice.id"], name="fk_invoice_corrects_id"),
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
        sa.UniqueConstraint("made_of", name="uq_invoice_made_of"),
        sa.UniqueConstraint("public_id", name="uq_invoice_public_id"),
        sa.UniqueConstraint(
            "subscription_id", "period_index", name="uq_invoice_subscription_id_period_index"
        ),
    )
    op.create_index(
        "ix_invoice_account_id", "invoice", ["payer_account_id", "issue_date"], unique=False
    )
    op.create_index("ix_invoice_corrects_id", "invoice", ["corrects_id"], unique=False)
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
        sa.Column("cost_minor", INT, nullable=True),
        sa.Column("sale_price_minor", INT, nullable=True),
        sa.Column("net_minor", INT, nullable=False),
        sa.Column("tax_minor", INT, nullable=False),
        sa.Column("contained_minor", INT, nullable=False),
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
        sa.Column("gateway_id", sa.String(length=120), nullable=True),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(length=200), nullable=True),
        sa.CheckConstraint("(state = 'failed') = (failed_at IS NOT NULL)", name="ck_refund_failed"),
        sa.CheckConstraint(
            "state IN ('requested', 'sent', 'succeeded', 'failed')", name="ck_refund_state"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_refund_positive"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name="fk_refund_payment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refund"),
        sa.UniqueConstraint("gateway_id", name="uq_refund_gateway_id"),
        sa.UniqueConstraint("operation_id", name="uq_refund_operation_id"),
    )
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"], unique=False)
    op.create_table(
        "statement_range",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("sequence", INT, autoincrement=False, nullable=False),
        sa.Column("previous_sequence", INT, nullable=True),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("after_posting", INT, nullable=False),
        sa.Column("to_posting", INT, nullable=False),
        sa.Column("opening_minor", INT, nullable=False),
        sa.Column("closing_minor", INT, nullable=False),
        sa.CheckConstraint(
            "(sequence = 1 AND previous_sequence IS NULL AND after_posting = 0 AND opening_minor = 0) OR (sequence > 1 AND previous_sequence IS NOT NULL AND previous_sequence = sequence - 1)",
            name="ck_statement_range_chain",
        ),
        sa.CheckConstraint("to_posting >= after_posting", name="ck_statement_range_forward"),
        sa.ForeignKeyConstraint(
            ["account_id", "currency", "previous_sequence", "after_posting", "opening_minor"],
            [
                "statement_range.account_id",
                "statement_range.currency",
                "statement_range.sequence",
                "statement_range.to_posting",
                "statement_range.closing_minor",
            ],
            name="fk_statement_range_previous",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="fk_statement_range_account_id"
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.id"], name="fk_statement_range_statement_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "currency", "sequence", name="pk_statement_range"),
        sa.UniqueConstraint(
            "account_id",
            "currency",
            "sequence",
            "to_posting",
            "closing_minor",
            name="uq_statement_range_link",
        ),
        sa.UniqueConstraint(
            "statement_id", "account_id", name="uq_statement_range_statement_id_account_id"
        ),
    )
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
        "stored_statement",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("template_version", sa.String(length=40), nullable=False),
        sa.Column("renderer_version", sa.String(length=40), nullable=False),
        sa.Column("fonts_version", sa.String(length=64), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="fk_stored_statement_sha256"),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statement.id"], name="fk_stored_statement_statement_id"
        ),
        sa.PrimaryKeyConstraint("statement_id", name="pk_stored_statement"),
    )
    op.create_table(
        "tax_exemption_end",
        sa.Column("exemption_id", sa.Uuid(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["exemption_id"], ["tax_exemption.id"], name="fk_tax_exemption_end_exemption_id"
        ),
        sa.PrimaryKeyConstraint("exemption_id", name="pk_tax_exemption_end"),
    )
    op.create_table(
        "tender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("open_item_id", sa.Uuid(), nullable=True),
        sa.Column("position", INT, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("gift_card_id", sa.Uuid(), nullable=True),
        sa.Column("credit_item_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("taken_minor", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'credit') = (credit_item_id IS NOT NULL)", name="ck_tender_credit"
        ),
        sa.CheckConstraint(
            "(kind = 'gift_card') = (gift_card_id IS NOT NULL)", name="ck_tender_gift_card"
        ),
        sa.CheckConstraint(
            "kind IN ('card', 'terms', 'credit', 'gift_card')", name="ck_tender_kind"
        ),
        sa.CheckConstraint(
            "state IN ('reserved', 'committed', 'released')", name="ck_tender_state"
        ),
        sa.CheckConstraint(
            "taken_minor BETWEEN 0 AND amount_minor AND (state = 'committed' OR taken_minor = 0)",
            name="ck_tender_taken",
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_tender_positive"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_tender_account_id"),
        sa.ForeignKeyConstraint(
            ["credit_item_id"], ["open_item.id"], name="fk_tender_credit_item_id"
        ),
        sa.ForeignKeyConstraint(["gift_card_id"], ["gift_card.id"], name="fk_tender_gift_card_id"),
        sa.ForeignKeyConstraint(["open_item_id"], ["open_item.id"], name="fk_tender_open_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tender"),
    )
    op.create_index(
        "ix_tender_credit_item_id",
        "tender",
        ["credit_item_id"],
        unique=False,
        sqlite_where=sa.text("credit_item_id IS NOT NULL"),
        postgresql_where=sa.text("credit_item_id IS NOT NULL"),
    )
    op.create_index(
        "ix_tender_gift_card_id",
        "tender",
        ["gift_card_id"],
        unique=False,
        sqlite_where=sa.text("gift_card_id IS NOT NULL"),
        postgresql_where=sa.text("gift_card_id IS NOT NULL"),
    )
    op.create_index("ix_tender_open_item_id", "tender", ["open_item_id"], unique=False)
    op.create_index("ix_tender_operation_id", "tender", ["operation_id"], unique=False)
    op.create_index("ix_tender_order_id", "tender", ["order_id"], unique=False)
    op.create_table(
        "write_off",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'requested') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="ck_write_off_decided",
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'declined')", name="ck_write_off_state"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_write_off_positive"),
        sa.CheckConstraint("decided_by <> requested_by", name="ck_write_off_second_person"),
        sa.ForeignKeyConstraint(["item_id"], ["open_item.id"], name="fk_write_off_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_write_off"),
    )
    op.create_index("ix_write_off_state", "write_off", ["state", "requested_at"], unique=False)
    op.create_index(
        "uq_write_off_requested",
        "write_off",
        ["item_id"],
        unique=True,
        sqlite_where=sa.text("state = 'requested'"),
        postgresql_where=sa.text("state = 'requested'"),
    )
    op.create_table(
        "gift_card_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(amount_minor > 0) = (kind IN ('sold', 'given_back'))", name="ck_gift_card_entry_sign"
        ),
        sa.CheckConstraint(
            "kind IN ('sold', 'used', 'given_back', 'returned', 'voided')",
            name="ck_gift_card_entry_kind",
        ),
        sa.CheckConstraint("amount_minor <> 0", name="ck_gift_card_entry_not_zero"),
        sa.ForeignKeyConstraint(["card_id"], ["gift_card.id"], name="fk_gift_card_entry_card_id"),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["journal_entry.id"], name="fk_gift_card_entry_entry_id"
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name="fk_gift_card_entry_tender_id"),
        sa.PrimaryKeyConstraint("id", name="pk_gift_card_entry"),
    )
    op.create_index("ix_gift_card_entry_card_id", "gift_card_entry", ["card_id"], unique=False)
    op.create_table(
        "invoice_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("payer_account_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("revision", INT, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'issued') = (invoice_id IS NOT NULL)", name="ck_invoice_draft_issued"
        ),
        sa.CheckConstraint(
            "state IN ('open', 'issued', 'discarded')", name="ck_invoice_draft_state"
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_invoice_draft_invoice_id"),
        sa.ForeignKeyConstraint(
            ["payer_account_id"], ["account.id"], name="fk_invoice_draft_payer_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_draft"),
        sa.UniqueConstraint("invoice_id", name="uq_invoice_draft_invoice_id"),
        sa.UniqueConstraint("public_id", name="uq_invoice_draft_public_id"),
    )
    op.create_index(
        "ix_invoice_draft_payer_account_id", "invoice_draft", ["payer_account_id"], unique=False
    )
    op.create_index(
        "ix_invoice_draft_state", "invoice_draft", ["state", "updated_at"], unique=False
    )
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
        sa.Column("tax_category", sa.String(length=40), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("cost_minor", INT, nullable=True),
        sa.Column("sale_price_minor", INT, nullable=True),
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
        sa.Column("compound", sa.Boolean(), nullable=False),
        sa.Column("relief", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.CheckConstraint("relief = '' OR amount_minor = 0", name="ck_order_line_tax_relieved"),
        sa.CheckConstraint(
            "relief IN ('', 'exempt', 'reverse_charge')", name="ck_order_line_tax_relief"
        ),
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
        "tender_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", INT, nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(amount_minor > 0) = (reverses_id IS NULL)", name="ck_tender_return_reversal_sign"
        ),
        sa.CheckConstraint("amount_minor <> 0", name="ck_tender_return_not_zero"),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["tender_return.id"], name="fk_tender_return_reverses_id"
        ),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name="fk_tender_return_tender_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tender_return"),
        sa.UniqueConstraint("reverses_id", name="uq_tender_return_reverses_id"),
        sa.UniqueConstraint("tender_id", "key", name="uq_tender_return_tender_id_key"),
    )
    op.create_index("ix_tender_return_refund_id", "tender_return", ["refund_id"], unique=False)
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
        sa.Column("compound", sa.Boolean(), nullable=False),
        sa.Column("relief", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.CheckConstraint("relief = '' OR amount_minor = 0", name="ck_invoice_line_tax_relieved"),
        sa.CheckConstraint(
            "relief IN ('', 'exempt', 'reverse_charge')", name="ck_invoice_line_tax_relief"
        ),
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
