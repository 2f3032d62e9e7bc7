"""Each line stands in the functional currency at its day's rate; what moved since is realised."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import book, business, currencies, items, rates, reading, reversals, valuation
from core.ledger.book import Wanted
from core.ledger.chart import (
    CASH,
    CLEARING,
    CONTRACT_LIABILITY,
    CURRENCY_CLEARING,
    CURRENCY_DIFFERENCE,
    CUSTOMER_CREDIT,
    RECEIVABLE,
    UNAPPLIED,
)
from core.ledger.currencies import Exchange
from core.ledger.cuts import Cut
from core.ledger.models import JournalLine
from core.ledger.rates import NoRate
from tests.rooms.ledger.books import DAY, document, receipt
from tests.rooms.ledger.counter import Counter

LATER = DAY + timedelta(days=30)


def tell(counter: Counter, currency: str, on: date, rate: str) -> None:
    counter.db.run_tx(
        lambda s: rates.tell(s, (currency, "USD"), on, Decimal(rate), "bank", counter.clock.now())
    )


def functional(counter: Counter, *codes: str) -> list[int]:
    counter.balances()
    with counter.db.reading() as session:
        return [
            session.scalar(
                select(func.coalesce(func.sum(JournalLine.functional_minor), 0)).where(
                    JournalLine.ledger_code == code
                )
            )
            or 0
            for code in codes
        ]


def test_without_a_rate_nothing_is_posted(counter: Counter):
    with pytest.raises(NoRate) as refused:
        counter.bill(10_000, "EUR")
    assert refused.value.facts() == {"currency": "EUR", "functional": "USD", "day": DAY}
    assert counter.days() == []


def test_a_rate_holds_a_week_and_the_last_word_counts(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    counter.clock.advance(timedelta(minutes=1))
    tell(counter, "EUR", DAY, "1.12")
    tell(counter, "EUR", DAY + timedelta(days=3), "1.20")
    asked = {0: "1.12", 2: "1.12", 3: "1.20", 10: "1.20"}
    with counter.db.reading() as session:
        for days, rate in asked.items():
            found = rates.rate_on(session, "EUR", "USD", DAY + timedelta(days=days))
            assert found == Decimal(rate)
        for currency, days in (("EUR", -1), ("EUR", 11), ("GBP", 0)):
            with pytest.raises(NoRate):
                rates.rate_on(session, currency, "USD", DAY + timedelta(days=days))
        assert rates.rate_on(session, "USD", "USD", DAY) == 1


def test_a_rate_is_not_rewritten_and_must_be_one(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    with pytest.raises(DBAPIError, match="append-only"), counter.db.transaction() as session:
        session.execute(text("UPDATE currency_rate SET rate = '2'"))
    for currency, rate in (("USD", "1"), ("EUR", "0"), ("EUR", "-1"), ("XYZ", "1"), ("EUR", "NaN")):
        with pytest.raises(ValueError):  # whichever of the two words it
            tell(counter, currency, DAY, rate)


@pytest.mark.parametrize(
    "at_issue, at_payment, difference",
    [("1.10", "1.20", -1_000), ("1.20", "1.10", 1_000), ("1.10", "1.10", 0)],
    ids=["a gain", "a loss", "nothing"],
)
def test_what_the_rate_moved_between_bill_and_payment_is_realised(
    counter: Counter, at_issue: str, at_payment: str, difference: int
):
    tell(counter, "EUR", DAY, at_issue)
    tell(counter, "EUR", LATER, at_payment)
    owed = counter.bill(10_000, "EUR")
    counter.pay(10_000, owed, currency="EUR", on=LATER)
    paid = round(10_000 * Decimal(at_payment))
    assert functional(counter, CLEARING, RECEIVABLE, CURRENCY_DIFFERENCE) == [paid, 0, difference]
    assert counter.balances(CLEARING, RECEIVABLE, CURRENCY_DIFFERENCE) == [10_000, 0, 0]


def test_the_difference_is_shown_with_its_entry(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    tell(counter, "EUR", LATER, "1.20")
    owed = counter.bill(10_000, "EUR")
    payment, _ = counter.pay(10_000, owed, currency="EUR", on=LATER)
    eur, gain = Money(10_000, "EUR"), Money(-1_000, "USD")
    with counter.db.reading() as session:
        (entry,) = reading.entries_about(session, [payment])
        cut = Cut(counter.world.legal_entity_id)
        (told,) = book.page(session, cut, Wanted(), before=None, limit=1)
    assert [side for _, side in entry.sides] == [eur, -eur, gain]
    assert [line.shown for line in told.lines] == [eur, -eur, gain]


@pytest.mark.parametrize("parts", [[10_000], [3_333, 6_667], [1, 9_998, 1]])
def test_taking_a_bill_back_realises_no_difference(counter: Counter, parts: list[int]):
    tell(counter, "EUR", DAY, "1.10")
    tell(counter, "EUR", LATER, "1.20")
    owed = counter.bill(10_000, "EUR")
    for part in parts:
        counter.memo(owed, part, on=LATER)
    codes = (RECEIVABLE, CONTRACT_LIABILITY, CUSTOMER_CREDIT, CURRENCY_DIFFERENCE)
    assert functional(counter, *codes) == [0, 0, 0, 0]


def test_what_was_paid_and_is_credited_is_owed_at_the_rate_of_the_memos_day(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    tell(counter, "EUR", LATER, "1.20")
    owed = counter.bill(10_000, "EUR")
    counter.pay(10_000, owed, currency="EUR", on=LATER)
    counter.memo(owed, 4_000, on=LATER)
    codes = (CONTRACT_LIABILITY, CUSTOMER_CREDIT, CURRENCY_DIFFERENCE)
    # a gain of 10.00 when it was paid; of 40.00 that go back 4.00 of it are lost again
    assert functional(counter, *codes) == [-6_600, -4_800, -600]


def test_a_deposit_is_carried_at_its_own_rate_until_it_is_used(counter: Counter):
    tell(counter, "EUR", DAY, "1.00")
    tell(counter, "EUR", LATER, "1.50")
    held, owed = counter.deposit(10_000, "EUR"), counter.bill(10_000, "EUR", on=LATER)
    counter.db.run_tx(
        lambda s: business.use_credit(s, held, owed, owed.open, LATER, counter.clock.now())
    )
    assert functional(counter, RECEIVABLE, CURRENCY_DIFFERENCE) == [0, 5_000]


def test_taking_a_payment_back_takes_the_difference_back(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    tell(counter, "EUR", LATER, "1.20")
    owed = counter.bill(10_000, "EUR")
    counter.pay(10_000, owed, currency="EUR", on=LATER)
    key = counter.application(owed)
    counter.db.run_tx(lambda s: reversals.undo(s, key, LATER, counter.clock.now()))
    assert functional(counter, RECEIVABLE, UNAPPLIED, CURRENCY_DIFFERENCE) == [11_000, -12_000, 0]


def test_cash_is_exchanged_through_currency_clearing(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    done = Exchange(Money(10_000, "EUR"), Money(11_300, "USD"), DAY)
    counter.db.run_tx(
        lambda s: currencies.exchange_cash(
            s, counter.world.legal_entity_id, done, counter.clock.now()
        )
    )
    assert functional(counter, CASH, CURRENCY_CLEARING, CURRENCY_DIFFERENCE) == [300, 0, -300]
    with counter.db.reading() as session:
        rows = session.execute(
            select(JournalLine.currency, JournalLine.amount_minor)
            .where(JournalLine.ledger_code == CURRENCY_CLEARING)
            .order_by(JournalLine.currency)
        ).all()
    assert [tuple(row) for row in rows] == [("EUR", 10_000), ("USD", -11_300)]


def test_credit_in_one_currency_pays_a_bill_in_another(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    counter.pay(10_000, currency="EUR")
    owed, done = counter.bill(11_300), Exchange(Money(10_000, "EUR"), Money(11_300, "USD"), DAY)

    def work(session: Session) -> None:
        (held,) = items.held_for(session, [counter.who])
        changed = currencies.exchange_held(session, held, done, counter.clock.now())
        business.use_credit(session, changed, owed, owed.open, DAY, counter.clock.now())

    counter.db.run_tx(work)
    assert (counter.open(owed), counter.held()) == (0, {})
    assert functional(counter, UNAPPLIED, CURRENCY_CLEARING, CURRENCY_DIFFERENCE) == [0, 0, 300]


def test_what_is_bought_is_carried_at_what_it_cost(counter: Counter):
    """Whatever the day's rate says: nothing is gained or lost by buying."""
    tell(counter, "EUR", DAY, "1.10")
    held = counter.deposit(10_000)
    done = Exchange(Money(10_000, "USD"), Money(8_000, "EUR"), DAY)
    found = counter.db.run_tx(
        lambda s: currencies.exchange_held(s, held, done, counter.clock.now())
    )
    assert (found.open, found.functional_minor) == (Money(8_000, "EUR"), 10_000)
    assert functional(counter, CURRENCY_CLEARING, CURRENCY_DIFFERENCE) == [0, 0]


