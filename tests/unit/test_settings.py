"""A wrong or missing setting stops the start, says its own name and never its value."""

import traceback
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, load

WHOLE = {
    "SHOP_MODE": "production",
    "DATABASE_URL": "postgresql+psycopg://shop:pass-word@db.example.com/shop",
    "SECRET_KEY": "k" * 32,
    "BASE_URL": "https://shop.example.com",
    "STRIPE_KEY": "sk_live_abc",
    "STRIPE_WEBHOOK_SECRETS": "whsec_new, whsec_old",
    "MAIL_FROM": "Fernway <shop@example.com>",
}
DEMO = WHOLE | {"SHOP_MODE": "demo", "BASE_URL": "http://127.0.0.1:8000"}
NAMES = {item.metadata["name"] for item in fields(Settings)}
REQUIRED = {item.metadata["name"] for item in fields(Settings) if item.metadata["default"] is None}


def test_what_has_no_default_is_all_that_is_needed():
    assert set(WHOLE) == REQUIRED | {"SHOP_MODE"}
    settings = load(WHOLE)
    assert settings.mode == "production"
    assert settings.stripe_webhook_secrets == ("whsec_new", "whsec_old")
    assert settings.data_dir == Path("var/data")
    assert settings.secure


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_setting_is_named(name: str):
    with pytest.raises(SettingsError, match=f"^{name} is missing; it is .+\\.$"):
        load({key: value for key, value in WHOLE.items() if key != name})


WRONG = {
    "API_ORIGINS": ("*", "null", "https://", "https://shop.example.com/", "https://*.example.com"),
    "SHOP_MODE": ("", "staging", "Production"),
    "DATABASE_URL": (
        "",
        "postgresql://db/shop",
        "mysql://db/shop",
        "shop.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
    ),
    "SECRET_KEY": ("", "k" * 31),
    "BASE_URL": (
        "",
        "shop.example.com",
        "ftp://shop.example.com",
        "https://",
        "https://:443",
        "https://shop.example.com:port",
        "http://shop.example.com",
    ),
    "DATA_DIR": ("", "  "),
    "CHANNEL": ("", " "),
    "TRUSTED_PROXIES": ("-1", "one", "1.5", "1_0", ""),
    "STRIPE_KEY": ("", "sk_sandbox_1"),
    "STRIPE_BASE": ("127.0.0.1:12111", "http://127.0.0.1:12111"),
    "STRIPE_WEBHOOK_SECRETS": ("", " , "),
    "STRIPE_TIMEOUT": ("0", "soon"),
    "SMTP_HOST": ("",),
    "SMTP_PORT": ("0", "65536", "smtp"),
    "SMTP_TLS": ("", "maybe", "2"),
    "MAIL_FROM": ("",),
    "TAX_SERVICE_URL": ("taxes.example.com",),
    "TAX_SERVICE_TIMEOUT": ("0", "soon"),
    "TAX_FALLBACK": ("", "perhaps"),
    "VAT_REGISTER": ("vies",),
    "WEB_PROCESSES": ("0", "-2", "many"),
    "WEB_THREADS": ("0", "many"),
    "SHELF_SECONDS": ("-1", "a moment", "0.5"),
    "BILL_MOST_AMOUNT": ("0", "-30", "half an hour"),
    "BILL_MOST_LINES": ("0", "-30", "half an hour"),
    "BILL_MOST_PERIODS": ("0", "-30", "half an hour"),
    "BILL_OLDEST_DAYS": ("0", "-30", "half an hour"),
    "HOLD_MINUTES": ("0", "-30", "half an hour"),
    "PAYMENT_MINUTES": ("30", "0", "x"),
    "PAYMENT_GRACE_MINUTES": ("-1", "x"),
    "ALLOW_INVOICE": ("", "sometimes"),
    "QUOTE_DISCOUNT_LIMIT": ("", "101", "-1", "ten"),
    "QUOTE_AMOUNT_LIMIT": ("", "-1", "1.50"),
    "QUOTE_MARGIN_LIMIT": ("", "101", "half"),
    "QUOTE_VALID_DAYS": ("0", "a month"),
    "QUOTE_REMIND_DAYS": ("0", "soon"),
    "DUNNING_REMIND_DAYS": ("10,3", "3,3", "0", "soon", "1,2,3,4,5,6,7,8,9,10"),
    "DUNNING_LOCK_DAYS": ("", "-1", "a month"),
    "DUNNING_NOTICE_DAYS": ("", "0"),
    "DUNNING_LEAST": ("", "-1", "1.50"),
    "LATE_FEE_DAYS": ("", "-1"),
    "LATE_FEE": ("", "-5", "five", "5,00"),
    "LATE_FEE_PERCENT": ("", "-1", "one"),
    "PROMISE_DAYS": ("", "-1"),
    "PROMISES": ("", "-1"),
    "AUTOPAY_NOTICE_DAYS": ("0", "soon"),
    "CHARGE_RETRY_DAYS": ("0", "3;5", "soon", "1,1,1,1,1,1,1,1,1,1,1"),
    "CARD_EXPIRY_DAYS": ("0", "soon"),
    "DISPUTE_ANSWER_DAYS": ("0", "soon"),
    "DISPUTE_CREDIT_LIMIT": ("", "-1", "1.50"),
    "DISPUTE_FILE_MB": ("0", "large"),
    "PROVISIONING": ("", "soap"),
    "RATE_LOGIN": ("", "10", "0 per minute", "ten per minute", "10 per second", "10 each minute"),
    "RATE_CODE": ("none",),
    "STAFF_SECOND_STEP": ("never", "yes"),
    "RATE_MAIL": ("none",),
    "RATE_CHECKOUT": ("none",),
    "RATE_PAY_CODE": ("none",),
    "RATE_PAY_CODE_ACCOUNT": ("none",),
    "RATE_GIFT_CARD": ("none",),
    "RATE_CART": ("none",),
    "RATE_API": ("none",),
}
ANYTHING = {
    "TRUSTED_HOSTS",
    "PAY_PAGE_ORIGINS",
    "SMTP_USER",
    "SMTP_PASSWORD",
    "TAX_SERVICE_KEY",
    "PROVISIONING_REFUSES",
    "METRICS_TOKEN",
    "RETURN_ORIGINS",
    "WEBHOOK_PRIVATE_HOSTS",
}


