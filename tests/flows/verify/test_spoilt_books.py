"""Whoever changes a figure behind our back is found, whichever fence they took down first."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from invoices.models import Invoice, StoredDocument
from tests.books import START, Books, findings, run

_ENTRY = (
    "SELECT e.id FROM journal_entry e JOIN invoice i ON i.id = e.source_id "
    "WHERE i.number = '536365' AND e.kind = 'invoice_issued'"
)
_INVOICE = "SELECT id FROM invoice WHERE number = '{}'"
_LINE = (
    "SELECT l.id FROM invoice_line l JOIN invoice i ON i.id = l.invoice_id "
    "WHERE i.number = '{}' AND l.line_number = {}"
)
_ITEM = "SELECT id FROM open_item WHERE number = '{}'"
_PAYMENT = "SELECT id FROM payment WHERE number = '{}'"
_CAMERA = (
    "SELECT l.id FROM stock_level l JOIN variant v ON v.id = l.variant_id WHERE v.sku = 'FW-CAM-1'"
)


@pytest.mark.parametrize(
    "number, statements, word",
    [
        pytest.param(
            1,
            [f"UPDATE journal_line SET amount_minor = 3731 WHERE entry_id = ({_ENTRY}) "
             "AND ledger_code = 'accounts_receivable'"],
            "posting 1 (invoice_issued): debits less credits is 0.01 GBP",
            id="a changed amount in the journal",
        ),
        pytest.param(
            1,
            [f"DELETE FROM journal_line WHERE entry_id = ({_ENTRY}) AND ledger_code = 'revenue'"],
            "posting 1 (invoice_issued): debits less credits is 37.30 GBP",
            id="a dropped journal line",
        ),
        pytest.param(
            1,
            [f"DELETE FROM journal_line WHERE entry_id = ({_ENTRY})"],
            "posting 1 (invoice_issued) has no line",
            id="all lines of an entry dropped",
        ),
        pytest.param(
            1,
            [f"DELETE FROM journal_entry WHERE id = ({_ENTRY})"],
            "a line of revenue has no entry: -3730",
            id="an entry dropped, its lines kept",
        ),
        pytest.param(
            1,
            [f"DELETE FROM journal_line WHERE entry_id = ({_ENTRY})",
             f"DELETE FROM journal_entry WHERE id = ({_ENTRY})"],
            "posting 1 is missing",
            id="a whole entry dropped",
        ),
        pytest.param(
            1,
            ["UPDATE number_series SET next_number = next_number + 2 WHERE series = 'posting' "
             "AND next_number = 5"],
            "posting 5 to 6 was given out and is missing",
            id="the last entries dropped",
        ),
        pytest.param(
            1,
            [f"UPDATE journal_line SET functional_minor = 1 WHERE entry_id = ({_ENTRY}) "
             "AND ledger_code = 'revenue'"],
            "posting 1 (invoice_issued): functional amounts sum to 3731",
            id="a changed functional amount",
        ),
        pytest.param(
            2,
            [f"UPDATE open_item SET amount_minor = amount_minor - 100 WHERE id = ({_ITEM.format('536365')})"],
            "the journal has 1.00 GBP more in debit than the open items",
            id="a changed amount of an open item",
        ),
        pytest.param(
            2,
            [f"DELETE FROM application WHERE debit_item_id = ({_ITEM.format('100002')})"],
            "fernway, accounts_receivable of account 204187751: the journal has -125.67 USD more",
            id="a dropped application",
        ),
        pytest.param(
            2,
            [f"UPDATE open_item SET account_id = (SELECT account_id FROM open_item "
             f"WHERE number = '536368') WHERE id = ({_ITEM.format('536365')})"],
            "online-retail, accounts_receivable of account",
            id="an item moved to another account",
        ),
        pytest.param(
            3,
            ["UPDATE invoice SET net_minor = 3731, total_minor = 3731 WHERE number = '536365'"],
            "invoice 536365 says 37.31 GBP, its lines 37.30 GBP",
            id="a changed total of a document",
        ),
        pytest.param(
            3,
            [f"UPDATE invoice_line SET net_minor = 1 WHERE id = ({_LINE.format('536365', 1)})"],
            "invoice 536365 says 37.30 GBP, its lines 22.01 GBP",
            id="a changed amount of a document's line",
        ),
        pytest.param(
            3,
            [f"DELETE FROM invoice_line WHERE id = ({_LINE.format('536365', 2)})"],
            "invoice 536365 says 37.30 GBP, its lines 15.30 GBP",
            id="a dropped line of a document",
        ),
        pytest.param(
            3,
            [f"UPDATE invoice_line_tax SET amount_minor = 0 "
             f"WHERE invoice_line_id = ({_LINE.format('100001', 1)})"],
            "invoice 100001, line 1: tax",
            id="a changed tax",
        ),
        pytest.param(
            3,
            [f"UPDATE invoice_line SET net_minor = net_minor + 100 WHERE id = ({_LINE.format('536365', 1)})",
             "UPDATE invoice SET net_minor = 3830, total_minor = 3830 WHERE number = '536365'"],
            "invoice 536365: revenue of document and entry differ by 1.00 GBP",
            id="a document changed through and through",
        ),
        pytest.param(
            3,
            ["UPDATE invoice SET kind = 'note' WHERE number = '536366'"],
            "note 536366 says 3.77 GBP",
            id="a note that takes money",
        ),
        pytest.param(
            3,
            ["UPDATE invoice SET issue_date = '2010-12-05' WHERE number = '536365'"],
            "invoice 536365: its entry is of another day or legal entity",
            id="a changed date",
        ),
        pytest.param(
            3,
            ["UPDATE invoice SET payer_account_id = (SELECT payer_account_id FROM invoice "
             "WHERE number = '536368') WHERE number = '536365'"],
            "invoice 536365: no open item of its total and payer",
            id="a bill moved to another account",
        ),
        pytest.param(
            3,
            [f"UPDATE application SET amount_minor = 20000 WHERE debit_item_id = ({_ITEM.format('100002')})"],
            "item 100002: 200.00 USD applied of 125.67 USD",
            id="more applied than is owed",
        ),
        pytest.param(
            3,
            ["UPDATE order_line SET net_minor = 100 WHERE sku = 'FW-RT-6'"],
            "invoice 100001: order line 1",
            id="an order changed after its bill",
        ),
        pytest.param(
            3,
            [f"UPDATE invoice_line SET order_line_id = NULL WHERE id = ({_LINE.format('100001', 2)})"],
            "invoice 100001: line 2",
            id="a billed line that nobody ordered",
        ),
        pytest.param(
            3,
            ["UPDATE \"order\" SET worth_minor = worth_minor + 1 WHERE number = 'O-10001'"],
            "order O-10001 is worth",
            id="an order that is worth more than its documents say",
        ),
        pytest.param(
            4,
            ["UPDATE payment SET amount_minor = amount_minor + 100 WHERE number = 'P-10001'"],
            "payment P-10001: 1.00 USD of it is nowhere",
            id="a changed payment",
        ),
        pytest.param(
            4,
            ["UPDATE payment SET amount_minor = amount_minor + 100 WHERE number = 'P-10001'"],
            "P-10001: 100 minor units did not go through processor clearing",
            id="a payment that was not cleared",
        ),
        pytest.param(
            4,
            ["DELETE FROM refund"],
            "payment P-10003: 63.90 USD of it is nowhere",
            id="a dropped refund",
        ),
        pytest.param(
            4,
            [f"DELETE FROM open_item WHERE source_id = ({_PAYMENT.format('P-10004')})"],
            "payment P-10004: 5.00 USD of it is nowhere",
            id="a dropped remainder",
        ),
        pytest.param(
            7,
            [f"UPDATE invoice_line SET memo_of_id = ({_LINE.format('536366', 1)}) "
             f"WHERE id = ({_LINE.format('C536367', 1)})"],
            "invoice 536366, line 1: 13.95 GBP credited of 3.77 GBP",
            id="more credited than was billed",
        ),
        pytest.param(
            7,
            [f"UPDATE invoice_line SET memo_of_id = ({_LINE.format('100001', 1)}), net_minor = 12900 "
             f"WHERE id = ({_LINE.format('C536367', 1)})"],
            "invoice 100001, line 1: 129.00 USD credited of 137.39 USD",
            id="a full credit that keeps the tax",
        ),
        pytest.param(
            8,
            [f"DELETE FROM invoice WHERE id = ({_INVOICE.format('100002')})"],
            "invoice 100002 is missing",
            id="a gap in our invoices",
        ),
        pytest.param(
            8,
            [f"DELETE FROM invoice WHERE id = ({_INVOICE.format('100003')})"],
            "invoice 100003 was given out and is missing",
            id="our last invoice dropped",
        ),
        pytest.param(
            8,
            ["UPDATE invoice SET series_position = 1, number = '0100001' WHERE number = '100002'"],
            "1 of series invoice have a number that is none of it",
            id="a number of ours that is none",
        ),
        pytest.param(
            8,
            ['DELETE FROM "order" WHERE number = \'O-10002\''],
            "order O-10002 is missing",
            id="a gap in the orders",
        ),
        pytest.param(
            8,
            ["UPDATE payment SET number = 'P-x' WHERE number = 'P-10001'"],
            "payment P-10001 is missing",
            id="a gap in the payments",
        ),
        pytest.param(
            8,
            ["UPDATE number_series SET next_number = 3 WHERE series = 'invoice'"],
            "invoice 100003 was never given out",
            id="a number that was never given out",
        ),
        pytest.param(
            8,
            ["UPDATE invoice SET content_hash = NULL WHERE number = '536365'"],
            "import:online-retail 536365 has no content hash",
            id="an imported number whose content nobody knows",
        ),
        pytest.param(
            9,
            [f"UPDATE stock_level SET held = held + 1 WHERE id = ({_CAMERA})"],
            "FW-CAM-1: 2 held, its holds are 1 (1 unexpired)",
            id="more held than its holds",
        ),
        pytest.param(
            9,
            ["UPDATE hold SET state = 'released' WHERE state = 'active'"],
            "FW-CAM-1: 1 held, its holds are 0 (0 unexpired)",
            id="a hold let go without its level",
        ),
        pytest.param(
            9,
            [f"DELETE FROM stock_movement WHERE level_id = ({_CAMERA}) AND kind = 'allocated'"],
            "FW-CAM-1: 4 on hand where movements say 4, 2 sold where they say 0",
            id="a dropped movement",
        ),
        pytest.param(
            10,
            [f"UPDATE open_item SET amount_minor = amount_minor + 100 WHERE id = ({_ITEM.format('536365')})"],
            "the buckets sum to 106.27 GBP, the control accounts have 105.27 GBP",
            id="a receivable of no age",
        ),
        pytest.param(
            2,
            [f"UPDATE open_now SET open_minor = open_minor - 100 WHERE item_id = ({_ITEM.format('536365')})"],
            "item 536365: 1.00 GBP more is open than is kept as open",
            id="a shortcut that is no more true",
        ),
        pytest.param(
            2,
            [f"DELETE FROM open_now WHERE item_id = ({_ITEM.format('536365')})"],
            "item 536365: 37.30 GBP more is open than is kept as open",
            id="a shortcut that is gone",
        ),
        pytest.param(
            12,
            ["DELETE FROM audit_entry WHERE seal_number = 2"],
            "sealed line 2 is missing or was changed",
            id="a sealed audit line taken out",
        ),
        pytest.param(
            12,
            ["DELETE FROM audit_entry WHERE seal_number = 5"],
            "sealed line 5 is missing or was changed",
            id="the last sealed audit line taken out",
        ),
        pytest.param(
            12,
            ["UPDATE audit_entry SET actor = 'user:9' WHERE seal_number = 3"],
            "sealed line 3 is missing or was changed",
            id="a sealed audit line changed",
        ),
        pytest.param(
            12,
            ["UPDATE invoice SET document = (SELECT document FROM invoice WHERE number = '536366') "
             "WHERE number = '536365'"],
            "document 536365: it says 3.77, its row 37.30 GBP",
            id="a document's words changed",
        ),
        pytest.param(
            12,
            [f"DELETE FROM stored_document WHERE invoice_id = ({_INVOICE.format('100001')})"],
            "document 100001 was never rendered",
            id="a document that has no bytes",
        ),
    ],
)  # fmt: skip
def test_a_change_behind_our_back_is_found(books, number, statements, word):
    books.tamper(*statements)

    assert any(word in found for found in findings(books)[number].offenders)


def _rewrite(books: Books, number: str, change: bytes | None) -> None:
    with books.db.reading() as session:
        sha256 = session.scalars(
            select(StoredDocument.sha256)
            .join(Invoice, Invoice.id == StoredDocument.invoice_id)
            .where(Invoice.number == number)
        ).one()
    path = books.blobs.path(sha256)
    path.unlink() if change is None else path.write_bytes(change)
    assert change is None or hashlib.sha256(change).hexdigest() != sha256


@pytest.mark.parametrize("change", [b"document 100002.", b"", None])
def test_a_changed_document_byte_is_found_when_documents_are_read(books, change):
    _rewrite(books, "100002", change)

    assert run(books)[0] == 0
    code, said = run(books, "--documents")

    assert code == 1
    assert "12  FAILED" in said
    assert "      the bytes of document 100002 are missing or not those of " in said


def test_a_young_document_may_wait_for_its_bytes(books):
    books.tamper(f"DELETE FROM stored_document WHERE invoice_id = ({_INVOICE.format('100003')})")
    books.clock.set(START + timedelta(minutes=9))

    found = findings(books)[12]

    assert found.holds
    assert found.figure == (
        "5 lines sealed; 2 stored documents, 0.0 MB; 8 documents read; 1 waiting to be rendered; "
        "0 stored statements, 0.0 MB; 0 statements read; 0 statements waiting to be rendered"
    )


def test_a_number_that_comes_twice_is_found(books):
    """Without the unique key, as a careless migration could leave it."""
    if books.db.is_sqlite:
        books.tamper(
            "CREATE TABLE twice AS SELECT * FROM invoice",
            "DROP TABLE invoice",
            "ALTER TABLE twice RENAME TO invoice",
        )
    else:
        with books.db.transaction() as session:
            key = session.scalar(
                text(
                    "SELECT conname FROM pg_constraint WHERE conrelid = 'invoice'::regclass "
                    "AND contype = 'u' AND cardinality(conkey) = 3"
                )
            )
            session.execute(text(f"ALTER TABLE invoice DROP CONSTRAINT {key}"))
    books.tamper("UPDATE invoice SET number = '536365' WHERE number = '536366'")

    assert "import:online-retail 536365 is there 2 times" in findings(books)[8].offenders


def test_the_command_fails_and_names_the_first_few(books):
    books.tamper("UPDATE journal_line SET amount_minor = amount_minor + 1")

    code, said = run(books)

    assert code == 1
    lines = said.splitlines()
    assert lines[0].startswith(" 1  FAILED  Debits are credits: ")
    assert lines[1].startswith("      posting 1 (")
    assert lines[6] == "      … and more"
    assert lines[-1].endswith(" of 12 FAILED")