def test_no_more_is_exchanged_than_is_held(counter: Counter):
    tell(counter, "EUR", DAY, "1.10")
    held = counter.deposit(1_000, "EUR")
    eur, usd = Money(1_001, "EUR"), Money(1_000, "USD")
    for given_, taken in ((eur, usd), (usd, eur), (Money(1, "EUR"), Money(0, "USD"))):
        done = Exchange(given_, taken, DAY)
        with pytest.raises(ValueError, match="cannot exchange"):
            counter.db.run_tx(
                partial(currencies.exchange_held, held=held, done=done, now=counter.clock.now())
            )


def test_parts_of_a_bill_in_another_currency_leave_nothing_behind(counter: Counter):
    with counter.db.transaction() as session:
        for step, rate in enumerate(("0.0065", "0.0071", "0.0059", "0.0067")):
            rates.tell(
                session,
                ("JPY", "USD"),
                DAY + timedelta(days=step * 5),
                Decimal(rate),
                "bank",
                counter.clock.now(),
            )
    with Session(counter.db.engine, expire_on_commit=False) as session:

        @given(st.lists(st.tuples(st.integers(1, 900), st.integers(0, 20)), max_size=6))
        @settings(max_examples=20)
        def check(parts: list[tuple[int, int]]) -> None:
            session.begin()
            try:
                _pay_in_parts(counter, session, parts)
            finally:
                session.rollback()

        check()


def _pay_in_parts(counter: Counter, session: Session, parts: list[tuple[int, int]]) -> None:

    issued = document(counter.world, counter.who, Money(2_500, "JPY"))
    key = business.charge(session, issued, counter.clock.now())
    assert key is not None
    for minor, days in parts:
        owed, on = items.get(session, key), DAY + timedelta(days=days)
        came = receipt(counter.world, counter.who, Money(minor, "JPY"), on=on)
        business.receive_for_items(session, came, [(owed, owed.open)], counter.clock.now())
    assert valuation.functional_amounts_tie(session, None).offenders == ()
    if not items.get(session, key).open:
        carried = select(func.sum(JournalLine.functional_minor)).where(
            JournalLine.ledger_code == RECEIVABLE
        )
        assert session.scalar(carried) == 0
