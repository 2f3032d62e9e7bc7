"""Ways of delivery: a port, and the table of zones and prices behind it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.orm import Session

from cart.delivery_models import DeliveryMethod, DeliveryZone
from core.kernel.db import table
from core.kernel.kept_rules import Kept
from core.kernel.money import Money
from core.stock.models import Location

PARCEL, VISIT = "parcel", "visit"
PICKUP = "pickup"


@dataclass(frozen=True)
class Choice:
    """A way of delivery as it is offered for one cart and place."""

    code: str
    name: str
    description: str
    price: Money
    tax_category: str
    kind: str = "ship"
    #: Of a pick-up: where that is, for taxes; empty when it is not known.
    country: str = ""
    region: str = ""
    pickup_id: uuid.UUID | None = None
    #: Which goods go this way.
    goes_by: str = PARCEL


@dataclass(frozen=True)
class Load:
    """What goes together: its worth, its weight, and how it goes."""

    goods: Money
    weight_g: int = 0
    goes_by: str = PARCEL


class Delivery(Protocol):
    """Answers how a load can get to a place (country, region, postal_code). No choice means: not there.

    ``under``: the mark of ``core.kernel.kept_rules`` under which what is kept may answer.
    """

    def choices(
        self,
        session: Session,
        channel_id: uuid.UUID,
        place: Mapping[str, Any],
        load: Load,
        under: uuid.UUID | None = None,
    ) -> list[Choice]: ...


class TableDelivery:
    """Prices from a table: by country or zone, free from an order value on, in bands of worth and weight."""

    def choices(
        self,
        session: Session,
        channel_id: uuid.UUID,
        place: Mapping[str, Any],
        load: Load,
        under: uuid.UUID | None = None,
    ) -> list[Choice]:
        values = {"channel": channel_id, "to_country": place["country"], "goes_by": load.goes_by}
        return [
            self._choice(row, load)
            for row in _KEPT.rows(session, under, values)
            if self._fits(row, load) and (row.zone_id is None or covers(row.areas, place))
        ]

    def _fits(self, row: Any, load: Load) -> bool:
        worth = load.goods.minor
        return (
            (row.goods_from_minor is None or worth >= row.goods_from_minor)
            and (row.goods_to_minor is None or worth <= row.goods_to_minor)
            and (row.weight_to_g is None or load.weight_g <= row.weight_to_g)
        )

    def _choice(self, row: Any, load: Load) -> Choice:
        free = row.free_from_minor is not None and load.goods.minor >= row.free_from_minor
        cost = row.price_minor + row.per_kg_minor * -(-load.weight_g // 1000)
        return Choice(
            row.code,
            row.name,
            row.description,
            Money(0 if free else cost, load.goods.currency),
            row.tax_category,
            row.kind,
            row.country or "",
            row.region or "",
            row.location_id if row.kind == PICKUP else None,
            row.goes_by,
        )


def covers(areas: Sequence[Sequence[str]], place: Mapping[str, Any]) -> bool:
    """Is a place within one of these areas? What is not known of it is in none that asks for it."""
    code = str(place.get("postal_code") or "").replace(" ", "").upper()
    return any(
        country == place.get("country")
        and (not region or region == (place.get("region") or ""))
        and code.startswith(prefix.replace(" ", ""))
        for country, region, prefix in areas
    )


def named(session: Session, channel_id: uuid.UUID) -> list[tuple[str, str]]:
    """The ways that a channel has for parcels: code and name, each once."""
    query = (
        select(DeliveryMethod.code, DeliveryMethod.name)
        .where(
            DeliveryMethod.channel_id == channel_id,
            DeliveryMethod.goes_by == PARCEL,
            DeliveryMethod.active,
        )
        .order_by(DeliveryMethod.position, DeliveryMethod.code)
    )
    return list({code: (code, name) for code, name in session.execute(query)}.values())


def countries(session: Session, channel_id: uuid.UUID) -> list[str]:
    """Where a channel delivers to."""
    query = select(DeliveryMethod.country).where(
        DeliveryMethod.channel_id == channel_id, DeliveryMethod.active
    )
    return list(session.scalars(query.distinct().order_by(DeliveryMethod.country)))


@cache
def _methods() -> Executable:
    """Put together once, at first use: that costs more than running it. ``country`` and ``region`` are
    those of the place where things are picked up."""
    way, zone, location = table(DeliveryMethod), table(DeliveryZone), table(Location)
    joined = way.outerjoin(zone, zone.c.id == way.c.zone_id).outerjoin(
        location, location.c.id == way.c.location_id
    )
    return (
        select(
            way.c.code,
            way.c.name,
            way.c.description,
            way.c.price_minor,
            way.c.free_from_minor,
            way.c.tax_category,
            way.c.zone_id,
            way.c.kind,
            way.c.goods_from_minor,
            way.c.goods_to_minor,
            way.c.weight_to_g,
            way.c.per_kg_minor,
            way.c.location_id,
            way.c.goes_by,
            zone.c.areas,
            location.c.country,
            location.c.region,
        )
        .select_from(joined)
        .where(
            way.c.channel_id == bindparam("channel"),
            way.c.country == bindparam("to_country"),
            way.c.goes_by == bindparam("goes_by"),
            way.c.active,
        )
        .order_by(way.c.position, way.c.code)
    )


#: By channel, country and how things go.
_KEPT = Kept(_methods, 500)
