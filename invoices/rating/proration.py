"""What a recurring price comes to for the days that were served: days over days of the actual period.

Rounded half up, once, at the currency's minor unit.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from core.kernel.calendar import Period, days_of
from core.kernel.money import Money, micros_of
from invoices.rating.rated import Rated, major, minor_of, plain, price_of, rounded
from invoices.why import Basis, Formula, Why


@dataclass(frozen=True)
class Recurring:
    """The price of one whole period: a unit price, which may be finer than the currency, and how many."""

    unit_price_micros: int
    currency: str
    quantity: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if self.unit_price_micros < 0 or self.quantity < 0:
            raise ValueError("a recurring price below zero")

    @classmethod
    def of(cls, amount: Money) -> "Recurring":
        """A price that is an amount."""
        return cls(micros_of(amount), amount.currency)

    @property
    def exact(self) -> Fraction:
        """A whole period in minor units, not rounded."""
        return minor_of(self.unit_price_micros, self.quantity, self.currency)


@dataclass(frozen=True)
class Service:
    """The days of one period that are served, less those without service (``pauses``)."""

    period: Period
    served: Period
    pauses: tuple[Period, ...] = ()

    def __post_init__(self) -> None:
        if not self.period.days:
            raise ValueError("service in a period without days")
        if not self.period.covers(self.served):
            raise ValueError(f"served outside of the period: {self.served} of {self.period}")

    @classmethod
    def whole(cls, period: Period) -> "Service":
        """All days of a period."""
        return cls(period, period)

    @property
    def days(self) -> int:
        """Days that count."""
        return self.served.days - days_of(self.pauses, self.served)

    def before(self, day: date) -> "Service":
        """Only the days before that one."""
        end = min(max(day, self.served.start), self.served.end)
        return replace(self, served=Period(self.served.start, end))


def prorate(price: Recurring, service: Service) -> Rated:
    """The price of the days that were served.

    ``price × days ÷ days of the period``, half up once. What was served and what is given back of a
    period sum to the whole, because ``changes`` takes the second as the difference.
    """
    amount = rounded(price.exact * Fraction(service.days, service.period.days), price.currency)
    return Rated(amount, because(price, service.days, service.period, amount))


def because(price: Recurring, days: int, period: Period, amount: Money) -> Why:
    """Why so many days of a period cost (or, below zero, give back) that amount."""
    sign = -1 if amount.minor < 0 else 1
    exact = sign * price.exact * Fraction(days, period.days)
    why = Why(
        formula=Formula.QUANTITY,
        amount=amount.decimal(),
        quantity=plain(price.quantity),
        unit_price=price_of(price.unit_price_micros, price.currency),
        residue=major(exact - amount.minor, price.currency),
    )
    if sign > 0 and days == period.days:
        return why
    formula = Formula.PRORATED if sign > 0 else Formula.REPAIR
    return replace(why, formula=formula, days=days, of_days=period.days, basis=Basis.PERIOD)
