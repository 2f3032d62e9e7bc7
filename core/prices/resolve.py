"""Which price holds: deterministic, with a trace that answers “why this price?”."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from core.kernel.db import table
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
    #: Of a plan: ``at_once``, ``by_hand`` or ``by_system``, see ``Plan``.
    activation: str | None = None

    @cached_property
    def unit_price(self) -> Money:
        """The price of one, rounded to the minor unit: for showing, never for multiplying."""
        return extend(self.unit_price_micros, 1, self.currency)

    @property
    def charge_kind(self) -> str:
        """``one_off``, ``monthly`` or ``yearly``."""
        return {"month": "monthly", "year": "yearly"}.get(self.interval or "", "one_off")


def lists_that_hold() -> tuple[ColumnElement[bool], ...]:
    """Of a statement over price lists: those of ``currency`` and ``channel`` from ``now`` to ``horizon``."""
    now, horizon = (bindparam(name, type_=PriceList.valid_from.type) for name in ("now", "horizon"))
    book = table(PriceList).c
    return (
        book.currency == bindparam("currency"),
        or_(book.channel_id == bindparam("channel"), book.channel_id.is_(None)),
        book.account_id.is_(None),
        book.segment.is_(None),
        or_(book.valid_from.is_(None), book.valid_from <= horizon),
        or_(book.valid_to.is_(None), book.valid_to > now),
    )


@cache
def _query() -> Select[Any]:
    """The prices of some variants on a channel that hold from now to a horizon, the best first."""
    price, book, plan = table(Price).c, table(PriceList).c, table(Plan).c
    joined = (
        table(Price)
        .join(table(PriceList), book.id == price.price_list_id)
        .outerjoin(table(Plan), plan.variant_id == price.variant_id)
    )
    return (
        select(*columns(), book.valid_from, book.valid_to)
        .select_from(joined)
        .where(price.variant_id.in_(bindparam("variants", expanding=True)), *lists_that_hold())
        .order_by(*best_first())
    )


def columns() -> tuple[ColumnElement[Any], ...]:
    """What ``choose`` reads of a row, first of all and in this order."""
    price, book, plan = table(Price).c, table(PriceList).c, table(Plan).c
    return (
        price.variant_id,
        price.unit_price_micros,
        price.min_quantity,
        book.code,
        book.priority,
        plan.interval,
        plan.interval_count,
        plan.activation,
    )


def best_first() -> tuple[ColumnElement[Any], ...]:
    """In which order ``choose`` wants the prices of a variant."""
    price, book = table(Price).c, table(PriceList).c
    return (book.priority.desc(), price.min_quantity.desc(), book.code)


def beside(found: FromClause, variant_id: ColumnElement[Any]) -> FromClause:
    """``found`` with every price of what ``variant_id`` names, for whoever reads both at once; ``there``
    picks those that hold now. The statement takes ``currency``, ``channel``, and ``now`` as ``horizon`` too.

    Three joins in a row: put in brackets, SQLite would read every price of the shop before it looks for one.
    """
    price, book, plan = table(Price), table(PriceList), table(Plan)
    held = and_(book.c.id == price.c.price_list_id, *lists_that_hold())
    with_price = found.outerjoin(price, price.c.variant_id == variant_id).outerjoin(book, held)
    return with_price.outerjoin(plan, plan.c.variant_id == price.c.variant_id)


def there(rows: Iterable[Any]) -> list[Any]:
    """Of rows of ``beside`` those with a price that holds."""
    return [row for row in rows if row.code is not None]


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
    return prices_until(session, channel_id, currency, quantities, now, now)[0]


def prices_until(
    session: Session,
    channel_id: uuid.UUID,
    currency: str,
    quantities: dict[uuid.UUID, int],
    now: datetime,
    horizon: datetime,
) -> tuple[dict[uuid.UUID, Resolved], datetime]:
    """As ``prices``, and until when: ``horizon``, or earlier if one of their lists begins or ends."""
    values = {"variants": list(quantities), "channel": channel_id, "currency": currency}
    rows = session.execute(_query(), {**values, "now": now, "horizon": horizon}).all()
    begun, until = held(rows, now, horizon)
    return choose(begun, quantities, currency), until


def held(rows: Sequence[Any], now: datetime, horizon: datetime) -> tuple[list[Any], datetime]:
    """Rows whose list holds now, and until when that is so: ``horizon`` at the latest."""
    edges = (edge for row in rows for edge in (row.valid_from, row.valid_to) if edge is not None)
    begun = [row for row in rows if row.valid_from is None or row.valid_from <= now]
    return begun, min([horizon, *(edge for edge in edges if edge > now)])


def choose(
    rows: Sequence[Any], quantities: dict[uuid.UUID, int], currency: str
) -> dict[uuid.UUID, Resolved]:
    """Pick from rows of the query, in their order."""
    found: dict[uuid.UUID, Resolved] = {}
    for variant_id, micros, minimum, code, priority, interval, count, *more in rows:
        if variant_id in found or quantities[variant_id] < minimum:
            continue
        found[variant_id] = Resolved(
            micros,
            currency,
            interval,
            count or 1,
            {"list": code, "priority": priority, "min_quantity": minimum},
            more[0] if more else None,
        )
    return found
