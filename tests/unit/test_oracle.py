"""What other billing systems expect of themselves, computed here.

The scenarios that move money on the books are in ``tests/rooms/ledger/test_oracle.py``.
"""

import ast
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from core.kernel.calendar import Cycle, Period, days_of
from core.kernel.money import Money, round_half_up, to_micros, total
from core.ledger import allocation
from core.revenue.allocation import by_standalone_price
from core.revenue.schedules import by_equal_months
from core.tax.arithmetic import Tax, tax_lines
from invoices.rating import changes, coupons, tiers
from invoices.rating.changes import Wanted, balance, billed
from invoices.rating.due import Terms, wanted
from invoices.rating.proration import Recurring, Service, prorate
from invoices.statements.rolling import Kind, roll
from payments import overdue
from payments.overdue import PastDue, Stage
from tests.oracle import BY_ID, CURRENCY, SCENARIOS, scenario, usd

ZERO = Money.zero(CURRENCY)
MAY_2012 = Period(date(2012, 5, 1), date(2012, 6, 1))


def day(text: str) -> date:
    return date.fromisoformat(text)


def price(text: str) -> Recurring:
    return Recurring.of(usd(text))


def bill(text: str, period: Period, adjusted: str = "0.00") -> changes.Billed:
    """A line for a whole period."""
    line = Wanted("old", price(text), Service.whole(period))
    return billed("line 1", line, usd(adjusted))


def amounts(parts: list[Money]) -> list[str]:
    return [str(part.decimal()) for part in parts]


def test_every_scenario_is_a_test_and_only_once():
    """Here or on the books; a test names its scenario by the decorator."""
    here = Path(__file__).resolve()
    named: Counter[str] = Counter()
    for path in (here, here.parents[1] / "rooms" / "ledger" / "test_oracle.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                named.update(
                    ast.literal_eval(mark.args[0])
                    for mark in node.decorator_list
                    if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "scenario"
                )
    assert len(SCENARIOS) == len(BY_ID) == 22
    assert named == Counter(BY_ID.keys())


# --- days and periods -----------------------------------------------------------------------------


@scenario("first-partial-period")
def test_the_first_period_is_partial_and_the_31st_is_kept(expect):
    terms = Terms(
        "dsl", price("599.95"), Cycle.on_day(31, day("2012-03-02")), starts=day("2012-03-02")
    )
    lines = wanted(terms, day("2012-07-31"))
    assert [str(line.service.served.start) for line in lines] == expect["period_starts"]
    assert lines[0].rated.amount == usd(expect["first_charge"])
    why = lines[0].rated.why
    assert expect["formula"] == f"{why.unit_price}*{why.days}/{why.of_days}"


@scenario("month-end-anchor")
def test_a_month_end_is_clamped_each_month_and_never_chained(expect):
    cycle = Cycle.anchored(day("2024-01-31"))
    assert [str(cycle.bill_day(index)) for index in (1, 2, 3)] == expect["boundaries"]


@scenario("annual-days-over-period")
def test_a_part_of_a_year_is_its_days_over_the_years_days(expect):
    year = Cycle.anchored(day("2024-01-01"), months=12).period(0)
    assert year.days == 366
    part = Service(year, Period(day("2024-01-01"), day("2024-08-31")))
    assert part.days == 243
    assert prorate(price("1188.00"), part).amount == usd(expect["charge"])


# --- changes --------------------------------------------------------------------------------------


@scenario("downgrade-mid-period")
def test_a_downgrade_gives_back_the_unused_days_and_charges_the_new_plans(expect):
    found = changes.switch([bill("599.95", MAY_2012)], day("2012-05-07"), "new", price("9.95"))
    assert [change.amount for change in found] == [usd(expect["repair"]), usd(expect["new_charge"])]
    assert balance(found, CURRENCY) == -usd(expect["account_credit"])


@scenario("repair-capped-by-what-was-left")
def test_a_repair_takes_no_more_than_adjustments_left(expect):
    have = [bill("249.95", MAY_2012, adjusted="10.00")]
    repair, charge = changes.switch(have, day("2012-05-02"), "new", price("9.95"))
    assert (repair.amount, charge.amount) == (usd(expect["repair"]), usd(expect["new_charge"]))
    assert balance((repair, charge), CURRENCY) == -usd(
        expect["account_credit_from_this_change_alone"]
    )
    unadjusted = changes.cancel([bill("249.95", MAY_2012)], day("2012-05-02"))
    assert [change.amount for change in unadjusted] == [usd(expect["not"])]


