"""Memos: by line, with the line's own tax, never more than the line, and the last one takes the residue."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, items
from core.ledger.chart import CONTRACT_LIABILITY, CUSTOMER_CREDIT, RECEIVABLE, REVENUE, TAX_PAYABLE
from core.tax.models import TaxRate
from invoices import memos
from invoices.correctable import discount_key, discount_left, lines_of
from invoices.correcting import MoreThanTheLine
from invoices.document import InvoiceDocument
from invoices.memos import (
    EARLY_PAYMENT,
    MemoBelowZero,
    MoreThanTheBill,
    NotCorrectable,
    NothingToCredit,
    Wish,
)
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax
from invoices.proofs import books, series
from invoices.proofs import memos as memo_proofs
from invoices.terms import Terms
from tests.books import Books
from tests.rooms.invoices.billing import PRINTING, Billing, line
from tests.rooms.ledger.books import balance, receipt, sound
from tests.together import at_once
from tests.world import World


@pytest.fixture
def billing(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        yield Billing.open(session, world, clock)
        proved(session)


def proved(session: Session) -> None:
    """Whatever a test did, the books tie and no line is credited twice over."""
    session.flush()
    sound(session)
    for part in (
        books.documents_add_up(session),
        books.ledger_has_them(session, None),
        series.credits_stay_below_their_lines(session),
        memo_proofs.memos_are_of_their_bills(session),
        memo_proofs.a_full_credit_is_the_bill(session),
        series.numbers_have_no_gap(session),
    ):
        assert part.offenders == ()


def paid(billing: Billing, bill: Invoice, minor: int) -> None:
    """Money comes for a bill."""
    came = receipt(billing.world, billing.payer.id, Money(minor, "USD"), on=bill.issue_date)
    owed = items.of_sources(billing.session, [bill.id])[bill.id]
    business.receive_for_items(
        billing.session, came, [(owed, Money(minor, "USD"))], billing.clock.now()
    )


def test_two_credit_notes_close_an_invoice(billing: Billing):
    """The scenario of that name in the oracle, Lago's: the tax of the document is 27.33."""
    bill = billing.bill(line("68.33"), line("68.33"))
    assert bill.total_minor == 16399
    assert [row.tax_minor for row in billing.lines(bill)] == [1367, 1366]
    first, _ = billing.credit(bill, {1: 6833})
    last, credited = billing.credit(bill, {2: 6833})
    assert (first.total_minor, last.total_minor) == (8200, 8199)
    assert billing.open_of(bill) == 0
    assert credited.kept == Money(0, "USD")


def test_many_small_credits_come_to_exactly_the_line(billing: Billing):
    bill = billing.bill(line("0.23"))
    for _ in range(22):
        billing.credit(bill, {1: 1})
    last, _ = billing.credit(bill)
    assert [row.net_minor for row in billing.lines(last)] == [1]
    taxes = billing.session.scalars(
        select(InvoiceLineTax.amount_minor)
        .join(InvoiceLine, InvoiceLine.id == InvoiceLineTax.invoice_line_id)
        .where(InvoiceLine.memo_of_id == billing.lines(bill)[0].id)
    ).all()
    assert sum(taxes) == bill.tax_minor
    assert min(taxes) == 0, "none of them takes tax back"
    with pytest.raises(NothingToCredit):
        billing.credit(bill)


def test_a_credit_lowers_what_is_open_and_the_rest_becomes_customer_credit(billing: Billing):
    bill = billing.bill(line("100.00", ledger_code=REVENUE), line("50.00"))
    paid(billing, bill, 17000)
    memo, credited = billing.credit(bill, {1: 4000})
    assert (credited.settled, credited.kept) == (Money(1000, "USD"), Money(3800, "USD"))
    assert billing.open_of(bill) == 0
    assert billing.open_of(memo) == 3800
    payer = billing.payer.id
    assert balance(billing.session, RECEIVABLE, payer) == 0
    assert balance(billing.session, CUSTOMER_CREDIT, payer) == -3800
    assert balance(billing.session, REVENUE, payer) == -6000
    assert balance(billing.session, CONTRACT_LIABILITY, payer) == -5000
    assert balance(billing.session, TAX_PAYABLE, payer) == -2200
    notes = InvoiceDocument.from_dict(memo.document).notes
    assert notes == (
        f"$10.00 of it lowers what is open on invoice {bill.number}.",
        "$38.00 is kept for you, for any bill.",
    )


