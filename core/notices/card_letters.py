"""What the mails about cards on file, AutoPay and planned payments say. Filled by ``flows.card_letters``."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from core.kernel.money import Money
from core.notices.letters import Letter, Row


@dataclass(frozen=True)
class CardLetter(Letter):
    """Something about a card, without an amount. ``step``: autopay_started, autopay_stopped, cancelled,
    nothing_due, expires.

    ``agreed`` is what was agreed, word for word; ``used_for`` what an expiring card is charged for; ``on`` is
    the day that a payment was planned for, or the last on which a card is good.
    """

    TEMPLATE: ClassVar[str] = "card"

    step: str
    account_number: str
    instrument: str
    on: date | None = None
    agreed: str = ""
    used_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedLetter(Letter):
    """A card is charged ``amount`` on a day. ``step``: autopay (told ahead), balance (told ahead), planned,
    changed.

    ``link`` leads to where it is stopped. ``is_most``: what is owed then may be less.
    """

    TEMPLATE: ClassVar[str] = "planned"

    step: str
    account_number: str
    instrument: str
    amount: Money
    on: date
    rows: tuple[Row, ...]
    agreed: str = ""
