"""How far past due an account is: the state that dunning puts it in, and when it asks for money. Pure.

An account is as late as its *earliest* open item that is past due. What is contested is left out, and so is
history of another system. A part payment clears nothing; a credit that settles the item does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.kernel.money import Money


@dataclass(frozen=True)
class PastDue:
    """An open item as dunning sees it; ``contested`` is a part of ``open``."""

    due: date
    open: Money
    contested: Money
    is_history: bool = False

    @property
    def asked(self) -> Money:
        """What may be asked for."""
        return max(self.open - self.contested, Money.zero(self.open.currency))


@dataclass(frozen=True)
class Stage:
    """A state that is reached so many days after the due date; it may stop the service."""

    name: str
    after_days: int
    stops_service: bool = False


def earliest(items: Iterable[PastDue], today: date) -> date | None:
    """The due date that counts; None when nothing uncontested is past due."""
    late = [item.due for item in _asked(items) if item.due < today]
    return min(late, default=None)


def stage(items: Iterable[PastDue], stages: Sequence[Stage], today: date) -> Stage | None:
    """The state that the account is in today; None when it is in none."""
    due = earliest(items, today)
    if due is None:
        return None
    reached = [one for one in stages if due + timedelta(days=one.after_days) <= today]
    return max(reached, key=lambda one: one.after_days, default=None)


def stage_days(due: date, stages: Sequence[Stage]) -> list[tuple[date, Stage]]:
    """When each state is reached if nothing is paid, the nearest first."""
    days = [(due + timedelta(days=one.after_days), one) for one in stages]
    return sorted(days, key=lambda day: day[0])


def request(items: Iterable[PastDue], threshold: Money, today: date) -> Money | None:
    """All that is past due, once it reaches the threshold; None while it does not, or is nothing."""
    currency = threshold.currency
    late = [
        item.asked for item in _asked(items) if item.due < today and item.open.currency == currency
    ]
    whole = Money(sum(amount.minor for amount in late), currency)
    return whole if whole and threshold <= whole else None


def _asked(items: Iterable[PastDue]) -> list[PastDue]:
    return [item for item in items if item.asked and not item.is_history]
