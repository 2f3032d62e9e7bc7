"""Which placed orders are held until somebody has checked them: a shop's rules, and what these say of one.

Pure: ``flows.screen_order`` brings the facts, ``flows.confirm_order`` keeps the reasons with the order.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

#: Why an order is held, by code: what the desk says of it.
REASONS = {
    "amount": "A large order",
    "first_order": "A first order, and no small one",
    "other_country": "Sent to another country",
    "many_orders": "Many orders within a day",
}


@dataclass(frozen=True)
class Rules:
    """A channel's, each off unless it is set: amounts in its minor units."""

    #: Held from this amount on.
    amount_from: int | None = None
    #: An account's first order, from this amount on.
    first_from: int | None = None
    other_country: bool = False
    #: So many orders by one e-mail address within a day go through, the next is held.
    most_a_day: int | None = None

    @property
    def is_off(self) -> bool:
        """No rule holds anything."""
        return self == Rules()

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> "Rules":
        """As a channel keeps them."""
        return cls(**kept) if kept else cls()

    def to_dict(self) -> dict[str, Any]:
        """For keeping."""
        return asdict(self)


@dataclass(frozen=True)
class Facts:
    """What is looked at of an order. ``orders_a_day`` counts itself; countries are codes, or empty."""

    amount_minor: int
    is_first: bool
    bill_country: str
    ship_country: str
    orders_a_day: int


def reasons(rules: Rules, facts: Facts) -> tuple[str, ...]:
    """The codes of ``REASONS`` by which an order is held; none, and it goes its way."""
    amount, countries = facts.amount_minor, {facts.bill_country, facts.ship_country} - {""}
    says = {
        "amount": rules.amount_from is not None and amount >= rules.amount_from,
        "first_order": rules.first_from is not None
        and facts.is_first
        and amount >= rules.first_from,
        "other_country": rules.other_country and len(countries) > 1,
        "many_orders": rules.most_a_day is not None and facts.orders_a_day > rules.most_a_day,
    }
    return tuple(code for code in REASONS if says[code])
