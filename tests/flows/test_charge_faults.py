"""Between us and the processor, and in our own process, anything may go wrong: a bill is charged once."""

import dataclasses
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import update

from app import worker
from core.events import ChargeWanted
from core.kernel import crash, jobs
from core.kernel.money import Money
from core.ledger.tender_models import Tender
from flows import reconcile
from flows.charge_on_file import charge, go, settle
from flows.hear_event import hear
from flows.house import House
from flows.settle_payment import PaymentMismatch
from payments import inbox, reading
from payments.gateway import Gateway, GatewayError, Indeterminate, KeyConflict
from payments.models import InboundEvent, Payment, PaymentOperation
from tests.on_file import (
    INTENTS,
    ON_FILE_ONLY,
    Stage,
    newest,
    open_stage,
)
from tests.paying import drain, gateway, house, pass_time, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.together import together
from tests.world import World

__all__ = ["house", "processor", "sandbox"]


@pytest.fixture
def stage(house: House, sandbox: SandboxProcess, world: World) -> Stage:
    return open_stage(house, sandbox, world)


# --- what can go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_after_success", "500", "malformed", "429", "key_in_use"])
def test_a_call_without_an_answer_is_repeated_and_takes_the_money_once(stage: Stage, kind: str):
    stage.sandbox.fault(kind, path=INTENTS, method="POST")
    stage.want()
    drain(stage.house)
    assert newest(stage.house, "charge").state == "indeterminate"
    assert stage.count(Payment) == 0
    pass_time(stage.house, stage.sandbox, timedelta(minutes=3))
    drain(stage.house)
    stage.assert_charged_once()


def test_a_timeout_is_no_failure(stage: Stage):
    hasty = dataclasses.replace(stage.house, gateway=gateway(stage.sandbox, 0.5))
    stage.sandbox.fault("slow", path=INTENTS, method="POST", delay_seconds=2)
    with pytest.raises(Indeterminate):
        charge(hasty, stage.bill.id, stage.method.id)
    operation = newest(stage.house, "charge")
    assert (operation.state, operation.failure) == ("indeterminate", None)
    pass_time(stage.house, stage.sandbox, timedelta(minutes=3))
    assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    stage.assert_charged_once()


@pytest.mark.parametrize("did_it", [True, False])
def test_a_kept_500_is_looked_through(stage: Stage, did_it: bool):
    """The key answers 500 for a day: what was done is found by our id, what was not is given up after it."""
    stage.sandbox.fault("stored_500", path=INTENTS, method="POST", after_success=did_it)
    with pytest.raises(Indeterminate):
        stage.charge()
    pass_time(stage.house, stage.sandbox, timedelta(minutes=3))
    if did_it:
        assert reconcile.run(stage.house).problems == ()
        drain(stage.house)
        stage.assert_charged_once()
        return
    assert len(reconcile.run(stage.house).problems) == 1
    pass_time(stage.house, stage.sandbox, timedelta(hours=21))
    assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    operation = newest(stage.house, "charge")
    assert (operation.state, operation.failure) == ("failed", "no_answer")
    assert stage.mails()[-1] == f"$45.00 for bill {stage.bill.number} could not be charged"
    with stage.house.db.reading() as session:
        assert [row.id for row in reading.in_trouble(session)] == [operation.id]
    assert stage.taken() == 0
    stage.assert_sound()


