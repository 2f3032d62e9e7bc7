"""Amounts, dates and names as mails say them, by locale. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent

from core.kernel.money import Money, minor_digits

_PLAIN = Locale.parse("en_US")
_NAME = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_LONGEST_NAME = 30
_SPACES = re.compile(" {2,}")
_WHOLE_AND_REST = re.compile(r"(?P<before>\D*)(?P<figure>\d.*\d|\d)(?P<after>\D*)")


@dataclass(frozen=True)
class Alone:
    """An amount that stands alone, in pieces, so that its sign can be set smaller."""

    before: str
    figure: str
    after: str


@dataclass(frozen=True)
class Figures:
    """How one locale says things."""

    locale: Locale

    def money(self, amount: Money) -> str:
        """``$1,234.50``"""
        return str(format_currency(amount.decimal(), amount.currency, locale=self.locale))

    def figure(self, amount: Money) -> str:
        """``1,234.50``, for columns; with a true minus."""
        digits = "0" * minor_digits(amount.currency)
        pattern = f"#,##0.{digits}" if digits else "#,##0"
        said = format_decimal(amount.decimal(), format=pattern, locale=self.locale)
        return str(said).replace("-", "−")

    def alone(self, amount: Money) -> Alone:
        """The amount taken apart."""
        match = _WHOLE_AND_REST.fullmatch(self.money(amount))
        return Alone(**match.groupdict()) if match else Alone("", self.money(amount), "")

    def day(self, value: date) -> str:
        """``November 30, 2026``"""
        return str(format_date(value, "long", locale=self.locale))

    def week_day(self, value: date) -> str:
        """``Monday, November 30, 2026``"""
        return str(format_date(value, "full", locale=self.locale))

    def days(self, first: date | None, last: date | None) -> str:
        """``Nov 9 – Dec 8, 2026``; one day alone, and nothing for none."""
        if first is None or last is None or first == last:
            day = first or last
            return self.day(day) if day else ""
        return str(format_interval(first, last, "yMMMd", locale=self.locale))

    def percent(self, rate_ppm: int) -> str:
        """``6.5%`` for 65000"""
        rate = Decimal(rate_ppm).scaleb(-6)
        return str(format_percent(rate, locale=self.locale, decimal_quantization=False))

    def span(self, value: timedelta) -> str:
        """``2 hours``, ``14 days``"""
        if value > timedelta(days=1):
            return str(format_timedelta(value, granularity="day", threshold=99, locale=self.locale))
        return str(format_timedelta(value, threshold=2, locale=self.locale))

    def say(self, value: Any) -> Any:
        """What a template's expression prints: amounts and dates in words, text on one line."""
        match value:
            case Money():
                return self.money(value)
            case date():
                return self.week_day(value)
            case timedelta():
                return self.span(value)
            case str() if type(value) is str:
                return one_line(value)
            case str() | int():
                return value
        raise TypeError(f"a mail cannot say {type(value).__name__}")


def figures(locale: str | None) -> Figures:
    """The figures of a locale such as ``en_US`` or ``en-US``; American English for an unknown one."""
    try:
        return Figures(Locale.parse((locale or "en_US").replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return Figures(_PLAIN)


def one_line(text: str) -> str:
    """The text without line breaks, control characters and marks that turn the reading direction."""
    said = "".join(_sign(sign) for sign in text)
    return _SPACES.sub(" ", said).strip(" ")


def _sign(sign: str) -> str:
    match unicodedata.category(sign):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cf":
            return ""
    return sign


def first_name(name: str) -> str:
    """How to greet somebody; empty when the first word is no plain name.

    Strangers choose the names that we write to strange addresses: nothing but letters is taken over.
    """
    word = one_line(name).split(" ", 1)[0]
    return word if len(word) <= _LONGEST_NAME and _NAME.fullmatch(word) else ""
