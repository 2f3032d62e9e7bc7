"""The jobs table loses nothing, doubles nothing and gives each job to one worker at a time."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.orm import Session

from core.kernel import jobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.kernel.jobs import LEASE, MAX_ATTEMPTS, Claimed, Job


@dataclass(frozen=True)
class Rang:
    """Somebody rang the bell."""

    NAME: ClassVar[str] = "Rang"
    VERSION: ClassVar[int] = 3
    door: str


ROUTES = {"Rang": ("house.open", "dog.bark", "log.note")}
SECOND = timedelta(seconds=1)


def claim(db: Database, now: datetime, owner: str = "w1", limit: int = 1) -> list[Claimed]:
    return db.run_tx(lambda s: jobs.claim(s, owner, now, ROUTES, limit=limit))


def enqueue(db: Database, now: datetime, handler: str = "mail.send", **more) -> bool:
    return db.run_tx(lambda s: jobs.enqueue(s, handler, {"to": "riley"}, now, **more))


def job(db: Database) -> Job:
    with db.reading() as session:
        return session.scalars(select(Job)).one()


def count(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count(Job.id))) or 0


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


# --- failures -------------------------------------------------------------------------------------


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
        (dead,) = session.scalars(jobs.listing(state="dead"))
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


def test_a_schedule_ticks_once_in_its_time(db: Database, clock: ManualClock):
    schedules = {"holds.expire": 60}
    assert tick(db, clock.now(), schedules) == 1
    assert tick(db, clock.now(), schedules) == 0
    assert tick(db, clock.now() + 59 * SECOND, schedules) == 0
    assert tick(db, clock.now() + 60 * SECOND, schedules) == 1
    assert count(db) == 2


def test_after_a_long_night_a_schedule_ticks_once_and_does_not_catch_up(
    db: Database, clock: ManualClock
):
    tick(db, clock.now(), {"holds.expire": 60})
    clock.advance(timedelta(hours=8))
    assert tick(db, clock.now(), {"holds.expire": 60}) == 1
    assert tick(db, clock.now(), {"holds.expire": 60}) == 0


def test_a_schedule_that_is_no_longer_kept_is_forgotten(db: Database, clock: ManualClock):
    tick(db, clock.now(), {"holds.expire": 60, "old.habit": 60})
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
        minutes = [clock.now() + step * 60 * SECOND for step in range(5)]
        mine = [tick(db, minute, {"holds.expire": 60}) for minute in minutes]
        ticks.extend(mine)

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
        assert [one.key for one in session.scalars(jobs.listing())] == ["c", "b", "a"]
        assert [one.key for one in session.scalars(jobs.listing(state="dead"))] == ["b"]


def test_jobs_are_found_by_the_beginning_of_their_name_or_key(db: Database, clock: ManualClock):
    enqueue(db, clock.now(), "mail.send", key="receipt:7")
    enqueue(db, clock.now(), "holds.expire", key="tick:1")
    with db.reading() as session:

        def keys(words: str) -> list[str]:
            return [one.key for one in session.scalars(jobs.listing(words=words))]

        assert keys("Mail.") == keys("receipt") == ["receipt:7"]
        assert keys("holds") == ["tick:1"]
        assert keys("%") == keys("_") == []
        assert keys("") == ["tick:1", "receipt:7"]


def test_jobs_are_counted_by_state(db: Database, clock: ManualClock):
    for _ in range(3):
        enqueue(db, clock.now())
    claim(db, clock.now())
    with db.reading() as session:
        assert jobs.counts(session) == {"ready": 2, "running": 1}


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
