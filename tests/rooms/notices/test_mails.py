"""Queueing: one row per key, with the job that sends it."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.jobs import Job
from core.notices import mails
from core.notices.mails import NewMail
from core.notices.models import Notice
from core.notices.rendering import Rendered, render
from core.notices.samples import everyday as letters


def mail(key: str = "order-placed:1", words: Rendered | None = None) -> NewMail:
    words = words or render(letters.ORDER)
    return NewMail(key, "order", "riley.moreno@example.com", words, "shop.example.com")


def test_a_key_is_queued_once_however_often_it_is_asked_for(db: Database, clock: ManualClock):
    with db.transaction() as session:
        first = mails.queue(session, mail(), clock.now())
    with db.transaction() as session:
        again = mails.queue(session, mail(words=render(letters.ORDER_ON_TERMS)), clock.now())
        other = mails.queue(session, mail("order-placed:2"), clock.now())
    assert first is not None
    assert other is not None
    assert again is None
    with db.reading() as session:
        kept = {notice.id: notice for notice in session.scalars(select(Notice))}
        jobs = [(job.name, job.payload) for job in session.scalars(select(Job).order_by(Job.id))]
    assert set(kept) == {first, other}
    assert kept[first].subject == render(letters.ORDER).subject
    assert jobs == [
        ("NoticeQueued", {"notice_id": str(first)}),
        ("NoticeQueued", {"notice_id": str(other)}),
    ]


def test_the_message_id_follows_from_the_key_and_does_not_give_it_away(
    db: Database, clock: ManualClock
):
    with db.transaction() as session:
        mails.queue(session, mail("link:secret"), clock.now())
    with db.reading() as session:
        kept = session.scalars(select(Notice)).one().message_id
    assert kept == mails.message_id("link:secret", "shop.example.com")
    assert kept != mails.message_id("link:other", "shop.example.com")
    assert kept.endswith("@shop.example.com>")
    assert "secret" not in kept


def test_a_mail_goes_with_the_change_that_it_tells_of(db: Database, clock: ManualClock):
    def change(session: Session) -> None:
        mails.queue(session, mail(), clock.now())
        raise RuntimeError("the change is taken back")

    with pytest.raises(RuntimeError):
        db.run_tx(change)
    with db.reading() as session:
        assert session.scalars(select(Notice)).all() == []
        assert session.scalars(select(Job)).all() == []
