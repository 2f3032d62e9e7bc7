"""The jobs table loses nothing, doubles nothing and gives each job to one worker at a time."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.orm import Session

from core.kernel import jobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.jobs import LEASE, Job
from tests.rooms.kernel.job_table import ROUTES, SECOND, Rang, claim, count, enqueue, job

# --- into the queue -------------------------------------------------------------------------------


def test_an_event_is_written_with_the_change_it_tells_of_or_not_at_all(
    db: Database, clock: ManualClock
):
    def change_and_fail(session: Session) -> None:
        jobs.record(session, Rang("front"), clock.now())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.run_tx(change_and_fail)
    assert count(db) == 0
    db.run_tx(lambda s: jobs.record(s, Rang("front"), clock.now()))
    written = job(db)
    assert (written.name, written.payload, written.payload_version) == (
        "Rang",
        {"door": "front"},
        3,
    )
    assert written.handler is None


def test_a_key_lets_an_event_or_a_job_in_once(db: Database, clock: ManualClock):
    assert enqueue(db, clock.now(), key="receipt:7")
    assert not enqueue(db, clock.now(), key="receipt:7")
    for _ in range(2):
        db.run_tx(lambda s: jobs.record(s, Rang("front"), clock.now(), key="rang:1"))
    assert count(db) == 2


def test_without_a_key_each_job_is_another(db: Database, clock: ManualClock):
    assert enqueue(db, clock.now())
    assert enqueue(db, clock.now())
    assert count(db) == 2


def test_a_key_is_taken_even_when_its_job_is_done(db: Database, clock: ManualClock):
    enqueue(db, clock.now(), key="receipt:7")
    (taken,) = claim(db, clock.now())
    db.run_tx(lambda s: jobs.finish(s, taken, clock.now()))
    assert not enqueue(db, clock.now(), key="receipt:7")


# --- out of it ------------------------------------------------------------------------------------


def test_a_claimed_job_says_what_to_run_and_with_what(db: Database, clock: ManualClock):
    enqueue(db, clock.now(), key="k")
    (taken,) = claim(db, clock.now())
    assert (taken.handler, taken.payload, taken.key) == ("mail.send", {"to": "riley"}, "k")
    assert (taken.attempts, taken.owner, taken.created_at) == (1, "w1", clock.now())


def test_a_job_waits_for_its_time(db: Database, clock: ManualClock):
    enqueue(db, clock.now(), run_at=clock.now() + 5 * SECOND)
    assert claim(db, clock.now() + 4 * SECOND) == []
    assert len(claim(db, clock.now() + 5 * SECOND)) == 1


def test_the_most_urgent_comes_first_then_the_earliest_then_the_first_written(
    db: Database, clock: ManualClock
):
    now = clock.now()
    enqueue(db, now, key="late", run_at=now - SECOND)
    enqueue(db, now, key="early", run_at=now - 2 * SECOND)
    enqueue(db, now, key="early too", run_at=now - 2 * SECOND)
    enqueue(db, now, key="urgent", priority=1)
    enqueue(db, now, key="idle", priority=9, run_at=now - 9 * SECOND)
    taken = claim(db, now, limit=9)
    assert [one.key for one in taken] == ["urgent", "early", "early too", "late", "idle"]


def test_a_job_in_hand_is_not_given_to_another(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    assert len(claim(db, clock.now(), "w1")) == 1
    assert claim(db, clock.now(), "w2") == []


def test_a_finished_job_is_never_given_again(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    (taken,) = claim(db, clock.now())
    assert db.run_tx(lambda s: jobs.finish(s, taken, clock.now()))
    assert claim(db, clock.now() + timedelta(days=9)) == []
    assert (job(db).state, job(db).finished_at) == ("done", clock.now())


def test_a_job_is_finished_with_its_effect_or_not_at_all(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    (taken,) = claim(db, clock.now())

    def effect_and_crash(session: Session) -> None:
        assert jobs.finish(session, taken, clock.now())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.run_tx(effect_and_crash)
    assert job(db).state == "running"


@pytest.mark.parametrize("workers, work", [(4, 40)])
def test_workers_never_get_the_same_job(db: Database, clock: ManualClock, workers: int, work: int):
    def fill(session: Session) -> None:
        for number in range(work):
            jobs.enqueue(session, "mail.send", {}, clock.now(), key=f"job {number}")

    db.run_tx(fill)
    start = threading.Barrier(workers)
    taken: list[str] = []

    def drain(owner: str) -> None:
        start.wait(10)
        while mine := claim(db, clock.now(), owner, limit=3):
            taken.extend(one.key for one in mine)

    threads = [threading.Thread(target=drain, args=(f"w{n}",)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == sorted(f"job {number}" for number in range(work))


def test_on_postgresql_a_worker_passes_over_what_another_is_just_taking(
    postgres_db: Database, clock: ManualClock
):
    for key in ("first", "second"):
        enqueue(postgres_db, clock.now(), key=key)
    with postgres_db.transaction() as session:
        (mine,) = jobs.claim(session, "w1", clock.now(), ROUTES)
        with postgres_db.transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '1s'"))
            (theirs,) = jobs.claim(other, "w2", clock.now(), ROUTES)
    assert (mine.key, theirs.key) == ("first", "second")


# --- leases ---------------------------------------------------------------------------------------


def test_the_lease_of_a_crashed_worker_lapses_and_another_takes_over(
    db: Database, clock: ManualClock
):
    enqueue(db, clock.now())
    claim(db, clock.now(), "w1")
    assert claim(db, clock.now() + LEASE, "w2") == []
    (taken,) = claim(db, clock.now() + LEASE + SECOND, "w2")
    assert (taken.owner, taken.attempts) == ("w2", 2)


def test_who_lost_the_lease_can_neither_finish_nor_renew_nor_fail_the_job(
    db: Database, clock: ManualClock
):
    enqueue(db, clock.now())
    (slow,) = claim(db, clock.now(), "w1")
    clock.advance(LEASE + SECOND)
    claim(db, clock.now(), "w2")
    assert not db.run_tx(lambda s: jobs.finish(s, slow, clock.now()))
    assert not db.run_tx(lambda s: jobs.renew(s, slow, clock.now()))
    db.run_tx(lambda s: jobs.fail(s, slow, "too late", clock.now()))
    assert (job(db).state, job(db).lease_owner, job(db).last_error) == ("running", "w2", None)


def test_a_worker_that_takes_its_own_lapsed_job_again_has_a_new_lease(
    db: Database, clock: ManualClock
):
    enqueue(db, clock.now())
    (slow,) = claim(db, clock.now(), "w1")
    clock.advance(LEASE + SECOND)
    (again,) = claim(db, clock.now(), "w1")
    assert not db.run_tx(lambda s: jobs.finish(s, slow, clock.now()))
    assert db.run_tx(lambda s: jobs.finish(s, again, clock.now()))


def test_who_renews_keeps_the_job(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    (taken,) = claim(db, clock.now(), "w1")
    clock.advance(LEASE - SECOND)
    assert db.run_tx(lambda s: jobs.renew(s, taken, clock.now()))
    clock.advance(LEASE - SECOND)
    assert claim(db, clock.now(), "w2") == []
    assert db.run_tx(lambda s: jobs.finish(s, taken, clock.now()))


def test_a_job_that_was_not_begun_is_given_back_as_it_was(db: Database, clock: ManualClock):
    enqueue(db, clock.now())
    (taken,) = claim(db, clock.now(), "w1")
    assert db.run_tx(lambda s: jobs.give_back(s, taken))
    assert not db.run_tx(lambda s: jobs.finish(s, taken, clock.now())), "it is not ours any more"
    (again,) = claim(db, clock.now(), "w2")
    assert (again.id, again.attempts, again.owner) == (taken.id, 1, "w2")


def test_a_look_tells_whether_anything_is_due(db: Database, clock: ManualClock):
    def any_due(now: datetime) -> bool:
        with db.reading() as session:
            return jobs.any_due(session, now)

    assert not any_due(clock.now())
    enqueue(db, clock.now(), run_at=clock.now() + SECOND)
    assert not any_due(clock.now())
    clock.advance(SECOND)
    assert any_due(clock.now())
    (taken,) = claim(db, clock.now())
    assert not any_due(clock.now() + LEASE)
    assert any_due(clock.now() + LEASE + SECOND), "its lease has lapsed"
    db.run_tx(lambda s: jobs.finish(s, taken, clock.now()))
    assert not any_due(clock.now() + timedelta(days=9))


@pytest.mark.parametrize("which", ["claim", "any_due"])
def test_what_is_due_is_found_without_looking_at_what_is_done(
    db: Database, clock: ManualClock, which: str
):
    def fill(session: Session) -> None:
        for number in range(300):
            jobs.enqueue(session, "mail.send", {}, clock.now(), key=f"job {number}")
        session.execute(update(Job).where(Job.id > 3).values(state="done"))

    db.run_tx(fill)
    statements: list[tuple[str, object]] = []

    def listen(connection, cursor, statement, parameters, context, many) -> None:
        if statement.startswith("SELECT"):
            statements.append((statement, parameters))

    engine = db.engine
    event.listen(engine, "before_cursor_execute", listen)
    with db.transaction() as session:
        if which == "claim":
            jobs.claim(session, "w1", clock.now(), ROUTES)
        else:
            jobs.any_due(session, clock.now())
    event.remove(engine, "before_cursor_execute", listen)
    with db.transaction() as session:
        connection = session.connection()
        if not db.is_sqlite:
            connection.exec_driver_sql("ANALYZE job")
        explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
        found = connection.exec_driver_sql(explain + statements[0][0], statements[0][1])  # type: ignore[arg-type]  # as the driver got them
        plan = [str(row[-1]) for row in found]
    assert any("ix_job_" in line for line in plan)
    assert not [line for line in plan if line == "SCAN job" or "Seq Scan" in line]
