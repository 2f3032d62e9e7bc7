"""What the port says of methods on file: customers, set-ups, saved cards, and charges of them.

A part of ``payments.gateway``, which speaks of it. No card number is in any of it: the processor keeps the
card and tells brand, last digits, expiry and a fingerprint.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from core.kernel.money import Money

SetupStatus = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "canceled",
    "succeeded",
]


# --- what goes out ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CustomerRequest:
    """Somebody whose methods the processor keeps together; ``reference`` is our id of them."""

    op_key: str
    reference: str
    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class SetupRequest:
    """A visit to the processor's own page that puts a card on file and charges nothing.

    Times and addresses as for a ``CheckoutRequest``.
    """

    op_key: str
    operation_id: str
    customer_id: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """Take ``amount`` from a saved method of a customer who is not there.

    ``description`` is what the payer's papers say it was for.
    """

    op_key: str
    operation_id: str
    customer_id: str
    method_id: str
    amount: Money
    description: str
    metadata: Mapping[str, str] = field(default_factory=dict)


# --- what comes back -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer at the processor."""

    id: str
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Decline:
    """Why the last try at a payment or a set-up failed, as the card's bank put it."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class SavedMethod:
    """A card on file. ``customer_id`` is None once it is detached: it can never be charged again.

    ``fingerprint`` is the same for the same card, whoever saved it.
    """

    id: str
    customer_id: str | None
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class Setup:
    """The set-up of a method as it stands now; ``method`` is there once it succeeded."""

    id: str
    status: SetupStatus
    operation_id: str | None
    customer_id: str | None
    method: SavedMethod | None
    last_decline: Decline | None
    created: datetime
