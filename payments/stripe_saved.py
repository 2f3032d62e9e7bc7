"""The adapter's part for methods on file; ``payments.stripe_gateway`` builds it and brings the SDK.

Nothing here imports ``stripe``: it is handed the client and the way to ask.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from payments import stripe_reading as reading
from payments import stripe_writing as writing
from payments.gateway import CheckoutSession, InvalidRequest, Payment
from payments.saved import (
    ChargeRequest,
    Customer,
    CustomerRequest,
    SavedMethod,
    Setup,
    SetupRequest,
)
from payments.stripe_writing import ident

CHARGE = ["latest_charge.balance_transaction"]
CLOCK_SKEW = timedelta(minutes=5)
#: The best of several payments of one operation comes first.
_RANK = {"succeeded": 3, "processing": 2, "requires_capture": 2, "canceled": 0}

Result = TypeVar("Result")


class SavedCards(ABC):
    """Customers, set-ups, saved cards, and charges of them."""

    @property
    @abstractmethod
    def _services(self) -> Any:
        """The SDK's services."""

    @abstractmethod
    def _ask(self, op_key: str | None, call: Callable[[], Result]) -> Result:
        """Make the call; every way to fail becomes one of the port's errors."""

    @abstractmethod
    def _pages(self, service: Any, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every object of a listing, newest first."""

    @abstractmethod
    def get_payment(self, payment_id: str) -> Payment: ...

    def create_customer(self, request: CustomerRequest) -> Customer:
        params, service = writing.customer(request), self._services.customers
        return self._ask(
            request.op_key,
            lambda: reading.customer(
                service.create(params, writing.keyed(request.op_key)).to_dict()
            ),
        )

    def start_setup(self, request: SetupRequest) -> CheckoutSession:
        params, service = writing.setup(request), self._services.checkout.sessions
        return self._ask(
            request.op_key,
            lambda: reading.checkout(
                service.create(params, writing.keyed(request.op_key)).to_dict()
            ),
        )

    def get_setup(self, setup_id: str) -> Setup:
        service, expanded = self._services.setup_intents, {"expand": ["payment_method"]}
        return self._ask(
            None, lambda: reading.setup(service.retrieve(ident(setup_id), expanded).to_dict())
        )

    def charge_saved(self, request: ChargeRequest) -> Payment:
        params = writing.charge(request) | {"expand": CHARGE}
        service = self._services.payment_intents
        return self._ask(
            request.op_key,
            lambda: reading.payment(
                service.create(params, writing.keyed(request.op_key)).to_dict()
            ),
        )

    def find_payment_by_operation(
        self, operation_id: str, customer_id: str, created_gte: datetime
    ) -> Payment | None:
        """The one that took money first, when an operation made several."""
        since = int((created_gte - CLOCK_SKEW).timestamp())
        query = {"customer": ident(customer_id), "created": {"gte": since}}

        def search() -> str | None:
            found = [
                body
                for body in self._pages(self._services.payment_intents, query)
                if reading.operation_of(body) == operation_id
            ]
            best = max(found, key=lambda body: _RANK.get(body["status"], 1), default=None)
            return best["id"] if best else None

        payment_id = self._ask(None, search)
        return self.get_payment(payment_id) if payment_id else None

    def list_payment_methods(self, customer_id: str) -> tuple[SavedMethod, ...]:
        query = {"customer": ident(customer_id), "type": "card"}
        service = self._services.payment_methods
        return self._ask(
            None,
            lambda: tuple(reading.saved_method(body) for body in self._pages(service, query)),
        )

    def detach(self, op_key: str, method_id: str) -> SavedMethod:
        service = self._services.payment_methods
        try:
            return self._ask(
                op_key,
                lambda: reading.saved_method(
                    service.detach(ident(method_id), {}, writing.keyed(op_key)).to_dict()
                ),
            )
        except InvalidRequest:
            method = self._ask(
                None, lambda: reading.saved_method(service.retrieve(ident(method_id)).to_dict())
            )
            if method.customer_id is not None:
                raise
            return method
