"""Several hands on one quote at once: it is accepted once, or not at all, and the books are sound."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from cart.quotes.refusals import NotAcceptable, QuoteBeingPaid
from cart.quotes.wanting import Wanted
from core.kernel.clock import ManualClock
from core.kernel.errors import ShopError, StaleState
from core.kernel.jobs import Job
from core.orders.models import Order
from flows import accept_quote, draft_quote, send_quote
from flows.abandon_payment import abandon
from flows.house import House
from flows.settle_payment import settle
from flows.verify import verify
from payments import operations
from payments.models import Payment
from tests.paying import CARD, drain
from tests.quoting import ANN, Quoting
from tests.sandbox_process import SandboxProcess
from tests.world import World


def _at_once(*works: Callable[[], object]) -> list[Exception]:
    """Run all of them at the same moment; what they raised."""
    start = threading.Barrier(len(works))
    raised: list[Exception] = []

    def go(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except ShopError as error:
            raised.append(error)

    threads = [threading.Thread(target=go, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def _orders(house: House) -> list[Order]:
    with house.db.reading() as session:
        return [row for row in session.scalars(select(Order)) if row.lifecycle != "cancelled"]


def _sound(house: House) -> None:
    drain(house)
    with house.db.reading() as session:
        left = session.scalars(select(Job.last_error).where(Job.state != "done")).all()
    assert left == []
    assert [one for one in verify(house.db, house.clock, blobs=house.blobs) if not one.holds] == []


def _sent(house: House, world: World) -> Quoting:
    return Quoting.ask(house, world).ready(Wanted(sku=world.router.sku, quantity=3))


def test_two_who_accept_at_once_have_one_order(house: House, world: World):
    quoting = _sent(house, world)
    raised = _at_once(*[quoting.accept] * 4)
    assert raised == []
    assert len(_orders(house)) == 1
    assert quoting.quote.state == "accepted"
    _sound(house)


def test_accepted_and_taken_back_at_once_is_one_of_the_two(house: House, world: World):
    quoting = _sent(house, world)
    raised = _at_once(
        quoting.accept,
        lambda: send_quote.withdraw(house, quoting.public_id, "mistake", "", ANN),
    )
    assert len(raised) == 1
    assert isinstance(raised[0], NotAcceptable | StaleState)
    won = quoting.quote.state
    assert won in ("accepted", "withdrawn")
    assert len(_orders(house)) == (1 if won == "accepted" else 0)
    _sound(house)


def test_accepted_and_superseded_at_once_is_one_of_the_two(house: House, world: World):
    quoting = _sent(house, world)
    draft_quote.another(house, quoting.public_id, ANN)
    quoting.write(Wanted(sku=world.router.sku, quantity=5))
    revision = quoting.version().revision
    raised = _at_once(
        lambda: quoting.accept(version=1),
        lambda: send_quote.send(house, quoting.public_id, revision, ANN),
    )
    assert len(raised) == 1
    states = (quoting.version(1).state, quoting.version(2).state)
    assert states in (("accepted", "dropped"), ("superseded", "sent"))
    assert len(_orders(house)) == (1 if states[0] == "accepted" else 0)
    _sound(house)


def test_accepted_and_declined_at_once_is_one_of_the_two(house: House, world: World):
    quoting = _sent(house, world)
    raised = _at_once(
        quoting.accept,
        lambda: accept_quote.decline(house, quoting.public_id, 1, "price", "", "Pat"),
    )
    assert len(raised) == 1
    assert len(_orders(house)) == (1 if quoting.quote.state == "accepted" else 0)
    _sound(house)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=-1)])
def test_the_last_moment_is_before_it_ends(house: House, world: World, late: timedelta):
    """Whoever accepts at the end's own moment is too late; who is a moment before is not."""
    quoting = _sent(house, world)
    ends = quoting.version().expires_at
    assert ends is not None
    assert isinstance(house.clock, ManualClock)
    house.clock.set(ends + late)
    raised = _at_once(*[quoting.accept] * 3)
    assert len(_orders(house)) == (0 if late == timedelta(0) else 1)
    assert len(raised) == (3 if late == timedelta(0) else 0)
    _sound(house)


def test_by_card_and_by_bill_at_once_is_one_order_or_one_to_be_paid(
    house: House, sandbox: SandboxProcess, world: World
):
    quoting = _sent(house, world)
    _at_once(
        lambda: quoting.accept("card"),
        lambda: quoting.accept("terms"),
        lambda: quoting.accept("card"),
    )
    assert len(_orders(house)) == 1
    _sound(house)


def test_paid_and_taken_back_at_once_is_the_customers_or_nobodys(
    house: House, sandbox: SandboxProcess, world: World
):
    quoting = _sent(house, world)
    placed = quoting.accept("card")
    assert placed.redirect_url is not None
    sandbox.pay(placed.redirect_url, CARD)
    with house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    assert operation is not None
    raised = _at_once(
        lambda: settle(house, operation.id),
        lambda: abandon(house, placed.order_id, "came_back"),
        lambda: send_quote.withdraw(house, quoting.public_id, "mistake", "", ANN),
        quoting.accept,
    )
    assert all(isinstance(error, NotAcceptable | QuoteBeingPaid | StaleState) for error in raised)
    assert quoting.quote.state == "accepted"
    with house.db.reading() as session:
        assert len(session.scalars(select(Payment)).all()) == 1
    (order,) = _orders(house)
    assert order.payment == "paid"
    _sound(house)
