"""Drafts: nothing but words until they are issued, and then an invoice like any other."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel import numbering
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import StaleState
from core.ledger import items
from core.ledger.chart import REVENUE
from core.ledger.models import JournalEntry
from invoices import drafts
from invoices.document import InvoiceDocument
from invoices.drafts import Draft, NothingToIssue
from invoices.memos import MemoBelowZero
from invoices.models import Invoice
from invoices.terms import Due, Terms
from tests.rooms.invoices.billing import PRINTING, Billing, line
from tests.rooms.invoices.test_memos import proved
from tests.together import at_once
from tests.world import World


@pytest.fixture
def billing(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        yield Billing.open(session, world, clock)
        proved(session)


def start(billing: Billing, *lines):
    return drafts.start(
        billing.session, billing.payer.id, Draft(lines), "test", billing.clock.now()
    )


def issue(billing: Billing, row):
    return drafts.issue(
        billing.session, row.public_id, row.revision, PRINTING, "test", billing.clock.now()
    )


def test_a_draft_is_in_no_ledger_and_takes_no_number_also_when_it_is_discarded(billing: Billing):
    first = start(billing, line("10.00"))
    seen = drafts.preview(billing.session, first, PRINTING, billing.clock.now())
    assert (seen.number, seen.draft, seen.pay_url, seen.scan_line) == ("", True, None, None)
    assert seen.totals.gross == Decimal("12.00")
    drafts.discard(billing.session, first.public_id, 1, "test", billing.clock.now())
    for table in (Invoice, JournalEntry):
        assert billing.session.scalar(select(func.count()).select_from(table)) == 0
    assert numbering.last_taken(billing.session, billing.world.legal_entity_id, "invoice") == 0
    second = issue(billing, start(billing, line("10.00")))
    assert second.number == "100001"
    with pytest.raises(StaleState):
        drafts.change(billing.session, first.public_id, Draft(), 2, billing.clock.now())


def test_what_was_drafted_is_what_is_issued(billing: Billing):
    billing.payer.terms = Terms(Due.MONTH_END, 10).to_dict()
    billing.payer.locale = "de-DE"
    row = start(
        billing,
        line("0.0375", "1204", "Calls abroad", ledger_code=REVENUE),
        line("60.00", name="Visit", tax_category="", cost_minor=2200),
    )
    seen = drafts.preview(billing.session, row, PRINTING, billing.clock.now())
    bill = issue(billing, row)
    printed = InvoiceDocument.from_dict(bill.document)
    assert printed.lines == seen.lines
    assert printed.totals == seen.totals
    assert (bill.net_minor, bill.tax_minor) == (4515 + 6000, 903)
    assert str(bill.due_date) == "2026-12-10"
    assert [one.ledger_code for one in billing.lines(bill)] == [REVENUE, "contract_liability"]
    assert [one.cost_minor for one in billing.lines(bill)] == [None, 2200]
    assert "2200" not in str(bill.document), "what a thing costs us is for staff"
    assert "revenue" not in str(bill.document)
    assert printed.terms == "Bitte zahlen Sie innerhalb von 23 Tagen."
    assert issue(billing, row) is bill, "asked twice it is issued once"


def test_what_rounding_left_stands_with_the_line(billing: Billing):
    bill = billing.bill(line("0.0333", "100.5"))
    (row,) = billing.lines(bill)
    assert row.why is not None
    assert Decimal(row.why["residue"]) == Decimal("0.0333") * Decimal("100.5") - Decimal("3.35")
    (printed,) = InvoiceDocument.from_dict(bill.document).lines
    assert [(one.label, one.value) for one in printed.why] == [
        ("Price each", "0.0333"),
        ("Quantity", "100.5"),
        ("Rounded by", "0.00335"),
        ("Amount", "3.35"),
    ]


def test_a_bill_of_nothing_is_issued_and_numbered_and_asks_for_nothing(billing: Billing):
    for lines in ([line("0.00")], [line("10.00"), line("-10.00", name="A courtesy")]):
        bill = billing.bill(*lines)
        printed = InvoiceDocument.from_dict(bill.document)
        assert (bill.total_minor, bill.due_date, printed.asks_for_money) == (0, None, False)
        assert printed.terms == "There is nothing to pay."
        assert items.of_sources(billing.session, [bill.id]) == {}


def test_a_bundles_pieces_stand_under_it_and_sum_to_it(billing: Billing):
    bill = billing.bill(
        line("0.00", name="Home set", tax_category=""),
        line("80.00", name="Router", part_of=1, cost_minor=4100, sale_price_minor=9900),
        line("20.00", name="Visit", part_of=1, tax_category=""),
        line("5.00", name="Delivery"),
    )
    bundle, router, visit, delivery = billing.lines(bill)
    assert bundle.net_minor == router.net_minor + visit.net_minor == 10000
    assert {router.parent_id, visit.parent_id} == {bundle.id}
    assert delivery.parent_id is None
    assert (router.cost_minor, router.sale_price_minor) == (4100, 9900)
    assert bill.total_minor == 10500 + 1600 + 100
    printed = InvoiceDocument.from_dict(bill.document)
    assert [row.is_piece for row in printed.groups[0].rows] == [False, True, True, False]
    memo, _ = billing.credit(bill)
    assert memo.total_minor == bill.total_minor


def test_nothing_or_less_than_nothing_is_not_issued(billing: Billing):
    with pytest.raises(NothingToIssue):
        issue(billing, start(billing))
    with pytest.raises(MemoBelowZero):
        issue(billing, start(billing, line("-1.00")))


def test_two_people_at_one_draft(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        billing = Billing.open(session, world, clock)
        row = start(billing, line("10.00"))
    changed = Draft((line("11.00"),))

    def change(session: Session):
        return drafts.change(session, row.public_id, changed, 1, clock.now())

    def send(session: Session):
        return issue(replace(billing, session=session), row)

    outcomes = at_once(db, [change, change, send, send])
    issued = {one.number for one in outcomes if isinstance(one, Invoice)}
    changes = sum(one is None for one in outcomes)
    assert (len(issued), changes) in ((1, 0), (0, 1))
    assert all(isinstance(one, Invoice | StaleState | None) for one in outcomes)
