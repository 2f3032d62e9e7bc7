"""What the card network says of a payment that it takes back, in the words of ``payments.gateway``."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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
    for it, ``fee_back`` what of that came again. ``evidence_due``: until when we may answer.
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
