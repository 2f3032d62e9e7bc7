"""A contested amount rests: it is neither dunned nor drawn while it is open, and never more than the bill."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.kernel.errors import StaleState
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import contested, items
from core.ledger.contested import NothingToContest
from core.ledger.items import Open
from core.ledger.models import OpenItem
from tests.rooms.ledger.books import DAY
from tests.rooms.ledger.counter import Counter

LATER = DAY + timedelta(days=4)
NOTE = ("note", new_id())


def contest(counter: Counter, one: Open, minor: int, source=NOTE) -> uuid.UUID:
    amount = Money(minor, one.amount.currency)
    return counter.db.run_tx(
        lambda s: contested.contest(s, one, amount, source, DAY, counter.clock.now())
    )


def close(counter: Counter, one: Open, source=NOTE) -> None:
    counter.db.run_tx(lambda s: contested.close(s, one, source, LATER, counter.clock.now()))


def parts(counter: Counter, one: Open) -> tuple[int, int, int]:
    fresh = counter.fresh(one)
    return fresh.open.minor, fresh.contested.minor, fresh.uncontested.minor


def test_what_is_contested_is_never_more_than_is_open(counter: Counter):
    owed = counter.bill(10_000)
    contest(counter, owed, 6_000)
    assert parts(counter, owed) == (10_000, 6_000, 4_000)
    counter.pay(7_000, owed)
    assert parts(counter, owed) == (3_000, 3_000, 0)
    counter.pay(3_000, owed)
    assert parts(counter, owed) == (0, 0, 0)


def test_a_contested_amount_changes_and_ends(counter: Counter):
    owed = counter.bill(10_000)
    contest(counter, owed, 6_000)
    contest(counter, owed, 1_500)
    contest(counter, owed, 500, ("note", new_id()))
    assert parts(counter, owed) == (10_000, 2_000, 8_000)
    close(counter, owed)
    assert parts(counter, owed) == (10_000, 500, 9_500)
    with pytest.raises(StaleState):
        close(counter, owed)
    with counter.db.reading() as session:
        then = [
            items.find(session, OpenItem.id == owed.id, as_of=day)[0].contested.minor
            for day in (DAY, LATER)
        ]
        assert [row.amount_minor for row in contested.of_item(session, owed.id)] == [500]
    assert then == [2_000, 500]


def test_only_what_a_bill_asks_for_can_be_contested(counter: Counter):
    owed, held = counter.bill(10_000), counter.deposit(10_000)
    for one, minor in ((owed, 10_001), (owed, 0), (owed, -1), (held, 100)):
        with pytest.raises(NothingToContest):
            contest(counter, one, minor)
    assert parts(counter, owed) == (10_000, 0, 10_000)


def test_what_was_contested_is_not_rewritten(counter: Counter):
    contest(counter, counter.bill(), 100)
    for change in (
        "UPDATE contested_amount SET amount_minor = 1",
        "DELETE FROM contested_amount",
    ):
        with pytest.raises(DBAPIError, match="append-only"), counter.db.transaction() as session:
            session.execute(text(change))
