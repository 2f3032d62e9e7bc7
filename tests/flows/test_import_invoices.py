"""History of another system comes into the books whole, once, and sets nothing going."""

import os
import signal
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.commands import import_invoices as command
from app.tables import metadata
from core.kernel import crash
from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.ledger.chart import (
    CLEARING,
    CUSTOMER_CREDIT,
    IMPORTED_SETTLEMENTS,
    RECEIVABLE,
    REVENUE,
)
from core.ledger.models import Application, JournalEntry, JournalLine, OpenItem
from core.parties.accounts import NewAccount, open_account
from core.parties.models import Account, LegalEntity
from flows import import_invoices
from flows.verify import verify
from invoices import history_mapping, history_spool
from invoices.document import InvoiceDocument
from invoices.history_documents import OtherContent
from invoices.history_spool import Spool
from invoices.models import Invoice, InvoiceLine
from tests import retail
from tests.retail import line

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every document is a page, and so a transaction, of its own."""
    monkeypatch.setattr(history_spool, "PAGE_DOCUMENTS", 1)


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


@pytest.fixture
def till(db: Database, clock: ManualClock, tmp_path: Path) -> Till:
    return Till(db, clock, tmp_path)


# --- what it becomes ------------------------------------------------------------------------------


def test_a_file_becomes_accounts_documents_lines_and_entries_earned_on_issue(till):
    code, said = till.bring_in()

    assert code == 0, said
    assert said == (
        "6 rows read; 5 documents added: 3 invoices, 1 credit memos, 1 notes, with 6 lines.\n"
    )
    assert sorted(
        till.rows(Invoice.number, Invoice.kind, Invoice.net_minor, Invoice.total_minor)
    ) == [
        ("536365", "invoice", 3730, 3730),
        ("536366", "invoice", 377, 377),
        ("536368", "invoice", 6420, 6420),
        ("536369", "note", 0, 0),
        ("C536367", "credit_memo", 1395, 1395),
    ]
    assert till.balances() == {RECEIVABLE: 10527, CUSTOMER_CREDIT: -1395, REVENUE: -9132}
    assert till.disproved() == []


def test_numbers_stand_as_they_were_in_a_series_of_the_other_system(till):
    till.bring_in()

    kept = till.rows(Invoice.series, Invoice.is_external, Invoice.series_position)
    assert set(kept) == {("import:online-retail", True, None)}


def test_customers_become_accounts_and_lines_without_one_go_to_one_counter(till):
    till.bring_in()

    accounts = till.rows(Account.external_ref, Account.name, Account.kind, Account.currency)
    assert sorted(accounts) == [
        ("13047", "Customer 13047", "organisation", "GBP"),
        ("17850", "Customer 17850", "organisation", "GBP"),
        ("counter-sales", "Counter sales", "organisation", "GBP"),
    ]
    counter = dict(till.rows(Account.external_ref, Account.id))["counter-sales"]
    at_the_counter = till.rows(Invoice.number, Invoice.payer_account_id)
    assert sorted(n for n, payer in at_the_counter if payer == counter) == ["536368", "536369"]


def test_an_account_that_is_here_already_is_taken_as_it_is(till):
    till.bring_in()
    number = dict(till.rows(Account.external_ref, Account.number))["17850"]
    retail.write(till.file, [line("540001", customer="17850")])

    till.bring_in()

    assert dict(till.rows(Account.external_ref, Account.number))["17850"] == number
    assert len(till.rows(Account.id)) == 3


def test_an_account_number_that_is_taken_is_drawn_again(till, monkeypatch):
    drawn = iter(["111111111", "111111111", "222222222", "333333333", "444444444"])
    monkeypatch.setattr("core.parties.external.new_number", lambda: next(drawn))

    till.bring_in()

    assert len(till.rows(Account.number)) == 3


def test_the_books_date_is_the_day_at_the_legal_entity_and_posting_is_now(till):
    retail.write(till.file, [line("540001", at="2010-07-01 00:30:00")])

    till.bring_in()

    assert till.rows(Invoice.issue_date, Invoice.due_date) == [(date(2010, 7, 1), None)]
    assert till.rows(JournalEntry.effective_date, JournalEntry.posted_at) == [
        (date(2010, 7, 1), till.clock.now())
    ]


def test_terms_in_the_mapping_make_a_due_date_for_invoices_alone(till, tmp_path):
    till.map = retail.mapping(
        tmp_path / "map.toml", {"[documents]": "[documents]\nterms_days = 30"}
    )

    till.bring_in()

    due = dict(till.rows(Invoice.number, Invoice.due_date))
    assert (due["536365"], due["C536367"], due["536369"]) == (date(2010, 12, 31), None, None)


def test_a_credit_memo_states_what_it_gives_and_becomes_customer_credit(till):
    till.bring_in()

    memo = dict(till.rows(Invoice.number, Invoice.id))["C536367"]
    lines = till.rows(InvoiceLine.invoice_id, InvoiceLine.quantity, InvoiceLine.net_minor)
    assert [rest for key, *rest in lines if key == memo] == [["3", 1395]]
    items = till.rows(OpenItem.number, OpenItem.ledger_code, OpenItem.side, OpenItem.amount_minor)
    assert ("C536367", CUSTOMER_CREDIT, "credit", 1395) in items


def test_a_price_below_zero_turns_with_its_memo(till):
    retail.write(till.file, [line("A563186", "1", "-11062.06", name="ADJUST BAD DEBT")])

    till.bring_in()

    assert till.rows(Invoice.kind, Invoice.total_minor) == [("credit_memo", 1106206)]
    assert till.rows(InvoiceLine.quantity, InvoiceLine.unit_price_micros) == [("1", 11_062_060_000)]
    assert till.disproved() == []


def test_a_line_below_zero_takes_off_its_invoice_and_a_sum_of_zero_has_no_entry(till):
    retail.write(
        till.file,
        [line("1", "4", "2"), line("1", "-1", "3"), line("2", "1", "5"), line("2", "-1", "5")],
    )

    till.bring_in()

    assert sorted(till.rows(Invoice.number, Invoice.kind, Invoice.total_minor)) == [
        ("1", "invoice", 500),
        ("2", "invoice", 0),
    ]
    assert till.balances() == {RECEIVABLE: 500, REVENUE: -500}
    assert till.disproved() == []


def test_a_note_is_kept_with_its_lines_and_has_no_entry(till):
    till.bring_in()

    note = dict(till.rows(Invoice.number, Invoice.id))["536369"]
    assert note in {key for (key,) in till.rows(InvoiceLine.invoice_id)}
    assert note not in {key for (key,) in till.rows(JournalEntry.source_id)}
    assert note not in {key for (key,) in till.rows(OpenItem.source_id)}


def test_the_frozen_words_are_there_for_page_and_print(till):
    till.bring_in()

    words = dict(till.rows(Invoice.number, Invoice.document))
    documents = {number: InvoiceDocument.from_dict(found) for number, found in words.items()}
    assert [document.disagreements() for document in documents.values()] == [()] * 5
    assert all(document.imported for document in documents.values())
    bought = documents["536366"]
    assert (bought.buyer.name, bought.buyer.address) == ("Customer 13047", ("EIRE",))
    assert (str(bought.lines[0].unit_price), str(bought.lines[0].net)) == ("1.255", "3.77")
    assert documents["536369"].lines[0].name == "22139"


def test_history_sets_nothing_going(till):
    till.bring_in("--settled-on", "issue")

    assert {history for (history,) in till.rows(OpenItem.is_history)} == {True}
    counts = till.counts()
    assert (counts["job"], counts["notice"], counts["stored_document"]) == (0, 0, 0)
    assert till.rows(AuditEntry.act) == [("history_import_began",)]


# --- settled there --------------------------------------------------------------------------------


def test_nothing_is_settled_unless_it_is_said(till):
    till.bring_in()

    assert till.rows(Application.id) == []


def test_settled_on_issue_pays_each_invoice_on_its_own_day_against_imported_settlements(till):
    code, said = till.bring_in("--settled-on", "issue")

    assert code == 0, said
    balances = till.balances()
    assert (balances[RECEIVABLE], balances[IMPORTED_SETTLEMENTS]) == (0, 10527)
    assert CLEARING not in balances
    assert sorted(till.rows(Application.source_kind, Application.effective_date)) == [
        ("settlement", date(2010, 12, 1)),
        ("settlement", date(2010, 12, 1)),
        ("settlement", date(2010, 12, 2)),
    ]
    assert till.disproved() == []


def test_settled_on_leaves_customer_credit_open(till):
    till.bring_in("--settled-on", "issue")

    assert till.balances()[CUSTOMER_CREDIT] == -1395


def test_settled_on_a_date_is_never_before_the_invoice(till):
    till.bring_in("--settled-on", "2010-12-01")

    with till.db.reading() as session:
        days = session.execute(
            select(OpenItem.number, Application.effective_date).join(
                Application, Application.debit_item_id == OpenItem.id
            )
        )
        assert dict(tuple(row) for row in days) == {
            "536365": date(2010, 12, 1),
            "536366": date(2010, 12, 1),
            "536368": date(2010, 12, 2),
        }


def test_settled_on_a_day_to_come_is_refused(till):
    code, said = till.bring_in("--settled-on", "2026-11-18")

    assert (code, said) == (1, "--settled-on 2026-11-18 lies ahead of us\n")
    assert till.rows(Invoice.id) == []


# --- again, and killed in the middle --------------------------------------------------------------


def test_run_again_it_adds_nothing(till):
    till.bring_in("--settled-on", "issue")
    before = till.counts()

    code, said = till.bring_in("--settled-on", "issue")

    assert code == 0
    assert "0 documents added" in said
    assert "5 documents here already, unchanged." in said
    assert till.counts() == before


def test_a_longer_file_adds_only_what_is_new(till):
    till.bring_in()
    retail.write(till.file, [*retail.HISTORY, line("536370")])

    _, said = till.bring_in()

    assert "1 document added: 1 invoices" in said
    assert len(till.rows(Invoice.id)) == 6
    assert till.disproved() == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("pages", [1, 3, 5])
def test_killed_after_some_pages_and_run_again_it_ends_the_same(till, pages):
    passed: list[str] = []

    def die(name: str) -> None:
        passed.append(name)
        if len(passed) == pages:
            raise crash.SimulatedCrash(name)

    with pytest.raises(crash.SimulatedCrash), crash.armed(die):
        till.bring_in("--settled-on", "issue")
    assert len(till.rows(Invoice.id)) == pages

    till.bring_in("--settled-on", "issue")

    assert till.story() == _unbroken(till)
    assert till.disproved() == []


def _unbroken(till: Till) -> list[tuple[Any, ...]]:
    """The story of the same file, brought into an empty database without a break."""
    database = Database(f"sqlite:///{till.folder / 'unbroken.db'}")
    metadata.create_all(database.engine)
    other = Till(database, till.clock, till.folder)
    other.bring_in("--settled-on", "issue")
    story = other.story()
    database.close()
    return story


_KILLED = """
import os, signal, sys
from io import StringIO
from pathlib import Path
from app.commands import import_invoices as command
from core.kernel import crash
from core.kernel.clock import SystemClock
from core.kernel.db import Database
from invoices import history_spool
from tests import retail
history_spool.PAGE_DOCUMENTS = 1
file, url = sys.argv[1:]
with crash.armed(lambda name: os.kill(os.getpid(), signal.SIGKILL)):
    argv = [file, "--columns", str(retail.SHIPPED), "--settled-on", "issue"]
    command.run(argv, retail.settings(Path(file).parent), Database(url), SystemClock(), StringIO())
