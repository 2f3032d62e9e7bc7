"""Steps of a service: activation, changes, pauses, ends; each once, fenced, told and written down."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.kernel.audit import AuditEntry
from core.kernel.errors import StaleState
from core.kernel.jobs import Job
from core.prices.models import Plan
from core.subscriptions import (
    activating,
    arriving,
    changing,
    ending,
    pausing,
    paying,
    reading,
    states,
)
from core.subscriptions.errors import (
    AlreadyThere,
    NothingAhead,
    NotRunning,
    OtherFamily,
    PayerRefused,
    SameAgain,
    UnknownReason,
    WrongDay,
)
from core.subscriptions.models import Subscription, SubscriptionPause, SubscriptionPhase
from tests import serving
from tests import world as worlds
from tests.rooms.subscriptions.conftest import BEGAN, TODAY, Line
from tests.serving import BY, wish
from tests.together import at_once


def _events(line: Line) -> list[tuple[str, str]]:
    with line.db.reading() as session:
        return [
            (job.name, job.payload.get("what", ""))
            for job in session.scalars(select(Job).order_by(Job.id))
            if job.name.startswith("Subscription")
        ]


def _acts(line: Line) -> list[str]:
    with line.db.reading() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [row.act for row in rows if row.subject_kind == "service"]


# --- activation ------------------------------------------------------------------------------------


def test_activation_sets_the_first_phase_and_the_bill_day(line: Line):
    timeline = line.timeline()
    (phase,) = timeline.phases
    assert (timeline.state, timeline.activated_on, timeline.bill_day) == ("active", BEGAN, 15)
    assert (phase.starts_on, phase.cycle_from) == (BEGAN, BEGAN)
    assert _events(line) == [("SubscriptionActivated", "")]
    assert _acts(line) == ["service.activated"]


def test_a_plan_may_be_billed_on_its_accounts_own_day(line: Line):
    with line.db.transaction() as session:
        account = worlds.account(session, line.world, line.clock.now(), name="June Ash")
        account.bill_day = 28
        plan = session.scalars(
            select(Plan).where(Plan.variant_id == line.plans.brook.variant_id)
        ).one()
        plan.bills_on = "account"
        made = serving.running(session, line.world, account, line.plans.brook, line.clock.now())
        timeline = reading.timeline(session, made.id)
    assert timeline.bill_day == 28
    cycle = timeline.cycle(timeline.phases[0])
    assert cycle.period(0).start == date(2026, 10, 28)
    assert changing.next_day(timeline, TODAY) == date(2026, 11, 28)


@pytest.mark.parametrize("days", [1, -61])
def test_a_service_begins_today_or_lately(line: Line, days: int):
    with line.db.transaction() as session:
        account = worlds.account(session, line.world, line.clock.now(), name="June Ash")
        made = serving.ordered(session, line.world, account, line.plans.brook, line.clock.now())
        with pytest.raises(WrongDay):
            activating.activate(session, made, TODAY + timedelta(days=days), BY, line.clock.now())


def test_a_service_begins_once(line: Line):
    with line.db.transaction() as session, pytest.raises(AlreadyThere):
        activating.activate(session, line.row(session), TODAY, BY, line.clock.now())


# --- changes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [False, True])
def test_what_is_proposed_is_what_is_agreed(line: Line, ahead: bool):
    before = line.timeline()
    on = changing.next_day(before, TODAY) if ahead else TODAY
    wanted = wish(line.plans.brook, 2, name="Brook")
    proposed = changing.propose(before, wanted, on, today=TODAY)
    with line.db.transaction() as session:
        agreed = changing.change(session, line.row(session), wanted, on, BY, line.clock.now())
    assert agreed == line.timeline()
    assert [days for _, days in agreed.spans()] == [days for _, days in proposed.spans()]
    for one, other in zip(agreed.phases, proposed.phases, strict=True):
        assert {**one.__dict__, "id": 0} == {**other.__dict__, "id": 0}
    assert _events(line)[-1] == ("SubscriptionChanged", "plan")
    assert _acts(line)[-1] == "service.plan"


def test_a_change_ahead_gives_way_to_the_next_and_keeps_its_number(line: Line):
    on = changing.next_day(line.timeline(), TODAY)
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        changing.change(session, row, wish(line.plans.brook), on, BY, now)
        after = changing.change(session, row, wish(line.plans.stream, 3), on, BY, now)
        rows = session.scalars(
            select(SubscriptionPhase)
            .where(SubscriptionPhase.subscription_id == line.id)
            .order_by(SubscriptionPhase.number)
        ).all()
    assert [(one.number, one.withdrawn_at is None) for one in rows] == [
        (0, True),
        (1, False),
        (2, True),
    ]
    assert [one.quantity for one in after.phases] == [1, 3]
    assert [one.revision for one in rows] == [1, 3, 4]
    assert _events(line)[-2:] == [
        ("SubscriptionChanged", "plan"),
        ("SubscriptionChanged", "quantity"),
    ]


def test_only_relatives_take_each_others_place(line: Line):
    with line.db.transaction() as session, pytest.raises(OtherFamily):
        changing.change(
            session, line.row(session), wish(line.plans.backup), TODAY, BY, line.clock.now()
        )


def test_nothing_is_changed_in_the_past(line: Line):
    yesterday = TODAY - timedelta(days=1)
    with line.db.transaction() as session, pytest.raises(WrongDay):
        changing.change(
            session, line.row(session), wish(line.plans.brook), yesterday, BY, line.clock.now()
        )


def test_of_two_changes_at_once_the_second_sees_the_first(line: Line):
    def change(session):
        row = line.row(session)
        return changing.change(
            session, row, wish(line.plans.brook, name="Brook"), TODAY, BY, line.clock.now()
        )

    outcomes = at_once(line.db, [change, change])
    assert sorted(type(one).__name__ for one in outcomes) == ["SameAgain", "Timeline"]
    assert len(line.timeline().phases) == 2


def test_a_row_that_somebody_else_changed_is_not_written_over(line: Line):
    with line.db.transaction() as session:
        row = session.get_one(Subscription, line.id)
        session.expunge(row)
        pausing.pause(session, line.row(session), TODAY, "away", "", BY, line.clock.now())
        with pytest.raises(StaleState):
            states.keep(session, row, label="Barn")
        with pytest.raises(StaleState):
            states.move(session, row, "ended", ended_on=TODAY)


# --- pauses ----------------------------------------------------------------------------------------


def test_a_pause_without_an_end_lasts_until_it_is_resumed(line: Line):
    with line.db.transaction() as session:
        pausing.pause(session, line.row(session), TODAY, "away", "In Maine", BY, line.clock.now())
    assert line.timeline().state == "paused"
    assert line.timeline().rests_on(TODAY + timedelta(days=900))
    day = line.pass_days(9)
    with line.db.transaction() as session:
        after = pausing.resume(session, line.row(session), day, BY, line.clock.now())
    assert after.state == "active"
    assert [(rest.start, rest.end) for rest in after.pauses] == [(TODAY, day)]
    assert _events(line)[1:] == [
        ("SubscriptionChanged", "paused"),
        ("SubscriptionChanged", "resumed"),
    ]


def test_a_pause_whose_end_has_come_keeps_that_end(line: Line):
    until = TODAY + timedelta(days=5)
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        pausing.pause(session, row, TODAY, "away", "", BY, now, until=until)
    day = line.pass_days(8)
    with line.db.transaction() as session:
        after = pausing.resume(session, line.row(session), day, BY, line.clock.now())
    assert after.pauses[0].end == until


def test_paused_and_resumed_on_one_day_is_no_day_of_rest(line: Line):
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        for _ in range(2):
            pausing.pause(session, row, TODAY, "works", "", BY, now)
            after = pausing.resume(session, row, TODAY, BY, now)
        again = pausing.pause(session, row, TODAY, "works", "", BY, now)
    assert [rest.days for rest in after.pauses] == [0, 0]
    assert again.rests_on(TODAY)


def test_one_that_rests_again_is_not_woken_by_the_end_of_its_first_rest(line: Line):
    first = TODAY + timedelta(days=5)
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        pausing.pause(session, row, TODAY, "away", "", BY, now, until=first)
        assert arriving.waiting(session, TODAY) == []
        assert arriving.waiting(session, first) == [line.id]
    day = line.pass_days(5)
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        pausing.resume(session, row, day, BY, now)
        pausing.pause(session, row, day, "away", "", BY, now, until=day + timedelta(days=9))
        assert arriving.waiting(session, day + timedelta(days=8)) == []
        assert arriving.waiting(session, day + timedelta(days=9)) == [line.id]


def test_a_service_rests_once_at_a_time(line: Line):
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        pausing.pause(session, row, TODAY, "away", "", BY, now)
        with pytest.raises(AlreadyThere):
            pausing.pause(session, row, TODAY, "away", "", BY, now)
        with pytest.raises(NotRunning):
            changing.change(session, row, wish(line.plans.brook), TODAY, BY, now)
        session.add(
            SubscriptionPause(subscription_id=line.id, starts_on=TODAY, asked_at=now, asked_by=BY)
        )
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


def test_a_reason_is_one_of_the_list(line: Line):
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        with pytest.raises(UnknownReason):
            pausing.pause(session, row, TODAY, "bored", "", BY, now)
        with pytest.raises(UnknownReason):
            ending.end(session, row, TODAY, "bored", "", BY, now)


# --- ends ------------------------------------------------------------------------------------------


def test_an_end_today_is_the_end(line: Line):
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        after = ending.end(session, row, TODAY, "moving", "To Maine", BY, now)
        assert (row.end_reason, row.end_note) == ("moving", "To Maine")
        assert not ending.finish(session, row, now)
    assert (after.state, after.ended_on) == ("ended", TODAY)
    assert _events(line)[1:] == [("SubscriptionChanged", "cancelled"), ("SubscriptionEnded", "")]


def test_an_end_ahead_comes_with_its_day_and_ends_a_pause(line: Line):
    on = changing.next_day(line.timeline(), TODAY)
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        ending.end(session, row, on, "not_needed", "", BY, now)
        pausing.pause(session, row, TODAY, "away", "", BY, now)
        assert not ending.finish(session, row, now)
    line.pass_days((on - TODAY).days)
    with line.db.transaction() as session:
        assert ending.finish(session, line.row(session), line.clock.now())
    timeline = line.timeline()
    assert (timeline.state, timeline.ended_on) == ("ended", on)
    assert timeline.pauses[0].end == on


def test_an_end_and_a_change_ahead_are_taken_back_one_after_the_other(line: Line):
    on = changing.next_day(line.timeline(), TODAY)
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        changing.change(session, row, wish(line.plans.brook), on, BY, now)
        ending.end(session, row, on + timedelta(days=60), "other", "", BY, now)
        first = ending.keep(session, row, BY, now)
        assert (first.ended_on, len(first.phases), row.end_reason) == (None, 2, None)
        assert len(ending.keep(session, row, BY, now).phases) == 1
        with pytest.raises(NothingAhead):
            ending.keep(session, row, BY, now)


def test_what_waits_for_activation_can_be_called_off(line: Line):
    with line.db.transaction() as session:
        account = worlds.account(session, line.world, line.clock.now(), name="June Ash")
        made = serving.ordered(session, line.world, account, line.plans.brook, line.clock.now())
        tomorrow = TODAY + timedelta(days=1)
        with pytest.raises(WrongDay):
            ending.end(session, made, tomorrow, "other", "", BY, line.clock.now())
        after = ending.end(session, made, TODAY, "other", "", BY, line.clock.now())
        assert (after.state, list(after.spans())) == ("ended", [])
        with pytest.raises(AlreadyThere):
            activating.activate(session, made, TODAY, BY, line.clock.now())


# --- who pays --------------------------------------------------------------------------------------


def test_another_account_of_the_seller_may_pay(line: Line):
    with line.db.transaction() as session:
        row, now = line.row(session), line.clock.now()
        row.payment_method_id = line.account_id
        payer = worlds.account(session, line.world, now, name="June Ash")
        session.flush()
        paying.set_payer(session, row, payer, BY, now)
        assert (row.payer_account_id, row.payment_method_id) == (payer.id, None)
        with pytest.raises(SameAgain):
            paying.set_payer(session, row, payer, BY, now)
        stranger = worlds.account(session, line.world, now, name="Pat Moor")
        stranger.currency = "EUR"
        with pytest.raises(PayerRefused):
            paying.set_payer(session, row, stranger, BY, now)
    assert _events(line)[-1] == ("SubscriptionChanged", "payer")
