"""What happens in the house, as frozen dataclasses with a payload version.

An event tells ids and amounts, never names or addresses. Handlers read the present state again.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from core.events.collecting import (
    AutoPayMoved,
    CaseMoved,
    ChargebackMoved,
    ChargeFailed,
    ChargeWanted,
    DisputeClosed,
    DisputeMessaged,
    DisputeOpened,
    EvidenceToSend,
    MethodDetached,
    MethodStored,
    ScheduledPaymentDue,
)
from core.events.goods import BackOrderReleased, PickUpMoved
from core.events.providing import OrderApproved, OrderDelivered, ProvisionWanted

__all__ = [
    "EVENTS",
    "AutoPayMoved",
    "BackOrderReleased",
    "BillChunkPlanned",
    "CaseMoved",
    "ChargeFailed",
    "ChargeWanted",
    "ChargebackMoved",
    "CreditToRefund",
    "DisputeClosed",
    "DisputeMessaged",
    "DisputeOpened",
    "DocumentStored",
    "EvidenceToSend",
    "InboundReceived",
    "InvoiceIssued",
    "LateFeeDue",
    "LinkAsked",
    "MethodDetached",
    "MethodStored",
    "NoticeQueued",
    "OpenItemsChanged",
    "OrderApproved",
    "OrderChanged",
    "OrderDelivered",
    "OrderPlaced",
    "OrderShipped",
    "PaymentApplied",
    "PickUpMoved",
    "ProvisionWanted",
    "QuoteClosed",
    "QuoteMessaged",
    "QuoteRequested",
    "QuoteSent",
    "QuoteStored",
    "RefundMade",
    "RefundWanted",
    "ScheduledPaymentDue",
    "StatementMade",
    "StatementStored",
    "StockFreed",
    "SubscriptionActivated",
    "SubscriptionChanged",
    "SubscriptionEnded",
    "TrialEnded",
    "TrialStarted",
    "load",
]


@dataclass(frozen=True)
class OrderPlaced:
    """An order is certain: paid, or placed on terms."""

    NAME: ClassVar[str] = "OrderPlaced"
    VERSION: ClassVar[int] = 1
    order_id: str


@dataclass(frozen=True)
class OrderShipped:
    """A parcel of an order left."""

    NAME: ClassVar[str] = "OrderShipped"
    VERSION: ClassVar[int] = 1
    fulfilment_id: str


@dataclass(frozen=True)
class OrderChanged:
    """Pieces of an order were cancelled, or come back: ``how`` is cancelled, asked, declined, announced,
    received or withdrawn."""

    NAME: ClassVar[str] = "OrderChanged"
    VERSION: ClassVar[int] = 1
    change_id: str
    how: str


@dataclass(frozen=True)
class StockFreed:
    """Pieces of a thing that somebody waits for can be had."""

    NAME: ClassVar[str] = "StockFreed"
    VERSION: ClassVar[int] = 1
    variant_id: str


@dataclass(frozen=True)
class InvoiceIssued:
    """A document got its number; it is not rendered yet."""

    NAME: ClassVar[str] = "InvoiceIssued"
    VERSION: ClassVar[int] = 1
    invoice_id: str


@dataclass(frozen=True)
class DocumentStored:
    """A document's bytes are stored under their hash."""

    NAME: ClassVar[str] = "DocumentStored"
    VERSION: ClassVar[int] = 1
    invoice_id: str
    sha256: str


@dataclass(frozen=True)
class StatementMade:
    """A statement got its number; it is not rendered yet."""

    NAME: ClassVar[str] = "StatementMade"
    VERSION: ClassVar[int] = 1
    statement_id: str


@dataclass(frozen=True)
class StatementStored:
    """A statement's bytes are stored under their hash."""

    NAME: ClassVar[str] = "StatementStored"
    VERSION: ClassVar[int] = 1
    statement_id: str
    sha256: str


@dataclass(frozen=True)
class PaymentApplied:
    """Money that a payer sent is in the ledger: time for a receipt."""

    NAME: ClassVar[str] = "PaymentApplied"
    VERSION: ClassVar[int] = 1
    payment_id: str


@dataclass(frozen=True)
class OpenItemsChanged:
    """What an account owes, is owed or contests has changed: one per posting and account."""

    NAME: ClassVar[str] = "OpenItemsChanged"
    VERSION: ClassVar[int] = 1
    account_id: str


@dataclass(frozen=True)
class LateFeeDue:
    """An account is so late that it costs a fee: ``due_on`` is the due date that it is late by."""

    NAME: ClassVar[str] = "LateFeeDue"
    VERSION: ClassVar[int] = 1
    account_id: str
    due_on: str


@dataclass(frozen=True)
class InboundReceived:
    """The processor told of something; the inbox holds the row."""

    NAME: ClassVar[str] = "InboundReceived"
    VERSION: ClassVar[int] = 1
    event_id: str


@dataclass(frozen=True)
class RefundWanted:
    """Money has to go back: ``amount_minor`` of one payment, once per ``reason_key``."""

    NAME: ClassVar[str] = "RefundWanted"
    VERSION: ClassVar[int] = 1
    payment_id: str
    amount_minor: int
    reason: str