@scenario("annual-cancelled-after-a-month")
def test_a_cancelled_year_gives_back_its_unused_days(expect):
    year = Cycle.anchored(day("2013-08-18"), months=12).period(0)
    one = bill("2399.95", year)
    (repair,) = changes.cancel([one], day("2013-09-17"))
    assert repair.amount == usd(expect["repair"])
    assert (repair.why.days, repair.why.of_days) == (335, 365)
    assert one.left + repair.amount == usd(expect["most_that_can_still_be_adjusted"])


@scenario("upgrade-month-to-year")
def test_an_upgrade_to_a_year_keeps_the_anniversary(expect):
    anchor, on = day("2023-06-29"), day("2023-09-28")
    month = Cycle.anchored(anchor).around(on)
    assert (month, month.days) == (Period(day("2023-08-29"), day("2023-09-29")), 31)
    repair, charge = changes.switch(
        [bill("10.00", month)], on, "year", price("120.00"), Cycle.anchored(anchor, months=12)
    )
    assert repair.amount == -usd(expect["credit"])
    assert charge.amount == usd(expect["charge"])
    assert (charge.why.days, charge.why.of_days) == (275, 366)


@scenario("annual-cancel-in-leap-year")
def test_a_year_cancelled_on_the_first_of_march_in_a_leap_year_and_after(expect):
    for year, credit in expect["credit_for_unused_days"].items():
        period = Period(day(f"{year}-01-01"), day(f"{int(year) + 1}-01-01"))
        (repair,) = changes.cancel([bill("1200.00", period)], day(f"{year}-03-01"))
        assert repair.amount == -usd(credit)


# --- usage, coupons, taxes ------------------------------------------------------------------------


@scenario("graduated-tiers")
def test_each_unit_costs_what_its_tier_says(expect):
    steps = [tiers.Tier(Decimal(10), to_micros("2.00")), tiers.Tier(None, to_micros("3.00"))]
    assert tiers.graduated(Decimal(15), steps, CURRENCY).amount == usd(expect["charge"])


@scenario("coupon-over-mixed-tax-rates")
def test_a_coupon_lowers_each_lines_tax_by_its_own_rate(expect):
    lines = [
        (usd("100.00"), 100_000),
        (usd("50.00"), 0),
        (usd("30.00"), 200_000),
        (usd("20.00"), 200_000),
    ]
    off = coupons.share([line for line, _ in lines], coupons.Coupon(usd("10.00")))
    assert amounts([part.amount for part in off]) == expect["coupon_by_line"]
    left = [line - part.amount for (line, _), part in zip(lines, off, strict=True)]
    taxed = tax_lines(
        [
            (net.minor, [Tax("Here", "VAT", rate)])
            for net, (_, rate) in zip(left, lines, strict=True)
        ],
        "document",
    )
    tax = Money(sum(line.tax_minor for line in taxed), CURRENCY)
    assert tax == usd(expect["tax"])
    assert total(left, CURRENCY) + tax == usd(expect["total"])


@scenario("tax-rounding-per-line-or-invoice")
def test_tax_is_rounded_by_line_or_by_document(expect):
    tax = Tax("Ohio", "Sales tax", 72_500)
    lines = [(usd(text).minor, [tax]) for text in ("9.99", "4.99", "2.49")]
    by_line = [line.tax_minor for line in tax_lines(lines, "line")]
    by_document = [line.tax_minor for line in tax_lines(lines, "document")]
    assert sum(by_line) == usd(expect["per_line"]).minor
    assert sum(by_document) == usd(expect["per_invoice"]).minor
    assert by_document == [usd(text).minor for text in expect["per_invoice_allocated"]]


@scenario("tax-inclusive-two-taxes-are-joint")
def test_two_taxes_in_one_price_are_taken_out_together(expect):
    taxes = [Tax("Here", "First", 100_000, True), Tax("Here", "Second", 175_000, True)]
    (line,) = tax_lines([(usd("10.00").minor, taxes)], "document")
    assert line.net_minor == usd(expect["net"]).minor
    assert [taxed.amount_minor for taxed in line.taxes] == [
        usd(text).minor for text in expect["taxes"]
    ]
    assert line.tax_minor == usd(expect["tax"]).minor


# --- payments, statements, dunning ----------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """An open item, as far as a payment looks at it."""

    open: Money
    due_date: date
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def uncontested(self) -> Money:
        return self.open

    @property
    def effective_date(self) -> date:
        return self.due_date


