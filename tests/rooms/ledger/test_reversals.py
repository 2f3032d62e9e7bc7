"""What was applied can be taken back, whole or in parts, never more than stands; no money is lost."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, items, reversals
from core.ledger.chart import CLEARING, ORDER_DEPOSIT, RECEIVABLE, UNAPPLIED
from core.ledger.items import Open
from core.ledger.models import Application, OpenItem
from core.ledger.reversals import CannotUndo
from tests.rooms.ledger.books import DAY
from tests.rooms.ledger.counter import Counter

LATER = DAY + timedelta(days=5)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def undo(counter: Counter, one: Open, minor: int | None = None) -> Open:
    key, amount = counter.application(one), usd(minor) if minor is not None else None
    return counter.db.run_tx(lambda s: reversals.undo(s, key, LATER, counter.clock.now(), amount))


def test_a_payment_taken_back_is_unapplied_and_the_bill_is_owed_again(counter: Counter):
    owed = counter.bill(10_000)
    counter.pay(10_000, owed)
    held = undo(counter, owed)
    assert (held.ledger_code, held.open, held.effective_date) == (UNAPPLIED, usd(10_000), LATER)
    assert counter.open(owed) == 10_000
    assert counter.balances(CLEARING, RECEIVABLE, UNAPPLIED) == [10_000, 10_000, -10_000]
    with counter.db.reading() as session:  # the day before, nothing had happened to it
        (then,) = items.find(session, OpenItem.id == owed.id, as_of=LATER - timedelta(1))
    assert then.open == usd(0)


def test_a_deposit_taken_back_is_earmarked_as_before(counter: Counter):
    held, owed = counter.deposit(6_000), counter.bill(10_000)
    counter.db.run_tx(
        lambda s: business.use_credit(s, held, owed, usd(6_000), DAY, counter.clock.now())
    )
    back = undo(counter, owed, 2_000)
    assert (back.id, back.open, counter.open(owed)) == (held.id, usd(2_000), 6_000)
    assert counter.balances(ORDER_DEPOSIT, RECEIVABLE) == [-2_000, 6_000]


def test_no_more_is_taken_back_than_stands(counter: Counter):
    owed = counter.bill(10_000)
    counter.pay(10_000, owed)
    undo(counter, owed, 7_000)
    for minor in (3_001, 0, -1):
        with pytest.raises(CannotUndo):
            undo(counter, owed, minor)
    undo(counter, owed)
    with pytest.raises(CannotUndo):
        undo(counter, owed)
    assert counter.balances(RECEIVABLE, UNAPPLIED) == [10_000, -10_000]


def test_the_database_refuses_to_take_back_more_or_else_than_was_applied(counter: Counter):
    owed, other = counter.bill(10_000), counter.bill(5_000)
    counter.pay(15_000, owed, other)
    key = counter.application(owed)
    with counter.db.reading() as session:
        stands = session.get_one(Application, key)

    def row(**more: object) -> dict[str, object]:
        values = {
            "id": new_id(),
            "entry_id": stands.entry_id,
            "debit_item_id": owed.id,
            "source_kind": "payment",
            "source_id": stands.source_id,
            "amount_minor": -1,
            "effective_date": stands.effective_date,
            "posted_at": counter.clock.now(),
            "reverses_id": key,
        }
        return values | more

    for wrong in (
        row(amount_minor=-10_001),
        row(debit_item_id=other.id),
        row(reverses_id=new_id()),
        row(amount_minor=1),
        row(effective_date=LATER),
    ):
        with pytest.raises(DBAPIError), counter.db.transaction() as session:
            session.execute(insert(Application), [wrong])
    assert counter.open(owed) == 0


def test_a_payment_on_the_wrong_bill_is_moved_to_the_right_one(counter: Counter):
    wrong, right = counter.bill(10_000), counter.bill(4_000)
    counter.pay(10_000, wrong)
    key = counter.application(wrong)
    moved = counter.db.run_tx(lambda s: reversals.move(s, key, right, LATER, counter.clock.now()))
    assert (moved, counter.open(wrong), counter.open(right)) == (usd(4_000), 10_000, 0)
    assert counter.held() == {UNAPPLIED: 6_000}


def test_a_payment_is_moved_to_somebody_elses_bill(counter: Counter):
    casey = counter.somebody()
    wrong, right = counter.bill(10_000), counter.bill(10_000, who=casey)
    counter.pay(10_000, wrong)
    key = counter.application(wrong)
    counter.db.run_tx(lambda s: reversals.move(s, key, right, LATER, counter.clock.now()))
    assert (counter.open(wrong), counter.open(right)) == (10_000, 0)
    assert counter.balances(RECEIVABLE, UNAPPLIED) == [10_000, 0]


def test_a_refund_is_no_payment_to_take_back(counter: Counter):
    held = counter.deposit(5_000)
    counter.db.run_tx(
        lambda s: business.refund_credit(
            s, held, usd(5_000), uuid.uuid4(), DAY, counter.clock.now()
        )
    )
    with counter.db.reading() as session:
        key = session.query(Application.id).scalar()
    with pytest.raises(CannotUndo):
        counter.db.run_tx(lambda s: reversals.undo(s, key, LATER, counter.clock.now()))
    with pytest.raises(NotFound):
        counter.db.run_tx(lambda s: reversals.undo(s, new_id(), LATER, counter.clock.now()))


# --- refunds --------------------------------------------------------------------------------------


def test_a_refund_that_failed_is_held_as_before_and_heard_once(counter: Counter):
    held, refund = counter.deposit(5_000), uuid.uuid4()
    counter.db.run_tx(
        lambda s: business.refund_credit(s, held, usd(3_000), refund, DAY, counter.clock.now())
    )

    def hear() -> Money | None:
        return counter.db.run_tx(
            lambda s: reversals.refund_failed(s, refund, LATER, counter.clock.now())
        )

    assert (hear(), hear()) == (usd(3_000), None)
    assert counter.open(held) == 5_000
    assert counter.balances(CLEARING, ORDER_DEPOSIT) == [5_000, -5_000]


def test_a_refund_without_credit_opens_the_bill_again(counter: Counter):
    owed, refund = counter.bill(10_000), uuid.uuid4()
    counter.pay(10_000, owed)
    key = counter.application(owed)

    def send_back(minor: int) -> None:
        counter.db.run_tx(
            lambda s: reversals.refund_without_credit(
                s, key, usd(minor), refund, DAY, counter.clock.now()
            )
        )

    send_back(4_000)
    assert counter.open(owed) == 4_000
    assert counter.balances(CLEARING, RECEIVABLE) == [6_000, 4_000]
    with pytest.raises(CannotUndo):
        send_back(6_001)
    heard = counter.db.run_tx(
        lambda s: reversals.refund_failed(s, refund, LATER, counter.clock.now())
    )
    assert (heard, counter.open(owed)) == (usd(4_000), 0)
    assert counter.balances(CLEARING, RECEIVABLE) == [10_000, 0]
