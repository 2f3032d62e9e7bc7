"""The port to the payment processor: what we ask of it, in our words, and how it can fail.

The adapter is ``payments.stripe_gateway``; ``payments.operations``, ``payments.inbox`` and
``payments.reconcile`` speak to this port alone. No call may be made inside a transaction. Every
change carries an ``op_key``: the same key with the same request is done once, however often it is
sent. The processor forgets a key after about a day; from then on the ``find_*_by_operation``
questions tell whether an operation was carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Generic, Literal, Protocol, TypeVar

from core.kernel.errors import ShopError
from core.kernel.money import Money
from payments.network import Network
from payments.saved import (
    ChargeRequest,
    Customer,
    CustomerRequest,
    Decline,
    SavedMethod,
    Setup,
    SetupRequest,
)

CheckoutMode = Literal["payment", "setup"]
CheckoutStatus = Literal["open", "complete", "expired"]
CheckoutPaid = Literal["paid", "unpaid", "no_payment_required"]
Capture = Literal["automatic", "manual"]
PaymentStatus = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded",
]
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]

Item = TypeVar("Item")


# --- what goes out ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckoutLine:
    """One line as the payer reads it; ``amount`` is for one piece and not negative."""

    name: str
    amount: Money
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A visit to the processor's own page. The lines must sum to ``total``.

    ``expires_at`` is at least 30 minutes and at most 24 hours ahead. ``success_url`` may hold
    ``{CHECKOUT_SESSION_ID}``. Keys of ``metadata`` have at most 40 characters, values 500; the key
    ``operation_id`` is the port's own.
    """

    op_key: str
    operation_id: str
    lines: tuple[CheckoutLine, ...]
    total: Money
    success_url: str
    cancel_url: str
    expires_at: datetime
    customer_email: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    capture: Capture = "automatic"


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money back to the card of ``payment_id``; ``amount`` may be a part of it."""

    op_key: str
    operation_id: str
    payment_id: str
    amount: Money
    metadata: Mapping[str, str] = field(default_factory=dict)


# --- what comes back -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A visit to the processor's page as it stands now. ``url`` is there while it is open.

    One that pays has an ``amount`` and once a card was tried a ``payment_id``; one that sets a method up
    has a ``setup_id``.
    """

    id: str
    mode: CheckoutMode
    status: CheckoutStatus
    payment_status: CheckoutPaid
    amount: Money | None
    url: str | None
    payment_id: str | None
    setup_id: str | None
    operation_id: str | None
    metadata: Mapping[str, str]
    created: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it stands now. ``fee`` and its transaction are known some time after."""

    id: str
    status: PaymentStatus
    amount: Money
    amount_capturable: Money
    amount_received: Money
    amount_refunded: Money
    operation_id: str | None
    metadata: Mapping[str, str]
    created: datetime
    last_decline: Decline | None
    card_brand: str | None
    card_last4: str | None
    balance_transaction_id: str | None
    fee: Money | None


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as it stands now; ``failure`` is set when it could not be paid out."""

    id: str
    status: RefundStatus
    amount: Money
    payment_id: str
    operation_id: str | None
    metadata: Mapping[str, str]
    created: datetime
    failure: str | None
    balance_transaction_id: str | None


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of our balance at the processor: ``net`` = ``amount`` - ``fee``, signed.

    ``source_id`` is the charge, refund or payout behind it.
    """

    id: str
    type: str
    amount: Money
    fee: Money
    net: Money
    source_id: str | None
    created: datetime
    available_on: datetime


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """That something happened to an object. Only the ids may be used: fetch the object itself."""

    id: str
    type: str
    object_type: str
    object_id: str
    created: datetime
    livemode: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Oldest first. ``cursor`` is what to pass as ``after`` next time (the old one when empty)."""

    items: tuple[Item, ...]
    cursor: str | None
    has_more: bool


# --- how it fails ----------------------------------------------------------------------------


class GatewayError(ShopError):
    """The processor did not do what was asked. Only ``Indeterminate`` leaves it open whether."""

    code: ClassVar[str] = "gateway_error"
    text: ClassVar[str] = "The payment processor could not do that."


@dataclass(eq=False)
class Declined(GatewayError):
    """The card's bank said no. A new try needs a new key."""

    code: ClassVar[str] = "declined"
    text: ClassVar[str] = "The card was declined ({reason})."
    reason: str
    decline_code: str | None = None
    payment_id: str | None = None


@dataclass(eq=False)
class AuthenticationRequired(GatewayError):
    """The bank wants to hear from the payer; nothing was charged."""

    code: ClassVar[str] = "authentication_required"
    text: ClassVar[str] = "The bank asks the payer to confirm this payment."
    payment_id: str | None = None


@dataclass(eq=False)
class InvalidRequest(GatewayError):
    """Refused for what it says; sent again it is refused again. Nothing was done.

    ``reason`` is the processor's code, such as ``resource_missing``.
    """

    code: ClassVar[str] = "invalid_payment_request"
    text: ClassVar[str] = "The payment processor refused the request: {message}"
    reason: str
    message: str
    param: str | None = None

    @property
    def is_missing(self) -> bool:
        """The processor knows nothing of what was asked for: nobody can pay there."""
        return self.reason == "resource_missing"


