"""Each handler of an event gets it once, each schedule ticks once, and what is done goes in time."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.kernel import job_reading, jobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.jobs import Claimed, Job
from tests.rooms.kernel.job_table import ROUTES, SECOND, Rang, claim, count, enqueue

# --- events with several handlers -----------------------------------------------------------------


def test_each_handler_of_an_event_gets_it_exactly_once(db: Database, clock: ManualClock):
    db.run_tx(lambda s: jobs.record(s, Rang("front"), clock.now(), key="rang:1", priority=2))
    taken: list[Claimed] = []
    while mine := claim(db, clock.now()):
        taken += mine
        for one in mine:
            db.run_tx(lambda s: jobs.finish(s, one, clock.now()))  # noqa: B023
    assert sorted(one.handler for one in taken) == sorted(ROUTES["Rang"])
    assert {(one.name, one.payload_version) for one in taken} == {("Rang", 3)}
    assert all(one.payload == {"door": "front"} for one in taken)
    assert len({one.key for one in taken}) == 3


def test_a_worker_that_dies_while_it_fans_out_loses_and_doubles_nothing(
    db: Database, clock: ManualClock
):
    db.run_tx(lambda s: jobs.record(s, Rang("front"), clock.now(), key="rang:1"))

    def claim_and_die(session: Session) -> None:
        assert jobs.claim(session, "w1", clock.now(), ROUTES)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.run_tx(claim_and_die)
    assert count(db) == 1
    handlers = [one.handler for one in claim(db, clock.now(), limit=9)]
    handlers += [one.handler for one in claim(db, clock.now(), limit=9)]
    assert sorted(handlers) == sorted(ROUTES["Rang"])


def test_one_handler_failing_does_not_repeat_the_others(db: Database, clock: ManualClock):
    db.run_tx(lambda s: jobs.record(s, Rang("front"), clock.now()))
    (first,) = claim(db, clock.now())
    others = claim(db, clock.now(), limit=9)
    for other in others:
        db.run_tx(lambda s: jobs.finish(s, other, clock.now()))  # noqa: B023
    db.run_tx(lambda s: jobs.fail(s, first, "no", clock.now()))
    (again,) = claim(db, clock.now() + timedelta(hours=1), limit=9)
    assert again.handler == first.handler
    assert count(db) == 3


def test_an_event_that_nobody_listens_to_is_done_and_keeps_nobody_waiting(
    db: Database, clock: ManualClock
):
    def fill(session: Session) -> None:
        for number in range(3):
            jobs.enqueue(session, "Unheard", {}, clock.now(), key=f"unheard {number}")
        session.execute(update(Job).values(handler=None))
        jobs.enqueue(session, "mail.send", {}, clock.now(), key="mail")

    db.run_tx(fill)
    (taken,) = claim(db, clock.now())
    assert taken.key == "mail"
    with db.reading() as session:
        unheard = select(func.count(Job.id)).where(Job.state == "done")
        assert session.scalar(unheard) == 3
    assert claim(db, clock.now()) == []


# --- schedules ------------------------------------------------------------------------------------


def tick(db: Database, now: datetime, schedules: dict[str, int]) -> int:
    return db.run_tx(lambda s: jobs.tick(s, schedules, now))


def end_the_round(db: Database, state: str = "done") -> None:
    db.run_tx(lambda s: s.execute(update(Job).values(state=state)))


def test_a_schedule_ticks_once_in_its_time(db: Database, clock: ManualClock):
    schedules = {"holds.expire": 60}
    assert tick(db, clock.now(), schedules) == 1
    assert tick(db, clock.now(), schedules) == 0
    end_the_round(db)
    assert tick(db, clock.now() + 59 * SECOND, schedules) == 0
    assert tick(db, clock.now() + 60 * SECOND, schedules) == 1
    assert count(db) == 2


def test_rounds_that_are_slow_or_fail_never_pile_up(db: Database, clock: ManualClock):
    """Neither while one runs, nor while one that failed waits for its next try."""
    schedules = {"reconcile": 120, "holds.expire": 60}
    tick(db, clock.now(), schedules)
    slow, failed = claim(db, clock.now(), limit=9)
    db.run_tx(lambda s: jobs.fail(s, failed, "no answer", clock.now()))
    for minutes in range(3, 60, 3):
        assert tick(db, clock.now() + timedelta(minutes=minutes), schedules) == 0
    assert count(db) == 2
    db.run_tx(lambda s: jobs.finish(s, slow, clock.now()))
    assert tick(db, clock.now() + timedelta(hours=1), schedules) == 1
    end_the_round(db, "dead")
    assert tick(db, clock.now() + timedelta(hours=2), schedules) == 2


def test_after_a_long_night_a_schedule_ticks_once_and_does_not_catch_up(
    db: Database, clock: ManualClock
):
    tick(db, clock.now(), {"holds.expire": 60})
    end_the_round(db)
    clock.advance(timedelta(hours=8))
    assert tick(db, clock.now(), {"holds.expire": 60}) == 1
    assert tick(db, clock.now(), {"holds.expire": 60}) == 0


def test_a_schedule_that_is_no_longer_kept_is_forgotten(db: Database, clock: ManualClock):
    tick(db, clock.now(), {"holds.expire": 60, "old.habit": 60})
    end_the_round(db)
    clock.advance(timedelta(hours=1))
    assert tick(db, clock.now(), {"holds.expire": 60}) == 1
    with db.reading() as session:
        kept = session.scalars(select(jobs.JobSchedule.name)).all()
    assert kept == ["holds.expire"]


def test_of_several_workers_one_lets_a_schedule_tick(db: Database, clock: ManualClock):
    start = threading.Barrier(4)
    ticks: list[int] = []

    def work() -> None:
        start.wait(10)
        for minute in (clock.now() + step * 60 * SECOND for step in range(5)):
            ticks.append(tick(db, minute, {"holds.expire": 60}))
            end_the_round(db)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ticks) == 20
    assert sum(ticks) == count(db) <= 5
    assert tick(db, clock.now() + 300 * SECOND, {"holds.expire": 60}) == 1


# --- keeping order --------------------------------------------------------------------------------


def test_jobs_are_listed_newest_first_and_the_dead_apart(db: Database, clock: ManualClock):
    for key in ("a", "b", "c"):
        enqueue(db, clock.now(), key=key)
    with db.transaction() as session:
        session.execute(update(Job).where(Job.key == "b").values(state="dead"))
    with db.reading() as session:
        assert [one.key for one in session.scalars(job_reading.listing())] == ["c", "b", "a"]
        assert [one.key for one in session.scalars(job_reading.listing(state="dead"))] == ["b"]


def test_jobs_are_found_by_the_beginning_of_their_name_or_key(db: Database, clock: ManualClock):
    enqueue(db, clock.now(), "mail.send", key="receipt:7")
    enqueue(db, clock.now(), "holds.expire", key="tick:1")
    with db.reading() as session:

        def keys(words: str) -> list[str]:
            return [one.key for one in session.scalars(job_reading.listing(words=words))]

        assert keys("Mail.") == keys("receipt") == ["receipt:7"]
        assert keys("holds") == ["tick:1"]
        assert keys("%") == keys("_") == []
        assert keys("") == ["tick:1", "receipt:7"]


def test_jobs_are_counted_by_state(db: Database, clock: ManualClock):
    for _ in range(3):
        enqueue(db, clock.now())
    claim(db, clock.now())
    with db.reading() as session:
        assert job_reading.counts(session) == {"ready": 2, "running": 1}


def test_done_jobs_are_forgotten_in_time_and_dead_ones_never(db: Database, clock: ManualClock):
    now = clock.now()
    for key, state, finished in (
        ("old", "done", now - timedelta(days=31)),
        ("new", "done", now - timedelta(days=29)),
        ("dead", "dead", now - timedelta(days=99)),
        ("ready", "ready", None),
    ):
        enqueue(db, now, key=key)
        with db.transaction() as session:
            session.execute(
                update(Job).where(Job.key == key).values(state=state, finished_at=finished)
            )
    assert db.run_tx(lambda s: jobs.forget_done(s, now - timedelta(days=30))) == 1
    with db.reading() as session:
        assert sorted(session.scalars(select(Job.key))) == ["dead", "new", "ready"]
