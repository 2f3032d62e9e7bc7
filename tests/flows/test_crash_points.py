"""A process may die at any named point: afterwards there is one order, one payment, one invoice.

Each scenario can be gone through again from wherever it stopped, as a shopper, a webhook and a worker
would. It is first run whole to learn the points that it passes, then once for each of them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.kernel import crash
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import items
from core.ledger.models import OpenItem
from core.orders.models import Order
from flows import reconcile, refund_payment
from flows.abandon_payment import abandon
from flows.house import House
from flows.pay_bill import pay_order
from flows.place_order import place
from flows.refund_payment import Wanted
from flows.settle_payment import settle
from flows.verify import verify
from invoices.models import Invoice, StoredDocument
from payments import operations
from payments.gateway import InvalidRequest
from payments.models import Payment, PaymentOperation, Refund
from tests import on_file
from tests.paying import CARD, drain, fill_cart, pass_time, wish
from tests.sandbox_process import SandboxProcess
from tests.world import World

Scenario = Callable[[House, SandboxProcess, str], None]


def _buy(house: House, sandbox: SandboxProcess, cart_id: str) -> None:
    """Place, pay, come back, and let the worker do the rest."""
    placed = place(house, wish(cart_id))
    _pay_and_return(house, sandbox, placed.order_id)
    drain(house)


def _pay_and_return(house: House, sandbox: SandboxProcess, order_id) -> None:
    with house.db.reading() as session:
        operation = operations.of_order(session, order_id)
    if operation is not None and operation.state in operations.OPEN_STATES:
        if operation.redirect_url is not None:
            sandbox.pay(operation.redirect_url, CARD)
        settle(house, operation.id)


def _told_by_webhook_only(house: House, sandbox: SandboxProcess, cart_id: str) -> None:
    """The tab is closed after paying: the processor's list of events tells of it."""
    placed = place(house, wish(cart_id))
    with house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    if operation.state in operations.OPEN_STATES:
        sandbox.pay(operation.redirect_url, CARD)
    reconcile.read_events(house)
    drain(house)


def _give_up_first(house: House, sandbox: SandboxProcess, cart_id: str) -> None:
    """Come back unpaid, then buy after all."""
    with house.db.reading() as session:
        orders = session.scalars(select(Order).order_by(Order.created_at)).all()
    if not orders:
        abandon(house, place(house, wish(cart_id)).order_id, "came_back")
    elif len(orders) == 1 and orders[0].lifecycle == "pending":
        abandon(house, orders[0].id, "came_back")
    _buy(house, sandbox, cart_id)


SCENARIOS: dict[str, Scenario] = {
    "buy": _buy,
    "told_by_webhook_only": _told_by_webhook_only,
    "give_up_first": _give_up_first,
}
#: What each scenario passes, so that the tests can be named; held against a real run below.
POINTS = {
    "buy": (
        "place.written",
        "place.before_commit",
        "place.after_commit",
        "send.before_call",
        "send.after_call",
        "send.after_commit",
        "settle.fetched",
        "settle.before_commit",
        "settle.committed",
        "issue.written",
        "issue.before_commit",
        "job.before_commit",
        "store.rendered",
        "store.bytes_written",
        "job.before_finish",
        "notice.before_send",
        "notice.sent",
    ),
    "told_by_webhook_only": ("settle.fetched", "settle.before_commit", "settle.committed"),
    "give_up_first": ("abandon.visit_ended",),
}


def _count(house: House, model, *where) -> int:
    with house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where))


def _assert_once(house: House) -> None:
    """One order, one payment, one invoice, one document; the books are sound; nothing is left."""
    assert _count(house, Order, Order.lifecycle == "confirmed") == 1
    assert _count(house, Order, Order.lifecycle == "pending") == 0
    assert _count(house, Payment) == 1
    assert _count(house, Invoice) == 1
    assert _count(house, StoredDocument) == 1
    assert _count(house, Refund) == 0
    assert _count(house, Job, Job.state != "done") == 0
    against = [
        finding for finding in verify(house.db, house.clock, blobs=house.blobs) if not finding.holds
    ]
    assert against == []


