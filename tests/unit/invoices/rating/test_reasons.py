"""What rating answers can be read: each reason in words and figures of its reader, page and print alike."""

from datetime import date
from decimal import Decimal

import pytest

from core.kernel.calendar import Period
from core.kernel.money import Money, to_micros
from invoices.document import Reason
from invoices.figures import figures
from invoices.rating.changes import Wanted, billed, cancel
from invoices.rating.coupons import Coupon, share
from invoices.rating.proration import Recurring, Service, prorate
from invoices.rating.tiers import Tier, graduated, package
from invoices.reasons import reasons
from invoices.why import Why

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
PLAN = Recurring.of(Money(59_995, "USD"))


def shown(why: Why, locale: str = "en-US") -> list[str]:
    rows: tuple[Reason, ...] = reasons(why, figures("USD", locale))
    return [f"{row.label}: {row.value}" if row.value else row.label for row in rows]


def test_a_part_of_a_period():
    service = Service(MARCH, Period(date(2026, 3, 3), MARCH.end))
    assert shown(prorate(PLAN, service).why) == [
        "You had it for 29 of the 31 days, so we charge for those.",
        "Counted over the days of this period.",
        "Price each: 599.95",
        "Days used: 29 of 31",
        "Rounded by: −0.003548",
        "Amount: 561.24",
    ]


def test_a_whole_period_needs_no_reason():
    assert shown(prorate(PLAN, Service.whole(MARCH)).why) == []


@pytest.mark.parametrize(
    "locale, sentence",
    [
        ("en-US", "No more than $589.95 of that charge was left to give back."),
        ("de-DE", "Von diesem Betrag waren nur noch 589,95\N{NO-BREAK SPACE}$ übrig."),
    ],
)
def test_a_repair_that_was_cut(locale: str, sentence: str):
    line = billed("100123", Wanted("plan", PLAN, Service.whole(MARCH)), Money(1_000, "USD"))
    (repair,) = cancel([line], MARCH.start)
    rows = shown(repair.why, locale)
    assert sentence in rows
    assert rows[-1].endswith(("−589.95", "−589,95"))


def test_a_share_of_a_coupon():
    parts = share(
        [Money(10_000, "USD"), Money(5_000, "USD")], Coupon(Money(1_000, "USD"), code="TEN")
    )
    assert shown(parts[0].why) == [
        "Its part of $10.00 off: $100.00 of $150.00.",
        "Rounded by: 0.003333",
        "Amount: 6.67",
    ]
    (tenth,) = share([Money(10_000, "USD")], Coupon(ppm=100_000))
    assert shown(tenth.why) == ["10\N{NARROW NO-BREAK SPACE}% of $100.00."]


def test_usage_by_steps():
    tiers = [Tier(Decimal(10), to_micros("2.00")), Tier(None, to_micros("3.00"))]
    assert shown(graduated(Decimal(18), tiers, "USD", free=Decimal(3)).why) == [
        "Priced in steps: each part of what you used at its own price.",
        "3 at 0.00: 0.00",
        "10 at 2.00: 20.00",
        "5 at 3.00: 15.00",
        "Amount: 35.00",
    ]
    packages = package(Decimal(150), 100, to_micros("5.00"), "USD")
    assert shown(packages.why)[1:] == ["2 at 5.00: 10.00", "Amount: 10.00"]