@dataclass(eq=False)
class RefundFailed(GatewayError):
    """The processor took the refund and could not pay it out: the money is still here."""

    code: ClassVar[str] = "refund_failed"
    text: ClassVar[str] = "The processor could not pay the refund out ({failure})."
    failure: str


@dataclass(eq=False)
class KeyConflict(GatewayError):
    """The key was used before with other parameters. Nothing was done by this call."""

    code: ClassVar[str] = "payment_key_conflict"
    text: ClassVar[str] = "This payment key already stands for another request."
    op_key: str


@dataclass(eq=False)
class RateLimited(GatewayError):
    """Too many requests; nothing was done. Try again with the same key."""

    code: ClassVar[str] = "payment_rate_limited"
    text: ClassVar[str] = "The payment processor is busy."
    retry_after_seconds: int | None = None


@dataclass(eq=False)
class Misconfigured(GatewayError):
    """A key, address or secret is wrong: for whoever runs the shop, not for the payer."""

    code: ClassVar[str] = "payment_misconfigured"
    text: ClassVar[str] = "Payments are not set up right: {detail}"
    detail: str


@dataclass(eq=False)
class Indeterminate(GatewayError):
    """Nobody knows whether it was done: timeout, lost connection, 5xx, an unreadable answer.

    Never a failure. Ask again with the same key; when that stays so, find it by its operation.
    """

    code: ClassVar[str] = "payment_indeterminate"
    text: ClassVar[str] = "The payment processor has not answered yet ({cause})."
    cause: str


@dataclass(eq=False)
class WebhookRefused(GatewayError):
    """Not to be believed: ``why`` is unsigned, forged, stale, malformed or wrong_mode."""

    code: ClassVar[str] = "webhook_refused"
    text: ClassVar[str] = "This event cannot be taken ({why})."
    why: Literal["unsigned", "forged", "stale", "malformed", "wrong_mode"]


# --- the port --------------------------------------------------------------------------------


class Gateway(Network, Protocol):
    """What the shop asks of a payment processor. Any call may raise a ``GatewayError``."""

    def start_checkout(self, request: CheckoutRequest) -> CheckoutSession: ...

    def get_checkout(self, checkout_id: str) -> CheckoutSession: ...

    def find_checkout_by_operation(
        self, operation_id: str, created_gte: datetime
    ) -> CheckoutSession | None:
        """The session of an operation, looked for among those created since ``created_gte``."""
        ...

    def expire_checkout(self, checkout_id: str, op_key: str) -> CheckoutSession:
        """End an open visit and answer its state: ``complete`` when the payer was faster."""
        ...

    def create_customer(self, request: CustomerRequest) -> Customer: ...

    def start_setup(self, request: SetupRequest) -> CheckoutSession:
        """Open a visit that saves a card for charges without its owner, and charges nothing now."""
        ...

    def get_setup(self, setup_id: str) -> Setup: ...

    def charge_saved(self, request: ChargeRequest) -> Payment:
        """Charge a saved card now. Declined or AuthenticationRequired when the bank does not let us.

        A method that is gone is InvalidRequest.
        """
        ...

    def find_payment_by_operation(
        self, operation_id: str, customer_id: str, created_gte: datetime
    ) -> Payment | None:
        """The customer's payment of an operation, among those made since ``created_gte``."""
        ...

    def list_payment_methods(self, customer_id: str) -> tuple[SavedMethod, ...]:
        """The cards on file of a customer, the newest first."""
        ...

    def detach(self, op_key: str, method_id: str) -> SavedMethod:
        """Take a card off file for good. One that is off file already is success."""
        ...

    def get_payment(self, payment_id: str) -> Payment: ...

    def capture(self, op_key: str, payment_id: str, amount: Money | None = None) -> Payment:
        """Take what was authorised, or a part of it; the rest is released."""
        ...

    def void(self, op_key: str, payment_id: str) -> Payment:
        """Release an authorisation. Already released is success; taken is ``InvalidRequest``."""
        ...

    def refund(self, request: RefundRequest) -> Refund: ...

    def get_refund(self, refund_id: str) -> Refund: ...

    def find_refund_by_operation(self, operation_id: str, payment_id: str) -> Refund | None: ...

    def list_balance_transactions(
        self, after: str | None = None, created_gte: datetime | None = None, limit: int = 100
    ) -> Page[BalanceTransaction]: ...

    def list_events(
        self, after: str | None = None, created_gte: datetime | None = None, limit: int = 100
    ) -> Page[WebhookEvent]:
        """Events after the cursor. Kept about 30 days; a cursor that is gone is InvalidRequest."""
        ...

    def parse_webhook(self, raw: bytes, signature: str | None, now: datetime) -> WebhookEvent:
        """Verify the raw bytes. WebhookRefused when they are not the processor's, or too old."""
        ...
