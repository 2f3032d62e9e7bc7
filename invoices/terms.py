"""Terms of payment: when a bill is due, and what paying early is worth. Pure.

An account's terms beat its channel's; both keep them as JSON. Due days move to the next business day of the
legal entity's country, but for what is due on receipt.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from invoices import frozen
from invoices.business_days import next_business_day

PPM = 1_000_000


class Due(StrEnum):
    """What the days are counted from."""

    DAYS = "days"  # so many days after issue
    MONTH_END = "month_end"  # so many days after the end of the month of issue
    DAY_OF_MONTH = "day_of_month"  # the next such day of a month, so many days after issue at least


@dataclass(frozen=True)
class Terms:
    """``discount_ppm`` of what is billed may be kept by whoever pays within ``discount_days``."""

    due: Due = Due.DAYS
    days: int = 0
    day: int = 1
    discount_ppm: int = 0
    discount_days: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.days <= 365 and 1 <= self.day <= 31):
            raise ValueError("terms have at most 365 days and a day from 1 to 31")
        if not (0 <= self.discount_ppm < PPM and 0 <= self.discount_days <= 365):
            raise ValueError("a discount is less than the bill and ends within a year")

    def to_dict(self) -> dict[str, Any]:
        """As an account or a channel keeps it."""
        return dict(frozen.to_plain(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Terms":
        """What ``to_dict`` wrote."""
        return frozen.from_plain(cls, data)


def holding(
    account: tuple[dict[str, Any] | None, int | None], channel: tuple[dict[str, Any] | None, int]
) -> Terms:
    """The terms that hold, each side given as (terms, days): the account's, else the channel's."""
    for written, days in (account, channel):
        if written is not None:
            return Terms.from_dict(written)
        if days is not None:
            return Terms(days=days)
    return Terms()


def due_date(terms: Terms, issued: date, country: str) -> date:
    """The day by which to pay a bill of ``issued``; the day itself when it is due on receipt."""
    if terms.due is Due.DAYS and terms.days == 0:
        return issued
    return next_business_day(_counted(terms, issued), country)


def _counted(terms: Terms, issued: date) -> date:
    if terms.due is Due.DAYS:
        return issued + timedelta(days=terms.days)
    if terms.due is Due.MONTH_END:
        return _in_month(issued.year, issued.month, 31) + timedelta(days=terms.days)
    earliest = issued + timedelta(days=max(terms.days, 1))
    found = _in_month(earliest.year, earliest.month, terms.day)
    if found >= earliest:
        return found
    following = _in_month(earliest.year, earliest.month, 31) + timedelta(days=1)
    return _in_month(following.year, following.month, terms.day)


def _in_month(year: int, month: int, day: int) -> date:
    """The day of a month, or its last where it has no such day."""
    return date(year, month, min(day, monthrange(year, month)[1]))


def discount_until(terms: Terms, issued: date, country: str) -> date | None:
    """The last day on which the discount can be taken; None when there is none."""
    if not terms.discount_ppm:
        return None
    return next_business_day(issued + timedelta(days=terms.discount_days), country)