def test_a_memo_copies_the_bills_own_taxes_whatever_the_rate_is_by_now(billing: Billing):
    bill = billing.bill(line("100.00"))
    rate = billing.session.scalars(select(TaxRate).where(TaxRate.category == "twenty")).one()
    rate.rate_ppm = 250_000
    billing.session.flush()
    memo, _ = billing.credit(bill, {1: 5000})
    more = billing.debit(bill, {1: 5000})
    assert (memo.tax_minor, more.tax_minor) == (1000, 1000)
    (tax,) = billing.session.scalars(
        select(InvoiceLineTax).where(InvoiceLineTax.invoice_line_id == billing.lines(memo)[0].id)
    )
    assert (tax.rate_ppm, tax.base_minor, tax.jurisdiction) == (200_000, 5000, "Ohio")


def test_voiding_takes_back_exactly_the_bill(billing: Billing):
    bill = billing.bill(line("10.01"), line("-3.33", name="Off"), line("0.99", tax_category=""))
    billing.credit(bill, {1: 500})
    memo, credited = billing.credit(bill, reason="void")
    assert credited.settled.minor == memo.total_minor
    assert billing.open_of(bill) == 0
    assert (
        balance(billing.session, CONTRACT_LIABILITY) == balance(billing.session, TAX_PAYABLE) == 0
    )
    assert InvoiceDocument.from_dict(memo.document).reason == "Taken back in full"
    assert (memo.corrects_id, memo.reason) == (bill.id, "void")


def test_more_than_is_left_of_a_line_is_refused(billing: Billing):
    bill = billing.bill(line("10.00"), line("-2.00"))
    billing.credit(bill, {1: 400})
    for parts in ({1: 601}, {1: -1}, {1: 100, 2: 1}):
        with pytest.raises(MoreThanTheLine):
            billing.credit(bill, parts)
    with pytest.raises(MemoBelowZero):
        billing.credit(bill, {2: -200})
    with pytest.raises(MoreThanTheBill):
        billing.credit(bill, {1: 600})
    with pytest.raises(NothingToCredit):
        billing.credit(bill, {3: 100})


def test_the_database_refuses_a_credit_that_is_more_than_its_line(billing: Billing):
    bill = billing.bill(line("10.00"))
    memo, _ = billing.credit(bill, {1: 400})
    (corrected,) = billing.lines(bill)
    like = {
        column.key: getattr(billing.lines(memo)[0], column.key)
        for column in InvoiceLine.__table__.columns
    }
    for net, tax in ((601, 120), (600, 119), (500, 121), (-1, 0)):
        row = like | {"id": new_id(), "line_number": 9, "net_minor": net, "tax_minor": tax}
        with pytest.raises(DatabaseError), billing.session.begin_nested():
            billing.session.execute(insert(InvoiceLine), [row])
    assert corrected.net_minor == 1000


def test_only_bills_of_our_own_are_corrected(billing: Billing):
    bill = billing.bill(line("10.00"))
    memo, _ = billing.credit(bill, {1: 400})
    with pytest.raises(NotCorrectable):
        billing.credit(memo)


def test_the_same_request_makes_one_memo(billing: Billing):
    bill = billing.bill(line("10.00"))
    wish = Wish(bill.id, {1: 400}, "goodwill", "memo:once", "test")
    now = billing.clock.now()
    first, _ = memos.credit(billing.session, wish, PRINTING, now)
    again, credited = memos.credit(billing.session, wish, PRINTING, now)
    assert again is first
    assert not credited.settled
    assert billing.open_of(bill) == 720


def test_a_debit_memo_is_owed_by_its_own_date_and_can_be_credited_itself(billing: Billing):
    billing.payer.terms = Terms(days=10, discount_ppm=20_000, discount_days=5).to_dict()
    bill = billing.bill(line("10.00"))
    more = billing.debit(bill, {1: 500})
    assert (more.number, more.total_minor, more.corrects_id) == ("D100001", 600, bill.id)
    assert more.due_date == bill.issue_date + timedelta(days=10)
    assert more.discount_ppm is None
    assert billing.open_of(more) == 600
    billing.credit(more)
    assert billing.open_of(more) == 0
    assert billing.open_of(bill) == 1200


