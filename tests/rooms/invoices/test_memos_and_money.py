"""A memo never gives back money that nobody paid, whatever became of the bill before it."""

import pytest
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import business, items, writeoffs
from core.ledger.chart import (
    ALLOWANCE,
    CONTRACT_LIABILITY,
    CUSTOMER_CREDIT,
    GIFT_CARDS,
    RECEIVABLE,
)
from invoices.correctable import discount_left
from invoices.memos import NothingToCredit
from invoices.models import Invoice
from invoices.terms import Terms
from tests.rooms.invoices.billing import Billing, line
from tests.rooms.ledger.books import balance, receipt, sound
from tests.world import World


@pytest.fixture
def billing(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        yield Billing.open(session, world, clock)
        session.flush()
        sound(session)


def _usd(minor: int) -> Money:
    return Money(minor, "USD")


def _paid(billing: Billing, bill: Invoice, minor: int) -> None:
    came = receipt(billing.world, billing.payer.id, _usd(minor), on=bill.issue_date)
    owed = items.of_sources(billing.session, [bill.id])[bill.id]
    business.receive_for_items(billing.session, came, [(owed, _usd(minor))], billing.clock.now())


def _given_up(billing: Billing, bill: Invoice, minor: int) -> None:
    """Asked for by one person, granted by another."""
    now, session = billing.clock.now(), billing.session
    owed = items.of_sources(session, [bill.id])[bill.id]
    wanted = writeoffs.request(session, owed, _usd(minor), "gone", "user:one", now)
    writeoffs.approve(session, wanted, "user:two", bill.issue_date, now)


def _held(session: Session, billing: Billing) -> int:
    return -balance(session, CUSTOMER_CREDIT, billing.payer.id)


def test_a_credit_on_a_bill_that_was_given_up_is_no_money_for_the_payer(billing: Billing):
    bill = billing.bill(line("100.00"))
    _given_up(billing, bill, 12000)
    allowance = balance(billing.session, ALLOWANCE)
    _, credited = billing.credit(bill)
    assert (credited.settled, credited.kept) == (_usd(12000), _usd(0))
    assert _held(billing.session, billing) == 0
    assert balance(billing.session, ALLOWANCE) == allowance - 12000, "it can be used again"
    assert balance(billing.session, RECEIVABLE, billing.payer.id) == 0
    assert balance(billing.session, CONTRACT_LIABILITY, billing.payer.id) == 0


def test_of_a_bill_paid_in_part_and_given_up_only_what_was_paid_is_kept(billing: Billing):
    bill = billing.bill(line("100.00"))
    _paid(billing, bill, 5000)
    _given_up(billing, bill, 7000)
    _, first = billing.credit(bill, {1: 5000})
    assert (first.settled, first.kept) == (_usd(6000), _usd(0))
    _, rest = billing.credit(bill)
    assert (rest.settled, rest.kept) == (_usd(1000), _usd(5000))
    assert _held(billing.session, billing) == 5000
    assert billing.open_of(bill) == 0


def test_a_memo_leaves_gift_cards_alone(billing: Billing):
    """Their money is on the cards: it goes back with the card, and is credited once."""
    bill = billing.bill(
        line("50.00", ledger_code=GIFT_CARDS, tax_category=""), line("10.00", name="A sleeve")
    )
    _paid(billing, bill, bill.total_minor)
    memo, credited = billing.credit(bill)
    assert memo.total_minor == 1200
    assert credited.kept == _usd(1200)
    assert -balance(billing.session, GIFT_CARDS, billing.payer.id) == 5000
    with pytest.raises(NothingToCredit):
        billing.credit(bill, {1: 5000})
    with pytest.raises(NothingToCredit):
        billing.debit(bill, {1: 5000})


def test_paying_early_makes_no_gift_card_cheaper(billing: Billing):
    """The card is worth what it says, so the whole of it is paid."""
    billing.payer.terms = Terms(days=30, discount_ppm=20_000, discount_days=10).to_dict()
    cards = billing.bill(line("50.00", ledger_code=GIFT_CARDS, tax_category=""))
    assert (cards.discount_minor, discount_left(billing.session, cards)) == (None, 0)
    mixed = billing.bill(
        line("50.00", ledger_code=GIFT_CARDS, tax_category=""), line("100.00", name="A router")
    )
    assert (mixed.discount_minor, discount_left(billing.session, mixed)) == (240, 240)