@dataclass(frozen=True)
class CreditToRefund:
    """What a credit memo gave back of money that had come is to go back the way it came."""

    NAME: ClassVar[str] = "CreditToRefund"
    VERSION: ClassVar[int] = 1
    invoice_id: str


@dataclass(frozen=True)
class RefundMade:
    """Money went back and is in the ledger."""

    NAME: ClassVar[str] = "RefundMade"
    VERSION: ClassVar[int] = 1
    refund_id: str


@dataclass(frozen=True)
class NoticeQueued:
    """A mail is written and waits to be sent."""

    NAME: ClassVar[str] = "NoticeQueued"
    VERSION: ClassVar[int] = 1
    notice_id: str


@dataclass(frozen=True)
class LinkAsked:
    """Somebody asked for a link by mail: reset of a password, an invitation, a confirmation."""

    NAME: ClassVar[str] = "LinkAsked"
    VERSION: ClassVar[int] = 1
    token_id: str


@dataclass(frozen=True)
class SubscriptionActivated:
    """A service begins: it may be used, and is billed from now on."""

    NAME: ClassVar[str] = "SubscriptionActivated"
    VERSION: ClassVar[int] = 1
    subscription_id: str


@dataclass(frozen=True)
class SubscriptionChanged:
    """A service was changed: ``what`` is plan, quantity, paused, resumed, cancelled, kept or payer."""

    NAME: ClassVar[str] = "SubscriptionChanged"
    VERSION: ClassVar[int] = 1
    subscription_id: str
    what: str
    revision: int


@dataclass(frozen=True)
class SubscriptionEnded:
    """A service is over: it may not be used any more."""

    NAME: ClassVar[str] = "SubscriptionEnded"
    VERSION: ClassVar[int] = 1
    subscription_id: str


@dataclass(frozen=True)
class TrialStarted:
    """Somebody tries a service."""

    NAME: ClassVar[str] = "TrialStarted"
    VERSION: ClassVar[int] = 1
    trial_id: str


@dataclass(frozen=True)
class TrialEnded:
    """A trial is over: ``how`` is converted, cancelled or lapsed."""

    NAME: ClassVar[str] = "TrialEnded"
    VERSION: ClassVar[int] = 1
    trial_id: str
    how: str


@dataclass(frozen=True)
class BillChunkPlanned:
    """Some accounts of a bill run are to be billed."""

    NAME: ClassVar[str] = "BillChunkPlanned"
    VERSION: ClassVar[int] = 1
    run_id: str
    chunk: int


@dataclass(frozen=True)
class QuoteRequested:
    """Somebody asked for a quote."""

    NAME: ClassVar[str] = "QuoteRequested"
    VERSION: ClassVar[int] = 1
    quote_id: str


@dataclass(frozen=True)
class QuoteSent:
    """A version of a quote is frozen and on its way."""

    NAME: ClassVar[str] = "QuoteSent"
    VERSION: ClassVar[int] = 1
    version_id: str


@dataclass(frozen=True)
class QuoteStored:
    """The bytes of a sent quote are stored under their hash."""

    NAME: ClassVar[str] = "QuoteStored"
    VERSION: ClassVar[int] = 1
    version_id: str
    sha256: str


@dataclass(frozen=True)
class QuoteMessaged:
    """One side of a quote wrote to the other."""

    NAME: ClassVar[str] = "QuoteMessaged"
    VERSION: ClassVar[int] = 1
    message_id: str


@dataclass(frozen=True)
class QuoteClosed:
    """A quote is over: ``how`` is accepted, declined or withdrawn."""

    NAME: ClassVar[str] = "QuoteClosed"
    VERSION: ClassVar[int] = 1
    quote_id: str
    how: str


EVENTS: dict[str, type[Any]] = {
    kind.NAME: kind
    for kind in (
        OrderPlaced,
        OrderShipped,
        OrderChanged,
        StockFreed,
        InvoiceIssued,
        DocumentStored,
        StatementMade,
        StatementStored,
        PaymentApplied,
        OpenItemsChanged,
        LateFeeDue,
        InboundReceived,
        RefundWanted,
        CreditToRefund,
        RefundMade,
        NoticeQueued,
        LinkAsked,
        SubscriptionActivated,
        SubscriptionChanged,
        SubscriptionEnded,
        TrialStarted,
        TrialEnded,
        MethodStored,
        MethodDetached,
        ScheduledPaymentDue,
        ChargeWanted,
        ChargeFailed,
        BillChunkPlanned,
        QuoteRequested,
        QuoteSent,
        QuoteStored,
        QuoteMessaged,
        QuoteClosed,
        DisputeOpened,
        DisputeMessaged,
        DisputeClosed,
        ChargebackMoved,
        EvidenceToSend,
        CaseMoved,
        AutoPayMoved,
        ProvisionWanted,
        OrderApproved,
        OrderDelivered,
        PickUpMoved,
        BackOrderReleased,
    )
}


def load(name: str, version: int, payload: dict[str, Any]) -> Any:
    """The event that a job row carries. ValueError for a version this release does not know."""
    kind = EVENTS[name]
    if version != kind.VERSION:
        raise ValueError(f"{name} version {version}: this release knows {kind.VERSION}")
    return kind(**{field.name: payload[field.name] for field in fields(kind)})
