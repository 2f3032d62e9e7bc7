"""A bill is given up when two people agree, against an allowance; late money brings it back."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.kernel.errors import StaleState
from core.kernel.money import Money
from core.ledger import writeoffs
from core.ledger.chart import ALLOWANCE, BAD_DEBT, CLEARING, RECEIVABLE, UNAPPLIED
from core.ledger.items import Open
from core.ledger.writeoffs import RequestedAlready, SamePerson, TooMuchToWriteOff, WriteOff
from tests.rooms.ledger.books import DAY, receipt
from tests.rooms.ledger.counter import Counter

KIM, LEE = "user:kim", "user:lee"
LATER = DAY + timedelta(days=30)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def ask(counter: Counter, one: Open, minor: int = 10_000) -> uuid.UUID:
    return counter.db.run_tx(
        lambda s: writeoffs.request(s, one, usd(minor), "moved away", KIM, counter.clock.now())
    )


def approve(counter: Counter, key: uuid.UUID, by: str = LEE) -> None:
    counter.db.run_tx(lambda s: writeoffs.approve(s, key, by, DAY, counter.clock.now()))


def test_a_write_off_uses_the_allowance_that_was_made(counter: Counter):
    owed = counter.bill(10_000)
    counter.db.run_tx(
        lambda s: writeoffs.make_allowance(
            s, counter.world.legal_entity_id, usd(15_000), DAY, counter.clock.now()
        )
    )
    key = ask(counter, owed)
    assert counter.open(owed) == 10_000
    approve(counter, key)
    assert counter.open(owed) == 0
    assert counter.balances(BAD_DEBT, ALLOWANCE, RECEIVABLE) == [15_000, -5_000, 0]


def test_what_the_allowance_lacks_is_made_first(counter: Counter):
    owed = counter.bill(10_000)
    approve(counter, ask(counter, owed, 4_000))
    assert counter.open(owed) == 6_000
    assert counter.balances(BAD_DEBT, ALLOWANCE, RECEIVABLE) == [4_000, 0, 6_000]
    assert [kind for kind, _ in counter.days()][1:] == ["allowance_made", "written_off"]


def test_nobody_grants_their_own_wish(counter: Counter):
    owed = counter.bill(10_000)
    key = ask(counter, owed)
    with pytest.raises(SamePerson):
        approve(counter, key, KIM)
    with pytest.raises(SamePerson):
        counter.db.run_tx(lambda s: writeoffs.decline(s, key, KIM, counter.clock.now()))
    change = "UPDATE write_off SET state = 'approved', decided_by = 'user:kim', decided_at = :now"
    with pytest.raises(DBAPIError, match=r"(?i)second_person"), counter.db.transaction() as session:
        session.execute(text(change), {"now": counter.clock.now().replace(tzinfo=None)})
    assert counter.open(owed) == 10_000


def test_a_decision_is_final(counter: Counter):
    owed = counter.bill(10_000)
    key = ask(counter, owed)
    counter.db.run_tx(lambda s: writeoffs.decline(s, key, LEE, counter.clock.now()))
    with pytest.raises(StaleState):
        approve(counter, key)
    with pytest.raises(DBAPIError, match="append-only"), counter.db.transaction() as session:
        session.execute(text("UPDATE write_off SET state = 'requested', decided_by = NULL"))
    approve(counter, ask(counter, owed, 100))
    with counter.db.reading() as session:
        states = sorted(row.state for row in writeoffs.listing(session))
        assert [row.id for row in writeoffs.listing(session, state="declined")] == [key]
    assert states == ["approved", "declined"]


def test_one_wish_at_a_time_and_no_more_than_is_open(counter: Counter):
    owed, held = counter.bill(10_000), counter.deposit(500)
    for one, minor in ((owed, 10_001), (owed, 0), (held, 500)):
        with pytest.raises(TooMuchToWriteOff):
            ask(counter, one, minor)
    key = ask(counter, owed)
    with pytest.raises(RequestedAlready):
        ask(counter, owed, 1)
    counter.pay(1, owed)
    with pytest.raises(TooMuchToWriteOff):
        approve(counter, key)
    with counter.db.reading() as session:
        assert session.get_one(WriteOff, key).state == "requested"


def test_money_that_comes_after_all_brings_the_bill_back(counter: Counter):
    owed = counter.bill(10_000)
    key = ask(counter, owed)
    approve(counter, key)

    def come(minor: int) -> int:
        def work(session: Session) -> int:
            came = receipt(counter.world, counter.who, usd(minor), on=LATER)
            return writeoffs.recover(session, key, came, counter.clock.now()).minor

        return counter.db.run_tx(work)

    assert (come(3_000), counter.open(owed)) == (0, 0)
    assert counter.balances(CLEARING, ALLOWANCE, RECEIVABLE) == [3_000, -3_000, 0]
    assert (come(8_000), counter.open(owed)) == (1_000, 0)
    assert counter.balances(BAD_DEBT, ALLOWANCE, UNAPPLIED) == [10_000, -10_000, -1_000]
    with pytest.raises(StaleState):
        come(1)
