"""Settings: one frozen dataclass, read once from the environment; the sole reader of ``os.environ``.

A wrong or missing value stops the start with its name and what it may be.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.tax.register import VIES


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and says what it may be."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError
    return value.strip()


def _optional(value: str) -> str | None:
    return value.strip() or None


def _any_text(value: str) -> str:
    return value.strip()


def _flag(value: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
        value.strip().lower()
    ]


def _whole(value: str) -> int:
    if not value.strip().isascii() or not value.strip().isdigit():
        raise ValueError
    return int(value)


def _count(value: str) -> int:
    if _whole(value) < 1:
        raise ValueError
    return int(value)


def _percent(value: str) -> int:
    if _whole(value) > 100:
        raise ValueError
    return int(value)


def _days(value: str) -> tuple[int, ...]:
    found = tuple(_count(part) for part in _names(value))
    if list(found) != sorted(set(found)) or len(found) > 9:
        raise ValueError
    return found


def _amount(value: str) -> Decimal:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value.strip(), re.ASCII):
        raise ValueError
    return Decimal(value.strip())


def _port(value: str) -> int:
    if not 1 <= _whole(value) <= 65_535:
        raise ValueError
    return int(value)


def _day_counts(value: str) -> tuple[int, ...]:
    days = tuple(_count(part.strip()) for part in value.split(",") if part.strip())
    if len(days) > 10:  # card networks count the tries
        raise ValueError
    return days


def _names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _origins(value: str) -> tuple[str, ...]:
    for name in _names(value):
        parts = urlsplit(name)
        whole = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.hostname or whole != name:
            raise ValueError
        if "*" in name or "@" in name:
            raise ValueError
    return _names(value)


def _some_names(value: str) -> tuple[str, ...]:
    if not _names(value):
        raise ValueError
    return _names(value)


def _database(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError
    if value in ("sqlite:///", "sqlite:///:memory:"):  # each connection would have one of its own
        raise ValueError
    return value


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return value.rstrip("/")


def _optional_address(value: str) -> str | None:
    return _address(value) if value.strip() else None


def _mode(value: str) -> str:
    if value not in ("production", "demo", "test"):
        raise ValueError
    return value


def _provisioning(value: str) -> str:
    if value not in ("hand", "pretend"):
        raise ValueError
    return value


def _second_step(value: str) -> str:
    if value not in ("", "required", "optional"):
        raise ValueError
    return value


def _secret(value: str) -> str:
    if len(value) < 32:
        raise ValueError
    return value


def _rate(value: str) -> str:
    count, per, unit = value.split()
    if int(count) < 1 or per != "per" or unit not in ("minute", "hour", "day"):
        raise ValueError
    return value


def _folder(value: str) -> Path:
    return Path(_text(value))


def _setting(
    name: str,
    read: Callable[[str], Any],
    may_be: str,
    default: str | None = None,
    *,
    secret: bool = False,
) -> Any:
    facts = {"name": name, "read": read, "may_be": may_be, "default": default}
    return field(repr=not secret, metadata=facts)


_RATE = "a count per minute, hour or day, such as “10 per minute”"


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one installation to the next."""

    mode: str = _setting("SHOP_MODE", _mode, "production, demo or test", "production")
    database_url: str = _setting(
        "DATABASE_URL", _database, "sqlite:///PATH or postgresql+psycopg://…", secret=True
    )
    secret_key: str = _setting(
        "SECRET_KEY", _secret, "a random text of 32 characters or more", secret=True
    )
    base_url: str = _setting(
        "BASE_URL", _address, "the shop's address, such as https://shop.example.com"
    )
    data_dir: Path = _setting("DATA_DIR", _folder, "a folder for documents", "var/data")
    channel: str = _setting("CHANNEL", _text, "the code of a channel in the database", "web")
    trusted_hosts: tuple[str, ...] = _setting(
        "TRUSTED_HOSTS", _names, "host names, separated by commas; empty takes BASE_URL’s", ""
    )
    proxies: int = _setting(
        "TRUSTED_PROXIES", _whole, "how many reverse proxies stand in front", "0"
    )
    stripe_key: str = _setting("STRIPE_KEY", _text, "Stripe’s secret key", secret=True)
    stripe_base: str | None = _setting(
        "STRIPE_BASE", _optional_address, "the sandbox processor’s address, or empty for Stripe", ""
    )
    stripe_webhook_secrets: tuple[str, ...] = _setting(
        "STRIPE_WEBHOOK_SECRETS",
        _some_names,
        "signing secrets, the newest first, separated by commas",
        secret=True,
    )
    stripe_timeout: int = _setting("STRIPE_TIMEOUT", _count, "seconds, 1 at least", "10")
    pay_page_origins: tuple[str, ...] = _setting(
        "PAY_PAGE_ORIGINS",
        _names,
        "origins of the processor’s pay page; empty takes STRIPE_BASE’s or Stripe’s",
        "",
    )
    smtp_host: str = _setting("SMTP_HOST", _text, "a mail server’s name", "localhost")
    smtp_port: int = _setting("SMTP_PORT", _port, "a port, from 1 to 65535", "25")
    smtp_user: str | None = _setting("SMTP_USER", _optional, "a name, or empty", "")
    smtp_password: str | None = _setting(
        "SMTP_PASSWORD", _optional, "a password, or empty", "", secret=True
    )
    smtp_tls: bool = _setting("SMTP_TLS", _flag, "yes or no", "no")
    mail_from: str = _setting("MAIL_FROM", _text, "the sender, such as Shop <shop@example.com>")
    metrics_token: str | None = _setting(
        "METRICS_TOKEN", _optional, "a secret, or empty for no metrics", "", secret=True
    )
    tax_service_url: str | None = _setting(
        "TAX_SERVICE_URL",
        _optional_address,
        "an outside tax service’s address; empty: our own table",
        "",
    )
    tax_service_key: str = _setting(
        "TAX_SERVICE_KEY", _any_text, "its key, or empty", "", secret=True
    )
    tax_service_timeout: int = _setting("TAX_SERVICE_TIMEOUT", _count, "seconds, 1 at least", "5")
    tax_fallback: bool = _setting(
        "TAX_FALLBACK", _flag, "yes or no: our own table when the service does not answer", "no"
    )
    provisioning: str = _setting(
        "PROVISIONING",
        _provisioning,
        "hand (a person begins what plans leave to a system) or pretend (nothing is done)",
        "hand",
    )
    provisioning_refuses: tuple[str, ...] = _setting(
        "PROVISIONING_REFUSES",
        _names,
        "SKUs, separated by commas, that the pretend system leaves to a person",
        "",
    )
    vat_register: str | None = _setting(
        "VAT_REGISTER",
        _optional_address,
        "VIES’s address; empty: a VAT id’s form alone counts",
        VIES,
    )
    web_processes: int = _setting("WEB_PROCESSES", _count, "a number, 1 at least", "2")
    web_threads: int = _setting("WEB_THREADS", _count, "a number, 1 at least", "8")
    shelf_seconds: int = _setting("SHELF_SECONDS", _whole, "seconds, 0 keeps nothing", "2")
    hold_minutes: int = _setting("HOLD_MINUTES", _count, "minutes, 1 at least", "30")
    payment_minutes: int = _setting("PAYMENT_MINUTES", _whole, "minutes, 31 at least", "35")
    payment_grace_minutes: int = _setting("PAYMENT_GRACE_MINUTES", _whole, "minutes", "5")
    allow_invoice: bool = _setting("ALLOW_INVOICE", _flag, "yes or no", "no")
    bill_most_amount: int = _setting(
        "BILL_MOST_AMOUNT", _count, "whole units of any currency, 1 at least", "100000"
    )
    bill_most_lines: int = _setting("BILL_MOST_LINES", _count, "a number, 1 at least", "500")
    bill_most_periods: int = _setting("BILL_MOST_PERIODS", _count, "a number, 1 at least", "13")
    bill_oldest_days: int = _setting("BILL_OLDEST_DAYS", _count, "days, 1 at least", "400")
    quote_discount: int = _setting(
        "QUOTE_DISCOUNT_LIMIT", _percent, "percent below list prices, from 0 to 100", "10"
    )
    quote_amount: int = _setting(
        "QUOTE_AMOUNT_LIMIT", _whole, "whole units of the quote’s currency", "10000"
    )
    quote_margin: int = _setting(
        "QUOTE_MARGIN_LIMIT", _percent, "percent at least, from 0 to 100", "20"
    )
    quote_valid_days: int = _setting("QUOTE_VALID_DAYS", _count, "days, 1 at least", "30")
    quote_remind_days: int = _setting("QUOTE_REMIND_DAYS", _count, "days, 1 at least", "3")
    dunning_remind_days: tuple[int, ...] = _setting(
        "DUNNING_REMIND_DAYS",
        _days,
        "days after the due date, each more than the one before, separated by commas; empty: none",
        "3,10,20",
    )
    dunning_lock_days: int = _setting("DUNNING_LOCK_DAYS", _whole, "days; 0: never", "30")
    dunning_notice_days: int = _setting("DUNNING_NOTICE_DAYS", _count, "days, 1 at least", "7")
    dunning_least: int = _setting(
        "DUNNING_LEAST", _whole, "whole units of the account’s currency", "10"
    )
    late_fee_days: int = _setting("LATE_FEE_DAYS", _whole, "days; 0: never", "14")
    late_fee: Decimal = _setting(
        "LATE_FEE", _amount, "an amount of the account’s currency, such as 5.00; 0: none", "0"
    )
    late_fee_percent: Decimal = _setting(
        "LATE_FEE_PERCENT", _amount, "percent of what is past due, where that is more; 0: none", "0"
    )
    promise_days: int = _setting("PROMISE_DAYS", _whole, "days; 0: none are taken", "14")
    promises: int = _setting("PROMISES", _whole, "a number; 0: none are taken", "2")
    staff_second_step: str = _setting(
        "STAFF_SECOND_STEP", _second_step, "required or optional; empty: required in production", ""
    )
    autopay_notice_days: int = _setting("AUTOPAY_NOTICE_DAYS", _count, "days, 1 at least", "3")
    charge_retry_days: tuple[int, ...] = _setting(
        "CHARGE_RETRY_DAYS", _day_counts, "days after each decline, as 3,5,7; empty: never", "3,5,7"
    )
    card_expiry_days: int = _setting("CARD_EXPIRY_DAYS", _count, "days, 1 at least", "21")
    dispute_answer_days: int = _setting(
        "DISPUTE_ANSWER_DAYS", _count, "business days, 1 at least", "5"
    )
    dispute_credit: int = _setting(
        "DISPUTE_CREDIT_LIMIT", _whole, "whole units of the bill’s currency", "100"
    )
    dispute_file_mb: int = _setting("DISPUTE_FILE_MB", _count, "megabytes, 1 at least", "8")
    return_origins: tuple[str, ...] = _setting(
        "RETURN_ORIGINS", _names, "origins that an API checkout may return to", ""
    )
    api_origins: tuple[str, ...] = _setting(
        "API_ORIGINS",
        _origins,
        "origins whose pages may ask the API from a browser, such as https://shop.example.com",
        "",
    )
    webhook_private_hosts: tuple[str, ...] = _setting(
        "WEBHOOK_PRIVATE_HOSTS",
        _names,
        "host names that webhooks may reach in a private network, separated by commas",
        "",
    )
    rate_login: str = _setting("RATE_LOGIN", _rate, _RATE, "10 per minute")
    rate_code: str = _setting("RATE_CODE", _rate, _RATE, "10 per hour")
    rate_mail: str = _setting("RATE_MAIL", _rate, _RATE, "10 per hour")
    rate_checkout: str = _setting("RATE_CHECKOUT", _rate, _RATE, "20 per minute")
    rate_pay_code: str = _setting("RATE_PAY_CODE", _rate, _RATE, "20 per hour")
    rate_pay_code_account: str = _setting("RATE_PAY_CODE_ACCOUNT", _rate, _RATE, "10 per hour")
    rate_gift_card: str = _setting("RATE_GIFT_CARD", _rate, _RATE, "20 per hour")
    rate_cart: str = _setting("RATE_CART", _rate, _RATE, "240 per minute")
    rate_api: str = _setting("RATE_API", _rate, _RATE, "600 per minute")

    @property
    def staff_need_second_step(self) -> bool:
        """Does whoever works at the desk have to give a code beside the password?"""
        by_mode = "required" if self.mode == "production" else "optional"
        return (self.staff_second_step or by_mode) == "required"

    @property
    def secure(self) -> bool:
        """Is the shop reached by https, so that cookies may insist on it?"""
        return self.base_url.startswith("https://")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingsError for the first that is missing or wrong."""
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for item in fields(Settings):
        meta = item.metadata
        raw = source.get(meta["name"], meta["default"])
        if raw is None:
            raise SettingsError(f"{meta['name']} is missing; it is {meta['may_be']}.")
        try:
            values[item.name] = meta["read"](raw)
        except (ValueError, KeyError):
            raise SettingsError(f"{meta['name']} is wrong; it may be {meta['may_be']}.") from None
    settings = Settings(**values)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if settings.payment_minutes < 31:
        raise SettingsError("PAYMENT_MINUTES is wrong; it may be 31 or more.")
    if settings.mode != "production":
        return
    if not settings.secure:
        raise SettingsError("BASE_URL is wrong; in production it begins with https://.")
    if settings.stripe_base is not None:
        raise SettingsError("STRIPE_BASE is wrong; in production it is empty.")
    if settings.stripe_key.startswith("sk_sandbox"):
        raise SettingsError("STRIPE_KEY is wrong; in production it is a key from Stripe.")
