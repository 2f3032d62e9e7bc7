"""How a document's figures read: amounts, prices, quantities, rates and dates in its own locale.

Page and PDF take the same ``Figures``, so that a number never reads two ways. Columns carry no
currency sign, exactly the currency's decimals and a true minus; an amount that stands alone has
its sign. Numbers follow the locale; dates and signs are in the language of the words around them: the
locale's own where ``invoices.words`` has it, else English in the manner of the locale's land.
"""

from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import NumberPattern, get_currency_symbol

from core.kernel.money import minor_digits
from invoices.document import TaxSubtotal
from invoices.words import Words, words

MINUS = "\N{MINUS SIGN}"
WORLD = "001"
FINEST = 6  # decimals that a unit price or quantity may show


@dataclass(frozen=True)
class Alone:
    """An amount that stands alone: its sign before or after, so that it can be set smaller."""

    before: str
    number: str
    after: str

    def __str__(self) -> str:
        return f"{self.before}{self.number}{self.after}"


@dataclass(frozen=True)
class Figures:
    """Formats for one currency and locale; get it from ``figures``."""

    currency: str
    locale: Locale  # of numbers
    speech: Locale  # of dates and signs
    words: Words

    @cached_property
    def decimals(self) -> int:
        """The currency's decimals: USD 2, JPY 0, KWD 3."""
        return minor_digits(self.currency)

    def amount(self, value: Decimal) -> str:
        """In a column: ``−14.97``."""
        return self._number(value, self.decimals, self.decimals)

    def alone(self, value: Decimal) -> Alone:
        """On its own: ``$72.11``, ``72,11 €``, ``KWD 1.250``."""
        near = self.speech if self.speech.territory != WORLD else Locale(self.speech.language)
        sign = get_currency_symbol(self.currency, near)
        number = self.amount(value)
        pattern = self.locale.currency_formats["standard"].pattern
        if pattern.startswith("¤"):
            gap = "\N{NO-BREAK SPACE}" if sign.isalpha() or pattern[1].isspace() else ""
            minus = MINUS if number.startswith(MINUS) else ""
            return Alone(minus + sign + gap, number.removeprefix(MINUS), "")
        return Alone("", number, f"\N{NO-BREAK SPACE}{sign}")

    def tax_base(self, part: TaxSubtotal) -> str:
        """What a tax is reckoned on, or why it is not charged: ``6.5 % of 84.77``."""
        base = self.amount(part.base)
        if part.relief == "exempt":
            return self.words.exempt_base.format(number=part.reference, base=base)
        if part.relief:
            return self.words.reverse_base.format(base=base)
        return self.words.rate_of.format(rate=self.rate(part.rate), base=base)

    def fine(self, value: Decimal) -> str:
        """An amount that may be finer than the currency: what rounding left."""
        return self._number(value, self.decimals, FINEST)

    def price(self, value: Decimal) -> str:
        """A unit price: at least the currency's decimals, more where it has them."""
        return self._number(value, self.decimals, FINEST)

    def quantity(self, value: Decimal) -> str:
        """A quantity or another bare number, without idle zeros."""
        return self._number(value, 0, FINEST)

    def rate(self, percent: Decimal) -> str:
        """A rate in percent: ``6.5 %``."""
        return f"{self.quantity(percent)}\N{NARROW NO-BREAK SPACE}%"

    def day(self, value: date) -> str:
        """``November 9, 2026``."""
        return format_date(value, "long", self.speech)

    def short_day(self, value: date) -> str:
        """``Nov 9, 2026``."""
        return format_date(value, "medium", self.speech)

    def week_day(self, value: date) -> str:
        """``Monday, November 30``: for a date near at hand that is named in full elsewhere."""
        weekday = format_date(value, "EEEE", self.speech)
        return f"{weekday}, {format_skeleton('MMMMd', value, locale=self.speech)}"

    def period(self, start: date | None, end: date | None) -> str:
        """``Nov 9 to Dec 8``; the years stand where the two differ, nothing where both are None."""
        if start is None or end is None:
            only = start or end
            return "" if only is None else self.short_day(only)
        if start == end:
            return self.short_day(start)
        if start.year != end.year:
            return self._span(self.short_day(start), self.short_day(end))
        first, last = (format_skeleton("MMMd", day, locale=self.speech) for day in (start, end))
        return self._span(first, last)

    def _span(self, first: str, last: str) -> str:
        return self.words.days_to.format(first=first, last=last)

    def _number(self, value: Decimal, least: int, most: int) -> str:
        text: str = _pattern(self.locale, least, most).apply(value, self.locale)
        return text.replace("-", MINUS)


@lru_cache(maxsize=256)
def _pattern(locale: Locale, least: int, most: int) -> NumberPattern:
    """The locale's grouping with as many decimals as are asked for."""
    pattern: NumberPattern = copy(locale.decimal_formats[None])
    pattern.frac_prec = (least, most)
    return pattern


@lru_cache(maxsize=128)
def figures(currency: str, locale: str) -> Figures:
    """The formats for a currency and a locale such as ``en-US``; English where it is unknown."""
    found = _locale(locale) or Locale.parse("en_US")
    said = words(str(found))
    if found.language == said.language:
        return Figures(currency, found, found, said)
    english = _locale(f"en-{found.territory}") or Locale("en", WORLD)
    return Figures(currency, found, english, said)


def _locale(name: str) -> Locale | None:
    try:
        return Locale.parse(name.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        return None
