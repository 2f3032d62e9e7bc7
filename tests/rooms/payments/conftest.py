"""A sandbox for the whole run, gateways that speak to it, and a watch over every word said."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from core.kernel.money import Money
from payments.gateway import CheckoutLine, CheckoutRequest, CheckoutSession, Payment, RefundRequest
from payments.saved import ChargeRequest, CustomerRequest, SavedMethod, Setup, SetupRequest
from payments.stripe_gateway import StripeGateway
from tests.rooms.payments.stripe_types import exchange_problems
from tests.sandbox_process import SandboxProcess, WebhookCatcher, running_sandbox


@dataclass
class Exchange:
    """One request that our side sent, and the answer."""

    method: str
    url: str
    body: str | bytes | None
    headers: dict[str, str]
    status: int
    answer: bytes


@pytest.fixture(autouse=True)
def exchanges(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Exchange]]:
    """Everything that went over the wire; held against the SDK's types when the test is over."""
    seen: list[Exchange] = []
    real = stripe.RequestsClient.request

    def request(
        self: Any, method: str, url: str, headers: dict[str, str], post_data: Any = None
    ) -> Any:
        content, status, told = real(self, method, url, headers, post_data)
        seen.append(Exchange(method, url, post_data, dict(headers), status, content))
        return content, status, told

    monkeypatch.setattr(stripe.RequestsClient, "request", request)
    yield seen
    problems = [
        problem
        for one in seen
        for problem in exchange_problems(one.method, one.url, one.body, one.status, one.answer)
    ]
    assert not problems, problems


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("processor")) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> Iterator[SandboxProcess]:
    """The sandbox, with no fault left on by the test and nowhere to send webhooks."""
    yield sandbox_process
    sandbox_process.clear_faults()
    sandbox_process.send_webhooks_to(None, [sandbox_process.webhook_secret])


@pytest.fixture
def catcher(sandbox: SandboxProcess) -> Iterator[WebhookCatcher]:
    """Hears the sandbox's webhooks."""
    with WebhookCatcher() as catcher:
        sandbox.send_webhooks_to(catcher.url)
        yield catcher
        sandbox.send_webhooks_to(None)


@dataclass
class Side:
    """One side of the contract: a gateway to a processor, and ways to make payments happen."""

    gateway: StripeGateway
    now: Callable[[], datetime]
    paid: Callable[..., Payment]
    saved: Callable[..., SavedMethod]
    names: Iterator[str] = field(default_factory=lambda: _names())

    def request(self, **other: Any) -> CheckoutRequest:
        """An order of two lines over 318.00, with its own key and operation."""
        name = next(self.names)
        usual: dict[str, Any] = {
            "op_key": f"key-{name}",
            "operation_id": f"op-{name}",
            "lines": (
                CheckoutLine("Canopy mesh router", Money(12900, "USD"), 2),
                CheckoutLine("Installation visit", Money(6000, "USD")),
            ),
            "total": Money(31800, "USD"),
            "success_url": "http://localhost:8000/checkout/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://localhost:8000/checkout/back",
            "expires_at": self.now() + timedelta(minutes=40),
            "customer_email": "june.alder@example.com",
            "metadata": {"order": "C-1001"},
        }
        return CheckoutRequest(**(usual | other))

    def open(self, **other: Any) -> CheckoutSession:
        return self.gateway.start_checkout(self.request(**other))

    def refund(self, payment: Payment, minor: int) -> RefundRequest:
        """Some of a payment back, with its own key and operation."""
        name = next(self.names)
        amount = Money(minor, payment.amount.currency)
        return RefundRequest(f"key-{name}", f"op-{name}", payment.id, amount, {"memo": "CM-7"})

    def new_customer(self) -> str:
        """Somebody whose cards are kept; answers the processor's id."""
        name = next(self.names)
        asked = CustomerRequest(f"key-{name}", name, "June Alder", "june.alder@example.com")
        return self.gateway.create_customer(asked).id

    def setup(self, customer_id: str, **other: Any) -> SetupRequest:
        """A visit that puts a card of a customer on file, with its own key and operation."""
        name = next(self.names)
        usual: dict[str, Any] = {
            "op_key": f"key-{name}",
            "operation_id": f"op-{name}",
            "customer_id": customer_id,
            "success_url": "http://localhost:8000/methods/done",
            "cancel_url": "http://localhost:8000/methods/back",
            "expires_at": self.now() + timedelta(minutes=40),
            "metadata": {"subject": "example:T-7"},
        }
        return SetupRequest(**(usual | other))

    def charge(self, method: SavedMethod, minor: int = 4500, **other: Any) -> ChargeRequest:
        """A charge of a saved card, with its own key and operation."""
        name = next(self.names)
        assert method.customer_id is not None
        usual: dict[str, Any] = {
            "op_key": f"key-{name}",
            "operation_id": f"op-{name}",
            "customer_id": method.customer_id,
            "method_id": method.id,
            "amount": Money(minor, "USD"),
            "description": "Bill INV-1001",
            "metadata": {"bill": "INV-1001"},
        }
        return ChargeRequest(**(usual | other))

    def new_name(self) -> str:
        return next(self.names)


