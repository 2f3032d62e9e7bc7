"""The reconciler and the inbox when the processor forgets, refuses, lies or does not answer: nothing waits
for ever, nothing keeps the others waiting, and what a person must look at stands on the desk."""

import dataclasses
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import worker
from app.handlers import HANDLERS, Owning
from cart.models import Cart
from core.kernel import jobs
from core.kernel.audit import AuditEntry
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import items
from core.ledger.models import OpenItem
from core.orders.models import Order
from flows import reconcile, refund
from flows.abandon_payment import abandon
from flows.cancel_order import cancel
from flows.hear_event import hear
from flows.house import House
from flows.pay_bill import pay_order
from flows.place_order import Placed, place
from flows.settle_payment import settle
from flows.verify import verify
from payments import inbox, operations
from payments import reading as payments
from payments.gateway import (
    Indeterminate,
    InvalidRequest,
    RefundFailed,
    RefundStatus,
    WebhookEvent,
)
from payments.models import InboundEvent, Payment, PaymentOperation, Refund
from tests.paying import CARD, buy, drain, fill_cart, order, pass_time, wish
from tests.sandbox_process import SandboxProcess
from tests.world import World

#: A card whose refunds are taken at first and fail an hour later.
REFUND_FAILS = "4000000000005126"


class Between:
    """The real processor, with some of its answers changed."""

    def __init__(self, house: House, **instead) -> None:
        self._honest = house.gateway
        self.asked: list[str] = []
        self._instead = instead

    def __getattr__(self, name: str):
        def ask(*given, **more):
            self.asked.append(name)
            answer = self._instead.get(name)
            return answer(*given, **more) if answer else getattr(self._honest, name)(*given, **more)

        return ask


def _with(house: House, **instead) -> House:
    return dataclasses.replace(house, gateway=Between(house, **instead))


def _fails(error: Exception):
    def fail(*given, **more):
        raise error

    return fail


MISSING = InvalidRequest("resource_missing", "No such object", "id")
SILENT = Indeterminate("no answer")


def _all(house: House, model):
    with house.db.reading() as session:
        return session.scalars(select(model)).all()


def _operation(house: House, placed: Placed) -> PaymentOperation:
    with house.db.reading() as session:
        found = operations.of_order(session, placed.order_id)
    assert found is not None
    return found


def _payment(house: House) -> Payment:
    with house.db.reading() as session:
        return session.scalars(select(Payment)).one()


def _held(house: House) -> int:
    """What the ledger still holds of what was paid."""
    with house.db.reading() as session:
        found = items.find(session, OpenItem.source_id == _payment(house).id)
    return sum(item.open.minor for item in found)


def _on_the_desk(house: House) -> list[PaymentOperation]:
    with house.db.reading() as session:
        return list(payments.in_trouble(session))


def _hear(house: House, kind: str, object_id: str) -> str:
    """An event of the processor comes and is worked off; what became of it."""
    now = house.clock.now()
    event = WebhookEvent(f"evt_{object_id}", "told.us", kind, object_id, now, livemode=False)
    house.db.run_tx(lambda session: inbox.receive(session, event, now))
    hear(house, event.id)
    with house.db.reading() as session:
        return session.get_one(InboundEvent, event.id).state


def _assert_sound(house: House) -> None:
    drain(house)
    assert [job.last_error for job in _all(house, Job) if job.state != "done"] == []
    assert [f for f in verify(house.db, house.clock, blobs=house.blobs) if not f.holds] == []


# --- what the processor tells of ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "object_id"),
    [("checkout.session", "cs_gone"), ("payment_intent", "pi_gone"), ("refund", "re_gone")],
)
def test_an_event_about_something_that_the_processor_knows_nothing_of_is_ignored(
    kind: str, object_id: str, house: House, sandbox: SandboxProcess, world: World
):
    assert _hear(house, kind, object_id) == "ignored"


