"""What other billing systems expect of their books: refunds, chargebacks and credits, posted and read."""

import uuid
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, chargebacks, items, memos, reversals
from core.ledger.chargebacks import Chargeback
from core.ledger.chart import CLEARING, CONTRACT_LIABILITY
from core.ledger.items import Open
from core.ledger.models import Application
from core.tax.arithmetic import Tax, tax_lines
from tests.oracle import CURRENCY, scenario, usd
from tests.rooms.ledger.books import DAY, balance, document, item, receipt, sound
from tests.world import World, account


class Riley:
    """One payer's bills and payments, in one session."""

    def __init__(self, session: Session, world: World, clock: ManualClock) -> None:
        self.session, self.world, self.now = session, world, clock.now()
        self.id = account(session, world, self.now).id

    def billed(self, net: str, tax: str = "0.00") -> Open:
        """An invoice's open item."""
        issued = document(self.world, self.id, usd(net), usd(tax).minor)
        return item(self.session, business.charge(self.session, issued, self.now))

    def pays(self, bill: Open, amount: str) -> uuid.UUID:
        """A card payment of the bill; its key."""
        came = receipt(self.world, self.id, usd(amount))
        business.receive_for_items(self.session, came, [(bill, usd(amount))], self.now)
        return came.payment_id

    def refund(self, payment_id: uuid.UUID, amount: str) -> None:
        """Money that paid the bill goes back, and nothing is credited."""
        (key,) = self.session.scalars(
            select(Application.id).where(
                Application.source_id == payment_id, Application.reverses_id.is_(None)
            )
        )
        reversals.refund_without_credit(self.session, key, usd(amount), new_id(), DAY, self.now)

    def adjust(self, bill: Open, net: str, tax: str = "0.00") -> memos.Credited:
        """A credit memo for a part of the bill."""
        memo = document(self.world, self.id, usd(net), usd(tax).minor)
        fresh = items.get(self.session, bill.id)
        return memos.credit_bill(self.session, memo, fresh, self.now)

    def give_back(self, credited: memos.Credited) -> None:
        """What a memo made the payer's own goes back to the card."""
        held = item(self.session, credited.item_id)
        business.refund_credit(self.session, held, held.open, new_id(), DAY, self.now)

    def balance(self, bill: Open) -> Money:
        """What the bill asks for: what is open, and what the network holds back."""
        fresh = items.get(self.session, bill.id)
        return fresh.open + chargebacks.charged_back(self.session, fresh)


@pytest.fixture
def riley(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        yield Riley(session, world, clock)
        sound(session)


@scenario("refund-with-and-without-adjustment")
def test_a_refund_opens_the_bill_again_unless_it_is_adjusted_by_as_much(expect, riley: Riley):
    bill = riley.billed("249.95")
    payment = riley.pays(bill, "249.95")
    balances = []
    for refunded, adjusted in (("10.00", None), ("1.00", "1.00"), ("10.00", "10.00")):
        if adjusted:
            riley.adjust(bill, adjusted)
        riley.refund(payment, refunded)
        balances.append(str(riley.balance(bill).decimal()))
    assert balances == expect["balances"]
    cleared = usd("249.95") - usd(expect["refunded_total"])
    assert balance(riley.session, CLEARING) == cleared.minor


@scenario("partial-capture-chargeback-reversal")
def test_a_chargeback_of_a_part_payment_opens_the_bill_and_its_reversal_does_not(
    expect, riley: Riley
):
    bill = riley.billed("249.95")
    payment = riley.pays(bill, "10.00")
    balances = [riley.balance(bill)]
    taken = Chargeback(new_id(), payment, usd("10.00"), Money.zero(CURRENCY))
    assert chargebacks.begin(riley.session, taken, DAY, riley.now)
    balances.append(riley.balance(bill))
    assert chargebacks.win(riley.session, taken.id, Money.zero(CURRENCY), DAY, riley.now)
    balances.append(riley.balance(bill))
    assert [str(one.decimal()) for one in balances] == expect["balances"]


@scenario("two-payments-two-adjusted-refunds")
def test_two_payments_that_are_refunded_with_adjustment_leave_nothing(expect, riley: Riley):
    bill = riley.billed("10.00")
    for part in ("4.00", "6.00"):
        riley.pays(bill, part)
    for part in ("4.00", "6.00"):
        riley.give_back(riley.adjust(bill, part))
    assert riley.balance(bill) == usd(expect["balance"])
    assert balance(riley.session, CLEARING) == 0
    assert items.held_for(riley.session, [riley.id]) == []


@scenario("credit-covers-invoice-with-tax")
def test_credit_covers_a_bill_with_its_tax(expect, riley: Riley):
    memo = document(riley.world, riley.id, usd("100.00"))
    held = item(riley.session, business.credit_customer(riley.session, memo, riley.now))
    bill = riley.billed("29.95", "1.00")
    used = min(held.open, bill.open)
    business.use_credit(riley.session, held, bill, used, DAY, riley.now)
    assert used == usd(expect["credit_used"])
    assert items.get(riley.session, held.id).open == usd(expect["credit_left"])
    assert riley.balance(bill) == usd(expect["invoice_balance"])


@scenario("two-credit-notes-close-an-invoice")
def test_credit_notes_with_the_lines_own_taxes_close_the_invoice(expect, riley: Riley):
    vat = Tax("Elsewhere", "VAT", 200_000)
    lines = tax_lines([(usd("68.33").minor, [vat]), (usd("68.33").minor, [vat])], "document")
    parts = [(Money(line.net_minor, CURRENCY), Money(line.tax_minor, CURRENCY)) for line in lines]
    invoice = document(
        riley.world,
        riley.id,
        parts[0][0],
        sum(tax.minor for _, tax in parts),
        nets=[(CONTRACT_LIABILITY, net) for net, _ in parts],
        on=date(2026, 11, 17),
    )
    bill = item(riley.session, business.charge(riley.session, invoice, riley.now))
    assert bill.amount == usd(expect["invoice"])
    notes = [
        riley.adjust(bill, str(net.decimal()), str(tax.decimal())).settled for net, tax in parts
    ]
    assert notes == [usd(text) for text in expect["credit_notes"]]
    assert not riley.balance(bill)
