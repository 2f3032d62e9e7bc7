"""Ways of delivery: a port, and the table of flat prices behind it."""

import uuid
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from cart.models import DeliveryMethod
from core.kernel.money import Money


@dataclass(frozen=True)
class Choice:
    """A way of delivery as it is offered for one cart and place."""

    code: str
    name: str
    description: str
    price: Money
    tax_category: str


class Delivery(Protocol):
    """Answers how goods of a value can get to a country. No choice means: not there."""

    def choices(
        self, session: Session, channel_id: uuid.UUID, country: str, goods: Money
    ) -> list[Choice]: ...


class FlatDelivery:
    """Flat prices from a table, free from an order value on."""

    def choices(
        self, session: Session, channel_id: uuid.UUID, country: str, goods: Money
    ) -> list[Choice]:
        rows = session.scalars(_methods(), {"channel": channel_id, "country": country})
        return [self._choice(row, goods) for row in rows]

    def _choice(self, row: DeliveryMethod, goods: Money) -> Choice:
        free = row.free_from_minor is not None and goods.minor >= row.free_from_minor
        price = Money(0 if free else row.price_minor, goods.currency)
        return Choice(row.code, row.name, row.description, price, row.tax_category)


def countries(session: Session, channel_id: uuid.UUID) -> list[str]:
    """Where a channel delivers to."""
    query = select(DeliveryMethod.country).where(DeliveryMethod.channel_id == channel_id)
    return list(session.scalars(query.distinct().order_by(DeliveryMethod.country)))


@cache
def _methods() -> Select[DeliveryMethod]:
    """Put together once, at first use: that costs more than running it."""
    return (
        select(DeliveryMethod)
        .where(
            DeliveryMethod.channel_id == bindparam("channel"),
            DeliveryMethod.country == bindparam("country"),
        )
        .order_by(DeliveryMethod.position, DeliveryMethod.code)
    )
