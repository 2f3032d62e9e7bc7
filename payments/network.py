"""What the card network says of a payment that it takes back, and what we answer; a part of the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from core.kernel.money import Money

ChargebackStatus = Literal[
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "appeal_needs_response",
    "appeal_under_review",
    "won",
    "lost",
    "prevented",
]


@dataclass(frozen=True, slots=True)
class NetworkChargeback:
    """A chargeback as it stands now.

    ``taken`` says whether the money has left us: a warning takes none. ``fee`` is what the processor keeps
    for it, ``fee_back`` what of that came again. ``evidence_due``: until when we may answer. ``answered``:
    the network has our evidence, and takes no more.
    """

    id: str
    payment_id: str | None
    status: ChargebackStatus
    amount: Money
    taken: bool
    fee: Money
    fee_back: Money
    reason: str
    created: datetime
    evidence_due: datetime | None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file for the network: its name as they see it, and its bytes."""

    op_key: str
    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """What we answer, once. ``files`` are ids that ``upload_evidence`` answered, by what they show."""

    op_key: str
    chargeback_id: str
    text: str
    files: Mapping[str, str]


class Network(Protocol):
    """What a gateway asks and tells the card network. Raises what the gateway's other questions raise."""

    def get_chargeback(self, chargeback_id: str) -> NetworkChargeback: ...

    def upload_evidence(self, file: EvidenceFile) -> str:
        """Lay a file ready; answers its id."""
        ...

    def submit_evidence(self, request: EvidenceRequest) -> NetworkChargeback:
        """Hand our evidence to the bank, for good."""
        ...