def test_every_setting_says_what_is_wrong_or_takes_any_text():
    assert set(WRONG) | ANYTHING == NAMES


@pytest.mark.parametrize(
    "name, value", [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_setting_is_named_with_what_it_may_be(name: str, value: str):
    with pytest.raises(SettingsError) as told:
        load(WHOLE | {name: value})
    said = str(told.value)
    assert said.startswith(f"{name} is wrong; ")
    assert len(said) > len(f"{name} is wrong; it may be .")


@pytest.mark.parametrize(
    "name, value",
    [
        ("SECRET_KEY", "too-short-a-secret"),
        ("DATABASE_URL", "mysql://shop:pass-word@db/shop"),
        ("STRIPE_KEY", "sk_sandbox_hidden"),
    ],
)
def test_a_complaint_does_not_repeat_the_value(name: str, value: str):
    with pytest.raises(SettingsError) as told:
        load(WHOLE | {name: value})
    assert value not in "".join(traceback.format_exception(told.value))


def test_settings_shown_by_mistake_show_no_secret():
    shown = repr(load(WHOLE | {"METRICS_TOKEN": "metrics-token", "SMTP_PASSWORD": "smtp-word"}))
    for secret in ("kkkk", "sk_live_abc", "whsec_", "pass-word", "metrics-token", "smtp-word"):
        assert secret not in shown
    assert "https://shop.example.com" in shown


def test_production_wants_https_and_the_real_processor():
    for name, value in (
        ("BASE_URL", "http://shop.example.com"),
        ("STRIPE_BASE", "http://127.0.0.1:12111"),
        ("STRIPE_KEY", "sk_sandbox_1"),
    ):
        load(DEMO | {name: value})
        with pytest.raises(SettingsError, match=f"{name} is wrong; in production"):
            load(WHOLE | {name: value})


def test_a_payment_has_more_than_the_half_hour_that_the_processor_asks_for():
    assert load(WHOLE | {"PAYMENT_MINUTES": "31"}).payment_minutes == 31


def test_values_are_read_as_what_they_are():
    settings = load(
        DEMO
        | {
            "BASE_URL": "http://127.0.0.1:8000/",
            "TRUSTED_HOSTS": "shop.example.com, 127.0.0.1,",
            "SMTP_TLS": "yes",
            "ALLOW_INVOICE": "1",
            "SMTP_USER": " ",
            "STRIPE_BASE": "",
            "DATABASE_URL": "sqlite:////var/lib/shop/shop.db",
        }
    )
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.trusted_hosts == ("shop.example.com", "127.0.0.1")
    assert settings.smtp_tls is True
    assert settings.allow_invoice is True
    assert settings.smtp_user is None
    assert settings.stripe_base is None
    assert not settings.secure


def test_settings_do_not_change_once_they_are_read():
    with pytest.raises(FrozenInstanceError):
        load(WHOLE).channel = "other"  # type: ignore[misc]  # that is what is tried


def test_without_a_mapping_the_environment_is_read(monkeypatch: pytest.MonkeyPatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)
    assert load() == load(WHOLE)
    monkeypatch.delenv("MAIL_FROM")
    with pytest.raises(SettingsError, match="MAIL_FROM is missing"):
        load()


@pytest.mark.parametrize(
    ("mode", "told", "needed"),
    [
        ("production", "", True),
        ("production", "optional", False),
        ("demo", "", False),
        ("test", "required", True),
    ],
)
def test_staff_need_a_second_step_in_production_unless_told(mode: str, told: str, needed: bool):
    settings = load(WHOLE | {"SHOP_MODE": mode, "STAFF_SECOND_STEP": told})
    assert settings.staff_need_second_step is needed
