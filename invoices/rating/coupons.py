"""Coupons: an amount or a percentage off several lines, shared out by largest remainder.

Each line's tax is then worked out on what is left of it, so that lines of mixed tax rates stay right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from core.kernel.money import Money, total
from invoices.rating.rated import Rated, major, plain, rounded
from invoices.why import Formula, Why

PPM = 1_000_000


@dataclass(frozen=True)
class Coupon:
    """``amount`` off, or ``ppm`` millionths off (10 % is 100000); one of the two."""

    amount: Money | None = None
    ppm: int | None = None
    code: str = ""

    def __post_init__(self) -> None:
        if (self.amount is None) == (self.ppm is None):
            raise ValueError("a coupon takes an amount or a percentage")
        if self.amount is not None and self.amount.minor < 0:
            raise ValueError("a coupon below zero")
        if self.ppm is not None and not 0 <= self.ppm <= PPM:
            raise ValueError("a coupon takes from 0 to 100 %")

    def off(self, whole: Money) -> Money:
        """What it takes off a sum, rounded once and never more than that sum."""
        if self.amount is not None:
            return min(self.amount, whole)
        return rounded(Fraction(whole.minor * (self.ppm or 0), PPM), whole.currency)


def share(lines: Sequence[Money], coupon: Coupon) -> list[Rated]:
    """What the coupon takes off each line, as positive amounts that sum to the coupon.

    Lines below zero bear none of it; no line goes below zero.
    """
    if not lines:
        return []
    weights = [max(line.minor, 0) for line in lines]
    currency = lines[0].currency
    whole = total((Money(weight, currency) for weight in weights), currency)
    off = coupon.off(whole)
    parts = off.split(weights) if off else [off] * len(lines)
    return [
        Rated(part, _why(coupon, part, off, weight, whole))
        for part, weight in zip(parts, weights, strict=True)
    ]


def share_all(lines: Sequence[Money], coupons: Sequence[Coupon]) -> list[list[Rated]]:
    """Several coupons in their order, each off what those before it left; one list for each coupon."""
    left, found = list(lines), []
    for coupon in coupons:
        found.append(share(left, coupon))
        left = [line - part.amount for line, part in zip(left, found[-1], strict=True)]
    return found


def _why(coupon: Coupon, part: Money, off: Money, weight: int, whole: Money) -> Why:
    currency, line = whole.currency, Money(weight, whole.currency).decimal()
    why = Why(Formula.DISCOUNT, part.decimal(), source=coupon.code)
    if coupon.ppm is not None:
        exact = Fraction(weight * coupon.ppm, PPM)
        why = replace(why, percent=plain(Decimal(coupon.ppm) / 10_000), of=line)
    else:
        exact = Fraction(off.minor * weight, whole.minor) if whole else Fraction(0)
        why = replace(why, of=off.decimal(), weight=line, of_weight=whole.decimal())
    return replace(why, residue=major(exact - part.minor, currency))
