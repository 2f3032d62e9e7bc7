"""What can go wrong between the processor and us: nothing is lost, doubled or believed too soon."""

import dataclasses
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import worker
from core.kernel import crash
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.orders.models import Order
from flows import reconcile, refund
from flows.cancel_order import cancel
from flows.hear_event import hear
from flows.house import House
from flows.place_order import place
from flows.settle_payment import PaymentMismatch, settle
from flows.verify import verify
from invoices.models import Invoice
from payments import inbox, operations
from payments.gateway import Gateway, RateLimited, WebhookEvent
from payments.models import InboundEvent, Payment, PaymentOperation, Refund
from tests.paying import CARD, buy, come_back, drain, fill_cart, order, pass_time, wish
from tests.sandbox_process import SandboxProcess
from tests.shop import PostBox
from tests.world import World


def _count(house: House, model, *where) -> int:
    with house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where))


def _operation(house: House) -> PaymentOperation:
    with house.db.reading() as session:
        return session.scalars(select(PaymentOperation)).one()


def _events(house: House) -> list[WebhookEvent]:
    return list(house.gateway.list_events(created_gte=house.clock.now() - timedelta(days=1)).items)


def _ours(house: House, placed) -> list[WebhookEvent]:
    """The processor's events about one order's visit (it serves other tests as well)."""
    with house.db.reading() as session:
        visit = operations.of_order(session, placed.order_id).gateway_id
    return [event for event in _events(house) if event.object_id == visit]


def _receive(house: House, event: WebhookEvent) -> bool:
    return house.db.run_tx(lambda session: inbox.receive(session, event, house.clock.now()))


def _assert_sound(house: House) -> None:
    assert _count(house, Job, Job.state != "done") == 0
    assert [f for f in verify(house.db, house.clock, blobs=house.blobs) if not f.holds] == []


