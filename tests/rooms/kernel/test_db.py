"""The two doors: one can't write, the other begins at once, and only what deserves it is tried again."""

import functools
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from core.kernel import db as doors
from core.kernel.blobs import Blob
from core.kernel.counters import RateCounter
from core.kernel.db import Database, changed, insert_new, insert_once, new_row
from core.kernel.jobs import Job, JobSchedule

NOW = datetime(2026, 11, 17, 19, 11, 0, 123456, tzinfo=UTC)


def put(session: Session, name: str, seconds: int = 60) -> None:
    session.add(JobSchedule(name=name, every_seconds=seconds, next_at=NOW))
    session.flush()


def names(db: Database) -> list[str]:
    with db.reading() as session:
        return sorted(session.scalars(select(JobSchedule.name)))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Tries follow each other at once, but give way to other threads."""
    monkeypatch.setattr(random, "uniform", lambda low, high: min(high, 0.02))


# --- the reading door -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO job_schedule VALUES ('x', 1, '2026-11-17')",
        "UPDATE job_schedule SET every_seconds = 1",
        "DELETE FROM job_schedule",
        "CREATE TABLE extra (id INTEGER)",
    ],
)
def test_the_reading_door_cannot_write(db: Database, statement: str):
    with db.transaction() as session:
        put(session, "mail")
    with (
        pytest.raises(DBAPIError, match=r"read-?only"),
        db.reading() as session,
    ):
        session.execute(text(statement))
    with pytest.raises(DBAPIError, match=r"read-?only"), db.snapshot() as session:
        session.execute(text(statement))
    assert names(db) == ["mail"]


def test_the_reading_door_cannot_write_through_the_session_either(db: Database):
    with pytest.raises(DBAPIError, match=r"read-?only"), db.reading() as session:
        put(session, "mail")
    assert names(db) == []


def test_each_statement_of_the_reading_door_sees_the_newest(db: Database):
    with db.reading() as session:
        assert session.scalars(select(JobSchedule.name)).all() == []
        with db.transaction() as other:
            put(other, "mail")
        assert session.scalars(select(JobSchedule.name)).all() == ["mail"]


def test_a_snapshot_sees_one_moment(db: Database):
    with db.transaction() as session:
        put(session, "mail")
    with db.snapshot() as session:
        assert session.scalars(select(JobSchedule.name)).all() == ["mail"]
        with db.transaction() as other:
            put(other, "sweep")
            other.execute(text("DELETE FROM job_schedule WHERE name = 'mail'"))
        assert session.scalars(select(JobSchedule.name)).all() == ["mail"]
    assert names(db) == ["sweep"]


def test_a_snapshot_leaves_what_its_connection_has_prepared(postgres_db: Database):
    """A rollback would have the driver forget it, and plan each question of the next page anew."""
    prepared = text("SELECT count(*) FROM pg_prepared_statements")
    for _ in range(8):
        with postgres_db.snapshot() as session:
            session.scalars(select(JobSchedule.name)).all()
    with postgres_db.reading() as session:
        assert session.scalar(prepared)


def test_a_snapshot_that_fails_gives_its_connection_back_clean(db: Database):
    with pytest.raises(DBAPIError), db.snapshot() as session:
        session.execute(text("SELECT nonsense FROM job_schedule"))
    with db.transaction() as other:
        put(other, "mail")
    with db.reading() as session:
        assert session.scalars(select(JobSchedule.name)).all() == ["mail"]
    with db.snapshot() as session:
        assert session.scalars(select(JobSchedule.name)).all() == ["mail"]


# --- the writing door -----------------------------------------------------------------------------


def test_a_transaction_commits_at_its_end(db: Database):
    with db.transaction() as session:
        put(session, "mail")
        assert names(db) == []
    assert names(db) == ["mail"]


def test_a_transaction_that_fails_leaves_nothing(db: Database):
    def fail() -> None:
        with db.transaction() as session:
            put(session, "mail")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(db) == []


def test_on_sqlite_a_transaction_is_the_only_writer_from_its_first_statement(
    sqlite_db: Database, tmp_path: Path
):
    other = sqlite3.connect(tmp_path / "shop.db", timeout=0, isolation_level=None)
    with sqlite_db.transaction() as session:
        session.scalars(select(JobSchedule.name)).all()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()


def test_on_sqlite_what_is_committed_is_on_the_disk_and_foreign_keys_hold(sqlite_db: Database):
    database = Database(sqlite_db.url)  # as a shop opens it; tests need not wait for the disk
    with database.transaction() as session:
        asked = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
    }
    database.close()


def test_on_sqlite_writers_wait_for_the_one_before_them(sqlite_db: Database):
    others = [Database(sqlite_db.url), Database(sqlite_db.url)]
    begun = threading.Barrier(3)

    def write(other: Database, name: str) -> None:
        begun.wait()
        with other.transaction() as session:
            put(session, name)

    with ThreadPoolExecutor(2) as pool:
        with sqlite_db.transaction() as session:
            put(session, "first")
            waiting = [pool.submit(write, *each) for each in zip(others, "ab", strict=True)]
            begun.wait()
            assert names(sqlite_db) == []
        for each in waiting:
            each.result()
    assert sorted(names(sqlite_db)) == ["a", "b", "first"]
    for other in others:
        other.close()


def test_on_sqlite_a_writer_does_not_wait_for_ever(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(doors, "_PATIENCE", 0.01)
    other = Database(sqlite_db.url)
    with sqlite_db.transaction() as session:
        put(session, "mail")
        with (
            pytest.raises(OperationalError, match="locked"),
            other.transaction() as another,
        ):
            put(another, "other mail")
    other.close()


# --- run_tx: what is tried again ------------------------------------------------------------------


def failing_first(times: int, error: Exception):
    """Work that fails so often, and the list of its tries."""
    tries: list[int] = []

    def work(session: Session) -> str:
        tries.append(len(tries) + 1)
        put(session, "mail")
        if len(tries) <= times:
            raise error
        return "done"

    return work, tries


def test_a_locked_database_is_tried_again(db: Database):
    work, tries = failing_first(
        2, OperationalError("", {}, sqlite3.OperationalError("database is locked"))
    )
    assert db.run_tx(work) == "done"
    assert tries == [1, 2, 3]
    assert names(db) == ["mail"], "the first two tries left nothing"


def test_after_six_tries_it_gives_up(db: Database):
    work, tries = failing_first(
        99, OperationalError("", {}, sqlite3.OperationalError("database is locked"))
    )
    with pytest.raises(OperationalError):
        db.run_tx(work)
    assert len(tries) == doors.ATTEMPTS == 6
    assert names(db) == []


def test_a_broken_rule_is_not_tried_again(db: Database):
    with db.transaction() as session:
        put(session, "mail")
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        put(session, "mail")

    with pytest.raises(IntegrityError):
        db.run_tx(work)
    assert tries == [1]


def test_a_mistake_of_ours_is_not_tried_again(db: Database):
    work, tries = failing_first(9, ValueError("a mistake"))
    with pytest.raises(ValueError, match="a mistake"):
        db.run_tx(work)
    assert tries == [1]


def test_on_postgresql_a_serialization_failure_is_tried_again(postgres_db: Database):
    with postgres_db.transaction() as session:
        put(session, "mail", 1)
    tries: list[int] = []

    def work(session: Session) -> None:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        seen = session.scalar(select(JobSchedule.every_seconds))
        assert seen is not None
        if not tries:
            with postgres_db.transaction() as other:
                other.execute(update(JobSchedule).values(every_seconds=10))
        tries.append(seen)
        session.execute(update(JobSchedule).values(every_seconds=seen + 1))

    postgres_db.run_tx(work)
    assert tries == [1, 10]
    with postgres_db.reading() as session:
        assert session.scalar(select(JobSchedule.every_seconds)) == 11


def test_on_postgresql_plans_made_for_a_small_table_are_forgotten(postgres_db: Database):
    def plan(session: Session) -> str:
        found = session.execute(text("EXPLAIN EXECUTE one ('job-9999')")).scalars().all()
        return "\n".join(found)

    with postgres_db.transaction() as session:
        session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        session.execute(text("ANALYZE job_schedule"))
        session.execute(text("PREPARE one (text) AS SELECT 1 FROM job_schedule WHERE name = $1"))
        put(session, "job-1")
        session.execute(text("SET LOCAL enable_indexscan = on"))
        before = plan(session)
        session.execute(
            text(
                "INSERT INTO job_schedule SELECT 'job-' || n, 60, now() "
                "FROM generate_series(2, 20000) n"
            )
        )
        assert plan(session) == before, "a kept plan does not grow with its table"
        doors.forget_plans(session)
        since = plan(session)
        session.execute(text("DEALLOCATE one"))
    assert "Seq Scan" in before
    assert "Index" in since


def test_plans_are_no_matter_on_sqlite(sqlite_db: Database):
    with sqlite_db.transaction() as session:
        doors.forget_plans(session)
        put(session, "mail")
    assert names(sqlite_db) == ["mail"]


def test_on_postgresql_a_deadlock_is_tried_again(postgres_db: Database):
    with postgres_db.transaction() as session:
        put(session, "mail", 0)
        put(session, "sweep", 0)
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def raise_both(first: str, second: str) -> None:
        def work(session: Session) -> None:
            tries.append(first)
            for place, name in enumerate((first, second)):
                session.execute(
                    update(JobSchedule)
                    .where(JobSchedule.name == name)
                    .values(every_seconds=JobSchedule.every_seconds + 1)
                )
                if place == 0 and len(tries) <= 2:
                    both_hold_one.wait(10)

        postgres_db.run_tx(work)

    threads = [
        threading.Thread(target=raise_both, args=order)
        for order in (("mail", "sweep"), ("sweep", "mail"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(tries) == 3, "one of the two was the victim and came again"
    with postgres_db.reading() as session:
        assert session.scalars(select(JobSchedule.every_seconds)).all() == [2, 2]


def test_on_postgresql_a_lost_connection_is_tried_again(postgres_db: Database):
    tries: list[int] = []

    def work(session: Session) -> None:
        put(session, "mail")
        tries.append(1)
        if len(tries) == 1:
            mine = session.execute(text("SELECT pg_backend_pid()")).scalar()
            with postgres_db.transaction() as other:
                other.execute(text(f"SELECT pg_terminate_backend({mine})"))
            session.execute(text("SELECT 1"))

    postgres_db.run_tx(work)
    assert len(tries) == 2
    assert names(postgres_db) == ["mail"]


# --- insert_once and changed ----------------------------------------------------------------------


def test_a_row_goes_in_once(db: Database):
    with db.transaction() as session:
        assert insert_once(session, JobSchedule, name="mail", every_seconds=60, next_at=NOW)
        assert not insert_once(session, JobSchedule, name="mail", every_seconds=5, next_at=NOW)
    with db.reading() as session:
        assert session.get_one(JobSchedule, "mail").every_seconds == 60


def test_of_two_that_insert_the_same_at_once_one_succeeds(db: Database):
    start = threading.Barrier(2)
    outcomes: list[bool] = []

    def insert() -> None:
        start.wait(10)
        outcomes.append(
            db.run_tx(
                lambda s: insert_once(s, JobSchedule, name="mail", every_seconds=1, next_at=NOW)
            )
        )

    threads = [threading.Thread(target=insert) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == [False, True]


def test_only_a_taken_key_is_passed_over_and_no_other_broken_rule(db: Database):
    with pytest.raises(IntegrityError), db.transaction() as session:
        insert_once(session, JobSchedule, name="mail", every_seconds=None, next_at=NOW)


def test_how_many_rows_an_update_met(db: Database):
    with db.transaction() as session:
        put(session, "mail")
        put(session, "sweep")
        assert changed(session.execute(update(JobSchedule).values(every_seconds=7))) == 2
        missing = update(JobSchedule).where(JobSchedule.name == "none")
        assert changed(session.execute(missing.values(every_seconds=8))) == 0


# --- times ----------------------------------------------------------------------------------------


def test_a_time_comes_back_aware_in_utc_to_the_microsecond(db: Database):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-5)))
    with db.transaction() as session:
        session.add(Blob(sha256="0" * 64, size=1, media_type="text/plain", stored_at=elsewhere))
    with db.reading() as session:
        stored = session.get_one(Blob, "0" * 64).stored_at
    assert stored == NOW
    assert stored.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused(db: Database):
    with pytest.raises(StatementError, match="a time without a zone"), db.transaction() as session:
        session.add(RateCounter(key="login", count=1, ends_at=NOW.replace(tzinfo=None)))


def test_a_time_without_a_zone_is_refused_in_a_question_too(db: Database):
    with pytest.raises(StatementError, match="a time without a zone"), db.reading() as session:
        session.scalars(select(RateCounter).where(RateCounter.ends_at < NOW.replace(tzinfo=None)))


def test_times_are_ordered_across_zones(db: Database):
    tokyo = datetime(2026, 11, 18, 1, 0, tzinfo=timezone(timedelta(hours=9)))  # 16:00 in UTC
    with db.transaction() as session:
        session.add(RateCounter(key="early", count=1, ends_at=tokyo))
        session.add(RateCounter(key="late", count=1, ends_at=NOW))
    with db.reading() as session:
        query = select(RateCounter.key).order_by(RateCounter.ends_at)
        assert session.scalars(query).all() == ["early", "late"]
        assert session.scalars(query.where(RateCounter.ends_at > tokyo)).all() == ["late"]


# --- errors ---------------------------------------------------------------------------------------


def test_the_text_of_an_error_does_not_tell_what_somebody_entered(db: Database):
    with pytest.raises(DBAPIError) as told, db.transaction() as session:
        session.execute(
            text("INSERT INTO job_schedule VALUES (:name, NULL, :name)"), {"name": "Riley Moreno"}
        )
    assert "Riley" not in str(told.value).partition("DETAIL:")[0]


# --- inserting at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("made_by", [Job, functools.partial(new_row, Job)], ids=["new", "quick"])
def test_an_object_that_is_inserted_at_once_is_the_sessions_own(db: Database, made_by):
    with db.transaction() as session:
        job = made_by(key="one", name="tidy", payload={"day": 1}, run_at=NOW, created_at=NOW, id=7)
        job.name = "sweep"
        insert_new(session, job)
        assert session.scalars(select(Job.key)).all() == ["one"]
        assert (job.handler, job.last_error) == (None, None)  # left out: nothing
        assert job.attempts == 0  # left out, and has a default
        job.payload = {"day": 2}
    with db.reading() as session:
        found = session.get_one(Job, 7)
        assert (found.name, found.payload) == ("sweep", {"day": 2})


def test_a_new_row_has_no_column_that_its_table_has_not():
    with pytest.raises(TypeError, match="Job has no keys"):
        new_row(Job, keys="one")