def test_a_refund_that_comes_back_later_is_told_to_the_desk_once(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    house.db.run_tx(lambda session: cancel(session, house, placed.order_id, "by_hand"))
    sandbox.pay(placed.redirect_url, REFUND_FAILS)
    settle(house, _operation(house, placed).id)
    drain(house)
    (refunded,) = _all(house, Refund)
    assert _on_the_desk(house) == []
    pass_time(house, sandbox, timedelta(hours=2))
    assert _hear(house, "refund", refunded.gateway_id) == "applied"
    hear(house, f"evt_{refunded.gateway_id}")
    (trouble,) = _on_the_desk(house)
    assert (trouble.kind, trouble.state) == ("refund", "failed")
    assert "could not pay the refund out" in trouble.last_error
    acts = [row.act for row in _all(house, AuditEntry)]
    assert acts.count("payment.refund_failed") == 1
    (failed,) = _all(house, Refund)
    assert failed.state == "failed"
    assert order(house, placed.order_id).payment == "refund_due"
    assert _held(house) == _payment(house).amount_minor
    _assert_sound(house)
    refund.again(house, failed.id)
    refund.again(house, failed.id)
    assert order(house, placed.order_id).payment == "refunded"
    assert _held(house) == 0
    assert len(_all(house, Refund)) == 2
    _assert_sound(house)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_fails_at_once_is_no_refund(
    status: RefundStatus, house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    house.db.run_tx(lambda session: cancel(session, house, placed.order_id, "by_hand"))
    sandbox.pay(placed.redirect_url, CARD)
    settle(house, _operation(house, placed).id)
    payment = _payment(house)

    def refuse(request):
        return dataclasses.replace(house.gateway.refund(request), status=status)

    with pytest.raises(RefundFailed):
        refund.refund(
            _with(house, refund=refuse), payment.id, payment.amount_minor, "paid_too_late"
        )
    (failed,) = _all(house, Refund)
    assert failed.state == "failed"
    assert order(house, placed.order_id).payment == "refund_due"
    assert [row.state for row in _on_the_desk(house)] == ["failed"]
    assert _held(house) == payment.amount_minor


# --- a round --------------------------------------------------------------------------------------


def test_a_list_of_events_that_cannot_be_read_keeps_no_payment_waiting(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    sandbox.pay(placed.redirect_url, CARD)
    pass_time(house, sandbox, timedelta(hours=1))
    report = reconcile.run(_with(house, list_events=_fails(SILENT)))
    assert (report.settled, len(report.problems)) == (1, 1)
    assert order(house, placed.order_id).lifecycle == "confirmed"


def test_what_is_not_what_we_asked_for_stands_on_the_desk_and_lets_the_others_pass(
    house: House, sandbox: SandboxProcess, world: World, monkeypatch: pytest.MonkeyPatch
):
    """A round looks at so many: what goes wrong each time does not come first each time."""
    monkeypatch.setattr(operations, "due", partial(operations.due, limit=1))
    wrong = buy(house, world.router.sku)
    sandbox.pay(wrong.redirect_url, CARD)
    pass_time(house, sandbox, timedelta(minutes=1))
    right = buy(house, world.camera.sku)
    sandbox.pay(right.redirect_url, CARD)
    pass_time(house, sandbox, timedelta(hours=1))
    visit = _operation(house, wrong).gateway_id

    def lie(checkout_id: str):
        found = house.gateway.get_checkout(checkout_id)
        return dataclasses.replace(found, amount=Money(1, "USD")) if found.id == visit else found

    lied_to = _with(house, get_checkout=lie)
    (problem,) = reconcile.run(lied_to).problems
    assert "was asked for" in problem
    assert reconcile.run(lied_to).problems == ()
    assert order(house, wrong.order_id).lifecycle == "pending"
    assert order(house, right.order_id).lifecycle == "confirmed"
    assert [row.order_id for row in _on_the_desk(house)] == [wrong.order_id]
    pass_time(house, sandbox, reconcile.LATER)
    reconcile.run(house)
    assert order(house, wrong.order_id).lifecycle == "confirmed"
    assert _on_the_desk(house) == []
    _assert_sound(house)


def test_a_silent_processor_is_not_asked_for_each_payment_of_a_day(
    house: House, sandbox: SandboxProcess, world: World
):
    for _ in range(8):
        buy(house, world.visit.sku)
    pass_time(house, sandbox, timedelta(hours=1))
    silent = _with(house, get_checkout=_fails(SILENT))
    report = reconcile.run(silent)
    assert isinstance(silent.gateway, Between)
    assert silent.gateway.asked.count("get_checkout") == reconcile.PATIENCE
    assert (report.settled, len(report.problems)) == (0, reconcile.PATIENCE + 1)
    pass_time(house, sandbox, timedelta(minutes=6))
    assert reconcile.run(house).settled == 8
    _assert_sound(house)


def test_a_round_with_problems_is_over_and_the_next_one_comes_in_its_time(
    house: House, sandbox: SandboxProcess, world: World
):
    buy(house, world.visit.sku)
    pass_time(house, sandbox, timedelta(hours=1))
    silent = _with(house, get_checkout=_fails(SILENT), list_events=_fails(SILENT))
    for _ in range(3):
        worker.tick(silent)
        drain(silent)
        pass_time(house, sandbox, timedelta(minutes=3))
    rounds = [job for job in _all(house, Job) if job.handler == "reconcile"]
    assert [(job.state, job.attempts) for job in rounds] == [("done", 1)] * 3


# --- what would wait for ever -----------------------------------------------------------------------


def test_an_order_whose_visit_the_processor_refused_is_given_back_when_its_time_is_over(
    house: House, sandbox: SandboxProcess, world: World
):
    refused = _with(house, start_checkout=_fails(InvalidRequest("total", "too small")))
    with pytest.raises(InvalidRequest):
        place(refused, wish(fill_cart(house, world.router.sku)))
    pass_time(house, sandbox, timedelta(minutes=10))
    assert reconcile.run(house).looked_at == 0
    pass_time(house, sandbox, timedelta(hours=1))
    assert reconcile.run(house).settled == 1
    (left,) = _all(house, Order)
    assert (left.lifecycle, left.cancel_reason) == ("cancelled", "payment_refused")
    assert [cart.state for cart in _all(house, Cart)] == ["open"]
    assert reconcile.run(house).looked_at == 0
    _assert_sound(house)


def test_a_refused_payment_of_bills_ends_too(house: House, sandbox: SandboxProcess, world: World):
    placed = place(house, wish(fill_cart(house, world.router.sku), "invoice"))
    drain(house)
    refused = _with(house, start_checkout=_fails(InvalidRequest("total", "too small")))
    with pytest.raises(InvalidRequest):
        pay_order(refused, placed.order_id)
    pass_time(house, sandbox, timedelta(hours=1))
    assert reconcile.run(house).settled == 1
    assert reconcile.run(house).looked_at == 0
    sandbox.pay(pay_order(house, placed.order_id), CARD)
    _assert_sound(house)


def test_a_visit_that_the_processor_has_forgotten_is_given_up_when_its_time_is_over(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    forgetful = _with(house, get_checkout=_fails(MISSING), expire_checkout=_fails(MISSING))
    pass_time(house, sandbox, timedelta(minutes=37))
    assert reconcile.run(forgetful).settled == 0
    assert order(house, placed.order_id).lifecycle == "pending"
    pass_time(house, sandbox, timedelta(minutes=10))
    assert reconcile.run(forgetful).settled == 1
    assert order(house, placed.order_id).lifecycle == "cancelled"
    _assert_sound(house)


def test_a_cart_comes_back_from_a_visit_that_the_processor_has_forgotten(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    forgetful = _with(house, get_checkout=_fails(MISSING), expire_checkout=_fails(MISSING))
    assert abandon(forgetful, placed.order_id, "came_back") is True
    assert [cart.state for cart in _all(house, Cart)] == ["open"]


# --- the worker ---------------------------------------------------------------------------------------


def _ask_for(number: int, now: datetime, session: Session) -> None:
    jobs.enqueue(session, "slow", {"number": number}, now)


def test_a_job_that_waited_behind_slow_ones_is_not_run_by_two_workers(
    house: House, sandbox: SandboxProcess, world: World, monkeypatch: pytest.MonkeyPatch
):
    """Several jobs are claimed at a time; each has its whole lease when its turn comes."""
    ran: list[int] = []

    def slow(house: House, job: dict[str, int]) -> None:
        ran.append(job["number"])
        pass_time(house, sandbox, timedelta(seconds=40))
        if ran == [0, 1, 2]:  # by now the leases of those behind have run out
            worker.work(house, "second")

    monkeypatch.setitem(HANDLERS, "slow", Owning(slow))
    now = house.clock.now()
    for number in range(5):
        house.db.run_tx(partial(_ask_for, number, now))
    worker.work(house, "first")
    assert ran == [0, 1, 2, 3, 4]
    assert [job.state for job in _all(house, Job)] == ["done"] * 5
