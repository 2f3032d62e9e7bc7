"""The tax report: what was billed less what was credited, by place and rate, tied to tax payable."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.tax import exemptions
from core.tax.exemptions import NewExemption
from flows.correct_invoice import printing
from flows.verify import verify
from invoices import memos, tax_report
from invoices.models import Invoice, InvoiceLine
from tests.flows.selling import PARIS, Seller
from tests.world import ADDRESS, World

ROUTER, CAMERA, VISIT = "FW-RT-6", "FW-CAM-1", "FW-VISIT"


@pytest.fixture
def seller(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Seller:
    return Seller.open(db, clock, world, tmp_path)


def credit(seller: Seller, invoice: Invoice, parts: dict[int, int] | None, key: str) -> Invoice:
    wish = memos.Wish(invoice.id, parts, "returned", key, "user:kim")
    now = seller.house.clock.now()
    with seller.db.transaction() as session:
        return memos.credit(session, wish, printing(seller.house.links), now)[0]


def report(seller: Seller, days: tax_report.Period | None = None) -> tax_report.Report:
    on = seller.house.clock.now().date()
    with seller.db.snapshot() as session:
        return tax_report.report(
            session, seller.world.legal_entity_id, days or tax_report.month(on.year, on.month)
        )


def tied(seller: Seller, found: tax_report.Report) -> bool:
    """By the report itself, and by the proof."""
    offenders = [word for one in verify(seller.db, seller.house.clock) for word in one.offenders]
    return not offenders and not any(tie.difference for tie in found.ties.values())


def test_credits_are_taken_off_and_it_ties_after_each(seller):
    bill = seller.bill(seller.order(ROUTER, CAMERA, VISIT, to=ADDRESS)).invoice
    before = report(seller)
    (ohio,) = before.rows["USD"]
    assert (ohio.taxable.minor, ohio.tax.minor, ohio.tax_due.minor) == (18_800, 1_222, 1_222)
    assert before.ties["USD"].untaxed.minor == 6_000
    assert tied(seller, before)
    credit(seller, bill, {1: 5_000}, "part")
    (ohio,) = report(seller).rows["USD"]
    assert (ohio.taxable.minor, ohio.credited.minor) == (18_800, 5_000)
    assert (ohio.tax.minor, ohio.tax_credited.minor, ohio.tax_due.minor) == (1_222, 325, 897)
    assert tied(seller, report(seller))
    credit(seller, bill, None, "rest")
    (ohio,) = report(seller).rows["USD"]
    assert (ohio.taxable.minor - ohio.credited.minor, ohio.tax_due.minor) == (0, 0)
    assert report(seller).ties["USD"].untaxed.minor == 0
    assert tied(seller, report(seller))


@pytest.mark.parametrize("relief", ["exempt", "reverse_charge"])
def test_what_was_not_taxed_is_told_less_what_was_credited_of_it(seller, relief):
    if relief == "exempt":
        who = seller.customer()
        new = NewExemption(seller.account().id, "OH-1", ("Ohio",), (), date(2020, 1, 1), None)
        with seller.db.transaction() as session:
            exemptions.enter(session, new, "user:kim", seller.house.clock.now())
        bill = seller.bill(seller.order(ROUTER, to=ADDRESS, who=who)).invoice
    else:
        seller.move("DE", "EUR", included=False, rounding="document")
        seller.levy("FR", "VAT", 200_000, ("device",))
        bill = seller.bill(seller.order(ROUTER, to=PARIS, vat_id="FR61954506077")).invoice
    (row,) = report(seller).rows[bill.currency]
    assert getattr(row, relief).minor == 12_900
    memo = credit(seller, bill, {1: 2_900}, "part")
    assert memo.tax_minor == 0
    (row,) = report(seller).rows[bill.currency]
    assert (getattr(row, relief).minor, row.taxable.minor, row.tax_due.minor) == (10_000, 0, 0)
    assert tied(seller, report(seller))


def test_prices_with_tax_are_credited_to_nothing(seller):
    seller.move("GB", "GBP", included=True, rounding="document")
    seller.levy("GB", "VAT", 200_000)
    place = {**ADDRESS, "country": "GB", "region": "", "postal_code": "LS1 4DY"}
    bill = seller.bill(seller.order(CAMERA, ROUTER, to=place)).invoice
    memo = credit(seller, bill, None, "all")
    assert (memo.net_minor, memo.tax_minor) == (bill.net_minor, bill.tax_minor)
    (row,) = report(seller).rows["GBP"]
    assert (row.tax_due.minor, row.taxable.minor - row.credited.minor) == (0, 0)
    assert tied(seller, report(seller))


def test_a_document_counts_in_the_month_and_quarter_of_its_date(seller):
    bill = seller.bill(seller.order(CAMERA, to=ADDRESS)).invoice
    seller.house.clock.advance(timedelta(days=31))
    credit(seller, bill, None, "later")
    on = bill.issue_date
    then = report(seller, tax_report.month(on.year, on.month)).rows["USD"][0]
    now = report(seller).rows["USD"][0]
    assert (then.tax.minor, then.tax_credited.minor) == (384, 0)
    assert (now.tax.minor, now.tax_credited.minor) == (0, 384)
    quarter = report(seller, tax_report.quarter(on.year, (on.month + 2) // 3)).rows["USD"][0]
    assert quarter.tax_due.minor == 0
    assert report(seller, tax_report.month(on.year - 1, 1)).ties == {}


def test_a_tax_line_written_behind_our_back_is_found(seller):
    bill = seller.bill(seller.order(CAMERA, to=ADDRESS)).invoice
    with seller.db.transaction() as session:
        line = session.scalars(
            select(InvoiceLine.id).where(InvoiceLine.invoice_id == bill.id).limit(1)
        ).one()
        session.execute(
            text(
                "INSERT INTO invoice_line_tax (invoice_line_id, position, jurisdiction, name, "
                "rate_ppm, base_minor, amount_minor, inclusive, compound, relief, reference) "
                "VALUES (:line, 9, 'Ohio', 'More', 1, 1, 7, false, false, '', '')"
            ),
            {"line": line.hex if seller.db.is_sqlite else line},
        )
    words = [word for one in verify(seller.db, seller.house.clock) for word in one.offenders]
    said = f"fernway, {bill.issue_date}: report and tax payable differ by 0.07 USD"
    assert said in words
    assert report(seller).ties["USD"].difference.minor == -7


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_code_names_its_days(code, first, last):
    found = tax_report.period(code)
    assert (found.code, found.first, found.last) == (code, first, last)
