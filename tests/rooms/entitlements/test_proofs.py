"""The proof that what runs is provided: it holds through a service's life, and finds what is not right."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from core.entitlements import granting, locking, proofs
from core.subscriptions import changing, ending, pausing
from tests.rooms.subscriptions.conftest import TODAY, Line, line
from tests.serving import BY, wish

__all__ = ["line"]
LATER = TODAY + timedelta(days=5)


def found(line: Line, day=LATER) -> list[str]:
    with line.db.reading() as session:
        return [
            *proofs.they_follow_their_services(session, day).offenders,
            *proofs.their_steps_lead_to_them(session).offenders,
        ]


def test_it_holds_through_a_services_life(line: Line):
    assert found(line) == []
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        changing.change(session, row, wish(line.plans.brook), TODAY, BY, now)
        granting.grant(session, row, TODAY, BY, now)
        locking.lock(session, row, "past_due", BY, now)
        pausing.pause(session, row, TODAY, "away", "", BY, now)
        locking.lock(session, row, "paused", BY, now)
    assert found(line) == []
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        ending.end(session, row, TODAY, "moving", "", BY, now)
        granting.revoke(session, row, "ended", BY, now)
    assert found(line) == []


def _pause(session, row, now):
    pausing.pause(session, row, TODAY, "away", "", BY, now)


def _end(session, row, now):
    ending.end(session, row, TODAY, "moving", "", BY, now)


def _lock(session, row, now):
    locking.lock(session, row, "paused", BY, now)


def _revoke(session, row, now):
    granting.revoke(session, row, "mistake", BY, now)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (_pause, "it rests, and internet is open"),
        (_end, "it has ended, and still gives internet"),
        (_lock, "it runs, and internet is locked as if it rested"),
        (_revoke, "it gives nothing, and its plan internet"),
    ],
)
def test_it_finds_what_was_forgotten(line: Line, act, told: str):
    with line.db.transaction() as session:
        act(session, line.row(session), line.clock.now())
    assert found(line) == [f"service {line.timeline().public_id[:8]}: {told}"]


def test_it_finds_a_row_that_was_changed_by_hand(line: Line):
    with line.db.transaction() as session:
        session.execute(text("UPDATE entitlement SET state = 'locked', lock_reason = 'desk'"))
    (word,) = found(line)
    assert word.startswith("internet of account")
