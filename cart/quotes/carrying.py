"""How the goods of a quote get to a place: what goes together, the ways that there are, and which is taken.

As checkout does it: by weight, worth and the way that things go; each way is a delivery of its own.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import pricing
from cart.delivery import PARCEL, Choice, Delivery, Load
from cart.quotes.offer import Offer, OfferLine
from core.catalog.models import Variant
from core.kernel.money import Money, extend, micros_of
from core.parties.models import Channel


@dataclass(frozen=True)
class Carried:
    """What one piece of a thing weighs, and by which way it goes."""

    weight_g: int = 0
    goes_by: str = PARCEL


class Seller(Protocol):
    """Who sells and how goods get to a place; see ``cart.quotes.pricing.Asked``."""

    @property
    def channel(self) -> Channel: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def currency(self) -> str: ...


@dataclass(frozen=True)
class Ways:
    """The ways that a place is offered, those that are taken, and whether some goods find none."""

    offered: tuple[Choice, ...] = ()
    chosen: tuple[Choice, ...] = ()
    is_missing: bool = False

    def lines(self, offer: Offer, site: int) -> list[OfferLine]:
        """Each delivery as a line. A price that was agreed is for all of a place: the first has it."""
        return [_line(one, offer, site, first=at == 0) for at, one in enumerate(self.chosen)]


def of(session: Session, variant_ids: Sequence[uuid.UUID | None]) -> dict[uuid.UUID, Carried]:
    """How these things are carried, as the catalog says it now."""
    keys = {key for key in variant_ids if key is not None}
    if not keys:
        return {}
    query = select(Variant.id, Variant.weight_g, Variant.goes_by).where(Variant.id.in_(keys))
    return {key: Carried(weight, way) for key, weight, way in session.execute(query)}


def ways(
    session: Session,
    offer: Offer,
    asked: Seller,
    place: dict[str, Any],
    priced: Sequence[tuple[OfferLine, int]],
    carried: Mapping[uuid.UUID, Carried],
) -> Ways:
    """The ways to a place for its lines with their final prices. A way that was chosen is taken for what goes
    by it, for the rest the cheapest; where it is offered for nothing, nothing is taken."""
    loads = _loads(priced, carried, asked.currency)
    if not loads or not place.get("country"):
        return Ways()
    found = [asked.delivery.choices(session, asked.channel.id, place, load) for load in loads]
    offered = tuple(choice for some in found for choice in some)
    wanted = offer.delivery_method
    if wanted and wanted not in [choice.code for choice in offered]:
        return Ways(offered, (), is_missing=True)
    taken = [pricing.chosen_of(some, wanted) for some in found]
    chosen = tuple(choice for choice in taken if choice is not None)
    return Ways(offered, chosen, is_missing=len(chosen) < len(loads))


def _loads(
    priced: Sequence[tuple[OfferLine, int]], carried: Mapping[uuid.UUID, Carried], currency: str
) -> list[Load]:
    """What goes together, the usual way first."""
    goods: dict[str, tuple[int, int]] = {}
    for line, price in priced:
        if line.ships:
            one = carried.get(line.variant_id, Carried()) if line.variant_id else Carried()
            worth, weight = goods.get(one.goes_by, (0, 0))
            worth += extend(price, line.quantity, currency).minor
            goods[one.goes_by] = worth, weight + one.weight_g * line.quantity
    loads = [Load(Money(worth, currency), weight, way) for way, (worth, weight) in goods.items()]
    return sorted(loads, key=lambda load: (load.goes_by != PARCEL, load.goes_by))


def _line(choice: Choice, offer: Offer, site: int, *, first: bool) -> OfferLine:
    cost = choice.price
    if offer.delivery_minor is not None:
        cost = Money(offer.delivery_minor if first else 0, cost.currency)
    trace: dict[str, Any] = {"delivery": choice.code, "goes_by": choice.goes_by}
    if choice.pickup_id is not None:
        trace["pickup"] = str(choice.pickup_id)
    return OfferLine(
        name=f"Delivery, {choice.name}",
        quantity=1,
        unit_price_micros=micros_of(cost),
        sku=f"delivery:{choice.code}",
        kind="delivery",
        tax_category=choice.tax_category,
        site=site,
        price_trace=trace,
    )
