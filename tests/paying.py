"""A shop with the sandbox processor behind it, and how tests buy, pay and go through a day."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import worker
from cart import lines
from cart.checkout import Details
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.orders.models import Order
from core.parties.models import Channel
from flows.house import House
from flows.place_order import Placed, Wish, place
from flows.settle_payment import settle
from payments import operations
from payments.stripe_gateway import StripeGateway
from tests.sandbox_process import SandboxProcess, running_sandbox
from tests.shop import make_house
from tests.world import ADDRESS, World

CARD = "4242424242424242"
DECLINED = "4000000000000002"


@pytest.fixture(scope="session")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The pretend processor, one for all tests of a run."""
    with running_sandbox(tmp_path_factory.mktemp("processor")) as running:
        yield running


@pytest.fixture
def sandbox(processor: SandboxProcess, clock: ManualClock) -> Iterator[SandboxProcess]:
    """The processor on the test's clock, with empty books and without faults."""
    processor.clear_faults()
    processor.forget()
    processor.set_clock(clock.now().timestamp())
    yield processor
    processor.clear_faults()


@pytest.fixture
def house(
    db: Database, clock: ManualClock, world: World, sandbox: SandboxProcess, tmp_path: Path
) -> House:
    """The house on a test database, paying through the sandbox."""
    return make_house(db, clock, tmp_path, gateway(sandbox))


def gateway(sandbox: SandboxProcess, timeout: float = 5.0) -> StripeGateway:
    """The real adapter, speaking to the sandbox."""
    return StripeGateway(
        sandbox.api_key,
        webhook_secrets=(sandbox.webhook_secret,),
        api_base=sandbox.base_url,
        timeout=timeout,
        sandbox=True,
    )


def pass_time(house: House, sandbox: SandboxProcess, step: timedelta) -> None:
    """Move the shop's clock and the processor's together."""
    assert isinstance(house.clock, ManualClock)
    house.clock.advance(step)
    sandbox.set_clock(house.clock.now().timestamp())


def fill_cart(house: House, *skus: str) -> str:
    """A cart with one of each; answers its public id."""
    now = house.clock.now()

    def work(session: Session) -> str:
        channel = session.scalars(select(Channel)).one()
        cart = lines.open_cart(session, channel, now)
        for sku in skus:
            lines.add(session, cart, sku, 1, house.rules.hold_for, now)
        return cart.public_id

    return house.db.run_tx(work)


def wish(cart_id: str, method: str = "card", *, email: str = "riley@example.com") -> Wish:
    """An order of that cart to the usual address."""
    return Wish(cart_id, Details(email, dict(ADDRESS), None, method))


def buy(house: House, *skus: str) -> Placed:
    """Fill a cart and begin to pay by card."""
    return place(house, wish(fill_cart(house, *skus)))


def come_back(house: House, placed: Placed) -> str:
    """What the return page does."""
    with house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    assert operation is not None
    return settle(house, operation.id)


def order(house: House, order_id: uuid.UUID) -> Order:
    """The order as it stands."""
    with house.db.reading() as session:
        return session.get_one(Order, order_id)


def drain(house: House) -> int:
    """Run every job that is due."""
    return worker.drain(house)


def usd(minor: int) -> Money:
    return Money(minor, "USD")
