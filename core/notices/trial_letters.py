"""What mails about trials say, as frozen facts like those of ``letters``."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from core.kernel.money import Money
from core.notices.letters import Letter


@dataclass(frozen=True)
class TrialLetter(Letter):
    """What every mail about a trial knows.

    ``link`` opens the trial's own page, where it is cancelled and kept; ``go_on_link`` is where somebody
    decides to go on, empty where there is nothing to decide. ``last_day`` and ``paid_from`` are None for a
    free tier. ``price`` is in words, with tax as far as it is known: ``$9.59 with tax``.
    """

    plan: str
    kind: str
    goes_on: bool
    last_day: date | None
    paid_from: date | None
    days_left: int
    price: str
    every: str
    go_on_link: str


@dataclass(frozen=True)
class TrialWelcome(TrialLetter):
    """It has begun; ``words`` are what was agreed to, sentence by sentence."""

    TEMPLATE: ClassVar[str] = "trial_welcome"

    words: tuple[str, ...]


@dataclass(frozen=True)
class TrialHalfway(TrialLetter):
    """Half of it is over."""

    TEMPLATE: ClassVar[str] = "trial_halfway"


@dataclass(frozen=True)
class TrialEnding(TrialLetter):
    """It ends soon: what it will cost, from when, and how to cancel."""

    TEMPLATE: ClassVar[str] = "trial_ending"


@dataclass(frozen=True)
class TrialFollowUpLetter(TrialLetter):
    """How does it go?"""

    TEMPLATE: ClassVar[str] = "trial_follow_up"


@dataclass(frozen=True)
class TrialCancelled(TrialLetter):
    """Somebody cancelled it; ``until`` is the last day on which it can be used."""

    TEMPLATE: ClassVar[str] = "trial_cancelled"

    until: date


@dataclass(frozen=True)
class TrialOverLetter(TrialLetter):
    """It is over and nobody pays for it. ``was_cancelled``: somebody had said so."""

    TEMPLATE: ClassVar[str] = "trial_over"

    was_cancelled: bool
    shop_link: str


@dataclass(frozen=True)
class TrialUsage(TrialLetter):
    """A free tier is nearly full, or is above what is free. ``used`` and ``free`` are ``4.2 GB``."""

    TEMPLATE: ClassVar[str] = "trial_usage"

    is_above: bool
    used: str
    free: str
    cost: Money
    billed_on: date