def _at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Run all of them at the same moment; what they raised."""
    start = threading.Barrier(len(works))
    raised: list[BaseException] = []

    def go(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=go, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def test_a_webhook_that_comes_twice_is_one_row(house: House, sandbox: SandboxProcess, world: World):
    placed = buy(house, world.router.sku)
    sandbox.pay(placed.redirect_url, CARD)
    (event,) = [one for one in _ours(house, placed) if one.type.endswith("completed")]
    assert [_receive(house, event), _receive(house, event)] == [True, False]
    drain(house)
    assert _count(house, Payment) == _count(house, InboundEvent) == 1
    _assert_sound(house)


def test_webhooks_in_the_wrong_order_say_what_is_true_now(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    sandbox.pay(placed.redirect_url, CARD)
    for event in reversed(_events(house)):
        _receive(house, event)
    drain(house)
    assert order(house, placed.order_id).lifecycle == "confirmed"
    assert _count(house, Payment) == 1
    _assert_sound(house)


def test_a_webhook_before_the_create_calls_answer_finds_its_operation(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    with crash.crash_at("send.after_call"):
        place(house, wish(cart_id))
    operation = _operation(house)
    assert operation.gateway_id is None
    visit = house.gateway.find_checkout_by_operation(operation.public_id, operation.created_at)
    sandbox.pay(visit.url, CARD)
    for event in _events(house):
        _receive(house, event)
    drain(house)
    assert _count(house, Order, Order.lifecycle == "confirmed") == 1
    _assert_sound(house)


def test_an_event_of_somebody_elses_visit_is_ignored(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    sandbox.pay(placed.redirect_url, CARD)
    event = _ours(house, placed)[0]
    house.db.run_tx(lambda session: _forget_operation(session))
    _receive(house, event)
    hear(house, event.id)
    with house.db.reading() as session:
        assert session.get_one(InboundEvent, event.id).state == "ignored"


def _forget_operation(session) -> None:
    session.scalars(select(PaymentOperation)).one().public_id = "0" * 32


def test_return_page_and_webhook_at_once_are_one_payment(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku, world.plan.sku)
    sandbox.pay(placed.redirect_url, CARD)
    operation_id = _operation(house).id
    raised = _at_once(*[lambda: settle(house, operation_id) for _ in range(4)])
    assert raised == []
    drain(house)
    assert _count(house, Payment) == _count(house, Invoice) == 1
    _assert_sound(house)


def test_two_workers_share_the_work_and_double_nothing(
    house: House, sandbox: SandboxProcess, world: World
):
    for _ in range(3):
        place(house, wish(fill_cart(house, world.router.sku), "invoice"))
    raised = _at_once(lambda: worker.drain(house, "first"), lambda: worker.drain(house, "second"))
    assert raised == []
    drain(house)
    assert _count(house, Invoice) == 3
    _assert_sound(house)


def test_a_busy_processor_is_asked_again(house: House, sandbox: SandboxProcess, world: World):
    cart_id = fill_cart(house, world.router.sku)
    sandbox.fault("429", path="/v1/checkout/sessions", times=1)
    with pytest.raises(RateLimited):
        place(house, wish(cart_id))
    placed = place(house, wish(cart_id))
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    _assert_sound(house)


class _Lying:
    """A processor that reports another amount than was asked for."""

    def __init__(self, honest: Gateway, amount: Money) -> None:
        self._honest, self._amount = honest, amount

    def __getattr__(self, name: str):
        return getattr(self._honest, name)

    def get_payment(self, payment_id: str):
        found = self._honest.get_payment(payment_id)
        return dataclasses.replace(found, amount_received=self._amount)


@pytest.mark.parametrize("amount", [Money(1, "USD"), Money(13739, "EUR")])
def test_another_amount_or_currency_is_never_applied(
    amount: Money, house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    sandbox.pay(placed.redirect_url, CARD)
    lied_to = dataclasses.replace(house, gateway=_Lying(house.gateway, amount))
    with pytest.raises(PaymentMismatch):
        settle(lied_to, _operation(house).id)
    assert _count(house, Payment) == 0
    assert order(house, placed.order_id).lifecycle == "pending"


def test_money_for_an_order_that_was_cancelled_goes_back_and_is_told(
    house: House, sandbox: SandboxProcess, world: World
):
    """It cannot happen by our own doing, as the visit is ended first; but money is money."""
    placed = buy(house, world.router.sku)
    house.db.run_tx(lambda session: cancel(session, house, placed.order_id, "by_hand"))
    sandbox.pay(placed.redirect_url, CARD)
    assert settle(house, _operation(house).id) == "succeeded"
    drain(house)
    with house.db.reading() as session:
        refunded = session.scalars(select(Refund)).one()
    assert refunded.reason == "paid_too_late"
    assert order(house, placed.order_id).payment == "refunded"
    post = house.sender
    assert isinstance(post, PostBox)
    subjects = [mail["Subject"] for mail in post.mails]
    assert any("back" in subject.lower() for subject in subjects)
    _assert_sound(house)


def test_two_refunds_at_once_pay_back_once(house: House, sandbox: SandboxProcess, world: World):
    placed = buy(house, world.router.sku)
    house.db.run_tx(lambda session: cancel(session, house, placed.order_id, "by_hand"))
    sandbox.pay(placed.redirect_url, CARD)
    settle(house, _operation(house).id)
    with house.db.reading() as session:
        payment = session.scalars(select(Payment)).one()
    amount, reason = payment.amount_minor, "paid_too_late"
    _at_once(*[lambda: refund.refund(house, payment.id, amount, reason) for _ in range(3)])
    drain(house)
    assert _count(house, Refund) == 1
    charged = house.gateway.get_payment(payment.gateway_id)
    assert charged.amount_refunded.minor == amount
    _assert_sound(house)


def test_a_refund_without_an_answer_is_finished_by_the_reconciler(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = buy(house, world.router.sku)
    house.db.run_tx(lambda session: cancel(session, house, placed.order_id, "by_hand"))
    sandbox.pay(placed.redirect_url, CARD)
    settle(house, _operation(house).id)
    with house.db.reading() as session:
        payment = session.scalars(select(Payment)).one()
    with crash.crash_at("refund.prepared"):
        refund.refund(house, payment.id, payment.amount_minor, "paid_too_late")
    assert _count(house, Refund, Refund.state == "requested") == 1
    pass_time(house, sandbox, timedelta(minutes=3))
    assert reconcile.run(house).problems == ()
    assert _count(house, Refund, Refund.state == "succeeded") == 1
    drain(house)
    _assert_sound(house)
