"""What a version offers, and what its lines come to before tax. Pure: amounts in micros and minor units.

A discount in percent lowers every price, recurring ones too; an amount lowers what is charged once, shared
out over those lines by largest remainder. Either way each line ends with a price each that says its amount.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from core.kernel.money import extend, minor_digits, nearest, split

PPM = 1_000_000
#: Under which word of its trace a line has the numbers that were chosen for it.
NUMBERS = "numbers"
#: What recurs without a term counts for a year.
USUAL_MONTHS = 12
_MONTHS = {"monthly": 1, "yearly": 12}


@dataclass(frozen=True)
class OfferLine:
    """One line. ``sku`` and ``variant_id`` name something of the catalog; without them it is words.

    ``site`` is the place in ``Offer.sites``.
    """

    name: str
    quantity: int
    unit_price_micros: int
    sku: str = ""
    variant_id: uuid.UUID | None = None
    kind: str = "other"
    tax_category: str = ""
    charge_kind: str = "one_off"
    term_months: int | None = None
    list_price_micros: int | None = None
    cost_micros: int | None = None
    site: int = 0
    price_trace: Mapping[str, Any] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that staff chose for it, of what is sold by numbers."""
        return tuple(self.price_trace.get(NUMBERS, ()))

    @property
    def recurs(self) -> bool:
        """Is it charged again?"""
        return self.charge_kind != "one_off"

    @property
    def ships(self) -> bool:
        """Is it a thing that is sent?"""
        return self.kind == "physical"

    @property
    def months(self) -> int:
        """How many months one charge is for; 0 when it is charged once."""
        return _MONTHS.get(self.charge_kind, 0)

    @property
    def charges(self) -> int:
        """How often it is charged over its term."""
        if not self.recurs:
            return 1
        return max(1, -(-(self.term_months or USUAL_MONTHS) // self.months))


@dataclass(frozen=True)
class Discount:
    """Off everything in parts per million, or an amount off what is charged once; and why."""

    ppm: int = 0
    minor: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Offer:
    """Everything that staff decide of a version. ``sites`` are addresses (``cart.address``)."""

    lines: tuple[OfferLine, ...] = ()
    sites: tuple[Mapping[str, Any], ...] = ()
    discount: Discount = Discount()
    valid_through: date | None = None
    delivery_method: str = ""
    #: The delivery's agreed price for each place; None: what the way of delivery costs.
    delivery_minor: int | None = None
    payment: str = "either"
    note: str = ""


def final_prices(offer: Offer, currency: str) -> list[int]:
    """What one piece of each line costs once the discount is off, in micros.

    ValueError for an amount off that is more than what is charged once.
    """
    discount = offer.discount
    if discount.ppm:
        return [
            nearest(Fraction(line.unit_price_micros * (PPM - discount.ppm), PPM))
            for line in offer.lines
        ]
    prices = [line.unit_price_micros for line in offer.lines]
    if not discount.minor:
        return prices
    once = [at for at, line in enumerate(offer.lines) if not line.recurs]
    amounts = [extend(prices[at], offer.lines[at].quantity, currency).minor for at in once]
    if discount.minor > sum(amounts):
        raise ValueError("the discount is more than what is charged once")
    micros = 10 ** (6 - minor_digits(currency))
    for at, amount, off in zip(once, amounts, split(discount.minor, amounts), strict=True):
        prices[at] = nearest(Fraction((amount - off) * micros, offer.lines[at].quantity))
    return prices


def list_amounts(offer: Offer, currency: str) -> list[int]:
    """Each line's charge at list prices, in minor units; what has none counts at its own."""
    return [
        extend(
            line.unit_price_micros if line.list_price_micros is None else line.list_price_micros,
            line.quantity,
            currency,
        ).minor
        for line in offer.lines
    ]


def over_terms(offer: Offer, each: list[int]) -> int:
    """Amounts of one charge each, summed over the lines' terms."""
    return sum(line.charges * amount for line, amount in zip(offer.lines, each, strict=True))
