"""A price for some of a period's days: exact until one rounding, and its reason says the same."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.calendar import Period
from core.kernel.money import Money, extend, minor_digits
from invoices.rating.proration import Recurring, Service, prorate
from invoices.why import Basis, Formula, Why, read
from tests.unit.invoices.rating.strategies import CURRENCIES, prices, services, within

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


@given(CURRENCIES.flatmap(prices), services())
def test_it_is_price_times_days_over_days_rounded_half_up_once(price, service):
    rated = prorate(price, service)
    exact = (
        Fraction(price.unit_price_micros, 10**6)
        * Fraction(price.quantity)
        * 10 ** minor_digits(price.currency)
        * Fraction(service.days, service.period.days)
    )
    assert abs(rated.amount.minor - exact) <= Fraction(1, 2)
    assert rated.amount.minor - exact != -Fraction(1, 2)  # a half goes up


@given(prices(), services())
def test_a_whole_period_is_the_price_as_a_cart_would_extend_it(price, service):
    whole = prorate(price, Service.whole(service.period))
    assert whole.amount == extend(price.unit_price_micros, price.quantity, price.currency)
    assert whole.why.formula is Formula.QUANTITY


@given(CURRENCIES.flatmap(prices), services())
def test_the_reason_gives_the_amount_back(price, service):
    rated = prorate(price, service)
    why = rated.why
    assert why.amount == rated.amount.decimal()
    days, of_days = (why.days, why.of_days) if why.formula is Formula.PRORATED else (1, 1)
    exact = Fraction(why.unit_price) * Fraction(why.quantity) * Fraction(days, of_days)
    assert abs(exact - Fraction(why.amount + why.residue)) <= Fraction(1, 10**12)
    assert why.basis in (None, Basis.PERIOD)
    assert read(why.to_dict()) == why
    assert Why.from_dict(why.to_dict()) == why


@given(prices(), services().flatmap(lambda s: st.tuples(st.just(s), within(s.served))))
def test_more_days_never_cost_less(price, both):
    service, fewer = both
    less = Service(service.period, fewer, service.pauses)
    assert prorate(price, less).amount <= prorate(price, service).amount


@given(prices(), services(), st.integers(0, 400))
def test_a_period_cut_in_two_is_off_by_one_minor_unit_at_most(price, service, at):
    cut = service.served.start + timedelta(days=at)
    first = service.before(cut)
    rest = Service(service.period, Period(first.served.end, service.served.end), service.pauses)
    assert first.days + rest.days == service.days
    parts = prorate(price, first).amount + prorate(price, rest).amount
    assert abs((parts - prorate(price, service).amount).minor) <= 1


def test_days_without_service_are_not_counted_however_often_they_are_said():
    pause = Period(date(2026, 3, 10), date(2026, 3, 20))
    over = Period(date(2026, 2, 20), date(2026, 3, 12))
    service = Service(MARCH, MARCH, (pause, pause, over))
    assert service.days == 31 - 19
    assert prorate(Recurring.of(Money(3_100, "USD")), service).amount == Money(1_200, "USD")


@pytest.mark.parametrize(
    "micros, quantity, days, minor",
    [
        (50_000, "1", 31, 5),  # 0.05
        (37_500, "1", 31, 4),  # 0.0375 is rounded once, up
        (37_500, "120", 31, 450),  # and not before it is multiplied
        (5_000, "1", 31, 1),  # half a cent goes up
        (10_000, "1", 15, 0),  # 15/31 of a cent
        (10_000, "1", 16, 1),
        (1_000_000, "2.5", 31, 250),
    ],
)
def test_a_price_finer_than_the_currency_is_rounded_at_the_very_end(micros, quantity, days, minor):
    served = Period(MARCH.start, MARCH.start + timedelta(days=days))
    price = Recurring(micros, "USD", Decimal(quantity))
    assert prorate(price, Service(MARCH, served)).amount == Money(minor, "USD")


def test_a_service_lies_in_its_period_and_a_price_is_not_below_zero():
    with pytest.raises(ValueError, match="outside of the period"):
        Service(MARCH, Period(date(2026, 2, 28), date(2026, 3, 5)))
    with pytest.raises(ValueError, match="without days"):
        Service.whole(Period(date(2026, 3, 1), date(2026, 3, 1)))
    with pytest.raises(ValueError, match="below zero"):
        Recurring(-1, "USD")
    with pytest.raises(ValueError, match="below zero"):
        Recurring(1, "USD", Decimal(-1))
