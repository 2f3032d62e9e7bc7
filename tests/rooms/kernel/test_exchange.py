"""Rows of several tables go in together, in their order, and what is refused is told as ever."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.kernel import exchange
from core.kernel.db import (
    Database,
    changed,
    insert_all,
    insert_answered,
    insert_once,
    insert_rows,
)
from core.kernel.jobs import Job, JobSchedule

NOW = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)


def schedule(name: str, seconds: int | None = 60) -> dict[str, Any]:
    return {"name": name, "every_seconds": seconds, "next_at": NOW}


def job(key: str) -> dict[str, Any]:
    return {"key": key, "name": "tidy", "payload": {}, "run_at": NOW, "created_at": NOW}


def names(session: Session) -> list[str]:
    return sorted(session.scalars(select(JobSchedule.name)))


def test_rows_of_several_tables_go_in_and_are_seen_at_once(db: Database):
    with db.transaction() as session:
        insert_all(session, (JobSchedule, [schedule("mail"), schedule("bill")]), (Job, [job("a")]))
        assert names(session) == ["bill", "mail"]
        assert session.scalars(select(Job.key)).all() == ["a"]


def test_a_table_without_rows_is_passed_over(db: Database):
    with db.transaction() as session:
        insert_all(session, (Job, []), (JobSchedule, [schedule("mail")]))
        assert names(session) == ["mail"]


@pytest.mark.parametrize("wrong", [schedule("mail"), schedule("bill", None)])
def test_what_is_refused_is_told_and_nothing_of_it_stays(db: Database, wrong: dict[str, Any]):
    with db.transaction() as session:
        insert_all(session, (JobSchedule, [schedule("mail")]))
        with pytest.raises(IntegrityError), session.begin_nested():
            insert_all(session, (Job, [job("a")]), (JobSchedule, [wrong]), (Job, [job("b")]))
        assert session.scalars(select(Job.key)).all() == []
        assert names(session) == ["mail"]
        insert_all(session, (Job, [job("c")]))
    with db.reading() as session:
        assert session.scalars(select(Job.key)).all() == ["c"]


def test_the_error_does_not_tell_what_somebody_entered(db: Database):
    rows = [schedule("Riley Moreno", None)]
    with pytest.raises(IntegrityError) as told, db.transaction() as session:
        insert_all(session, (JobSchedule, rows), (Job, [job("a")]))
    assert "Riley" not in str(told.value).partition("DETAIL:")[0]


def test_on_postgresql_a_connection_that_is_lost_meanwhile_is_tried_again(postgres_db: Database):
    tries: list[int] = []

    def work(session: Session) -> None:
        tries.append(1)
        if len(tries) == 1:
            mine = session.execute(text("SELECT pg_backend_pid()")).scalar()
            with postgres_db.transaction() as other:
                other.execute(text(f"SELECT pg_terminate_backend({mine})"))
        insert_all(session, (JobSchedule, [schedule("mail")]), (Job, [job("a")]))

    postgres_db.run_tx(work)
    assert len(tries) == 2
    with postgres_db.reading() as session:
        assert names(session) == ["mail"]


# --- an exchange ----------------------------------------------------------------------------------


def test_in_an_exchange_every_question_has_its_answer(db: Database):
    with db.transaction() as session, exchange.opened(session), exchange.opened(session):
        insert_rows(session, JobSchedule, [schedule("mail"), schedule("bill")])
        assert names(session) == ["bill", "mail"]
        assert not insert_once(session, JobSchedule, **schedule("mail"))
        assert insert_once(session, JobSchedule, **schedule("post"))
        assert changed(session.execute(update(JobSchedule).values(every_seconds=5))) == 3
        for one in session.scalars(select(JobSchedule)):
            one.every_seconds = 7
        session.flush()
        insert_rows(session, Job, [job("a")])
    with db.reading() as session:
        assert session.scalars(select(JobSchedule.every_seconds)).all() == [7, 7, 7]
        assert session.scalars(select(Job.key)).all() == ["a"]


def test_what_an_exchange_is_refused_is_told_at_its_end_at_the_latest(db: Database):
    def work(session: Session) -> None:
        with session.begin_nested(), exchange.opened(session):
            insert_rows(session, JobSchedule, [schedule("mail", None)])
            insert_rows(session, Job, [job("a")])

    with db.transaction() as session:
        with pytest.raises(IntegrityError):
            work(session)
        assert names(session) == []
        insert_rows(session, Job, [job("b")])
    with db.reading() as session:
        assert session.scalars(select(Job.key)).all() == ["b"]


def test_who_asks_for_the_answer_has_it_at_once(db: Database):
    told: list[str] = []

    def work(session: Session) -> None:
        with session.begin_nested(), exchange.opened(session):
            insert_rows(session, Job, [job("a")])
            try:
                insert_answered(session, JobSchedule, [schedule("mail", None)])
            except IntegrityError:
                told.append("here")
                raise

    with db.transaction() as session:
        with pytest.raises(IntegrityError):
            work(session)
        assert session.scalars(select(Job.key)).all() == []
    assert told == ["here"]


def test_a_mistake_in_an_exchange_leaves_nothing_and_the_connection_is_good(db: Database):
    def work(session: Session) -> None:
        with exchange.opened(session):
            insert_rows(session, JobSchedule, [schedule("mail")])
            raise LookupError

    with pytest.raises(LookupError):
        db.run_tx(work)
    with db.transaction() as session:
        assert names(session) == []
        insert_rows(session, JobSchedule, [schedule("bill")])
        assert names(session) == ["bill"]
