"""An old till whose history is brought in again and again, and all that it leaves in the books."""

from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.commands import import_invoices as command
from app.tables import metadata
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.ledger.models import JournalEntry, JournalLine, OpenItem
from core.parties.models import Account
from flows.verify import verify
from invoices.models import Invoice, InvoiceLine
from tests import retail


class Till:
    """One file and its mapping, to be brought in again and again."""

    def __init__(self, db: Database, clock: ManualClock, folder: Path) -> None:
        self.db, self.clock, self.folder = db, clock, folder
        self.file = retail.write(folder / "history.csv")
        self.map = retail.SHIPPED

    def bring_in(self, *more: str) -> tuple[int, str]:
        """Run the command; its exit code and what it said."""
        out = StringIO()
        argv = [str(self.file), "--columns", str(self.map), *more]
        code = command.run(argv, retail.settings(self.folder), self.db, self.clock, out)
        return code, out.getvalue()

    def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        with self.db.reading() as session:
            return [tuple(row) for row in session.execute(select(*columns))]

    def balances(self) -> dict[str, int]:
        with self.db.reading() as session:
            found = session.execute(
                select(JournalLine.ledger_code, func.sum(JournalLine.amount_minor)).group_by(
                    JournalLine.ledger_code
                )
            )
            return {code: int(balance) for code, balance in found}

    def counts(self) -> dict[str, int]:
        with self.db.reading() as session:
            return {
                table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
                for table in metadata.sorted_tables
            }

    def story(self) -> list[tuple[Any, ...]]:
        """All that an import leaves, but for random keys and the moment of posting."""
        names = dict(self.rows(Account.id, Account.external_ref))
        numbers = dict(self.rows(Invoice.id, Invoice.number))
        documents = [
            (number, kind, names[payer], total, str(issued), content)
            for number, kind, payer, total, issued, content in self.rows(
                Invoice.number,
                Invoice.kind,
                Invoice.payer_account_id,
                Invoice.total_minor,
                Invoice.issued_at,
                Invoice.content_hash,
            )
        ]
        lines = [
            (numbers[key], *rest)
            for key, *rest in self.rows(
                InvoiceLine.invoice_id,
                InvoiceLine.line_number,
                InvoiceLine.sku,
                InvoiceLine.quantity,
                InvoiceLine.net_minor,
            )
        ]
        entries = [
            (number, kind, numbers[source], str(day), code, minor)
            for number, kind, source, day, code, minor in self._entries()
        ]
        items = [
            (number, code, minor, history)
            for number, code, minor, history in self.rows(
                OpenItem.number, OpenItem.ledger_code, OpenItem.amount_minor, OpenItem.is_history
            )
        ]
        return [*sorted(documents), *sorted(lines), *sorted(entries), *sorted(items)]

    def _entries(self) -> list[tuple[Any, ...]]:
        with self.db.reading() as session:
            return [
                tuple(row)
                for row in session.execute(
                    select(
                        JournalEntry.posting_number,
                        JournalEntry.kind,
                        JournalEntry.source_id,
                        JournalEntry.effective_date,
                        JournalLine.ledger_code,
                        JournalLine.amount_minor,
                    ).join(JournalLine, JournalLine.entry_id == JournalEntry.id)
                )
            ]

    def disproved(self) -> list[str]:
        return [word for finding in verify(self.db, self.clock) for word in finding.offenders]
