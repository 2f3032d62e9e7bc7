"""What the mails about a quote say, as frozen facts: to its customer, and to the desk.

Filled by ``flows.quote_letters``; see ``core.notices.letters``.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from core.kernel.money import Money
from core.notices.letters import Letter, Row


@dataclass(frozen=True)
class QuoteAskedLetter(Letter):
    """We have your request: what was asked for, and what happens next."""

    TEMPLATE: ClassVar[str] = "quote_asked"

    number: str
    asked_on: date
    things: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Again:
    """What is charged again ``every`` month or year, with its taxes."""

    amount: Money
    every: str


@dataclass(frozen=True)
class QuoteLetter(Letter):
    """The quote with its PDF; or, when it ``reminds``, that its time is nearly over."""

    TEMPLATE: ClassVar[str] = "quote"

    number: str
    valid_until: date
    total: Money
    rows: tuple[Row, ...]
    again: tuple[Again, ...]
    words: tuple[str, ...]
    replaces: bool
    reminds: bool
    is_attached: bool


@dataclass(frozen=True)
class QuoteMessageLetter(Letter):
    """The other side wrote: to the customer, or ``for_desk``."""

    TEMPLATE: ClassVar[str] = "quote_message"

    number: str
    author: str
    words: tuple[str, ...]
    for_desk: bool


@dataclass(frozen=True)
class QuoteClosedLetter(Letter):
    """To the customer: it was ``accepted``, ``declined`` or ``withdrawn``."""

    TEMPLATE: ClassVar[str] = "quote_closed"

    number: str
    how: str
    order_number: str
    signed_by: str
    total: Money
    words: tuple[str, ...]


@dataclass(frozen=True)
class QuoteDeskLetter(Letter):
    """To the desk: somebody ``asked``, ``accepted`` or ``declined``. ``amount``: the value over its terms."""

    TEMPLATE: ClassVar[str] = "quote_desk"

    number: str
    how: str
    who: str
    email: str
    phone: str
    amount: Money
    things: tuple[str, ...]
    words: tuple[str, ...]
    order_number: str
    reason: str
