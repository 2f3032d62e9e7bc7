"""One request under one key: one effect, and the same answer again."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel import idempotency
from core.kernel.clock import ManualClock
from core.kernel.db import Database, insert_once
from core.kernel.idempotency import (
    KEPT,
    LEASE,
    IdempotencyKey,
    KeyInFlight,
    KeyReused,
    Replay,
)

SECOND = timedelta(seconds=1)


def begin(db: Database, clock: ManualClock, request: str = "hash", scope: str = "cart:1"):
    return db.run_tx(lambda s: idempotency.begin(s, scope, "key", request, clock.now()))


def finish(db: Database, status: int = 201, **body) -> None:
    db.run_tx(lambda s: idempotency.finish(s, "cart:1", "key", status, body))


def test_the_first_request_goes_ahead_and_a_repeat_gets_the_same_answer(
    db: Database, clock: ManualClock
):
    assert begin(db, clock) is None
    finish(db, order="F-1")
    assert begin(db, clock) == Replay(201, {"order": "F-1"})
    clock.advance(timedelta(days=6))
    assert begin(db, clock) == Replay(201, {"order": "F-1"})


def test_a_repeat_while_the_first_is_under_way_is_told_so(db: Database, clock: ManualClock):
    begin(db, clock)
    with pytest.raises(KeyInFlight) as told:
        begin(db, clock)
    assert (told.value.code, told.value.facts()) == (
        "idempotency_key_in_flight",
        {"key": "key"},
    )


@pytest.mark.parametrize("finished", [True, False])
def test_another_request_under_the_same_key_is_refused(
    db: Database, clock: ManualClock, finished: bool
):
    begin(db, clock)
    if finished:
        finish(db)
    with pytest.raises(KeyReused) as told:
        begin(db, clock, request="another")
    assert told.value.code == "idempotency_key_reused"


def test_the_same_key_in_another_scope_is_another_request(db: Database, clock: ManualClock):
    begin(db, clock)
    assert begin(db, clock, request="another", scope="cart:2") is None


def test_a_claim_that_a_crash_left_may_be_taken_again_after_its_lease(
    db: Database, clock: ManualClock
):
    begin(db, clock)
    clock.advance(LEASE - SECOND)
    with pytest.raises(KeyInFlight):
        begin(db, clock)
    clock.advance(SECOND)
    assert begin(db, clock) is None
    with pytest.raises(KeyInFlight):
        begin(db, clock)


def test_a_claim_that_was_rolled_back_never_was(db: Database, clock: ManualClock):
    def claim_and_fail(session: Session) -> None:
        idempotency.begin(session, "cart:1", "key", "hash", clock.now())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.run_tx(claim_and_fail)
    assert begin(db, clock) is None


def test_a_failure_that_changed_nothing_gives_the_key_back(db: Database, clock: ManualClock):
    begin(db, clock)
    db.run_tx(lambda s: idempotency.forget(s, "cart:1", "key"))
    assert begin(db, clock, request="corrected") is None


def test_an_answer_that_was_given_is_not_given_back(db: Database, clock: ManualClock):
    begin(db, clock)
    finish(db, order="F-1")
    db.run_tx(lambda s: idempotency.forget(s, "cart:1", "key"))
    assert begin(db, clock) == Replay(201, {"order": "F-1"})


def test_of_requests_that_come_at_once_one_goes_ahead(db: Database, clock: ManualClock):
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def ask() -> None:
        start.wait(10)
        try:
            outcomes.append("ahead" if begin(db, clock) is None else "replay")
        except KeyInFlight:
            outcomes.append("in flight")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["ahead", "in flight", "in flight", "in flight"]


def keep(db: Database, clock: ManualClock, request: str = "hash") -> Replay | None:
    asked = ("cart:1", "key", request, 201, {"order": "F-1"}, clock.now())
    return db.run_tx(lambda session: idempotency.keep(session, *asked))


def look(db: Database, clock: ManualClock, request: str = "hash") -> Replay | None:
    return db.run_tx(lambda s: idempotency.look(s, "cart:1", "key", request, clock.now()))


def test_looking_claims_nothing_and_what_is_kept_at_once_is_answered(
    db: Database, clock: ManualClock
):
    assert look(db, clock) is None
    assert keep(db, clock) is None
    told = Replay(201, {"order": "F-1"})
    assert look(db, clock) == keep(db, clock) == begin(db, clock) == told
    for asked in (look, keep):
        with pytest.raises(KeyReused):
            asked(db, clock, "another")


def test_what_is_claimed_is_kept_by_nobody_else_until_the_claim_lapses(
    db: Database, clock: ManualClock
):
    begin(db, clock)
    for asked in (look, keep):
        with pytest.raises(KeyInFlight):
            asked(db, clock)
    clock.advance(LEASE)
    assert look(db, clock) is None
    assert keep(db, clock) is None
    assert look(db, clock) == Replay(201, {"order": "F-1"})


def test_answers_are_kept_for_a_week(db: Database, clock: ManualClock):
    begin(db, clock)
    finish(db)
    clock.advance(KEPT)
    assert db.run_tx(lambda s: idempotency.expire(s, clock.now())) == 0
    clock.advance(SECOND)
    assert db.run_tx(lambda s: idempotency.expire(s, clock.now())) == 1
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 0


def test_a_key_that_is_given_back_at_this_very_moment_is_taken(
    db: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    """The first request fails and forgets its key just after the second found it taken."""
    begin(db, clock)

    def then_given_back(session: Session, *what, **values) -> bool:
        taken = insert_once(session, *what, **values)
        if not taken:
            idempotency.forget(session, "cart:1", "key")
        return taken

    monkeypatch.setattr(idempotency, "insert_once", then_given_back)
    assert begin(db, clock) is None
