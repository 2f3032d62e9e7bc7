"""How amounts, dates and times are written, and the addresses of assets, for templates."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal, get_currency_symbol
from flask import Flask, current_app, g

from cart.slots import Slot
from core.kernel.money import Money, minor_digits
from invoices.figures import figures
from web import csrf, flashes
from web.context import channel

_MINUS = "−"


def _read(value: Money | Decimal | int | str, currency: str | None) -> tuple[Decimal, str]:
    if isinstance(value, Money):
        return value.decimal(), value.currency
    return Decimal(value), currency or channel()[0].currency


def figure(value: Money | Decimal, currency: str | None = None) -> str:
    """``1,306.65`` with the currency's decimals and a true minus."""
    amount, code = _read(value, currency)
    return _figure(amount, code, channel()[0].locale)


@lru_cache(maxsize=4096)
def _figure(amount: Decimal, code: str, locale: str) -> str:
    places = "0" * minor_digits(code)
    pattern = f"#,##0.{places}" if places else "#,##0"
    text = format_decimal(abs(amount), format=pattern, locale=locale)
    return f"{_MINUS}{text}" if amount < 0 else text


def sign(value: Money | Decimal, currency: str | None = None) -> str:
    """``$1,306.65``."""
    symbol, text = parts(value, currency)
    return f"{_MINUS}{symbol}{text[1:]}" if text.startswith(_MINUS) else f"{symbol}{text}"


def parts(value: Money | Decimal, currency: str | None = None) -> tuple[str, str]:
    """``("$", "1,306.65")``: the sign is set smaller than the figure."""
    _, code = _read(value, currency)
    return _symbol(code, channel()[0].locale), figure(value, currency)


@lru_cache(maxsize=256)
def _symbol(code: str, locale: str) -> str:
    return get_currency_symbol(code, locale=locale)


def local(moment: datetime) -> datetime:
    """A moment on the reader's clock: the account's zone when one is set, else the shop's."""
    return moment.astimezone(ZoneInfo(g.get("time_zone") or channel()[0].time_zone))


def _day(value: date | datetime) -> date:
    return local(value).date() if isinstance(value, datetime) else value


def _dated(pattern: str) -> Callable[[date | datetime], str]:
    def write(value: date | datetime) -> str:
        return format_date(_day(value), pattern, locale=channel()[0].locale)

    return write


date_words = _dated("EEEE, MMMM d")
date_full = _dated("MMMM d, y")
date_short = _dated("MMM d")
date_day = _dated("MMMM d")


def time_words(moment: datetime) -> str:
    """``14:32``."""
    return local(moment).strftime("%H:%M")


def slot_words(one: Slot) -> str:
    """``Thursday, November 19, from 8:00 to 12:00``."""
    begins, ends = time_words(one.starts_at), time_words(one.ends_at)
    return f"{date_words(one.starts_at)}, from {begins} to {ends}"


def datetime_words(moment: datetime) -> str:
    """``November 10, 19:20``."""
    return f"{_dated('MMMM d')(moment)}, {time_words(moment)}"


def last_day(end: datetime) -> str:
    """The last day before a moment: of a quote that ends at midnight, the day on which it still holds."""
    return date_full(end - timedelta(seconds=1))


@lru_cache(maxsize=512)
def _version(root: str, path: str) -> str:
    return hashlib.sha256((Path(root) / path).read_bytes()).hexdigest()[:10]


def static_address(path: str) -> str:
    """Where a file under ``static`` is served: an address that changes with what is in it.

    A picture that was uploaded is named by its own address, whose bytes never change.
    """
    if path.startswith("/media/"):
        return path
    try:
        return f"/static/{path}?v={_version(str(current_app.static_folder), path)}"
    except OSError:  # a picture that is not there is one gap, and no reason to close the shop
        return f"/static/{path}"


def install(app: Flask) -> None:
    """Teach the templates to write."""
    app.jinja_env.filters.update(
        money=figure,
        money_sign=sign,
        amount_parts=parts,
        date_words=date_words,
        date_full=date_full,
        date_short=date_short,
        time_words=time_words,
        datetime_words=datetime_words,
        last_day=last_day,
        iso=lambda moment: moment.isoformat(),
        spoken=lambda document: figures(document.currency, document.locale),
    )
    app.jinja_env.globals.update(
        asset=static_address, csrf_field=csrf.field, get_flashed_messages=flashes.said
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
