"""An amount with its reason, and exact amounts in the terms that a ``Why`` speaks in."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from core.kernel.money import MICROS, Money, minor_digits, nearest
from invoices.why import Why

#: Decimals that a residue keeps: where it never ends, it is cut far below anything that is paid.
FINEST = Decimal("1e-12")
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Rated:
    """An amount and why it is that."""

    amount: Money
    why: Why


def minor_of(micros: int, quantity: Decimal, currency: str) -> Fraction:
    """A unit price times a quantity in minor units, exactly."""
    return micros * Fraction(quantity) * Fraction(10 ** minor_digits(currency), MICROS)


def rounded(exact: Fraction, currency: str) -> Money:
    """Minor units, half up."""
    return Money(nearest(exact), currency)


def major(exact: Fraction, currency: str) -> Decimal:
    """Minor units as a decimal of major ones, to twelve decimals."""
    whole = exact / 10 ** minor_digits(currency)
    value = _WIDE.divide(Decimal(whole.numerator), Decimal(whole.denominator))
    return plain(value.quantize(FINEST, context=_WIDE))


def price_of(micros: int, currency: str) -> Decimal:
    """A unit price as a decimal with at least the currency's decimals."""
    value = plain(Decimal(micros) / MICROS)
    least = smallest(currency)
    return value if _decimals(value) > _decimals(least) else value.quantize(least)


def smallest(currency: str) -> Decimal:
    """One minor unit."""
    return Decimal(1).scaleb(-minor_digits(currency))


def plain(value: Decimal) -> Decimal:
    """Without idle zeros and without an exponent."""
    short = value.normalize(_WIDE)
    return short if _decimals(short) >= 0 else short.quantize(Decimal(1), context=_WIDE)


def _decimals(value: Decimal) -> int:
    return -int(value.as_tuple().exponent)
