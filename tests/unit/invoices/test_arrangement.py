"""What the largest words of a document say, and what page one shows of it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from invoices.arrangement import Arrangement
from invoices.document import InvoiceDocument, Kind, Totals
from tests.rooms.invoices.documents import BILL, MEMO, PAID, line, long_invoice

OWED_TO_THE_BUYER = Totals(
    *(Decimal(each) for each in ("70.96", "1.15", "72.11", "80.00", "-7.89"))
)
NOTHING = Totals(*[Decimal("0.00")] * 5)


@pytest.mark.parametrize(
    ("document", "what", "amount", "when"),
    [
        (BILL, "Please pay", "72.11", "Monday, November 30"),
        (replace(BILL, due_date=None), "Please pay", "72.11", "On receipt"),
        (replace(BILL, kind=Kind.DEBIT_MEMO), "Please pay", "72.11", "Monday, November 30"),
        (PAID, "Paid, thank you", "113.11", "Nothing left to pay"),
        (replace(BILL, totals=NOTHING), "No charge", "0.00", "Nothing to pay"),
        (replace(BILL, totals=OWED_TO_THE_BUYER), "In your favor", "7.89", "On your account"),
        (MEMO, "Credit to you", "23.23", "118204"),
        (replace(MEMO, preceding=()), "Credit to you", "23.23", "On your account"),
        (replace(BILL, imported=True), "For your records", "72.11", "November 9, 2026"),
        (replace(BILL, kind=Kind.NOTE), "For your records", "72.11", "November 9, 2026"),
        (replace(BILL, draft=True), "Draft, not yet a bill", "72.11", "Nothing to pay yet"),
    ],
)
def test_the_headline_says_what_is_asked_or_given_how_much_and_when(
    document: InvoiceDocument, what: str, amount: str, when: str
) -> None:
    headline = Arrangement(document).headline
    assert (headline.what, headline.amount, headline.when) == (what, Decimal(amount), when)


def test_a_short_document_stands_on_page_one_whole() -> None:
    assert Arrangement(PAID).summary == ()
    assert Arrangement(replace(BILL, lines=BILL.lines[3:4], message="")).summary == ()


def test_a_long_one_gives_its_sums_by_group_on_page_one() -> None:
    assert [group.name for group in Arrangement(BILL).summary] == [
        "Internet",
        "Phone, 555-0142",
        "Backup",
    ]


def test_more_groups_than_page_one_holds_become_one_sum() -> None:
    sites = tuple(line(each, "River 100", "1.00", group=f"Site {each}") for each in range(1, 41))
    (group,) = Arrangement(replace(BILL, lines=sites)).summary
    assert (group.name, group.total) == ("Charges in 40 groups", BILL.totals.line_total)


def test_lines_begin_where_page_one_has_room_left_for_them() -> None:
    assert Arrangement(BILL).lines_start_over
    assert not Arrangement(long_invoice(60)).lines_start_over


def test_how_to_dispute_names_the_last_day_and_whom_to_ask() -> None:
    assert Arrangement(BILL).questions == (
        "Something wrong? Say so by January 8, 2027: help@fernway.example.com or 555-0100. "
        "A line you dispute is not due while we look into it."
    )
    plain = replace(BILL, dispute_by=None)
    assert Arrangement(plain).questions.startswith("Something wrong, or a question?")
    silent = replace(plain, seller=replace(BILL.seller, email="", phone=""))
    assert Arrangement(silent).questions == ""


def test_the_middle_column_says_how_many_at_what_price_and_for_which_days() -> None:
    plan = Arrangement(BILL)
    rows = [row for group in BILL.groups for row in group.rows]
    assert plan.detail(rows[0]) == ("Nov 9 to Dec 8",)
    assert plan.detail(rows[4]) == ("14 minutes × 0.05", "Oct 24 to Nov 8")
    bundle = PAID.groups[0].rows[0]
    assert Arrangement(PAID).detail(bundle) == ("together 102.60",)


def test_a_price_each_is_left_out_where_it_says_nothing_new() -> None:
    one = line(1, "Otter router", "55.60", unit_price=Decimal("55.60"))
    document = replace(PAID, lines=(one,), issue_date=date(2026, 1, 1))
    assert Arrangement(document).detail(document.groups[0].rows[0]) == ()
    assert Arrangement(document).detail_label == ""