def test_an_early_payment_takes_its_discount_with_its_tax(billing: Billing):
    billing.payer.terms = Terms(days=30, discount_ppm=30_000, discount_days=10).to_dict()
    bill = billing.bill(line("68.33"), line("68.33"))
    assert (bill.discount_minor, bill.discount_ppm) == (492, 30_000)
    printed = InvoiceDocument.from_dict(bill.document)
    early = printed.early
    assert early is not None
    assert (str(early.saved), str(early.to_pay)) == ("4.92", "159.07")
    assert printed.notes[0].startswith("Pay $159.07 by November 27, 2026, and $4.92")
    paid(billing, bill, 15907)
    assert billing.open_of(bill) == discount_left(billing.session, bill) == 492
    wish = Wish(bill.id, None, EARLY_PAYMENT, discount_key(bill.id), "system")
    memo, credited = memos.take_discount(
        billing.session, wish, 30_000, PRINTING, billing.clock.now()
    )
    assert (memo.net_minor, memo.tax_minor, credited.kept.minor) == (410, 82, 0)
    assert billing.open_of(bill) == 0
    assert discount_left(billing.session, bill) == 0, "it is taken once"


def test_two_people_who_credit_the_same_line_at_once_do_not_credit_it_twice(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        billing = Billing.open(session, world, clock)
        bill = billing.bill(line("100.00"))

    def credit(session: Session):
        return replace(billing, session=session).credit(bill, {1: 6000})

    outcomes = at_once(db, [credit] * 4)
    assert sum(isinstance(one, tuple) for one in outcomes) == 1
    assert all(isinstance(one, tuple | MoreThanTheLine) for one in outcomes)
    with db.transaction() as session:
        proved(session)
        (left,) = lines_of(session, bill.id)
    assert left.creditable.left_net == 4000


def test_the_fence_holds_also_without_the_accounts_lock(
    db: Database, world: World, clock: ManualClock
):
    """Rows that go in behind ``memos``: the database alone keeps them below the line."""
    with db.transaction() as session:
        billing = Billing.open(session, world, clock)
        bill = billing.bill(line("100.00", tax_category=""))
        memo, _ = billing.credit(bill, {1: 1000})
        like = {
            column.key: getattr(billing.lines(memo)[0], column.key)
            for column in InvoiceLine.__table__.columns
        }

    def put(number: int):
        row = like | {"id": new_id(), "line_number": number, "net_minor": 6000}
        return lambda session: session.execute(insert(InvoiceLine), [row])

    outcomes = at_once(db, [put(number) for number in (2, 3, 4)])
    assert sum(isinstance(one, Exception) for one in outcomes) == 2


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE invoice_line_tax SET rate_ppm = 190000 WHERE invoice_line_id IN {memo}", "a tax"),
        ("UPDATE invoice_line SET ledger_code = 'revenue' WHERE id IN {memo}", "another ledger"),
        ("UPDATE invoice_line SET memo_of_id = NULL WHERE id IN {memo}", "none of its bill's"),
        ("UPDATE invoice SET corrects_id = id WHERE kind = 'credit_memo'", "is no bill"),
        (
            "UPDATE invoice SET total_minor = 12001 WHERE kind = 'credit_memo'",
            "120.01 USD credited",
        ),
    ],
)
def test_a_memo_that_was_tampered_with_is_found(
    db: Database, world: World, clock: ManualClock, tmp_path: Path, statement: str, word: str
):
    with db.transaction() as session:
        billing = Billing.open(session, world, clock)
        billing.credit(billing.bill(line("100.00")))
    memo = (
        "(SELECT id FROM invoice_line WHERE invoice_id IN "
        "(SELECT id FROM invoice WHERE kind = 'credit_memo'))"
    )
    tampered = statement.format(memo=memo).replace("total_minor = 12001", _DEARER)
    Books(db, clock, world, tmp_path).tamper(tampered)
    with db.snapshot() as session:
        found = [
            *memo_proofs.memos_are_of_their_bills(session).offenders,
            *memo_proofs.a_full_credit_is_the_bill(session).offenders,
        ]
    assert any(word in one for one in found), found


#: A row adds up, or the database refuses it even then.
_DEARER = "tax_minor = tax_minor + 1, total_minor = total_minor + 1"
