"""What happens in the house, as frozen dataclasses with a payload version.

An event tells ids and amounts, never names or addresses. Handlers read the present state again.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True)
class OrderPlaced:
    """An order is certain: paid, or placed on terms."""

    NAME: ClassVar[str] = "OrderPlaced"
    VERSION: ClassVar[int] = 1
    order_id: str


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


EVENTS: dict[str, type[Any]] = {
    kind.NAME: kind
    for kind in (
        OrderPlaced,
        InvoiceIssued,
        DocumentStored,
        StatementMade,
        StatementStored,
        PaymentApplied,
        OpenItemsChanged,
        InboundReceived,
        RefundWanted,
        CreditToRefund,
        RefundMade,
        NoticeQueued,
        LinkAsked,
    )
}


def load(name: str, version: int, payload: dict[str, Any]) -> Any:
    """The event that a job row carries. ValueError for a version this release does not know."""
    kind = EVENTS[name]
    if version != kind.VERSION:
        raise ValueError(f"{name} version {version}: this release knows {kind.VERSION}")
    return kind(**{field.name: payload[field.name] for field in fields(kind)})