@scenario("payment-allocation")
def test_a_payment_goes_to_the_oldest_or_as_named_or_pro_rata(expect):
    owed = [
        Item(usd("40.00"), day("2026-01-01")),
        Item(usd("60.00"), day("2026-02-01")),
        Item(usd("100.00"), day("2026-03-01")),
    ]

    def parts(done: allocation.Allocation[Item]) -> list[str]:
        got = {item.id: amount for item, amount in done.parts}
        return amounts([got.get(item.id, ZERO) for item in owed])

    paid = usd("120.00")
    assert parts(allocation.oldest_first(paid, owed)) == expect["oldest_first"]
    named = allocation.as_named(paid, owed, [(owed[2].id, None)])
    assert parts(named) == expect["third_named_then_oldest"]
    assert parts(allocation.pro_rata(paid, owed)) == expect["pro_rata"]
    left = usd(expect["pay_250_leaves_unapplied"])
    for done in (
        allocation.oldest_first(usd("250.00"), owed),
        allocation.as_named(usd("250.00"), owed, [(owed[2].id, None)]),
        allocation.pro_rata(usd("250.00"), owed),
    ):
        assert done.unapplied == left


@scenario("statement-roll-forward")
def test_a_statement_rolls_forward_from_the_one_before(expect):
    first = roll(
        usd("120.00"),
        ZERO,
        [
            (Kind.PAYMENT, -usd("100.00")),
            (Kind.ADJUSTMENT, -usd("5.00")),
            (Kind.CHARGE, usd("89.50")),
        ],
    )
    second = roll(
        first.closing,
        ZERO,
        [
            (Kind.ADJUSTMENT, usd("100.00")),
            (Kind.PAYMENT, -usd("104.50")),
            (Kind.CHARGE, usd("89.50")),
        ],
    )
    assert amounts([first.closing, second.closing]) == expect["closing"]


@scenario("dunning-by-earliest-unpaid")
def test_dunning_goes_by_the_earliest_unpaid_and_days_without_service_are_given_back(expect):
    stages = [Stage("reminded", 30), Stage("stopped", 40, stops_service=True), Stage("ended", 50)]
    issued, cycle = day("2012-05-31"), Cycle.anchored(day("2012-05-31"))
    unpaid = PastDue(issued, usd("249.95"), ZERO)
    reached = overdue.stage_days(issued, stages)
    assert [str(on) for on, _ in reached] == expect["state_dates"]

    later = PastDue(day("2012-06-30"), usd("249.95"), ZERO)
    for on, state in reached:
        assert overdue.stage([later, unpaid], stages, on) == state
    blocked = Period(reached[1][0], reached[2][0])  # paid on the day of the last
    june = cycle.around(blocked.start)
    assert f"{days_of([blocked], june)}/{june.days}" == expect["blocked_credit_days"]
    have = [bill("249.95", june)]
    (repair,) = changes.pause(have, blocked)
    assert repair.amount == -usd(expect["blocked_credit"])
    assert have[0].amount + repair.amount == usd(expect["next_cash"])


@scenario("dunning-threshold")
def test_money_is_asked_for_once_the_threshold_is_reached(expect):
    threshold = usd("150.00")
    first = [PastDue(day("2026-01-10"), usd("149.00"), ZERO)]
    then = [*first, PastDue(day("2026-01-20"), usd("6.00"), ZERO)]
    asked = [
        overdue.request(then, threshold, today) for today in (day("2026-01-15"), day("2026-01-25"))
    ]
    assert [amounts([one]) if one else [] for one in asked] == expect["requests"]


# --- revenue --------------------------------------------------------------------------------------


@scenario("bundle-by-standalone-price")
def test_a_bundle_is_shared_by_standalone_price_and_its_service_earned_by_equal_months(expect):
    standalone = {"device": usd("500.00"), "service": usd("588.00"), "setup": usd("149.00")}
    shares = by_standalone_price(usd("1000.00"), list(standalone.values()))
    allocated = dict(zip(standalone, shares, strict=True))
    assert {name: str(share.decimal()) for name, share in allocated.items()} == expect["allocation"]
    whole = sum(one.minor for one in standalone.values())
    half_up = [
        round_half_up(Decimal(100_000 * one.minor) / Decimal(whole)) for one in standalone.values()
    ]
    assert Money(sum(half_up), CURRENCY) == usd(expect["half_up_would_sum_to"])
    schedule = by_equal_months(allocated["service"], day("2026-01-01"), 12)
    assert (
        amounts([earned.amount for earned in schedule])
        == expect["service_recognised_by_equal_months_cumulative_half_up"]
    )
    assert total((earned.amount for earned in schedule), CURRENCY) == usd(expect["schedule_total"])
