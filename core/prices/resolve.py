"""Which price holds: deterministic, with a trace that answers “why this price?”."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.kernel.money import Money, extend
from core.prices.models import Plan, Price, PriceList


@dataclass(eq=False)
class NoPrice(ShopError):
    code: ClassVar[str] = "no_price"
    text: ClassVar[str] = "{sku} has no price here."
    sku: str


@dataclass(frozen=True)
class Resolved:
    """A unit price in millionths, the interval it recurs at (None: once), and why it is this one."""

    unit_price_micros: int
    currency: str
    interval: str | None
    interval_count: int
    trace: dict[str, Any]

    @property
    def unit_price(self) -> Money:
        """The price of one, rounded to the minor unit: for showing, never for multiplying."""
        return extend(self.unit_price_micros, 1, self.currency)

    @property
    def charge_kind(self) -> str:
        """``one_off``, ``monthly`` or ``yearly``."""
        return {"month": "monthly", "year": "yearly"}.get(self.interval or "", "one_off")


@cache
def _query() -> Select[uuid.UUID, int, int, str, int, str, int]:
    """The prices of some variants on a channel that hold now, the best first; built once."""
    now = bindparam("now", type_=PriceList.valid_from.type)
    return (
        select(
            Price.variant_id,
            Price.unit_price_micros,
            Price.min_quantity,
            PriceList.code,
            PriceList.priority,
            Plan.interval,
            Plan.interval_count,
        )
        .join(PriceList, PriceList.id == Price.price_list_id)
        .outerjoin(Plan, Plan.variant_id == Price.variant_id)
        .where(
            Price.variant_id.in_(bindparam("variants", expanding=True)),
            PriceList.currency == bindparam("currency"),
            or_(PriceList.channel_id == bindparam("channel"), PriceList.channel_id.is_(None)),
            PriceList.account_id.is_(None),
            PriceList.segment.is_(None),
            or_(PriceList.valid_from.is_(None), PriceList.valid_from <= now),
            or_(PriceList.valid_to.is_(None), PriceList.valid_to > now),
        )
        .order_by(PriceList.priority.desc(), Price.min_quantity.desc(), PriceList.code)
    )


def prices(
    session: Session,
    channel_id: uuid.UUID,
    currency: str,
    quantities: dict[uuid.UUID, int],
    now: datetime,
) -> dict[uuid.UUID, Resolved]:
    """The price of each variant at its quantity. What has no price is not in the answer.

    The list with the highest priority wins, within it the largest minimum quantity that is reached.
    """
    rows = session.execute(
        _query(),
        {"variants": list(quantities), "channel": channel_id, "currency": currency, "now": now},
    ).all()
    return choose(rows, quantities, currency)


def choose(
    rows: Sequence[Any], quantities: dict[uuid.UUID, int], currency: str
) -> dict[uuid.UUID, Resolved]:
    """Pick from rows of the query, in their order."""
    found: dict[uuid.UUID, Resolved] = {}
    for variant_id, micros, minimum, code, priority, interval, count in rows:
        if variant_id in found or quantities[variant_id] < minimum:
            continue
        found[variant_id] = Resolved(
            micros,
            currency,
            interval,
            count or 1,
            {"list": code, "priority": priority, "min_quantity": minimum},
        )
    return found
