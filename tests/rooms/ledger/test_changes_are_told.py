"""Each posting that changes what is open tells of each account once; history tells nothing."""

from datetime import timedelta

from sqlalchemy import select

from core.kernel import job_reading, jobs
from core.kernel.ids import new_id
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import business, clearing, contested, history, unidentified
from core.ledger.history import Past
from core.ledger.unidentified import Found
from tests.rooms.ledger.books import DAY, document
from tests.rooms.ledger.counter import Counter


def told(counter: Counter) -> list[str]:
    """Who was told of since the last look."""
    with counter.db.transaction() as session:
        rows = session.scalars(
            select(Job).where(Job.name == "OpenItemsChanged", Job.state == "ready").order_by(Job.id)
        ).all()
        for row in rows:
            row.state = "done"
        return [row.payload["account_id"] for row in rows]


def test_each_posting_tells_each_account_once(counter: Counter):
    me, casey = str(counter.who), counter.somebody()
    owed, hers = counter.bill(5_000), counter.bill(1_000, who=casey)
    assert told(counter) == [me, str(casey)]
    counter.pay(7_000, owed)
    assert told(counter) == [me]
    held = counter.deposit(4_000)
    counter.db.run_tx(
        lambda s: business.use_credit(s, held, hers, hers.open, DAY, counter.clock.now())
    )
    assert told(counter) == [me, me, str(casey)]
    counter.db.run_tx(
        lambda s: contested.contest(
            s, owed, Money(100, "USD"), ("note", new_id()), DAY, counter.clock.now()
        )
    )
    assert told(counter) == [me]


def test_what_is_nobodys_or_long_past_tells_nothing(counter: Counter):
    entity, now = counter.world.legal_entity_id, counter.clock.now()
    past = [
        Past("invoice", document(counter.world, counter.who, Money(500, "USD")), DAY),
        Past("credit_memo", document(counter.world, counter.who, Money(100, "USD"))),
    ]
    with counter.db.transaction() as session:
        history.bring_in(session, past, now)
        unidentified.receive(session, Found(new_id(), entity, "?", Money(9, "USD"), DAY), now)
        clearing.take_fee(session, entity, new_id(), Money(3, "USD"), DAY, now)
    assert len(counter.days()) == 5
    assert told(counter) == []


def test_an_event_that_nobody_hears_is_over_when_it_is_looked_at(counter: Counter):
    for _ in range(3):
        counter.bill()
    later = counter.clock.now() + timedelta(seconds=1)
    with counter.db.transaction() as session:
        jobs.enqueue(session, "tidy", {}, counter.clock.now(), priority=9)
        taken = jobs.claim(session, "worker", later, {"OrderPlaced": ("issue",)})
    assert [job.handler for job in taken] == ["tidy"]
    with counter.db.reading() as session:
        assert job_reading.counts(session) == {"done": 3, "running": 1}
