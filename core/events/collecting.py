"""What happens while money is collected: cards on file, disputes, chargebacks, what is past due."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class MethodStored:
    """A card is on file, with what was agreed: a set-up's operation tells for which subject."""

    NAME: ClassVar[str] = "MethodStored"
    VERSION: ClassVar[int] = 1
    operation_id: str


@dataclass(frozen=True)
class MethodDetached:
    """A card is off file here, and is to be so at the processor too."""

    NAME: ClassVar[str] = "MethodDetached"
    VERSION: ClassVar[int] = 1
    payment_method_id: str


@dataclass(frozen=True)
class ChargeWanted:
    """A bill is to be charged to a card on file, as was agreed when it was put there.

    Each ``attempt`` at a bill and a card is made once, however often it is asked for.
    """

    NAME: ClassVar[str] = "ChargeWanted"
    VERSION: ClassVar[int] = 1
    invoice_id: str
    payment_method_id: str
    attempt: int = 1


@dataclass(frozen=True)
class ScheduledPaymentDue:
    """A payment that was scheduled is to be made now, after so many tries that were declined."""

    NAME: ClassVar[str] = "ScheduledPaymentDue"
    VERSION: ClassVar[int] = 1
    scheduled_payment_id: str
    tries: int


@dataclass(frozen=True)
class ChargeFailed:
    """A card on file was not charged; the bill stays open, and its payer is told."""

    NAME: ClassVar[str] = "ChargeFailed"
    VERSION: ClassVar[int] = 1
    operation_id: str


@dataclass(frozen=True)
class DisputeOpened:
    """A customer disputes a line of a bill."""

    NAME: ClassVar[str] = "DisputeOpened"
    VERSION: ClassVar[int] = 1
    dispute_id: str


@dataclass(frozen=True)
class DisputeMessaged:
    """One side of a dispute wrote to the other."""

    NAME: ClassVar[str] = "DisputeMessaged"
    VERSION: ClassVar[int] = 1
    message_id: str


@dataclass(frozen=True)
class DisputeClosed:
    """A dispute is over: ``how`` is resolved or withdrawn."""

    NAME: ClassVar[str] = "DisputeClosed"
    VERSION: ClassVar[int] = 1
    dispute_id: str
    how: str


@dataclass(frozen=True)
class ChargebackMoved:
    """A card network says something of a payment: ``how`` is warned, opened, answered, closed or
    appealed."""

    NAME: ClassVar[str] = "ChargebackMoved"
    VERSION: ClassVar[int] = 1
    chargeback_id: str
    how: str


@dataclass(frozen=True)
class EvidenceToSend:
    """Our evidence about a chargeback is to go to the network; ``tries`` counts how often it was let go."""

    NAME: ClassVar[str] = "EvidenceToSend"
    VERSION: ClassVar[int] = 1
    chargeback_id: str
    tries: int


@dataclass(frozen=True)
class CaseMoved:
    """An account is past due: its case was opened, promised, locked, unlocked or closed, as the act says."""

    NAME: ClassVar[str] = "CaseMoved"
    VERSION: ClassVar[int] = 1
    act_id: str


@dataclass(frozen=True)
class AutoPayMoved:
    """AutoPay was started or stopped for an account."""

    NAME: ClassVar[str] = "AutoPayMoved"
    VERSION: ClassVar[int] = 1
    rule_id: str
    how: str
