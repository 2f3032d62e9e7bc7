"""Amounts, dates and names as mails say them."""

from datetime import date, timedelta

import pytest

from core.kernel.money import Money
from core.notices.figures import Alone, figures, first_name, one_line


@pytest.mark.parametrize(
    "amount, said, column",
    [
        (Money(123450, "USD"), "$1,234.50", "1,234.50"),
        (Money(-5, "USD"), "-$0.05", "−0.05"),
        (Money(1234, "JPY"), "¥1,234", "1,234"),
        (Money(1234567, "KWD"), "KWD1,234.567", "1,234.567"),
    ],
)
def test_amounts_keep_their_currencys_decimals(amount: Money, said: str, column: str):
    assert figures("en_US").money(amount) == said
    assert figures("en_US").figure(amount) == column


def test_an_amount_is_taken_apart_wherever_its_sign_stands():
    assert figures("en-US").alone(Money(7211, "USD")) == Alone("$", "72.11", "")
    assert figures("de_DE").alone(Money(7211, "EUR")) == Alone("", "72,11", "\N{NO-BREAK SPACE}€")


def test_an_unknown_locale_reads_american_english():
    assert figures("xx_nowhere").money(Money(100, "USD")) == "$1.00"
    assert figures(None).money(Money(100, "USD")) == "$1.00"


def test_days_stand_in_words():
    say = figures("en_US")
    assert say.week_day(date(2026, 11, 30)) == "Monday, November 30, 2026"
    assert say.day(date(2026, 11, 30)) == "November 30, 2026"
    assert say.days(date(2026, 11, 9), date(2026, 11, 9)) == "November 9, 2026"
    assert say.days(None, None) == ""
    assert "Nov 9" in say.days(date(2026, 11, 9), date(2026, 12, 8))


@pytest.mark.parametrize(
    "span, said",
    [
        (timedelta(hours=2), "2 hours"),
        (timedelta(days=7), "7 days"),
        (timedelta(days=14), "14 days"),
    ],
)
def test_spans_stand_in_words(span: timedelta, said: str):
    assert figures("en_US").span(span) == said


def test_a_rate_keeps_its_decimals():
    assert figures("en_US").percent(65_000) == "6.5%"
    assert figures("en_US").percent(72_500) == "7.25%"


@pytest.mark.parametrize(
    "name, greeted",
    [
        ("Riley Moreno", "Riley"),
        ("  Anne-Marie  O’Dell", "Anne-Marie"),
        ("Zoë", "Zoë"),
        ("李 明", "李"),
        ("Win! http://prize.example.com", ""),
        ("prize.example.com", ""),
        ("<script>", ""),
        ("{{7*7}}", ""),
        ("A" * 31, ""),
        ("", ""),
    ],
)
def test_only_a_plain_first_name_is_greeted(name: str, greeted: str):
    assert first_name(name) == greeted


def test_text_cannot_break_its_line_or_turn_its_direction():
    assert one_line("Riley\r\nBcc: x\u2028y \u202eoneroM  z\t") == "Riley Bcc: x y oneroM z"