def test_a_key_that_stands_for_another_request_takes_nothing_and_is_seen(stage: Stage):
    stage.sandbox.fault("500", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    operation = newest(stage.house, "charge")
    stage.sandbox.api(
        "POST", "/v1/customers", "name=Somebody", **{"Idempotency-Key": operation.op_key}
    )
    with pytest.raises(KeyConflict):
        go(stage.house, operation.id)
    with stage.house.db.reading() as session:
        assert [row.id for row in reading.in_trouble(session)] == [operation.id]
    assert stage.taken() == 0


def test_webhooks_alone_twice_and_in_any_order_settle_a_charge(stage: Stage):
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    told = list(
        stage.house.gateway.list_events(
            created_gte=stage.house.clock.now() - timedelta(days=1)
        ).items
    )
    for event in [*reversed(told), *told]:
        stage.house.db.run_tx(partial(inbox.receive, event=event, now=stage.house.clock.now()))
    drain(stage.house)
    for event in told:
        hear(stage.house, event.id)
    stage.assert_charged_once()


def test_a_webhook_before_the_answer_and_the_answer_are_one_payment(stage: Stage):
    house = dataclasses.replace(
        stage.house, gateway=_Overtaken(stage.house.gateway, lambda: settle_newest(stage))
    )
    assert charge(house, stage.bill.id, stage.method.id) == "succeeded"
    drain(stage.house)
    stage.assert_charged_once()


def settle_newest(stage: Stage) -> None:
    assert settle(stage.house, newest(stage.house, "charge").id) == "succeeded"


class _Overtaken:
    """A processor whose webhook is here before its answer is."""

    def __init__(self, honest: Gateway, meanwhile) -> None:
        self._honest, self._meanwhile = honest, meanwhile

    def __getattr__(self, name: str):
        return getattr(self._honest, name)

    def charge_saved(self, request):
        answer = self._honest.charge_saved(request)
        self._meanwhile()
        return answer


def test_a_lost_webhook_is_found_by_the_reconciler(stage: Stage):
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    with stage.house.db.transaction() as session:
        session.query(InboundEvent).delete()
    pass_time(stage.house, stage.sandbox, timedelta(days=2))
    assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    stage.assert_charged_once()


def test_money_that_was_taken_after_all_is_taken_down(stage: Stage):
    """Given up as unanswered, and the processor had it: money is money."""
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    with stage.house.db.transaction() as session:
        session.execute(
            update(PaymentOperation)
            .where(PaymentOperation.kind == "charge")
            .values(state="failed", failure="no_answer")
        )
        session.execute(update(Tender).values(state="released"))
    stage.tell()
    drain(stage.house)
    stage.assert_charged_once()
    assert newest(stage.house, "charge").failure is None


def test_two_workers_charge_once(stage: Stage):
    stage.want()
    stage.house.db.run_tx(
        lambda session: jobs.record(
            session,
            ChargeWanted(str(stage.bill.id), str(stage.method.id)),
            stage.house.clock.now(),
            key="again",
        )
    )
    outcomes = together(
        [lambda: worker.drain(stage.house, "one"), lambda: worker.drain(stage.house, "two")]
    )
    done = [count for count in outcomes if isinstance(count, int)]  # and not what one raised
    assert len(done) == 2, outcomes
    assert sum(done) >= 2
    pass_time(stage.house, stage.sandbox, timedelta(minutes=1))
    drain(stage.house)
    stage.assert_charged_once()


def test_four_at_once_charge_once(stage: Stage):
    outcomes = together([stage.charge] * 4)
    # Whoever asks while another does is told the state, or that its key is being used.
    assert "succeeded" in outcomes
    assert {str(one) for one in outcomes if not isinstance(one, GatewayError)} <= {
        "succeeded",
        "sent",
    }
    drain(stage.house)
    assert stage.charge() == "succeeded"
    stage.assert_charged_once()


class _Lying:
    """A processor that reports another amount than was asked for."""

    def __init__(self, honest: Gateway) -> None:
        self._honest = honest

    def __getattr__(self, name: str):
        return getattr(self._honest, name)

    def charge_saved(self, request):
        told = self._honest.charge_saved(request)
        return dataclasses.replace(told, amount_received=Money(1, "USD"))


def test_another_amount_is_never_applied(stage: Stage):
    lied_to = dataclasses.replace(stage.house, gateway=_Lying(stage.house.gateway))
    with pytest.raises(PaymentMismatch):
        charge(lied_to, stage.bill.id, stage.method.id)
    assert stage.count(Payment) == 0


# --- a process may die at any point ---------------------------------------------------------------

CHARGED = (
    "charge.prepared",
    "charge.before_call",
    "charge.asked",
    "charge.before_commit",
    "charge.committed",
    "job.before_finish",
    "job.before_commit",
    "notice.before_send",
    "notice.sent",
)
REFUSED = ("charge.prepared", "charge.before_call", "charge.failed", "job.before_finish")


def _passed(stage: Stage) -> set[str]:
    passed: list[str] = []
    with crash.armed(passed.append):
        stage.want()
        drain(stage.house)
    return set(passed)


def test_the_named_points_are_those_that_a_charge_passes(stage: Stage):
    assert _passed(stage) == set(CHARGED)


@pytest.mark.parametrize(
    ("point", "found_by"),
    [
        *((point, "worker") for point in CHARGED),
        *((point, "webhook") for point in CHARGED[2:4]),
        *((point, "reconciler") for point in CHARGED[:4]),
    ],
)
def test_a_crash_at_any_point_charges_once(stage: Stage, point: str, found_by: str):
    """The job runs again, or a webhook or the reconciler is there before it."""
    stage.want()
    with crash.crash_at(point):
        drain(stage.house)
    if found_by == "webhook":
        stage.tell()
    pass_time(stage.house, stage.sandbox, timedelta(minutes=2))
    if found_by == "reconciler":
        assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    stage.assert_charged_once()
    assert stage.receipts() == 1


@pytest.mark.parametrize("point", REFUSED)
def test_a_crash_around_a_refusal_tells_of_it_once(
    house: House, sandbox: SandboxProcess, world: World, point: str
):
    stage = open_stage(house, sandbox, world, ON_FILE_ONLY)
    stage.want()
    with crash.crash_at(point):
        drain(house)
    pass_time(house, sandbox, timedelta(minutes=2))
    drain(house)
    assert sum("could not be charged" in subject for subject in stage.mails()) == 1
    assert stage.count(PaymentOperation, PaymentOperation.kind == "charge") == 1
    assert len(sandbox.control("GET", INTENTS)["data"]) == 1
    stage.assert_sound()


@pytest.mark.parametrize("point", ["charge.fetched", "charge.before_commit", "charge.committed"])
def test_a_crash_while_a_webhook_is_applied_charges_once(stage: Stage, point: str):
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    stage.tell()
    with crash.crash_at(point):
        drain(stage.house)
    pass_time(stage.house, stage.sandbox, timedelta(minutes=2))
    drain(stage.house)
    stage.assert_charged_once()