def _names() -> Iterator[str]:
    """Names that no other run has used."""
    start = time.time_ns()
    while True:
        start += 1
        yield f"{start:x}"


def gateway_to(sandbox: SandboxProcess, **other: Any) -> StripeGateway:
    """A gateway to the sandbox; ``other`` changes how it is built."""
    usual: dict[str, Any] = {
        "api_base": sandbox.base_url,
        "webhook_secrets": (sandbox.webhook_secret,),
        "sandbox": True,
    }
    return StripeGateway(other.pop("api_key", sandbox.api_key), **(usual | other))


def side_of(sandbox: SandboxProcess) -> Side:
    """Our side, with a sandbox on the other."""
    gateway = gateway_to(sandbox)

    def paid(card: str = "4242424242424242", **other: Any) -> Payment:
        session = here.open(**other)
        assert session.url is not None
        sandbox.pay(session.url, card)
        payment_id = gateway.get_checkout(session.id).payment_id
        assert payment_id is not None
        return gateway.get_payment(payment_id)

    def saved(card: str = "4242424242424242", **other: Any) -> SavedMethod:
        setup = set_up(card, other.pop("expiry", "12/34"), **other)
        assert setup.method is not None
        return setup.method

    def set_up(card: str, expiry: str, **other: Any) -> Setup:
        customer_id = other.pop("customer_id", None) or here.new_customer()
        session = gateway.start_setup(here.setup(customer_id, **other))
        assert session.url is not None
        assert session.setup_id is not None
        sandbox.pay(session.url, card, expiry=expiry)
        return gateway.get_setup(session.setup_id)

    here = Side(gateway, lambda: datetime.fromtimestamp(sandbox.now(), UTC), paid, saved)
    return here


@pytest.fixture
def side(sandbox: SandboxProcess) -> Side:
    """Our side, with the sandbox that all tests share on the other."""
    return side_of(sandbox)


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A sandbox for one test: for those that move its clock far."""
    with running_sandbox(tmp_path / "own") as process:
        yield process


@pytest.fixture
def live_side() -> Side:
    """Our side, with Stripe itself on the other (test mode)."""
    key = os.environ["STRIPE_TEST_KEY"]
    gateway = StripeGateway(key, webhook_secrets=("whsec_not_used",))
    methods = {"4242424242424242": "pm_card_visa", "4000000000000002": "pm_card_chargeDeclined"}

    def paid(card: str = "4242424242424242", **other: Any) -> Payment:
        request = here.request(**other)
        intents = stripe.StripeClient(key).v1.payment_intents
        created = intents.create(
            {
                "amount": request.total.minor,
                "currency": request.total.currency.lower(),
                "allowed_payment_method_types": ["card"],
                "capture_method": request.capture,
                "metadata": {**request.metadata, "operation_id": request.operation_id},
            }
        )
        try:
            intents.confirm(created.id, {"payment_method": methods[card]})
        except stripe.CardError:
            pass
        return gateway.get_payment(created.id)

    attached = {
        "4242424242424242": "pm_card_visa",
        "4000002760003184": "pm_card_authenticationRequired",
        "4000000000000341": "pm_card_chargeCustomerFail",
    }

    def saved(card: str = "4242424242424242", **other: Any) -> SavedMethod:
        customer_id = other.pop("customer_id", None) or here.new_customer()
        stripe.StripeClient(key).v1.payment_methods.attach(
            attached[card], {"customer": customer_id}
        )
        return gateway.list_payment_methods(customer_id)[0]

    here = Side(gateway, lambda: datetime.now(UTC), paid, saved)
    return here


@pytest.fixture(
    params=["sandbox", pytest.param("stripe", marks=pytest.mark.stripe_live)],
)
def either(request: pytest.FixtureRequest) -> Side:
    """The contract holds on both sides: the sandbox always, Stripe when there is a test key."""
    name = "side" if request.param == "sandbox" else "live_side"
    found = request.getfixturevalue(name)
    assert isinstance(found, Side)
    return found


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "processor"
