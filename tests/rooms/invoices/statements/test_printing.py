"""Page, PDF and CSV say the same; the PDF is archival, accessible and the same each time."""

import csv
import io
import resource
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from invoices import pdf
from invoices.statements import table
from invoices.statements.arrangement import STATEMENTS, Arrangement
from invoices.statements.document import StatementDocument, fingerprint
from invoices.theme import Theme
from tests.rooms.invoices.documents import FERNWAY
from tests.rooms.invoices.statements.samples import FIRM, SETTLED, STATEMENT, many
from tests.rooms.invoices.test_pdf import faults, pages

pytestmark = pytest.mark.typeset

ROOT = Path(__file__).parents[4]
ALL = {"mara": STATEMENT, "settled": SETTLED, "firm": FIRM, "one": many(1), "none": many(0)}


def printed(document: StatementDocument, theme: Theme = FERNWAY) -> bytes:
    return pdf.render(document, theme=theme, typesetting=STATEMENTS).bytes


def rows(document: StatementDocument) -> list[dict[str, str]]:
    text = b"".join(table.pieces(document)).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("name", ALL)
def test_a_statement_adds_up_and_is_read_back_as_it_was_written(name: str):
    document = ALL[name]
    assert document.disagreements() == ()
    assert StatementDocument.from_dict(document.to_dict()) == document


@pytest.mark.parametrize(
    "change",
    [
        {"closing": Decimal("104.51")},
        {"charges": Decimal("89.51"), "closing": Decimal("104.51")},
        {"composition": replace(STATEMENT.composition, credit=Decimal("4.00"))},
        {"ageing": STATEMENT.ageing[1:]},
        {"moved": Decimal("1.00"), "closing": Decimal("105.50")},
        {
            "sections": (
                replace(STATEMENT.sections[0], movements=STATEMENT.sections[0].movements[1:]),
            )
        },
    ],
)
def test_what_does_not_add_up_is_told(change: dict[str, Any]):
    assert replace(STATEMENT, **change).disagreements() != ()


def test_a_changed_word_changes_the_fingerprint():
    data = STATEMENT.to_dict()
    assert fingerprint(data) == fingerprint(STATEMENT.to_dict())
    assert fingerprint(data | {"number": "S-100018"}) != fingerprint(data)


@pytest.mark.parametrize("name", ALL)
def test_it_is_valid_for_archives_and_screen_readers(name: str):
    assert faults(printed(ALL[name])) == []


def test_it_is_the_same_to_the_byte_in_another_process():
    script = (
        "from invoices import pdf; from invoices.statements.arrangement import STATEMENTS;"
        "from tests.rooms.invoices.documents import FERNWAY;"
        "from tests.rooms.invoices.statements.samples import FIRM;"
        "print(pdf.render(FIRM, theme=FERNWAY, typesetting=STATEMENTS).sha256)"
    )
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    here = pdf.render(FIRM, theme=FERNWAY, typesetting=STATEMENTS)
    assert other.stdout.strip() == here.sha256


def test_page_one_is_enough_to_understand_and_to_pay():
    first, _ = pages(printed(STATEMENT))
    for said in (
        "Please pay",
        "$87.11 of it is late",
        "S-100017",
        "Previous balance statement S-100009 of November 1, 2026 120.00",
        "Payments −100.00",
        "Adjustments −5.00",
        "New charges 89.50",
        "Closing balance 104.50",
        "Not yet due 1 to 30 days late",
        "17.39 92.11 0.00",
        "Say so by January 30, 2027",
        "$55.60 that you paid for orders",
        "204187751 00000000 0000010450 6",
        "fernway.example.com/account/statements/7Q2M4KXD91",
        "1 of 2",
    ):
        assert said in first, said


def test_a_settled_statement_has_no_stub_and_says_what_is_kept():
    (only,) = pages(printed(SETTLED))
    assert "In your favor" in only
    assert "Pay stub" not in only


def test_a_consolidated_statement_has_a_section_for_each_service_account_and_one_total():
    first, second = pages(printed(FIRM))
    assert "Closing balance 147.00" in first
    assert "Now on this statement: The dry dock account 700300103 12.00" in first
    for said in (
        "Together, The boatyard, 2 Quay, account 700300101 90.00",
        "Together, The chandlery, 5 Quay, account 700300102 45.00",
        "came in after the last statement",
    ):
        assert said in second, said


@pytest.mark.parametrize("name", ALL)
def test_pdf_and_csv_have_the_same_figures(name: str):
    document = ALL[name]
    text, say = " ".join(pages(printed(document))), Arrangement(document).say
    found = rows(document)
    for row in found:
        assert say.amount(Decimal(row["amount"])) in text, row
        if row["number"]:
            assert f"{row['what']} {row['number']}" in text
    *parts, closing, to_pay = (Decimal(row["amount"]) for row in found)
    assert sum(parts) == closing == document.closing
    assert to_pay == document.amount_due
    movements = [row for row in found if row["posting"]]
    assert len(movements) == document.movement_count
    for kind in ("payment", "adjustment", "charge"):
        of_kind = sum(Decimal(row["amount"]) for row in movements if row["line"] == kind)
        assert of_kind == getattr(document, f"{kind}s")


def test_words_that_spreadsheets_would_run_are_harmless_in_the_csv():
    section = replace(STATEMENT.sections[0], name="=HYPERLINK(1)")
    found = rows(replace(STATEMENT, sections=(section,)))
    assert {row["service_name"] for row in found if row["posting"]} == {"'=HYPERLINK(1)"}


def test_a_long_statement_repeats_its_heads_and_shows_every_movement():
    document = many(300)
    content = printed(document)
    each = pages(content)
    assert len(each) > 4
    assert sum(text.count("Bill 100") for text in each) == 150
    assert sum(text.count("Payment 100") for text in each) == 150
    assert all("USD" in text for text in each)
    assert faults(content) == []


@pytest.mark.long
def test_ten_thousand_movements_take_memory_that_a_worker_has():
    document = many(10_000)
    assert len(rows(document)) == 10_003
    content = printed(document)
    assert len(pages(content)) > 150
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_500_000
