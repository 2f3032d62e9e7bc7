"""Why a line costs what it costs: a small frozen value, written with the line and never computed anew.

Rating and issuing make one for each line; it is kept as JSON in ``invoice_line.why`` and printed in plain
words by ``invoices.reasons``. Pure. Amounts are in major units: ``amount`` has exactly the currency's
decimals; prices, ``of`` and ``residue`` may carry more.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from invoices import frozen

ZERO = Decimal(0)


class Formula(StrEnum):
    """How the amount came about."""

    QUANTITY = "quantity"  # unit price x quantity
    PRORATED = "prorated"  # unit price x quantity x days / of_days
    REPAIR = "repair"  # what was billed for days that are not used: the same, given back
    TIERS = "tiers"  # the sum of ``steps``
    DISCOUNT = "discount"  # percent of ``of``, or a fixed amount off
    SHARE = "share"  # weight / of_weight of ``of``: a piece of a bundle
    CREDIT = "credit"  # part of an issued line, whose net is ``of``
    FIXED = "fixed"  # an amount as agreed


class Basis(StrEnum):
    """What the days of a proration are counted over."""

    PERIOD = "period"  # the days of the actual period, account-local dates
    YEAR = "year"  # 365 days
    MONTH_30 = "month_30"  # months of 30 days


@dataclass(frozen=True)
class Step:
    """One tier: so much at this price. ``label`` is the tier's own name, when it has one."""

    quantity: Decimal
    unit_price: Decimal
    amount: Decimal  # exact
    label: str = ""


@dataclass(frozen=True)
class Why:
    """``residue`` is the exact result less ``amount``: what rounding (or the last share of a split)
    left. Only what the formula uses is set."""

    formula: Formula
    amount: Decimal
    quantity: Decimal = Decimal(1)
    unit_price: Decimal | None = None
    days: int | None = None
    of_days: int | None = None
    basis: Basis | None = None
    of: Decimal | None = None
    weight: Decimal | None = None
    of_weight: Decimal | None = None
    percent: Decimal | None = None
    steps: tuple[Step, ...] = ()
    #: What was billed of it before, which comes off.
    before: Decimal | None = None
    #: What was left of the line that is taken back, where that is less than the formula gives.
    limit: Decimal | None = None
    residue: Decimal = ZERO
    source: str = ""  # the price list, coupon or invoice line that it is from, as people know it

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, exactly."""
        return dict(frozen.to_plain(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Why":
        """What ``to_dict`` wrote."""
        return frozen.from_plain(cls, data)


def read(data: dict[str, Any] | None) -> Why | None:
    """What a line's row keeps; None where it keeps something else (history, a price's trace)."""
    return Why.from_dict(data) if data and "formula" in data else None
