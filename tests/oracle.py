"""Expected amounts from other billing systems' own tests and documents, each with its source in words.

Amounts are decimals of major units. Every scenario is a test of its name, in the ``test_oracle`` modules;
``tests/unit/test_oracle.py`` asserts that none is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from core.kernel.money import Money

CURRENCY = "USD"


@dataclass(frozen=True)
class Scenario:
    """What is given, in words, and what must come out."""

    id: str
    source: str
    given: str
    expect: dict[str, Any]


def usd(text: str) -> Money:
    """An amount of the oracle."""
    return Money.parse(text, CURRENCY)


def scenario(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The test takes ``expect`` and carries the scenario's id."""
    return pytest.mark.parametrize("expect", [pytest.param(BY_ID[name].expect, id=name)])


SCENARIOS = (
    Scenario(
        id="first-partial-period",
        source="Kill Bill beatrix TestIntegration",
        given="recurring 599.95 a month in advance, bill day 31, first service day 2012-03-02",
        expect={
            "first_charge": "561.24",
            "formula": "599.95*29/31",
            "period_starts": [
                "2012-03-02",
                "2012-03-31",
                "2012-04-30",
                "2012-05-31",
                "2012-06-30",
                "2012-07-31",
            ],
        },
    ),
    Scenario(
        id="downgrade-mid-period",
        source="Kill Bill TestIntegrationInvoiceWithRepairLogic",
        given="599.95 billed for 2012-05-01..06-01 (May, 31 days); on 05-07 changed to 9.95",
        expect={"repair": "-483.83", "new_charge": "8.02", "account_credit": "475.81"},
    ),
    Scenario(
        id="repair-capped-by-what-was-left",
        source="Kill Bill TestIntegrationInvoiceWithRepairLogic",
        given=(
            "249.95 for 2012-05-01..06-01 paid; item adjusted by -10.00; on 05-02 changed to 9.95"
        ),
        expect={
            "repair": "-239.95",
            "not": "-241.89",
            "new_charge": "9.63",
            "account_credit_from_this_change_alone": "230.32",
        },
    ),
    Scenario(
        id="annual-cancelled-after-a-month",
        source="Kill Bill TestIntegrationInvoiceWithRepairLogic",
        given="annual 2399.95 from 2013-08-18, cancelled 2013-09-17 (335 of 365 days unused)",
        expect={"repair": "-2202.69", "most_that_can_still_be_adjusted": "197.26"},
    ),
    Scenario(
        id="refund-with-and-without-adjustment",
        source="Kill Bill TestInvoicePayment",
        given=(
            "invoice 249.95 paid; refund 10 unadjusted; then refund 1 and adjust 1; then "
            "refund 10 and adjust 10"
        ),
        expect={"balances": ["10.00", "10.00", "10.00"], "refunded_total": "21.00"},
    ),
    Scenario(
        id="partial-capture-chargeback-reversal",
        source="Kill Bill TestInvoicePayment",
        given="invoice 249.95, only 10.00 captured; chargeback of it; chargeback reversed",
        expect={"balances": ["239.95", "249.95", "239.95"]},
    ),
    Scenario(
        id="two-payments-two-adjusted-refunds",
        source="Kill Bill TestInvoicePayment",
        given="invoice 10.00 paid 4.00 and 6.00; both refunded with adjustment",
        expect={"balance": "0.00"},
    ),
    Scenario(
        id="credit-covers-invoice-with-tax",
        source="Kill Bill TestWithTaxItems",
        given="account credit 100.00; invoice 29.95 plus tax 1.00",
        expect={"credit_used": "30.95", "credit_left": "69.05", "invoice_balance": "0.00"},
    ),
    Scenario(
        id="dunning-by-earliest-unpaid",
        source="Kill Bill TestOverdueIntegration",
        given=(
            "unpaid 249.95 dated 2012-05-31, due on issue; thresholds 30, 40, 50 days; the "
            "40-day state blocks service"
        ),
        expect={
            "state_dates": ["2012-06-30", "2012-07-10", "2012-07-20"],
            "blocked_credit_days": "10/31",
            "blocked_credit": "80.63",
            "next_cash": "169.32",
        },
    ),
    Scenario(
        id="upgrade-month-to-year",
        source="Lago upgrade_spec, subscription scenarios",
        given=(
            "monthly 10.00, anniversary billing from 2023-06-29; to yearly 120.00 on "
            "2023-09-28: 1 unused day of 08-29..09-28 (31 days); the year runs to 2024-06-29,"
            " 275 of 366 days left"
        ),
        expect={"credit": "0.32", "charge": "90.16"},
    ),
    Scenario(
        id="annual-days-over-period",
        source="Lago downgrade_spec",
        given="1188.00 a year, 243 of 366 days",
        expect={"charge": "788.75"},
    ),
    Scenario(
        id="coupon-over-mixed-tax-rates",
        source="Lago taxes_on_invoice_spec",
        given="fees 100 @10%, 50 @0%, 30 @20%, 20 @20%; coupon of 10",
        expect={
            "coupon_by_line": ["5.00", "2.50", "1.50", "1.00"],
            "tax": "19.00",
            "total": "209.00",
        },
    ),
    Scenario(
        id="two-credit-notes-close-an-invoice",
        source="Lago credit_note_spec",
        given=(
            "lines 68.33 and 68.33 @20%, tax rounded per document (line taxes 13.67 and "
            "13.66); credited one after the other in full"
        ),
        expect={"invoice": "163.99", "credit_notes": ["82.00", "81.99"]},
    ),
    Scenario(
        id="month-end-anchor",
        source="Lago billing_boundaries_spec; Stripe documentation",
        given="anchor 2024-01-31, monthly",
        expect={"boundaries": ["2024-02-29", "2024-03-31", "2024-04-30"]},
    ),
    Scenario(
        id="dunning-threshold",
        source="Lago dunning_campaign_v1_spec",
        given="threshold 150.00; overdue 149.00; then 6.00 more becomes overdue",
        expect={"requests": [[], ["155.00"]]},
    ),
    Scenario(
        id="graduated-tiers",
        source="Zuora documentation",
        given="units 1-10 at 2.00, 11-20 at 3.00; 15 units",
        expect={"charge": "35.00"},
    ),
    Scenario(
        id="tax-rounding-per-line-or-invoice",
        source="derived",
        given="lines 9.99, 4.99, 2.49 @7.25%",
        expect={
            "per_line": "1.26",
            "per_invoice": "1.27",
            "per_invoice_allocated": ["0.73", "0.36", "0.18"],
        },
    ),
    Scenario(
        id="tax-inclusive-two-taxes-are-joint",
        source="derived; Invoice Ninja extracts them independently and gets 2.40",
        given="10.00 including 10% and 17.5%",
        expect={"net": "7.84", "taxes": ["0.79", "1.37"], "tax": "2.16"},
    ),
    Scenario(
        id="payment-allocation",
        source="derived",
        given="open 40, 60, 100 (oldest first); pay 120",
        expect={
            "oldest_first": ["40.00", "60.00", "20.00"],
            "third_named_then_oldest": ["20.00", "0.00", "100.00"],
            "pro_rata": ["24.00", "36.00", "60.00"],
            "pay_250_leaves_unapplied": "50.00",
        },
    ),
    Scenario(
        id="annual-cancel-in-leap-year",
        source="derived",
        given="1200.00 a year from 1 January, cancelled on 1 March",
        expect={"credit_for_unused_days": {"2024": "1003.28", "2025": "1006.03"}},
    ),
    Scenario(
        id="statement-roll-forward",
        source="derived",
        given=(
            "previous 120.00; payment 100.00; adjustment -5.00; new charges 89.50. Next "
            "period: chargeback of the 100.00, payment 104.50, new charges 89.50"
        ),
        expect={"closing": ["104.50", "189.50"]},
    ),
    Scenario(
        id="bundle-by-standalone-price",
        source="ASC 606-10-32-28..31, derived figures",
        given="bundle 1000.00; standalone prices device 500, service for 12 months 588, set-up 149",
        expect={
            "allocation": {"device": "404.21", "service": "475.34", "setup": "120.45"},
            "half_up_would_sum_to": "999.99",
            "service_recognised_by_equal_months_cumulative_half_up": [
                "39.61",
                "39.61",
                "39.62",
                "39.61",
                "39.61",
                "39.61",
                "39.61",
                "39.61",
                "39.62",
                "39.61",
                "39.61",
                "39.61",
            ],
            "schedule_total": "475.34",
        },
    ),
)

BY_ID = {one.id: one for one in SCENARIOS}
