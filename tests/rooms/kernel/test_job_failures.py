"""A job that fails comes back, and in the end it waits for a person."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from core.kernel import job_reading, jobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.kernel.jobs import LEASE, MAX_ATTEMPTS, Job
from tests.rooms.kernel.job_table import SECOND, claim, enqueue, job


def test_a_failed_job_comes_back_after_a_while(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    (taken,) = claim(db, clock.now())
    assert not db.run_tx(lambda s: jobs.fail(s, taken, "no mail server", clock.now()))
    assert job(db).last_error == "no mail server"
    assert claim(db, clock.now() + SECOND - timedelta(milliseconds=1)) == []
    (again,) = claim(db, clock.now() + 2 * SECOND)
    assert again.attempts == 2


@pytest.mark.parametrize(
    "failures, shortest, longest",
    [(1, 1, 2), (2, 2, 4), (5, 16, 32), (12, 1800, 3600), (40, 1800, 3600)],
)
def test_the_wait_doubles_with_each_failure_up_to_an_hour(failures, shortest, longest):
    waits = [jobs.backoff(failures).total_seconds() for _ in range(50)]
    assert shortest <= min(waits) < max(waits) <= longest


def test_after_the_last_failure_a_job_is_dead(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    outcomes = []
    for _ in range(MAX_ATTEMPTS):
        clock.advance(timedelta(hours=2))
        (taken,) = claim(db, clock.now())
        outcomes.append(db.run_tx(lambda s: jobs.fail(s, taken, "still no", clock.now())))  # noqa: B023
    assert outcomes == [False] * (MAX_ATTEMPTS - 1) + [True]
    assert (job(db).state, job(db).finished_at) == ("dead", clock.now())
    assert claim(db, clock.now() + timedelta(days=9)) == []


def test_a_job_that_kills_its_worker_each_time_is_dead_in_the_end(db: Database, clock: ManualClock):
    enqueue(db, clock.now(), key="poison")
    enqueue(db, clock.now(), key="other", run_at=clock.now() + timedelta(days=2))
    for _ in range(MAX_ATTEMPTS):
        assert len(claim(db, clock.now())) == 1
        clock.advance(LEASE + SECOND)
    assert claim(db, clock.now()) == []
    with db.reading() as session:
        (dead,) = session.scalars(job_reading.listing(state="dead"))
    assert (dead.key, dead.finished_at) == ("poison", clock.now())
    assert dead.last_error
    (other,) = claim(db, clock.now() + timedelta(days=3))
    assert other.key == "other"


def test_a_person_gives_a_dead_job_a_fresh_start(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    with db.transaction() as session:
        session.execute(
            update(Job).values(state="dead", attempts=MAX_ATTEMPTS, finished_at=clock.now())
        )
    number = job(db).id
    db.run_tx(lambda s: jobs.retry(s, number, clock.now()))
    (taken,) = claim(db, clock.now())
    assert taken.attempts == 1
    assert job(db).finished_at is None


def test_a_job_that_waits_after_a_failure_may_be_hurried(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    (taken,) = claim(db, clock.now())
    db.run_tx(lambda s: jobs.fail(s, taken, "no", clock.now()))
    db.run_tx(lambda s: jobs.retry(s, taken.id, clock.now()))
    assert len(claim(db, clock.now())) == 1


@pytest.mark.parametrize("state", ["running", "done"])
def test_a_job_in_hand_or_done_cannot_be_retried(db: Database, clock: ManualClock, state: str):
    enqueue(db, clock.now())
    with db.transaction() as session:
        session.execute(update(Job).values(state=state))
    with pytest.raises(NotFound):
        db.run_tx(lambda s: jobs.retry(s, job(db).id, clock.now()))
    with pytest.raises(NotFound):
        db.run_tx(lambda s: jobs.retry(s, 999, clock.now()))


def test_a_very_long_error_is_kept_in_part(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    (taken,) = claim(db, clock.now())
    db.run_tx(lambda s: jobs.fail(s, taken, "x" * 50_000, clock.now()))
    assert job(db).last_error == "x" * 4000
