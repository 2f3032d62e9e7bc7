"""What properties of rating draw from: prices, periods and services of any length."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from core.kernel.calendar import Cycle, Period
from core.kernel.money import Money
from invoices.rating.proration import Recurring, Service

DAYS = st.dates(date(2019, 1, 1), date(2029, 12, 31))
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])
AMOUNTS = st.integers(0, 10**9)


def prices(currency: str = "USD") -> st.SearchStrategy[Recurring]:
    """Unit prices to the millionth, in quantities that may be fractions."""
    return st.builds(
        Recurring,
        st.integers(0, 10**12),
        st.just(currency),
        st.one_of(st.just(Decimal(1)), st.decimals("0.001", "5000", places=3)),
    )


def round_prices() -> st.SearchStrategy[Recurring]:
    """Prices that are amounts."""
    return st.integers(0, 10**8).map(lambda minor: Recurring.of(Money(minor, "USD")))


CYCLES = st.builds(Cycle.anchored, DAYS, st.sampled_from([1, 3, 12]))


@st.composite
def within(draw: st.DrawFn, whole: Period) -> Period:
    """Some days of a period, perhaps none."""
    start = draw(st.integers(0, whole.days))
    end = draw(st.integers(start, whole.days))
    return Period(whole.start + timedelta(days=start), whole.start + timedelta(days=end))


@st.composite
def services(draw: st.DrawFn) -> Service:
    """Served days of a month, a quarter or a year, with pauses."""
    period = draw(CYCLES).period(draw(st.integers(0, 30)))
    pauses = draw(st.lists(within(period), max_size=2))
    return Service(period, draw(within(period)), tuple(pauses))
