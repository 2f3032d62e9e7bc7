"""Acts that meet what another act has left: none of them makes, loses or doubles money."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import business, chargebacks, items, memos, reversals
from core.ledger.business import Receipt
from core.ledger.chargebacks import Chargeback
from core.ledger.chart import CASH, CUSTOMER_CREDIT
from tests.rooms.ledger.books import DAY, document, sound
from tests.rooms.ledger.counter import Counter


def _usd(minor: int) -> Money:
    return Money(minor, "USD")


def test_moving_a_part_of_a_credit_moves_no_more_than_was_applied(counter: Counter):
    first, second, now = counter.bill(3000), counter.bill(10_000), counter.clock.now()
    _, left = counter.pay(10_000)
    assert left == 10_000

    def work(session: Session) -> Money:
        (held,) = items.held_for(session, [counter.who])
        business.use_credit(session, held, items.get(session, first.id), _usd(3000), DAY, now)
        (applied,) = reversals.of_bill(session, items.get(session, first.id))
        return reversals.move(session, applied.row.id, second, DAY, now)

    assert counter.db.run_tx(work) == _usd(3000)
    assert (counter.open(first), counter.open(second)) == (3000, 7000)
    assert counter.held() == {"unapplied": 7000}


def test_money_that_came_before_the_bill_pays_it_on_the_day_of_the_bill(counter: Counter):
    """So the books of the days between tie: what is paid was never owed before it was billed."""
    bill, now = counter.bill(5000, on=DAY), counter.clock.now()
    came = DAY - timedelta(days=5)
    receipt = Receipt(
        uuid.uuid4(),
        counter.world.legal_entity_id,
        counter.who,
        "T-1",
        _usd(5000),
        came,
        through=CASH,
        source_kind="transfer",
    )
    counter.db.run_tx(
        lambda s: business.receive_for_items(s, receipt, [(items.get(s, bill.id), _usd(5000))], now)
    )
    assert counter.open(bill) == 0
    with counter.db.reading() as session:
        for days in range(7):
            sound(session, came + timedelta(days=days))
        sound(session)


def test_a_failed_refund_of_two_bills_pays_both_again(counter: Counter):
    one, two, now, key = counter.bill(3000), counter.bill(5000), counter.clock.now(), uuid.uuid4()
    counter.pay(8000, one, two)

    def refund(session: Session) -> None:
        for bill, minor in ((one, 3000), (two, 5000)):
            applied = counter.application(bill)
            reversals.refund_without_credit(session, applied, _usd(minor), key, DAY, now)

    counter.db.run_tx(refund)
    assert (counter.open(one), counter.open(two)) == (3000, 5000)
    assert counter.db.run_tx(lambda s: reversals.refund_failed(s, key, DAY, now)) == _usd(8000)
    assert counter.db.run_tx(lambda s: reversals.refund_failed(s, key, DAY, now)) is None
    assert (counter.open(one), counter.open(two)) == (0, 0)
    assert counter.balances("processor_clearing", CUSTOMER_CREDIT) == [8000, 0]


@pytest.mark.parametrize("given_up", [False, True])
def test_what_the_card_network_took_back_is_not_given_back_by_a_memo(
    counter: Counter, given_up: bool
):
    bill, now = counter.bill(10_000), counter.clock.now()
    payment, _ = counter.pay(10_000, bill)
    told = Chargeback(uuid.uuid4(), payment, _usd(10_000), _usd(1500))
    counter.db.run_tx(lambda s: chargebacks.begin(s, told, DAY, now))
    if given_up:
        counter.db.run_tx(lambda s: chargebacks.lose(s, told.id, DAY, now, give_up=True))
    memo = document(counter.world, counter.who, _usd(4000), number="C-1")
    with pytest.raises(memos.ChargedBack):
        counter.db.run_tx(lambda s: memos.credit_bill(s, memo, items.get(s, bill.id), now))
    assert counter.held() == {}
    if not given_up:
        counter.db.run_tx(lambda s: chargebacks.lose(s, told.id, DAY, now))
        done = counter.db.run_tx(lambda s: memos.credit_bill(s, memo, items.get(s, bill.id), now))
        assert (done.settled, done.kept) == (_usd(4000), _usd(0))
        assert counter.open(bill) == 6000
