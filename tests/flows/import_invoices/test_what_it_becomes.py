"""History of another system comes into the books whole, and sets nothing going."""

from datetime import date

from sqlalchemy import select

from core.kernel.audit import AuditEntry
from core.ledger.chart import (
    CLEARING,
    CUSTOMER_CREDIT,
    IMPORTED_SETTLEMENTS,
    RECEIVABLE,
    REVENUE,
)
from core.ledger.models import Application, JournalEntry, OpenItem
from core.parties.models import Account
from invoices.document import InvoiceDocument
from invoices.models import Invoice, InvoiceLine
from tests import retail
from tests.retail import line

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
