"""A bill that is taken back: what was paid is kept, or goes back to the card, as chosen."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.kernel.clock import ManualClock
from core.kernel.money import Money
from core.ledger import items
from core.ledger.chart import CLEARING, CUSTOMER_CREDIT
from core.parties import accounts as parties
from flows import correct_invoice, refund_memo, settle_payment
from flows.correct_invoice import Correction
from flows.house import House
from flows.pay_bill import PayWish, pay
from flows.verify import verify
from invoices.models import Invoice
from payments.models import PaymentOperation, Refund
from tests import world as worlds
from tests.rooms.invoices.billing import Billing, line
from tests.rooms.ledger.books import balance
from tests.sandbox_process import SandboxProcess
from tests.world import World


@pytest.fixture
def bill(house: House, sandbox: SandboxProcess, world: World, clock: ManualClock) -> Invoice:
    """A bill without an order over 120.00, paid by card."""
    with house.db.transaction() as session:
        billing = Billing.open(session, world, clock)
        made = replace(billing, session=session).bill(line("60.00"), line("40.00"))
        user = worlds.user(session, house.clock.now(), email="riley@example.com")
        parties.join(session, user.id, billing.payer.id, "owner", house.clock.now())
    url = pay(house, PayWish(user.id, [made.id]))
    assert url is not None
    sandbox.pay(url)
    with house.db.reading() as session:
        operation = session.scalars(select(PaymentOperation)).one()
    settle_payment.settle(house, operation.id)
    return made


def held(house: House, memo: Invoice) -> int:
    with house.db.reading() as session:
        item = items.of_sources(session, [memo.id]).get(memo.id)
        return item.open.minor if item is not None else 0


def whole(house: House) -> None:
    assert [word for one in verify(house.db, house.clock) for word in one.offenders] == []


def test_what_was_paid_is_kept_when_nothing_else_was_chosen(house: House, bill: Invoice):
    memo, credited = correct_invoice.void(house, bill.public_id, "once", "test", refunded=False)
    assert credited.kept == Money(12000, "USD")
    assert held(house, memo) == 12000
    whole(house)


def test_what_was_paid_goes_back_to_the_card_once(house: House, bill: Invoice):
    asked = Correction(bill.public_id, {1: 5000}, "goodwill", "half", "test", refunded=True)
    memo, credited = correct_invoice.credit(house, asked)
    assert credited.kept == Money(6000, "USD")
    for _ in range(2):
        refund_memo.send_back(house, memo.id)
    assert held(house, memo) == 0
    with house.db.reading() as session:
        (row,) = session.scalars(select(Refund))
        assert (row.amount_minor, row.reason) == (6000, "credit_memo")
        assert balance(session, CUSTOMER_CREDIT) == 0
        assert balance(session, CLEARING) == 6000
    whole(house)
    last, _ = correct_invoice.void(house, bill.public_id, "rest", "test", refunded=True)
    refund_memo.send_back(house, last.id)
    with house.db.reading() as session:
        assert balance(session, CLEARING) == 0
        assert sum(row.amount_minor for row in session.scalars(select(Refund))) == 12000
    whole(house)
