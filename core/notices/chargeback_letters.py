"""What the mail says that tells who sees to bills of a chargeback. See ``core.notices.letters``."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from core.kernel.money import Money
from core.notices.letters import Letter


@dataclass(frozen=True)
class ChargebackLetter(Letter):
    """A payment was taken back (``opened``), may be (``warned``), or it is decided (``won``, ``lost``,
    ``ended``, or ``appealed``: won after it was lost). ``answer_by`` is when the network stops listening;
    ``trouble``: why it is not in the books."""

    TEMPLATE: ClassVar[str] = "chargeback"

    how: str
    payment: str
    bills: tuple[str, ...]
    who: str
    account: str
    amount: Money
    fee: Money
    reason: str
    answer_by: date | None
    trouble: str
