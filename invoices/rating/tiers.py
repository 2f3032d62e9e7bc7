"""Usage by tiers: graduated, by volume, by package; units that are free come off first.

Each sums exactly and rounds half up once. The steps of its ``Why`` are exact; free units are one at 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil

from invoices.rating.rated import Rated, major, minor_of, plain, price_of, rounded
from invoices.why import Formula, Step, Why


@dataclass(frozen=True)
class Tier:
    """Units up to and including ``up_to`` (None: all that follow), each at the unit price.

    ``flat_micros`` is charged once when the tier is reached.
    """

    up_to: Decimal | None
    unit_price_micros: int
    flat_micros: int = 0


def graduated(
    units: Decimal, tiers: Sequence[Tier], currency: str, *, free: Decimal = Decimal(0)
) -> Rated:
    """Each unit at the price of the tier that it falls into. ValueError for tiers that have a gap."""
    charged = _charged(units, free)
    steps, start = [], Decimal(0)
    for tier in _checked(tiers):
        end = charged if tier.up_to is None else min(charged, tier.up_to)
        if end > start:
            steps.append((end - start, tier.unit_price_micros, tier.flat_micros))
            start = end
    return _rated(steps, currency, units, free)


def volume(
    units: Decimal, tiers: Sequence[Tier], currency: str, *, free: Decimal = Decimal(0)
) -> Rated:
    """All units at the price of the tier that the last one reaches."""
    charged, steps, checked = _charged(units, free), [], _checked(tiers)
    if charged:
        tier = next(t for t in checked if t.up_to is None or charged <= t.up_to)
        steps = [(charged, tier.unit_price_micros, tier.flat_micros)]
    return _rated(steps, currency, units, free)


def package(
    units: Decimal,
    size: int,
    price_micros: int,
    currency: str,
    *,
    free: Decimal = Decimal(0),
) -> Rated:
    """So much for each package of ``size`` units that was begun."""
    if size < 1 or price_micros < 0:
        raise ValueError("a package of nothing, or below zero")
    packages = Decimal(ceil(Fraction(_charged(units, free)) / size))
    steps = [(packages, price_micros, 0)] if packages else []
    return _rated(steps, currency, units, free)


def _charged(units: Decimal, free: Decimal) -> Decimal:
    if units < 0 or free < 0:
        raise ValueError("fewer than no units")
    return units - _freed(units, free)


def _freed(units: Decimal, free: Decimal) -> Decimal:
    return min(units, free)


def _checked(tiers: Sequence[Tier]) -> Sequence[Tier]:
    """Tiers that climb and whose last has no end."""
    if not tiers or tiers[-1].up_to is not None:
        raise ValueError("the last tier has an end: units beyond it have no price")
    ends = [tier.up_to for tier in tiers[:-1] if tier.up_to is not None]
    starts = [Decimal(0), *ends]
    if len(ends) < len(tiers) - 1 or any(
        end <= start for start, end in zip(starts, ends, strict=False)
    ):
        raise ValueError("tiers do not climb")
    if any(tier.unit_price_micros < 0 or tier.flat_micros < 0 for tier in tiers):
        raise ValueError("a tier below zero")
    return tiers


def _rated(
    steps: Sequence[tuple[Decimal, int, int]], currency: str, units: Decimal, free: Decimal
) -> Rated:
    """The exact sum of (quantity, unit price, flat fee) steps, rounded once."""
    rows = [(_freed(units, free), 0)] if free and units else []
    for quantity, price, flat in steps:
        rows.append((quantity, price))
        if flat:
            rows.append((Decimal(1), flat))
    exact = [minor_of(price, quantity, currency) for quantity, price in rows]
    whole = sum(exact, Fraction(0))
    amount = rounded(whole, currency)
    why = Why(
        formula=Formula.TIERS,
        amount=amount.decimal(),
        quantity=plain(units),
        steps=tuple(
            Step(plain(quantity), price_of(price, currency), major(part, currency))
            for (quantity, price), part in zip(rows, exact, strict=True)
        ),
        residue=major(whole - amount.minor, currency),
    )
    return Rated(amount, why)
