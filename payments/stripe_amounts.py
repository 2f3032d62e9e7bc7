"""Amounts as Stripe counts them: its smallest units are not always the currency's minor units.

Pure; used by ``payments.stripe_gateway``. Stripe counts most currencies in hundredths, some in
whole units and some in thousandths, whatever CLDR says of them (an Icelandic króna has no minor
unit, and is sent in hundredths all the same).
"""

from core.kernel.money import Money, minor_digits

_WHOLE = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THOUSANDTHS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def stripe_digits(currency: str) -> int:
    """How many decimals Stripe's smallest unit of the currency has."""
    if currency in _WHOLE:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def to_stripe(amount: Money) -> int:
    """In Stripe's smallest unit. ValueError when the amount is finer than Stripe can take."""
    shift = stripe_digits(amount.currency) - minor_digits(amount.currency)
    units = _shifted(amount.minor, shift)
    if units is None or (amount.currency in _THOUSANDTHS and units % 10):
        raise ValueError(f"too fine an amount for Stripe: {amount}")
    return units


def from_stripe(units: int, currency: str) -> Money:
    """From Stripe's smallest unit. ValueError when our minor unit cannot carry it."""
    code = currency.upper()
    minor = _shifted(units, minor_digits(code) - stripe_digits(code))
    if minor is None:
        raise ValueError(f"{units} units of {code} are no whole minor units")
    return Money(minor, code)


def _shifted(value: int, digits: int) -> int | None:
    if digits >= 0:
        return int(value * 10**digits)
    whole, rest = divmod(value, 10**-digits)
    return None if rest else int(whole)
