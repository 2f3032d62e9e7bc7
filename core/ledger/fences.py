"""What the database itself refuses in the ledger, whoever asks. Imported for its effect, with the tables.

An entry that does not balance or lies in a closed period; a line that comes late; an item or application
of another day than its entry; a reversal of more or something else than was applied. That no more is
applied than an item has stands in ``open_now``.
"""

from sqlalchemy import Table

from core.kernel import guards
from core.ledger.models import Application, ContestedAmount, JournalEntry, JournalLine, OpenItem
from core.ledger.periods import PeriodClose
from core.ledger.rates import CurrencyRate
from core.ledger.writeoffs import WriteOff

for _table in (JournalEntry, JournalLine, OpenItem, Application, CurrencyRate):
    guards.append_only(_table.__table__)


def _refuse(
    table: object,
    name: str,
    when: str,
    message: str,
    *,
    event: str = "BEFORE INSERT",
) -> None:
    """A trigger on both databases: ``when`` is a condition on NEW (and OLD) in common SQL."""
    on = table.name if isinstance(table, Table) else ""
    assert on
    guards.install(
        table,
        "sqlite",
        [
            f"CREATE TRIGGER {name} {event} ON {on} WHEN {when}\n"
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        ],
    )
    guards.install(
        table,
        "postgresql",
        [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$\n"
            f"BEGIN\n  IF {when} THEN\n"
            f"    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';\n"
            "  END IF;\n  RETURN NEW;\nEND $body$",
            f"CREATE TRIGGER {name} {event} ON {on} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ],
    )


# --- the journal ----------------------------------------------------------------------------------

_refuse(
    JournalEntry.__table__,
    "journal_entry_balances",
    """NOT EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id)
  OR EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id
             GROUP BY currency HAVING SUM(amount_minor) <> 0)
  OR (SELECT SUM(functional_minor) FROM journal_line WHERE entry_id = NEW.id) <> 0""",
    "journal entry does not balance",
)
_refuse(
    JournalEntry.__table__,
    "journal_entry_in_open_period",
    """EXISTS (SELECT 1 FROM period_close
          WHERE legal_entity_id = NEW.legal_entity_id AND reopened_at IS NULL
            AND through_date >= NEW.effective_date)""",
    "journal entry lies in a closed period",
)
_refuse(
    JournalLine.__table__,
    "journal_line_not_late",
    "EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id)",
    "journal entry is already posted",
)

# --- items and applications -----------------------------------------------------------------------

for _name, _on in (("open_item", OpenItem), ("application", Application)):
    _refuse(
        _on.__table__,
        f"{_name}_on_its_day",
        "NOT EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id\n"
        "            AND effective_date = NEW.effective_date)",
        f"{_name} is of another day than its entry",
    )
_refuse(
    Application.__table__,
    "application_reverses",
    """NEW.reverses_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM application o WHERE o.id = NEW.reverses_id AND o.reverses_id IS NULL
      AND COALESCE(o.debit_item_id = NEW.debit_item_id,
                   o.debit_item_id IS NULL AND NEW.debit_item_id IS NULL)
      AND COALESCE(o.credit_item_id = NEW.credit_item_id,
                   o.credit_item_id IS NULL AND NEW.credit_item_id IS NULL)
      AND o.amount_minor + NEW.amount_minor >= COALESCE((
            SELECT -SUM(r.amount_minor) FROM application r WHERE r.reverses_id = o.id), 0))""",
    "reversal of more or else than was applied",
)
_refuse(
    Application.__table__,
    "application_on_its_side",
    "EXISTS (SELECT 1 FROM open_item WHERE id = NEW.debit_item_id AND side <> 'debit')\n"
    "  OR EXISTS (SELECT 1 FROM open_item WHERE id = NEW.credit_item_id AND side <> 'credit')",
    "a debit item is no credit item",
)

# --- what may change once -------------------------------------------------------------------------


def _once(table: object, name: str, kept: tuple[str, ...], when: str, message: str) -> None:
    """Rows are not deleted, and change only ``when`` says, with the columns ``kept`` as they were."""
    on = table.name if isinstance(table, Table) else ""
    same = " AND ".join(
        f"COALESCE(NEW.{column} = OLD.{column}, NEW.{column} IS NULL AND OLD.{column} IS NULL)"
        for column in kept
    )
    _refuse(table, f"{on}_{name}", f"NOT ({same} AND {when})", message, event="BEFORE UPDATE")
    guards.install(
        table,
        "sqlite",
        [
            f"CREATE TRIGGER {on}_no_delete BEFORE DELETE ON {on} "
            f"BEGIN SELECT RAISE(ABORT, '{on} is append-only'); END"
        ],
    )
    guards.install(
        table,
        "postgresql",
        [
            guards.PG_REFUSE,
            f"CREATE TRIGGER {on}_no_delete BEFORE DELETE ON {on} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER {on}_no_truncate BEFORE TRUNCATE ON {on} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ],
    )


_once(
    PeriodClose.__table__,
    "reopens_once",
    ("id", "legal_entity_id", "through_date", "closed_at", "closed_by"),
    "OLD.reopened_at IS NULL AND NEW.reopened_at IS NOT NULL",
    "period_close is append-only but for its reopening",
)
_once(
    ContestedAmount.__table__,
    "closes_once",
    ("id", "item_id", "amount_minor", "source_kind", "source_id", "opened_at", "opened_on"),
    "OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL",
    "contested_amount is append-only but for its end",
)
_once(
    WriteOff.__table__,
    "decided_once",
    ("id", "item_id", "amount_minor", "currency", "reason", "requested_by", "requested_at"),
    "OLD.state = 'requested' AND NEW.state <> 'requested'",
    "write_off is append-only but for its decision",
)
guards.install(
    JournalEntry.__table__,
    "sqlite",
    [
        "CREATE TRIGGER legal_entity_keeps_currency BEFORE UPDATE ON legal_entity\n"
        "WHEN NEW.functional_currency <> OLD.functional_currency\n"
        "  AND EXISTS (SELECT 1 FROM journal_entry WHERE legal_entity_id = OLD.id)\n"
        "BEGIN SELECT RAISE(ABORT, 'books are kept in this currency'); END"
    ],
)
guards.install(
    JournalEntry.__table__,
    "postgresql",
    [
        "CREATE OR REPLACE FUNCTION legal_entity_keeps_currency() RETURNS trigger\n"
        "LANGUAGE plpgsql AS $body$\nBEGIN\n"
        "  IF NEW.functional_currency <> OLD.functional_currency\n"
        "    AND EXISTS (SELECT 1 FROM journal_entry WHERE legal_entity_id = OLD.id) THEN\n"
        "    RAISE EXCEPTION 'books are kept in this currency'\n"
        "      USING ERRCODE = 'integrity_constraint_violation';\n"
        "  END IF;\n  RETURN NEW;\nEND $body$",
        "CREATE TRIGGER legal_entity_keeps_currency BEFORE UPDATE ON legal_entity "
        "FOR EACH ROW EXECUTE FUNCTION legal_entity_keeps_currency()",
    ],
)
