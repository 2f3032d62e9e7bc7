"""What mails about being past due say, as frozen facts like those of ``letters``."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from core.kernel.money import Money
from core.notices.letters import Letter, Row


@dataclass(frozen=True)
class PastDueLetter(Letter):
    """Of an account that is late, or was: ``what`` is first, again, last, broken (a promise), locked,
    unlocked or promised.

    ``amount`` is all that is past due and not contested, since ``since``; ``rows`` are its bills. ``lock_on``
    is the day on which ``services`` are locked, if any; ``until`` the day that was promised; ``tried_on`` the
    day on which a card that was declined is tried again. ``link`` pays without logging in.
    """

    TEMPLATE: ClassVar[str] = "past_due"

    what: str
    account_number: str
    amount: Money
    since: date | None
    rows: tuple[Row, ...]
    services: tuple[str, ...] = ()
    lock_on: date | None = None
    until: date | None = None
    tried_on: date | None = None
