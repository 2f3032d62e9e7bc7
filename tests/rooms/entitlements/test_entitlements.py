"""What an account may use: granted with its service, locked for reasons that hold side by side, revoked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from core.entitlements import asking, granting, locking, steps
from core.entitlements.asking import Answer
from core.entitlements.models import Entitlement, EntitlementEvent
from core.parties.models import Account
from core.prices.models import Plan
from core.subscriptions import changing, ending, pausing
from tests import serving
from tests.rooms.subscriptions.conftest import TODAY, Line, line
from tests.serving import BY, wish

__all__ = ["line"]


def may(line: Line, feature: str = "internet") -> Answer:
    with line.db.reading() as session:
        return asking.may_use(session, line.account_id, feature)


def lock(line: Line, reason: str, *, off: bool = False) -> int:
    do = locking.unlock if off else locking.lock
    with line.db.transaction() as session:
        return do(session, line.row(session), reason, BY, line.clock.now())


def test_a_service_gives_what_its_plan_gives(line: Line):
    assert may(line) == Answer(True, "", None, line.timeline().public_id)
    assert may(line, "backup") == Answer(False, "never")


def test_granted_again_it_changes_nothing(line: Line):
    with line.db.transaction() as session:
        granting.grant(session, line.row(session), TODAY, BY, line.clock.now())
        assert len(session.scalars(select(EntitlementEvent)).all()) == 1


def test_a_change_of_plan_gives_and_takes(line: Line):
    with line.db.transaction() as session:
        plan = session.scalars(
            select(Plan).where(Plan.variant_id == line.plans.brook.variant_id)
        ).one()
        plan.features = ["internet-lite"]
        row, now = line.row(session), line.clock.now()
        locking.lock(session, row, "past_due", BY, now)
        changing.change(session, row, wish(line.plans.brook), TODAY, BY, now)
        granting.grant(session, row, TODAY, BY, now)
    assert may(line).reason == "ended"
    assert may(line, "internet-lite").reason == "past_due", "a change of plan opens nothing"


def test_reasons_hold_side_by_side(line: Line):
    assert lock(line, "paused") == 1
    assert lock(line, "paused") == 0
    assert lock(line, "past_due") == 1
    assert may(line).reason == "past_due"
    assert lock(line, "past_due", off=True) == 1
    assert may(line).reason == "paused"
    assert lock(line, "desk") == 1
    assert lock(line, "paused", off=True) == 1
    assert may(line).reason == "desk"
    assert lock(line, "desk", off=True) == 1
    assert may(line).allowed
    assert lock(line, "desk", off=True) == 0
    with pytest.raises(ValueError, match="no reason"):
        lock(line, "moody")


def test_an_account_is_locked_as_a_whole_or_by_feature(line: Line):
    with line.db.transaction() as session:
        account = line.row(session).service_account_id
        now = line.clock.now()
        owner = session.get_one(Account, account)
        serving.running(session, line.world, owner, line.plans.backup, now)
        assert locking.lock(session, account, "past_due", BY, now) == 2
        assert locking.unlock(session, account, "past_due", BY, now, features={"backup"}) == 1
    assert (may(line).allowed, may(line, "backup").allowed) == (False, True)


def test_of_two_services_the_nearer_one_answers(line: Line):
    with line.db.transaction() as session:
        owner = session.get_one(Account, line.account_id)
        other = serving.running(session, line.world, owner, line.plans.brook, line.clock.now())
        locking.lock(session, line.row(session), "desk", BY, line.clock.now())
        assert asking.may_use(session, line.account_id, "internet").service == other.public_id
        granting.revoke(session, other, "ended", BY, line.clock.now())
    assert (may(line).reason, may(line).service) == ("desk", line.timeline().public_id)


def test_the_end_takes_all_and_tells_until_when(line: Line):
    on = changing.next_day(line.timeline(), TODAY)
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        ending.end(session, row, on, "moving", "", BY, now)
        assert asking.may_use(session, line.account_id, "internet").until == on
        lock_ = locking.lock(session, row, "desk", BY, now)
        granting.revoke(session, row, "ended", BY, now)
        assert lock_ == 1
        assert locking.lock(session, row, "past_due", BY, now) == 0
    assert may(line).reason == "ended"


def test_what_is_granted_anew_has_no_old_lock(line: Line):
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        locking.lock(session, row, "desk", BY, now)
        granting.revoke(session, row, "mistake", BY, now)
        granting.grant(session, row, TODAY, BY, now)
    assert may(line).allowed


def test_a_service_that_rests_is_granted_locked(line: Line):
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        pausing.pause(session, row, TODAY, "away", "", BY, now)
        granting.revoke(session, row, "test", BY, now)
        granting.grant(session, row, TODAY, BY, now)
    assert may(line).reason == "paused"


def test_steps_are_never_rewritten(line: Line):
    with line.db.transaction() as session:
        session.scalars(select(EntitlementEvent)).one().reason = "other"
        with pytest.raises(DBAPIError):
            session.flush()
        session.rollback()


def test_a_lock_without_a_reason_cannot_be_stored(line: Line):
    with line.db.transaction() as session:
        session.scalars(select(Entitlement)).one().state = "locked"
        with pytest.raises(DBAPIError):
            session.flush()
        session.rollback()


KINDS = st.lists(
    st.tuples(
        st.sampled_from(["grant", "revoke", "lock", "unlock"]), st.sampled_from(steps.REASONS)
    ),
    max_size=15,
)


@given(KINDS)
def test_it_is_open_when_granted_and_no_reason_is_left(told: list):
    events = [EntitlementEvent(kind=kind, reason=reason) for kind, reason in told]
    state, reason = steps.led_to(events)
    reasons = steps.held(events)
    granted = [event.kind for event in events if event.kind in ("grant", "revoke")][-1:] == [
        "grant"
    ]
    assert (state == "granted") == (granted and not reasons)
    assert (state == "revoked") == (not granted)
    assert (reason in reasons) if state == "locked" else reason == ""
