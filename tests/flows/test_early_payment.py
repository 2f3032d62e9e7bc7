"""Paying early: less is asked while the discount lasts, and a memo takes it once the money is there."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.kernel.clock import ManualClock
from core.kernel.money import Money
from core.ledger import items
from core.parties import accounts as parties
from flows import early_payment, settle_payment
from flows.house import House
from flows.pay_bill import PayWish, pay
from flows.verify import verify
from invoices.models import Invoice
from invoices.terms import Terms
from payments.models import PaymentOperation
from tests import world as worlds
from tests.rooms.invoices.billing import Billing, line
from tests.sandbox_process import SandboxProcess
from tests.world import World


@pytest.fixture
def billing(house: House, world: World, clock: ManualClock) -> Billing:
    """An account whose log-in may pay, with 3 % for paying within ten days."""
    terms = Terms(days=30, discount_ppm=30_000, discount_days=10)
    with house.db.transaction() as session:
        return Billing.open(session, world, clock, terms)


def bill_of(billing: Billing, house: House) -> Invoice:
    """163.99, of which 4.92 may be kept."""
    with house.db.transaction() as session:
        return replace(billing, session=session).bill(line("68.33"), line("68.33"))


def pay_all(house: House, sandbox: SandboxProcess, billing: Billing, bill: Invoice) -> int:
    """Pay what is asked; answers how much it was."""
    with house.db.transaction() as session:
        now = house.clock.now()
        user = worlds.user(session, now, email="riley@example.com")
        parties.join(session, user.id, billing.payer.id, "owner", now)
    url = pay(house, PayWish(user.id, [bill.id]))
    assert url is not None
    sandbox.pay(url)
    with house.db.reading() as session:
        operation = session.scalars(select(PaymentOperation)).one()
    assert settle_payment.settle(house, operation.id) == "succeeded"
    return operation.amount_minor


def still_open(house: House, bill: Invoice) -> Money:
    with house.db.reading() as session:
        return items.of_sources(session, [bill.id])[bill.id].open


def take(house: House, billing: Billing) -> list[Invoice]:
    return house.db.run_tx(lambda session: early_payment.take(session, house, billing.payer.id))


def test_in_time_less_is_asked_and_the_rest_is_taken_by_a_memo(
    house: House, sandbox: SandboxProcess, billing: Billing
):
    bill = bill_of(billing, house)
    assert take(house, billing) == [], "nothing was paid yet"
    assert pay_all(house, sandbox, billing, bill) == 15907
    assert still_open(house, bill) == Money(492, "USD")
    (memo,) = take(house, billing)
    assert (memo.reason, memo.total_minor) == ("early_payment", 492)
    assert still_open(house, bill) == Money(0, "USD")
    assert take(house, billing) == [], "it is taken once"
    assert [word for one in verify(house.db, house.clock) for word in one.offenders] == []


def test_a_day_too_late_all_of_it_is_asked(
    house: House, sandbox: SandboxProcess, clock: ManualClock, billing: Billing
):
    bill = bill_of(billing, house)
    clock.advance(timedelta(days=11))
    sandbox.set_clock(clock.now().timestamp())
    assert pay_all(house, sandbox, billing, bill) == 16399
    assert take(house, billing) == []
