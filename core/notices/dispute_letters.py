"""What the mails about a dispute say, as frozen facts: to its customer, and to the desk.

Filled by ``flows.dispute_letters``; see ``core.notices.letters``.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from core.kernel.money import Money
from core.notices.letters import Letter


@dataclass(frozen=True)
class DisputeOpenedLetter(Letter):
    """We have it, and answer until then; what of the bill is still to be paid, and when."""

    TEMPLATE: ClassVar[str] = "dispute_opened"

    number: str
    bill: str
    line: str
    amount: Money
    answer_by: date
    #: Of the bill: what is contested now, and what is due in spite of it.
    contested: Money
    still_due: Money
    due: date | None
    words: tuple[str, ...]


@dataclass(frozen=True)
class DisputeMessageLetter(Letter):
    """The other side wrote: to the customer, or ``for_desk``."""

    TEMPLATE: ClassVar[str] = "dispute_message"

    number: str
    bill: str
    author: str
    words: tuple[str, ...]
    pictures: int
    for_desk: bool


@dataclass(frozen=True)
class DisputeClosedLetter(Letter):
    """To the customer: answered with a ``full``, ``part`` or ``none`` credit, or ``withdrawn``.

    ``settles`` lowered the bill, ``kept`` was paid before; ``goes_back`` when that is on its way.
    """

    TEMPLATE: ClassVar[str] = "dispute_closed"

    number: str
    bill: str
    line: str
    how: str
    amount: Money
    credited: Money
    memo: str
    settles: Money
    kept: Money
    goes_back: bool
    words: tuple[str, ...]
    still_due: Money
    due: date | None


@dataclass(frozen=True)
class DisputeDeskLetter(Letter):
    """To the desk: a line is disputed (``opened``), or no more (``withdrawn``)."""

    TEMPLATE: ClassVar[str] = "dispute_desk"

    number: str
    bill: str
    line: str
    how: str
    who: str
    account: str
    amount: Money
    reason: str
    answer_by: date
    words: tuple[str, ...]
    pictures: int
