"""Rows of several tables go in together, in their order, and what is refused is told as ever."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.kernel.db import Database, insert_all
from core.kernel.jobs import Job, JobSchedule

NOW = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)


def schedule(name: str, seconds: int | None = 60) -> dict[str, object]:
    return {"name": name, "every_seconds": seconds, "next_at": NOW}


def job(key: str) -> dict[str, object]:
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
def test_what_is_refused_is_told_and_nothing_of_it_stays(db: Database, wrong: dict[str, object]):
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