def _go_on(scenario: Scenario, house: House, sandbox: SandboxProcess, cart_id: str) -> None:
    """After the restart: leases have run out, and everybody tries again."""
    pass_time(house, sandbox, timedelta(minutes=2))
    scenario(house, sandbox, cart_id)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_named_points_are_those_that_are_passed(
    name: str, house: House, sandbox: SandboxProcess, world: World
):
    passed: list[str] = []
    cart_id = fill_cart(house, world.router.sku)
    with crash.armed(passed.append):
        SCENARIOS[name](house, sandbox, cart_id)
    _assert_once(house)
    assert set(POINTS[name]) <= set(passed)
    if name == "buy":
        assert set(POINTS[name]) == set(passed)


@pytest.mark.parametrize(
    ("name", "point"), [(name, point) for name, points in POINTS.items() for point in points]
)
def test_a_crash_at_any_point_loses_and_doubles_nothing(
    name: str, point: str, house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    crashed: list[str] = []

    def die(passed: str) -> None:
        if passed == point and not crashed:
            crashed.append(passed)
            raise crash.SimulatedCrash(passed)

    with crash.armed(die):
        try:
            SCENARIOS[name](house, sandbox, cart_id)
        except crash.SimulatedCrash:
            pass
    assert crashed == [point]
    _go_on(SCENARIOS[name], house, sandbox, cart_id)
    _assert_once(house)


@pytest.mark.parametrize("point", ["refund.prepared", "refund.asked"])
def test_a_crash_while_paying_back_pays_back_once(
    point: str, house: House, sandbox: SandboxProcess, world: World
):
    placed = place(house, wish(fill_cart(house, world.camera.sku)))
    with house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    sandbox.pay(operation.redirect_url, CARD)
    pass_time(house, sandbox, timedelta(hours=2))
    for _ in range(4):
        place(house, wish(fill_cart(house, world.camera.sku), "invoice"))
    settle(house, operation.id)
    with crash.crash_at(point):
        drain(house)
    pass_time(house, sandbox, timedelta(minutes=2))
    drain(house)
    assert _count(house, Refund) == 1
    with house.db.reading() as session:
        payment = session.scalars(select(Payment)).one()
    assert house.gateway.get_payment(payment.gateway_id).amount_refunded.minor == (
        payment.amount_minor
    )
    assert [f for f in verify(house.db, house.clock, blobs=house.blobs) if not f.holds] == []


@pytest.mark.parametrize(
    ("point", "who"),
    [
        ("refund_payment.before_commit", "pressed again"),
        ("refund.asked", "pressed again"),
        ("refund.prepared", "reconciler"),
        ("refund.asked", "reconciler"),
    ],
)
def test_a_crash_while_a_payment_of_bills_goes_back_gives_it_back_once(
    point: str, who: str, house: House, sandbox: SandboxProcess, world: World
):
    stage = on_file.open_stage(house, sandbox, world)
    assert stage.charge() == "succeeded"
    drain(house)
    with house.db.reading() as session:
        payment = session.scalars(select(Payment)).one()
    amount = Money(payment.amount_minor, payment.currency)
    wanted = Wanted(payment.public_id, amount, "card", "goodwill", "user:desk", "once")
    with crash.crash_at(point):
        refund_payment.give(house, wanted)
    pass_time(house, sandbox, timedelta(minutes=10))
    if who == "reconciler":
        assert reconcile.run(house).problems == ()
    else:
        refund_payment.give(house, wanted)
    drain(house)
    assert _count(house, Refund) == 1
    assert house.gateway.get_payment(payment.gateway_id).amount_refunded == amount
    assert on_file.still_open(house, stage.bill) == amount.minor, "it is owed again"
    stage.assert_sound()


def test_the_reconciler_finds_a_payment_whose_tab_was_closed_and_whose_webhook_was_lost(
    house: House, sandbox: SandboxProcess, world: World
):
    placed = place(house, wish(fill_cart(house, world.router.sku)))
    sandbox.pay(placed.redirect_url, CARD)
    pass_time(house, sandbox, timedelta(minutes=10))
    report = reconcile.run(house)
    assert report.problems == ()
    drain(house)
    _assert_once(house)


def test_a_visit_that_was_never_opened_is_given_up(
    house: House, sandbox: SandboxProcess, world: World
):
    cart_id = fill_cart(house, world.router.sku)
    with crash.crash_at("send.before_call"):
        place(house, wish(cart_id))
    pass_time(house, sandbox, timedelta(hours=1))
    assert reconcile.run(house).settled == 1
    assert _count(house, Order, Order.lifecycle == "cancelled") == 1
    assert _count(house, PaymentOperation, PaymentOperation.state == "expired") == 1


def test_a_request_that_came_too_late_for_its_time_begins_anew(
    house: House, sandbox: SandboxProcess, world: World
):
    """The processor wants half an hour: a first call delayed by ten minutes is refused for good."""
    cart_id = fill_cart(house, world.router.sku)
    with crash.crash_at("send.before_call"):
        place(house, wish(cart_id))
    pass_time(house, sandbox, timedelta(minutes=10))
    with pytest.raises(InvalidRequest):
        place(house, wish(cart_id))
    _buy(house, sandbox, cart_id)
    _assert_once(house)


@pytest.mark.parametrize("point", ["settle.fetched", "place.after_commit"])
def test_a_real_kill_loses_and_doubles_nothing(
    point: str, house: House, sandbox: SandboxProcess, world: World, tmp_path
):
    cart_id = fill_cart(house, world.router.sku)
    killed = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.killed",
            house.db.engine.url.render_as_string(hide_password=False),
            sandbox.base_url,
            sandbox.api_key,
            sandbox.webhook_secret,
            str(tmp_path),
            cart_id,
            point,
            house.clock.now().isoformat(),
        ],
        env={"PATH": os.environ["PATH"]},
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    _go_on(_buy, house, sandbox, cart_id)
    _assert_once(house)


