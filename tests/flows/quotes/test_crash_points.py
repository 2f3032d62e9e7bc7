"""A process may die at any named point of sending and accepting: afterwards there is one order, one bill."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cart.quotes.models import QuoteAcceptance, QuoteFile
from cart.quotes.wanting import Wanted
from core.kernel import crash
from core.kernel.jobs import Job
from core.notices.models import Notice
from core.orders.models import Order
from core.stock.models import Hold
from flows.house import House
from flows.settle_payment import settle
from flows.verify import verify
from invoices.models import Invoice
from payments import operations
from payments.models import Payment, Refund
from tests.paying import CARD, drain, pass_time
from tests.quoting import Quoting
from tests.sandbox_process import SandboxProcess
from tests.world import World

Scenario = Callable[[Quoting, SandboxProcess], None]


def _send(quoting: Quoting, sandbox: SandboxProcess) -> None:
    """Send it, unless it is sent."""
    if quoting.version().state != "sent":
        quoting.send()
    drain(quoting.house)


def _by_bill(quoting: Quoting, sandbox: SandboxProcess) -> None:
    """Accept by bill, and let the worker do the rest."""
    quoting.accept("terms")
    drain(quoting.house)


def _by_card(quoting: Quoting, sandbox: SandboxProcess) -> None:
    """Accept, pay, come back."""
    placed = quoting.accept("card")
    with quoting.house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    if operation is not None and operation.state in operations.OPEN_STATES:
        if operation.redirect_url is not None:
            sandbox.pay(operation.redirect_url, CARD)
        settle(quoting.house, operation.id)
    drain(quoting.house)


POINTS: dict[str, tuple[str, ...]] = {
    "send": (
        "quote.lines_frozen",
        "quote.before_commit",
        "quote.rendered",
        "quote.bytes_written",
        "job.before_commit",
        "job.before_finish",
        "notice.before_send",
        "notice.sent",
    ),
    "by_bill": (
        "accept.written",
        "accept.before_commit",
        "accept.after_commit",
        "issue.written",
        "issue.before_commit",
        "job.before_commit",
    ),
    "by_card": (
        "accept.written",
        "accept.before_commit",
        "accept.after_commit",
        "send.before_call",
        "send.after_call",
        "send.after_commit",
        "settle.fetched",
        "settle.before_commit",
        "settle.committed",
    ),
}
SCENARIOS: dict[str, Scenario] = {"send": _send, "by_bill": _by_bill, "by_card": _by_card}


def _ready(house: House, sandbox: SandboxProcess, world: World, name: str) -> Quoting:
    quoting = Quoting.ask(house, world)
    quoting.write(
        Wanted(sku=world.router.sku, quantity=2), Wanted(sku=world.plan.sku, term_months=12)
    )
    drain(house)
    if name != "send":
        _send(quoting, sandbox)
    return quoting


def _count(house: House, model: type, *where: object) -> int:
    with house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0  # type: ignore[arg-type]


def _assert_once(quoting: Quoting, name: str) -> None:
    house = quoting.house
    assert _count(house, QuoteFile) == 1
    assert _count(house, Notice, Notice.key.startswith("quote-sent:")) == 1
    assert _count(house, Job, Job.state != "done") == 0
    if name == "send":
        assert quoting.version().state == "sent"
        assert _count(house, Hold, Hold.state == "active") == 1
    else:
        assert quoting.quote.state == quoting.version().state == "accepted"
        assert _count(house, Order, Order.lifecycle == "confirmed") == 1
        assert _count(house, Order, Order.lifecycle == "pending") == 0
        assert _count(house, QuoteAcceptance) == 1
        assert _count(house, Invoice) == 1
        assert _count(house, Payment) == (1 if name == "by_card" else 0)
        assert _count(house, Refund) == 0
        assert _count(house, Hold, Hold.state == "active") == 0
    against = [one for one in verify(house.db, house.clock, blobs=house.blobs) if not one.holds]
    assert against == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_named_points_are_those_that_are_passed(
    name: str, house: House, sandbox: SandboxProcess, world: World
):
    quoting = _ready(house, sandbox, world, name)
    passed: list[str] = []
    with crash.armed(passed.append):
        SCENARIOS[name](quoting, sandbox)
    _assert_once(quoting, name)
    assert set(POINTS[name]) <= set(passed)
    ours = {point for point in passed if point.startswith(("accept.", "quote."))}
    assert ours <= set(POINTS[name])


@pytest.mark.parametrize(
    ("name", "point"), [(name, point) for name, points in POINTS.items() for point in points]
)
def test_a_crash_at_any_point_loses_and_doubles_nothing(
    name: str, point: str, house: House, sandbox: SandboxProcess, world: World
):
    quoting = _ready(house, sandbox, world, name)
    crashed: list[str] = []

    def die(passed: str) -> None:
        if passed == point and not crashed:
            crashed.append(passed)
            raise crash.SimulatedCrash(passed)

    with crash.armed(die):
        try:
            SCENARIOS[name](quoting, sandbox)
        except crash.SimulatedCrash:
            pass
    assert crashed == [point]
    pass_time(house, sandbox, timedelta(minutes=2))
    SCENARIOS[name](quoting, sandbox)
    _assert_once(quoting, name)
