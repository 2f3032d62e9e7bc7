"""The frozen document: what goes into its row comes out again, and it knows whether it adds up."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices.document import (
    Applied,
    InvoiceDocument,
    Kind,
    ScanLineTooLong,
    UnknownSchema,
    luhn,
    scan_line,
)
from tests.rooms.invoices.documents import BILL, MEMO, PAID, line, seeded


def _exactly(document: InvoiceDocument) -> list[str]:
    """Field by field as text: ``1.0`` and ``1.00`` are equal decimals, but not the same figure."""
    return repr(document).split(", ")


@given(st.integers(min_value=0, max_value=2**32), st.decimals(allow_nan=False, places=3))
def test_a_document_comes_back_from_its_row_exactly_as_it_was(seed: int, amount: Decimal) -> None:
    document = seeded(seed)
    totals = replace(document.totals, applied=amount)
    document = replace(document, totals=totals, message="Größe ¾ \u2028 “quoted” \\ 中")

    again = InvoiceDocument.from_json(document.to_json())

    assert again == document
    assert _exactly(again) == _exactly(document)
    assert again.to_json() == document.to_json()


def test_a_database_may_keep_the_row_as_json_of_its_own_and_in_its_own_order() -> None:
    kept = json.loads(json.dumps(BILL.to_dict(), sort_keys=True))
    shuffled = dict(reversed(list(kept.items())))
    assert InvoiceDocument.from_dict(shuffled) == BILL


def test_a_row_written_before_a_field_was_known_reads_with_its_default() -> None:
    old = BILL.to_dict()
    del old["message"], old["lines"][0]["sku"]
    assert InvoiceDocument.from_dict(old) == replace(BILL, message="")


def test_a_row_of_a_later_schema_is_refused_rather_than_read_by_guess() -> None:
    with pytest.raises(UnknownSchema):
        InvoiceDocument.from_dict({**BILL.to_dict(), "schema": 2})


@pytest.mark.parametrize("document", [BILL, PAID, MEMO], ids=["bill", "paid", "memo"])
def test_documents_that_add_up_have_no_disagreement(document: InvoiceDocument) -> None:
    assert document.disagreements() == ()


@pytest.mark.parametrize("seed", range(50))
def test_seeded_documents_add_up(seed: int) -> None:
    assert seeded(seed).disagreements() == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"totals": {"line_total": Decimal("70.97")}}, "the lines sum to 70.96"),
        ({"totals": {"tax": Decimal("1.16")}}, "the taxes sum to 1.15"),
        ({"totals": {"gross": Decimal("72.12")}}, "lines, delivery and tax on top sum to 72.11"),
        ({"totals": {"amount_due": Decimal("72.10")}}, "72.11 less 0.00 is not 72.10"),
        ({"applied": (Applied("Deposit", Decimal("1.00")),)}, "what was applied sums to 1.00"),
        ({"lines": (*BILL.lines, line(6, "Twice", "0.00"))}, "two lines have the same number"),
        ({"lines": (*BILL.lines, line(7, "Own", "0.00", parent_no=7))}, "or under itself"),
    ],
)
def test_a_changed_amount_is_named(change: dict[str, Any], said: str) -> None:
    totals = replace(BILL.totals, **change.pop("totals", {}))
    wrong = replace(BILL, totals=totals, **change)
    assert any(said in each for each in wrong.disagreements())


def test_a_bundle_whose_pieces_do_not_sum_to_it_is_named() -> None:
    bundle, *pieces = PAID.lines
    wrong = replace(PAID, lines=(replace(bundle, net=Decimal("100.00")), *pieces))
    assert wrong.disagreements() == ("the pieces of line 1 sum to 102.60, not 100.00",)


def test_tax_that_the_prices_contain_is_not_added_again() -> None:
    contained = replace(BILL.tax_breakdown[0], inclusive=True)
    amounts = ("70.96", "1.15", "70.96", "0.00", "70.96")
    totals = replace(BILL.totals, gross=Decimal(amounts[2]), amount_due=Decimal(amounts[4]))
    document = replace(BILL, tax_breakdown=(contained,), totals=totals)
    assert document.disagreements() == ()
    assert document.tax_contained == (contained,)
    assert document.tax_on_top == ()


def test_lines_stand_by_group_in_the_order_of_first_appearance() -> None:
    mixed = replace(BILL, lines=(BILL.lines[3], *BILL.lines[:3], *BILL.lines[4:]))
    assert [group.name for group in mixed.groups] == ["Phone, 555-0142", "Internet", "Backup"]
    assert [group.total for group in mixed.groups] == [
        Decimal("8.70"),
        Decimal("53.26"),
        Decimal("9.00"),
    ]


def test_pieces_follow_their_bundle_and_count_once() -> None:
    bundle, *pieces = PAID.lines
    late = replace(PAID, lines=(bundle, line(9, "Cable", "4.00"), *pieces))
    (group,) = late.groups
    assert [row.line.name for row in group.rows] == [
        "River start bundle",
        "River 100, first month",
        "Otter router",
        "Installation visit",
        "Cable",
    ]
    assert [(row.is_bundle, row.is_piece) for row in group.rows] == [
        (True, False),
        (False, True),
        (False, True),
        (False, True),
        (False, False),
    ]
    assert group.total == Decimal("106.60")
    assert bundle not in late.charged_lines


@pytest.mark.parametrize(
    ("document", "asks", "settled"),
    [
        (BILL, True, False),
        (PAID, False, True),
        (MEMO, False, False),
        (replace(BILL, imported=True), False, False),
        (replace(BILL, draft=True), False, False),
        (replace(BILL, kind=Kind.DEBIT_MEMO), True, False),
        (replace(BILL, kind=Kind.NOTE), False, False),
    ],
)
def test_only_a_bill_of_ours_that_is_owed_asks_for_money(
    document: InvoiceDocument, asks: bool, settled: bool
) -> None:
    assert (document.asks_for_money, document.is_settled) == (asks, settled)


def test_cheques_go_to_the_seller_where_no_other_address_is_given() -> None:
    plain = replace(BILL, seller=replace(BILL.seller, remit_to=()))
    assert plain.remit_to == ("Fernway Broadband", "1 Ferry Street", "Tarnbrook, OH 43099")
    assert BILL.remit_to[0] == "Fernway Payments"


def test_the_scan_line_is_the_one_of_the_printed_example() -> None:
    assert scan_line(204187751, 118204, 7211) == "204187751 00118204 0000007211 4"


@given(
    st.integers(0, 10**9 - 1),
    st.integers(0, 10**8 - 1),
    st.integers(0, 10**10 - 1),
    st.integers(0, 27),
    st.integers(1, 9),
)
def test_any_single_wrong_digit_of_a_scan_line_is_found(
    account: int, bill: int, minor: int, place: int, off: int
) -> None:
    digits = scan_line(account, bill, minor).replace(" ", "")
    assert len(digits) == 28
    assert luhn(digits[:-1]) == int(digits[-1])
    wrong = str((int(digits[place]) + off) % 10)
    misread = digits[:place] + wrong + digits[place + 1 :]
    assert luhn(misread[:-1]) != int(misread[-1])


@pytest.mark.parametrize(
    ("account", "bill", "minor", "part"),
    [
        (10**9, 1, 1, "account"),
        (1, 10**8, 1, "bill"),
        (1, 1, 10**10, "amount"),
        (1, 1, -1, "amount"),
    ],
)
def test_a_number_without_room_on_the_scan_line_is_refused(
    account: int, bill: int, minor: int, part: str
) -> None:
    with pytest.raises(ScanLineTooLong) as refused:
        scan_line(account, bill, minor)
    assert refused.value.part == part


def test_dates_stay_dates() -> None:
    again = InvoiceDocument.from_json(BILL.to_json())
    assert again.due_date == date(2026, 11, 30)
    assert again.kind is Kind.INVOICE