"""


def test_after_a_real_kill_the_next_run_ends_the_same(till):
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(till.file), till.db.url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert len(till.rows(Invoice.id)) == 1

    till.bring_in("--settled-on", "issue")

    assert till.story() == _unbroken(till)
    assert till.disproved() == []


def test_two_who_checked_the_same_file_add_it_once(till):
    mapping = history_mapping.load(till.map)

    def check(spool: Spool) -> None:
        import_invoices.check(till.db, spool, till.file, mapping, till.clock.now(), lambda *_: None)

    def write(spool: Spool) -> None:
        import_invoices.write(
            till.db, spool, "h.csv", mapping, lambda day: None, till.clock, lambda *_: None
        )

    with Spool(mapping) as one, Spool(mapping) as other:
        check(one)
        check(other)
        write(one)
        write(other)
    assert len(till.rows(Invoice.id)) == 5
    assert till.disproved() == []


def test_other_content_that_came_in_while_we_wrote_stops_the_writing(till):
    mapping = history_mapping.load(till.map)
    with Spool(mapping) as spool:
        import_invoices.check(till.db, spool, till.file, mapping, till.clock.now(), lambda *_: None)
        retail.write(till.file, [line("536365", "99")])
        till.bring_in()

        with pytest.raises(OtherContent, match="Document 536365 is here already"):
            import_invoices.write(
                till.db, spool, "h.csv", mapping, lambda day: None, till.clock, lambda *_: None
            )
    assert till.rows(Invoice.number) == [("536365",)]


# --- what is not taken ----------------------------------------------------------------------------


def test_a_bad_row_stops_the_run_and_nothing_is_written(till):
    retail.write(till.file, [*retail.HISTORY, line("536370"), line("536370", "six")])

    code, said = till.bring_in()

    assert code == 1
    assert said == (
        f"{till.file}: row 9, Quantity: is not a number: 'six'\n"
        "1 row cannot be taken: nothing was written. With --skip-bad the 1 document "
        "they belong to is left out.\n"
    )
    assert till.rows(LegalEntity.id) == till.rows(Invoice.id) == till.rows(AuditEntry.id) == []


def test_skip_bad_leaves_out_the_whole_documents_of_bad_rows(till):
    retail.write(till.file, [*retail.HISTORY, line("536370"), line("536370", "six")])

    code, said = till.bring_in("--skip-bad")

    assert code == 0
    assert f"{till.file}: row 9, Quantity: is not a number: 'six'" in said
    assert "1 document left out for 1 bad rows." in said
    assert "536370" not in dict(till.rows(Invoice.number, Invoice.id))
    assert len(till.rows(Invoice.id)) == 5


def test_a_number_that_comes_again_with_other_content_is_an_error(till):
    till.bring_in()
    before = till.story()
    retail.write(till.file, [line("536365", "7", "2.55"), line("536371")])

    code, said = till.bring_in()

    assert code == 1
    assert said.startswith(f"{till.file}: row 2, InvoiceNo: is here already with other content\n")
    assert till.story() == before


def test_a_broken_file_is_not_taken_even_with_skip_bad(till):
    retail.write(till.file, [line("536365"), line("536366")])
    till.file.write_text(till.file.read_text().replace("536366,22139,", '536366,22139,"'))

    code, said = till.bring_in("--skip-bad")

    assert code == 1
    assert "rows cannot be told apart: nothing was written" in said
    assert till.rows(Invoice.id) == []


def test_a_legal_entity_of_that_code_with_another_currency_is_not_written_to(till, tmp_path):
    till.bring_in()
    till.map = retail.mapping(
        tmp_path / "map.toml",
        {'name = "online-retail"': 'name = "other"', 'currency = "GBP"': 'currency = "EUR"'},
    )

    code, said = till.bring_in()

    assert (code, said) == (1, "Legal entity online-retail has currency GBP here, not EUR.\n")
    assert len(till.rows(Invoice.id)) == 5


def test_a_shop_keeps_its_own_accounts_apart_from_imported_ones(till, world, tmp_path):
    with till.db.transaction() as session:
        entity = session.get_one(LegalEntity, world.legal_entity_id)
        new = NewAccount("Riley Moreno", "riley@example.com")
        open_account(session, entity, None, new, till.clock.now())

    till.bring_in()

    assert len(till.rows(Account.id)) == 4
    assert till.disproved() == []
