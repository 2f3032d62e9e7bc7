"""Chargebacks: what a payment did is owed apart, and is as before when won, owed or given up when lost."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound, StaleState
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import appeals, business, chargebacks, items, rates
from core.ledger.chargebacks import Chargeback, ChargedBackTooMuch
from core.ledger.chart import (
    BAD_DEBT,
    CLEARING,
    FEES,
    ORDER_DEPOSIT,
    RECEIVABLE,
    RECEIVABLE_CHARGED_BACK,
    UNAPPLIED,
)
from core.ledger.items import Open
from core.ledger.journal import Posting, credit, debit, post
from core.ledger.models import OpenItem
from tests.rooms.ledger.books import DAY, balance, document, item, receipt, sound
from tests.world import World, account

FEE = Money(1_500, "USD")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


class Payer:
    """One payer in one session; every story ends with sound books."""

    def __init__(self, session: Session, world: World, clock: ManualClock, currency: str) -> None:
        self.session, self.world, self.now, self.currency = session, world, clock.now(), currency
        self.id = account(session, world, self.now).id
        self.day = DAY

    def bill(self, minor: int, number: str = "100001") -> Open:
        net = Money(minor, self.currency)
        issued = document(self.world, self.id, net, on=self.day, number=number)
        return item(self.session, business.charge(self.session, issued, self.now))

    def pay(self, minor: int, *wanted: tuple[Open, int]) -> uuid.UUID:
        came = receipt(self.world, self.id, Money(minor, self.currency), on=self.day)
        parts = [(bill, Money(part, self.currency)) for bill, part in wanted]
        business.receive_for_items(self.session, came, parts, self.now)
        return came.payment_id

    def begin(self, payment_id: uuid.UUID, minor: int, fee: int = 0) -> Chargeback:
        money = Money(minor, self.currency)
        taken = Chargeback(new_id(), payment_id, money, Money(fee, self.currency))
        assert chargebacks.begin(self.session, taken, self.day, self.now)
        return taken

    def win(self, taken: Chargeback, fee_back: int = 0) -> bool:
        back = Money(fee_back, self.currency)
        return chargebacks.win(self.session, taken.id, back, self.day, self.now)

    def lose(self, taken: Chargeback, *, give_up: bool = False) -> bool:
        return chargebacks.lose(self.session, taken.id, self.day, self.now, give_up=give_up)

    def appeal(self, taken: Chargeback, fee_back: int = 0) -> bool:
        back = Money(fee_back, self.currency)
        return appeals.win(self.session, taken.id, back, self.day, self.now)

    def open(self, bill: Open) -> int:
        return items.get(self.session, bill.id).open.minor

    def held_back(self, bill: Open) -> int:
        return chargebacks.charged_back(self.session, bill).minor

    def balances(self, *codes: str) -> list[int]:
        return [balance(self.session, code) for code in codes]


@pytest.fixture
def payer(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        yield Payer(session, world, clock, "USD")
        sound(session)


def test_a_paid_bill_is_owed_apart_and_never_asked_for_meanwhile(payer: Payer):
    bill = payer.bill(10_000)
    taken = payer.begin(payer.pay(10_000, (bill, 10_000)), 4_000, fee=1_500)
    assert (payer.open(bill), payer.held_back(bill)) == (0, 4_000)
    assert payer.balances(RECEIVABLE, RECEIVABLE_CHARGED_BACK, FEES) == [0, 4_000, 1_500]
    assert payer.balances(CLEARING) == [10_000 - 4_000 - 1_500]
    assert items.owed_by(payer.session, [payer.id]) == []
    assert not chargebacks.begin(payer.session, taken, DAY, payer.now)
    assert payer.held_back(bill) == 4_000


def test_won_the_bill_is_paid_by_the_payment_as_before(payer: Payer):
    bill = payer.bill(10_000)
    payment = payer.pay(10_000, (bill, 10_000))
    taken = payer.begin(payment, 10_000, fee=1_500)
    assert payer.win(taken, fee_back=500)
    assert not payer.win(taken, fee_back=500)
    assert (payer.open(bill), payer.held_back(bill)) == (0, 0)
    assert payer.balances(RECEIVABLE_CHARGED_BACK, FEES, CLEARING) == [0, 1_000, 9_000]
    with pytest.raises(StaleState):
        payer.lose(taken)
    # It stands again, so that it can be charged back again.
    payer.begin(payment, 10_000)
    assert payer.held_back(bill) == 10_000


def test_lost_the_bill_is_owed_again_and_the_fee_stays_ours(payer: Payer):
    bill = payer.bill(10_000)
    taken = payer.begin(payer.pay(10_000, (bill, 10_000)), 10_000, fee=1_500)
    assert payer.lose(taken)
    assert not payer.lose(taken)
    assert (payer.open(bill), payer.held_back(bill)) == (10_000, 0)
    assert payer.balances(RECEIVABLE, RECEIVABLE_CHARGED_BACK, FEES) == [10_000, 0, 1_500]
    with pytest.raises(StaleState):
        payer.win(taken)


def test_won_on_appeal_the_bill_is_paid_again_as_before(payer: Payer):
    bill = payer.bill(10_000)
    payment = payer.pay(10_000, (bill, 10_000))
    taken = payer.begin(payment, 10_000, fee=1_500)
    with pytest.raises(StaleState):
        payer.appeal(taken)
    payer.lose(taken)
    assert payer.appeal(taken, fee_back=500)
    assert not payer.appeal(taken, fee_back=500)
    assert payer.open(bill) == 0
    assert payer.balances(RECEIVABLE, UNAPPLIED, FEES, CLEARING) == [0, 0, 1_000, 9_000]
    payer.begin(payment, 10_000)
    assert payer.held_back(bill) == 10_000, "it stands, so that it can be charged back again"


def test_won_on_appeal_what_was_paid_meanwhile_is_held_for_the_payer(payer: Payer):
    bill = payer.bill(10_000)
    taken = payer.begin(payer.pay(10_000, (bill, 10_000)), 10_000)
    payer.lose(taken)
    payer.pay(7_000, (bill, 7_000))
    assert payer.appeal(taken)
    assert payer.balances(RECEIVABLE, UNAPPLIED, CLEARING) == [0, -7_000, 17_000]
    (held,) = items.held_for(payer.session, [payer.id])
    assert (held.open, held.ledger_code) == (usd(7_000), UNAPPLIED)


def test_won_on_appeal_an_orders_deposit_is_held_as_a_deposit(payer: Payer):
    came = receipt(payer.world, payer.id, usd(6_000))
    key = business.receive_for_order(payer.session, came, uuid.uuid4(), payer.now)
    bill = payer.bill(5_000)
    business.use_credit(payer.session, item(payer.session, key), bill, usd(5_000), DAY, payer.now)
    taken = payer.begin(came.payment_id, 6_000)
    payer.lose(taken)
    payer.pay(2_000, (bill, 2_000))
    assert payer.appeal(taken)
    assert payer.balances(ORDER_DEPOSIT, RECEIVABLE, CLEARING) == [-3_000, 0, 8_000]


def test_won_on_appeal_what_was_given_up_is_no_bad_debt(payer: Payer):
    bill = payer.bill(10_000)
    taken = payer.begin(payer.pay(10_000, (bill, 10_000)), 3_000)
    payer.lose(taken, give_up=True)
    assert payer.appeal(taken)
    assert payer.balances(BAD_DEBT, RECEIVABLE, UNAPPLIED, CLEARING) == [0, 0, 0, 10_000]


def test_lost_and_given_up_it_is_bad_debt_and_the_bill_stays_settled(payer: Payer):
    bill = payer.bill(10_000)
    taken = payer.begin(payer.pay(10_000, (bill, 10_000)), 3_000)
    assert payer.lose(taken, give_up=True)
    assert (payer.open(bill), payer.held_back(bill)) == (0, 0)
    assert payer.balances(BAD_DEBT, RECEIVABLE_CHARGED_BACK) == [3_000, 0]


def test_what_nobody_has_used_goes_first_and_then_what_was_applied_last(payer: Payer):
    first, second = payer.bill(4_000, "100001"), payer.bill(3_000, "100002")
    payment = payer.pay(9_000, (first, 4_000), (second, 3_000))
    taken = payer.begin(payment, 5_500)
    assert payer.balances(UNAPPLIED) == [0]
    assert (payer.held_back(first), payer.held_back(second)) in [(500, 3_000), (3_500, 0)]
    assert payer.win(taken)
    assert payer.balances(UNAPPLIED, RECEIVABLE_CHARGED_BACK, CLEARING) == [-2_000, 0, 9_000]
    assert items.held_for(payer.session, [payer.id])[0].open == usd(2_000)


def test_lost_what_nobody_had_used_stays_gone(payer: Payer):
    taken = payer.begin(payer.pay(2_000), 2_000)
    assert not payer.lose(taken)
    assert payer.balances(UNAPPLIED, CLEARING, RECEIVABLE) == [0, 0, 0]


@pytest.mark.parametrize("won", [True, False])
def test_an_orders_deposit_that_went_to_its_bill(payer: Payer, won: bool):
    came = receipt(payer.world, payer.id, usd(6_000))
    key = business.receive_for_order(payer.session, came, uuid.uuid4(), payer.now)
    bill = payer.bill(5_000)
    held = item(payer.session, key)
    business.use_credit(payer.session, held, bill, usd(5_000), DAY, payer.now)
    taken = payer.begin(came.payment_id, 6_000)
    assert payer.held_back(bill) == 5_000
    assert payer.balances(ORDER_DEPOSIT) == [0]
    if won:
        assert payer.win(taken)
        assert payer.balances(ORDER_DEPOSIT, RECEIVABLE, CLEARING) == [-1_000, 0, 6_000]
        assert payer.open(held) == 1_000
    else:
        assert payer.lose(taken)
        assert payer.balances(ORDER_DEPOSIT, RECEIVABLE, CLEARING) == [0, 5_000, 0]
        assert payer.open(held) == 0


def test_no_more_is_charged_back_than_stands_of_the_payment(payer: Payer):
    bill = payer.bill(10_000)
    payment = payer.pay(10_000, (bill, 10_000))
    payer.begin(payment, 7_000)
    with pytest.raises(ChargedBackTooMuch) as caught:
        payer.begin(payment, 3_001)
    assert (caught.value.amount, caught.value.left) == (usd(3_001), usd(3_000))
    payer.begin(payment, 3_000)
    assert payer.held_back(bill) == 10_000


def test_the_database_itself_refuses_to_begin_or_decide_one_twice(payer: Payer):
    bill = payer.bill(10_000)
    taken = payer.begin(payer.pay(10_000, (bill, 10_000)), 4_000)
    money = [debit(CLEARING, usd(1)), credit(FEES, usd(1))]
    for kind in (chargebacks.BEGUN, chargebacks.WON):
        again = Posting(
            payer.world.legal_entity_id, kind, DAY, chargebacks.CHARGEBACK, taken.id, money
        )
        if kind == chargebacks.WON:
            assert payer.win(taken)
        with pytest.raises(IntegrityError), payer.session.begin_nested():
            post(payer.session, again, payer.now)


def test_what_was_never_begun_is_neither_won_nor_lost(payer: Payer):
    never = Chargeback(new_id(), new_id(), usd(100), usd(0))
    with pytest.raises(NotFound):
        payer.win(never)
    with pytest.raises(NotFound):
        payer.lose(never)
    with pytest.raises(ChargedBackTooMuch):
        payer.begin(new_id(), 100)


@pytest.mark.parametrize("won", [True, False])
def test_in_another_currency_the_bill_is_carried_at_its_own_rate(payer: Payer, won: bool):
    payer.currency = "EUR"
    for days, rate in ((0, "1.10"), (10, "1.25"), (20, "1.05")):
        on = DAY + timedelta(days=days)
        rates.tell(payer.session, ("EUR", "USD"), on, Decimal(rate), "bank", payer.now)
    bill = payer.bill(10_000)
    payment = payer.pay(10_000, (bill, 10_000))
    payer.day = DAY + timedelta(days=10)
    taken = payer.begin(payment, 6_000, fee=100)
    assert item(payer.session, bill.id).functional_minor == 11_000
    (apart,) = items.find(payer.session, OpenItem.ledger_code == RECEIVABLE_CHARGED_BACK)
    assert apart.functional_minor == 6_600
    payer.day = DAY + timedelta(days=20)
    assert payer.win(taken) if won else payer.lose(taken)
    assert payer.open(bill) == (0 if won else 6_000)
    assert payer.balances(RECEIVABLE_CHARGED_BACK) == [0]
    sound(payer.session, payer.day)


sums = st.integers(1, 3_000)
ends = st.sampled_from(["win", "lose", "give up", "appeal", "wait"])


def test_whatever_is_charged_back_and_however_decided_the_books_tie(payer: Payer):
    @settings(max_examples=10)
    @given(
        st.lists(sums, min_size=1, max_size=3), sums, st.lists(st.tuples(sums, ends), max_size=4)
    )
    def story(bills: list[int], extra: int, events: list[tuple[int, str]]) -> None:
        """One payment of several bills and a bit more, charged back in parts."""
        opened = [payer.bill(minor, f"1{number:05}") for number, minor in enumerate(bills)]
        stands = sum(bills) + extra
        payment = payer.pay(stands, *zip(opened, bills, strict=True))
        cleared = balance(payer.session, CLEARING)
        for amount, end in events:
            if amount > stands:
                with pytest.raises(ChargedBackTooMuch):
                    payer.begin(payment, amount)
                continue
            taken = payer.begin(payment, amount)
            if end == "win":
                assert payer.win(taken)
                continue
            if end == "appeal" and payer.lose(taken):
                anew = min(amount // 2, payer.open(opened[0]))
                if anew:
                    payer.pay(anew, (opened[0], anew))
                    cleared += anew
                assert payer.appeal(taken)
                # What it holds as unapplied may be charged back again; nothing is lost.
                continue
            stands, cleared = stands - amount, cleared - amount
            if end != "wait":
                payer.lose(taken, give_up=end == "give up")
        assert balance(payer.session, CLEARING) == cleared
        sound(payer.session)

    story()
