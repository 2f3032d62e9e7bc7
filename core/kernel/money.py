"""Money: integers of the currency's minor unit, never float.

Unit prices may carry more decimals than the currency: they are integers of millionths of the major
unit (``micros``) and are rounded once, when a quantity is extended to an amount.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from babel.core import get_global

MICROS = 1_000_000

#: Wide enough that no product of a price and a quantity is rounded before we round it.
_EXACT = Context(prec=100, rounding=ROUND_HALF_UP)
#: Plain digits; twelve before the point keep millionths within 64 bits.
_PLAIN = re.compile(r"[+-]?(?:[0-9]{1,12}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")


@lru_cache(maxsize=256)
def minor_digits(currency: str) -> int:
    """How many decimals the currency has (USD 2, JPY 0, KWD 3), after CLDR.

    Raises ValueError for what is no currency code.
    """
    if currency not in get_global("all_currencies"):
        raise ValueError(f"not a currency code: {currency!r}")
    fractions = get_global("currency_fractions")
    return int(fractions.get(currency, fractions["DEFAULT"])[0])


def round_half_up(value: Decimal) -> int:
    """The nearest integer; halves away from zero."""
    return int(value.quantize(Decimal(1), context=_EXACT))


def nearest(exact: Fraction) -> int:
    """The nearest integer of an exact ratio; halves away from zero, as ``round_half_up``."""
    away = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return away if exact >= 0 else -away


def _plain(text: str) -> Decimal:
    """Digits with a point, as a Decimal: no exponent, no grouping, at most twelve digits before it."""
    if not _PLAIN.fullmatch(text.strip()):
        raise ValueError(f"not an amount: {text[:60]!r}")
    return Decimal(text.strip())


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: ``minor`` units of ``currency``. Two currencies never mix."""

    minor: int
    currency: str

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read a decimal amount of major units. ValueError when it isn't one or is too fine."""
        scaled = _plain(text).scaleb(minor_digits(currency), context=_EXACT)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{currency} has {minor_digits(currency)} decimals: {text!r}")
        return cls(int(scaled), currency)

    def decimal(self) -> Decimal:
        """The amount in major units with exactly the currency's decimals."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal()} {self.currency}"

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Shares in proportion to ``weights`` that sum exactly to the whole."""
        return [Money(part, self.currency) for part in split(self.minor, weights)]


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum, zero of ``currency`` when there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def split(whole: int, weights: Sequence[int]) -> list[int]:
    """Split an integer by largest remainder; ties go to the earlier share.

    Weights are not negative; all zero counts as all equal. The shares sum exactly to ``whole``.
    """
    if not weights:
        raise ValueError("nothing to split over")
    if any(w < 0 for w in weights):
        raise ValueError("a weight is negative")
    if sum(weights) == 0:
        weights = [1] * len(weights)
    sign, size, base = (-1 if whole < 0 else 1), abs(whole), sum(weights)
    shares = [size * w // base for w in weights]
    remainders = [size * w % base for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in order[: size - sum(shares)]:
        shares[i] += 1
    return [sign * share for share in shares]


def extend(unit_price_micros: int, quantity: Decimal | int, currency: str) -> Money:
    """Unit price times quantity, rounded half up once to the minor unit."""
    exact = _EXACT.multiply(Decimal(unit_price_micros), Decimal(quantity))
    return Money(round_half_up(exact.scaleb(minor_digits(currency) - 6, context=_EXACT)), currency)


def to_micros(text: str | Decimal) -> int:
    """A decimal of major units as millionths. ValueError when it has more than six decimals."""
    value = _plain(text) if isinstance(text, str) else text
    if not value.is_finite() or value.adjusted() > 11:
        raise ValueError(f"not an amount: {text!r}")
    scaled = _EXACT.multiply(value, Decimal(MICROS))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"more than six decimals: {text!r}")
    return int(scaled)


def written_micros(micros: int) -> str:
    """Millionths as ``to_micros`` reads them: ``129.00``, ``0.00125``."""
    whole, rest = divmod(micros, MICROS)
    return f"{whole}.{f'{rest:06d}'.rstrip('0'):0<2}"


def micros_of(amount: Money) -> int:
    """An amount as a unit price."""
    return int(amount.decimal() * MICROS)
