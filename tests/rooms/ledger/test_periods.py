"""A closed period stays as it is: nothing is posted into it; what comes late stands on the first open day."""

import uuid
from datetime import date, timedelta
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.kernel.errors import StaleState
from core.kernel.money import Money
from core.ledger import periods
from core.ledger.chart import CASH, CLEARING, REVENUE
from core.ledger.journal import PeriodClosed, Posting, credit, debit, post
from core.ledger.periods import ClosedAlready, NotYetOver
from core.parties.models import LegalEntity
from tests.rooms.ledger.books import DAY
from tests.rooms.ledger.counter import Counter
from tests.together import at_once

YESTERDAY, BEFORE = DAY - timedelta(days=1), DAY - timedelta(days=20)


def close(counter: Counter, through: date) -> uuid.UUID:
    def work(session):
        entity = session.get_one(LegalEntity, counter.world.legal_entity_id)
        return periods.close(session, entity, through, "user:kim", counter.clock.now())

    return counter.db.run_tx(work)


def through(counter: Counter) -> date | None:
    with counter.db.reading() as session:
        return periods.closed_through(session, counter.world.legal_entity_id)


def test_nothing_is_posted_in_a_closed_period(counter: Counter):
    counter.bill(on=BEFORE)
    close(counter, YESTERDAY)
    for day in (BEFORE, YESTERDAY):
        with pytest.raises(PeriodClosed):
            counter.bill(on=day)
    counter.bill(on=DAY)
    assert [on for _, on in counter.days()] == [BEFORE, DAY]


def test_the_database_refuses_it_too_whoever_asks(counter: Counter):
    close(counter, YESTERDAY)
    entity, amount = counter.world.legal_entity_id, Money(100, "USD")
    sides = [debit(CASH, amount), credit(REVENUE, amount)]
    posting = Posting(entity, "test", YESTERDAY, "test", uuid.uuid4(), sides)
    with pytest.raises(PeriodClosed) as refused:
        counter.db.run_tx(lambda session: post(session, posting, counter.clock.now()))
    assert isinstance(refused.value.__cause__, DBAPIError)
    assert refused.value.facts() == {"day": YESTERDAY}
    assert counter.days() == []


def test_money_that_comes_late_stands_on_the_first_open_day(counter: Counter):
    owed = counter.bill(on=BEFORE)
    close(counter, YESTERDAY)
    counter.pay(4_000, owed, on=BEFORE)
    counter.deposit(1_000, on=YESTERDAY)
    assert counter.days()[1:] == [("payment_captured", DAY), ("payment_captured", DAY)]
    assert counter.open(owed) == 6_000
    assert counter.balances(CLEARING) == [5_000]


def test_today_stays_open_whatever_is_asked(counter: Counter):
    for day in (DAY, DAY + timedelta(days=1)):
        with pytest.raises(NotYetOver) as refused:
            close(counter, day)
        assert refused.value.latest == YESTERDAY
    assert through(counter) is None


def test_what_is_closed_is_closed_further_and_reopened_step_by_step(counter: Counter):
    first, second = close(counter, BEFORE), close(counter, YESTERDAY)
    for day in (BEFORE, YESTERDAY):
        with pytest.raises(ClosedAlready):
            close(counter, day)
    for key, expected in ((second, BEFORE), (first, None)):
        if key == second:
            with pytest.raises(StaleState):
                counter.db.run_tx(
                    lambda s: periods.reopen(s, first, "user:kim", counter.clock.now())
                )
        again = partial(periods.reopen, close_id=key, by="user:lee", now=counter.clock.now())
        counter.db.run_tx(again)
        assert through(counter) == expected
    counter.bill(on=BEFORE)
    with pytest.raises(StaleState):
        counter.db.run_tx(lambda s: periods.reopen(s, first, "user:kim", counter.clock.now()))
    with counter.db.reading() as session:
        rows = periods.history(session, counter.world.legal_entity_id)
    assert [(row.closed_by, row.reopened_by) for row in rows] == [("user:kim", "user:lee")] * 2


def test_who_closed_and_when_is_not_rewritten(counter: Counter):
    close(counter, YESTERDAY)
    for change in (
        "UPDATE period_close SET through_date = '2020-01-01'",
        "UPDATE period_close SET closed_by = 'user:june'",
        "DELETE FROM period_close",
    ):
        with pytest.raises(DBAPIError, match="append-only"), counter.db.transaction() as session:
            session.execute(text(change))
    assert through(counter) == YESTERDAY


def test_closing_waits_for_what_is_being_posted(counter: Counter):
    """Whatever is interleaved: no entry lies in a period that was closed before it was posted."""

    def shut(session) -> object:
        entity = session.get_one(LegalEntity, counter.world.legal_entity_id)
        return periods.close(session, entity, YESTERDAY, "user:kim", counter.clock.now())

    amount = Money(100, "USD")
    sides = [debit(CASH, amount), credit(REVENUE, amount)]

    def late(session) -> object:
        posting = Posting(
            counter.world.legal_entity_id, "test", YESTERDAY, "test", uuid.uuid4(), sides
        )
        return post(session, posting, counter.clock.now())

    outcomes = at_once(counter.db, [late, late, shut, late, late])
    posted = [one for one in outcomes if isinstance(one, uuid.UUID)]
    refused = [one for one in outcomes if isinstance(one, PeriodClosed)]
    assert (len(posted) + len(refused), through(counter)) == (5, YESTERDAY)
    assert len(counter.days()) == len(posted) - 1
    with pytest.raises(PeriodClosed):
        counter.db.run_tx(late)


def test_the_books_keep_their_currency(counter: Counter):
    counter.bill()
    with pytest.raises(DBAPIError, match="kept in this currency"), counter.db.transaction() as s:
        s.get_one(LegalEntity, counter.world.legal_entity_id).functional_currency = "EUR"
