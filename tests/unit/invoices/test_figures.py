"""How figures read: one way for page and print, in the locale's manner, without a rounding."""

from datetime import date
from decimal import Decimal

import pytest

from invoices.figures import figures

THIN = "\N{NARROW NO-BREAK SPACE}"
NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("currency", "locale", "column", "alone"),
    [
        ("USD", "en-US", "−1,234.50", "−$1,234.50"),
        ("EUR", "de-DE", "−1.234,50", f"−1.234,50{NBSP}€"),
        ("JPY", "ja-JP", "−1,234", "−¥1,234"),
        ("KWD", "en-KW", "−1,234.500", f"−KWD{NBSP}1,234.500"),
        ("GBP", "en-GB", "−1,234.50", "−£1,234.50"),
        ("USD", "xx-YY", "−1,234.50", "−$1,234.50"),
    ],
)
def test_an_amount_has_its_currencys_decimals_and_a_true_minus(
    currency: str, locale: str, column: str, alone: str
) -> None:
    say = figures(currency, locale)
    value = Decimal("-1234.5") if currency != "JPY" else Decimal(-1234)
    assert say.amount(value) == column
    assert str(say.alone(value)) == alone


def test_the_sign_can_be_set_apart_from_its_number() -> None:
    assert figures("USD", "en-US").alone(Decimal("72.11")).before == "$"
    euro = figures("EUR", "de-DE").alone(Decimal("72.11"))
    assert (euro.before, euro.number, euro.after) == ("", "72,11", f"{NBSP}€")


def test_a_unit_price_keeps_its_finer_decimals() -> None:
    say = figures("USD", "en-US")
    assert [say.price(Decimal(price)) for price in ("0.05", "0.000125", "39")] == [
        "0.05",
        "0.000125",
        "39.00",
    ]


def test_quantities_and_rates_have_no_idle_zeros() -> None:
    say = figures("USD", "en-US")
    assert say.quantity(Decimal("14.000")) == "14"
    assert say.quantity(Decimal("1.5")) == "1.5"
    assert say.rate(Decimal("6.500")) == f"6.5{THIN}%"


def test_dates_are_english_like_the_words_around_them() -> None:
    day = date(2026, 11, 30)
    assert figures("USD", "en-US").day(day) == "November 30, 2026"
    assert figures("GBP", "en-GB").day(day) == "30 November 2026"
    assert figures("JPY", "ja-JP").day(day) == "30 November 2026"
    assert figures("USD", "en-US").week_day(day) == "Monday, November 30"


@pytest.mark.parametrize(
    ("start", "end", "read"),
    [
        (date(2026, 11, 9), date(2026, 12, 8), "Nov 9 to Dec 8"),
        (date(2026, 12, 9), date(2027, 1, 8), "Dec 9, 2026 to Jan 8, 2027"),
        (date(2026, 11, 9), date(2026, 11, 9), "Nov 9, 2026"),
        (date(2026, 11, 9), None, "Nov 9, 2026"),
        (None, None, ""),
    ],
)
def test_a_period_names_its_years_where_they_differ(
    start: date | None, end: date | None, read: str
) -> None:
    assert figures("USD", "en-US").period(start, end) == read