# --- paying bills ---------------------------------------------------------------------------------


def _pay_bills(house: House, sandbox: SandboxProcess, order_id) -> None:
    """The guest of an order on terms pays its bill by the order's link, however often they try."""
    with house.db.reading() as session:
        begun = session.scalars(
            select(PaymentOperation).where(PaymentOperation.state.in_(operations.OPEN_STATES))
        ).all()
    if begun:
        url = operations.send(house.db, house.gateway, begun[0].id, house.clock)
        sandbox.pay(url, CARD)
        settle(house, begun[0].id)
    elif _count(house, Payment) == 0:
        sandbox.pay(pay_order(house, order_id), CARD)
        with house.db.reading() as session:
            operation = session.scalars(select(PaymentOperation)).one()
        settle(house, operation.id)
    drain(house)


@pytest.mark.parametrize(
    "point",
    [
        "send.before_call",
        "send.after_call",
        "send.after_commit",
        "settle.fetched",
        "settle.before_commit",
        "settle.committed",
    ],
)
def test_a_crash_while_paying_a_bill_pays_it_once(
    point: str, house: House, sandbox: SandboxProcess, world: World
):
    placed = place(house, wish(fill_cart(house, world.router.sku), "invoice"))
    drain(house)
    with crash.crash_at(point):
        _pay_bills(house, sandbox, placed.order_id)
    pass_time(house, sandbox, timedelta(minutes=2))
    _pay_bills(house, sandbox, placed.order_id)
    _assert_once(house)
    with house.db.reading() as session:
        (item,) = session.scalars(select(OpenItem)).all()
        assert items.get(session, item.id).open.minor == 0
