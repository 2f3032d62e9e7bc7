"""What is added to a placed order: goods, work, plans and bundles of them, at today's prices or at a price
that is agreed, and how what is to be sent then is delivered. Reads only; called by the flows of changes and
exchanges.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import pricing
from cart.delivery import PARCEL, Choice, Delivery
from cart.priced import Counted, PricedLine
from core.catalog import products
from core.catalog.models import BUNDLE, Variant
from core.kernel.clock import Clock
from core.kernel.ids import new_id
from core.kernel.money import extend
from core.orders.fulfilling import OrderRefused
from core.orders.models import Order, OrderLine
from core.prices import bundles, resolve
from core.prices.resolve import NoPrice, Resolved


class ChangeRefused(OrderRefused):
    """What a placed order does not let be changed, exchanged or sent."""


@dataclass(eq=False)
class NotAdded(ChangeRefused):
    """What is given at once, as downloads and gift cards are, is ordered anew."""

    code: ClassVar[str] = "cannot_be_added"
    text: ClassVar[str] = (
        "{sku} is given at once and cannot be added to an order. Order it by itself."
    )
    sku: str


@dataclass(eq=False)
class NumberToChoose(ChangeRefused):
    """What comes with a number or a key of its own is ordered anew, where one is kept or chosen."""

    code: ClassVar[str] = "number_to_choose"
    text: ClassVar[str] = (
        "{sku} comes with a number of its own and cannot be added to an order. Order it by itself."
    )
    sku: str


#: What can be added; of a bundle all of its pieces.
ADDED = ("physical", "service", "plan")


@dataclass(eq=False)
class SeveralPlaces(ChangeRefused):
    """An order goes to several places, and ``what`` is to be another of it does not say at which."""

    code: ClassVar[str] = "several_places"
    text: ClassVar[str] = "This order goes to several places: say which of them it is for ({what})."
    what: str


@dataclass(eq=False)
class NoWayThere(ChangeRefused):
    """What is to be sent cannot go there, or not that way."""

    code: ClassVar[str] = "no_delivery"
    text: ClassVar[str] = "We do not deliver this to {place}{by}."
    place: str
    by: str


@dataclass(frozen=True)
class Wanted:
    """So many of a thing. ``unit_price_micros``: what one costs where that is agreed, and ``trace`` why."""

    sku: str
    quantity: int
    unit_price_micros: int | None = None
    trace: Mapping[str, Any] = field(default_factory=dict)


def priced(
    session: Session, order: Order, wanted: Sequence[Wanted], clock: Clock
) -> list[PricedLine]:
    """Each at its price. Raises UnknownSku, NotAdded, NumberToChoose and NoPrice."""
    return [_priced(session, order, one, clock) for one in wanted]


def _priced(session: Session, order: Order, wanted: Wanted, clock: Clock) -> PricedLine:
    variant = products.variant(session, wanted.sku)
    asked = (session, order.channel_id, order.currency)
    quantities, now = {variant.id: wanted.quantity}, clock.now()
    bundle = None
    unit: Resolved | None = None
    if wanted.unit_price_micros is not None and variant.kind != BUNDLE:
        trace = dict(wanted.trace)
        unit = Resolved(wanted.unit_price_micros, order.currency, None, 1, trace)
    elif variant.kind == BUNDLE:
        bundle = bundles.offered(*asked, quantities, now).get(variant.id)
        unit = bundle.now if bundle is not None else None
    else:
        unit = resolve.prices(*asked, quantities, now).get(variant.id)
    if unit is None:
        raise NoPrice(wanted.sku)
    line = PricedLine(
        id=new_id(),
        public_id="",
        variant_id=variant.id,
        sku=variant.sku,
        name=variant.name,
        slug="",
        picture="",
        kind=variant.kind,
        tax_category=variant.tax_category,
        quantity=wanted.quantity,
        price=unit,
        net=bundle.due_now(wanted.quantity)
        if bundle is not None
        else extend(unit.unit_price_micros, wanted.quantity, order.currency),
        held_until=None,
        price_was=None,
        bundle=bundle,
        weight_g=variant.weight_g,
        goes_by=variant.goes_by,
        numbered=variant.numbered,
    )
    if any(one.kind not in ADDED for one in line.counted):
        raise NotAdded(wanted.sku)
    if any(need.numbered for need in line.demands):
        raise NumberToChoose(wanted.sku)
    return line


def ways(
    session: Session,
    delivery: Delivery,
    order: Order,
    place: Mapping[str, Any],
    counted: Sequence[Counted],
    going: tuple[str | None, Mapping[str, str]],
    method: str | None,
) -> dict[str, Choice]:
    """How goods get to a place, by how they go; ``going``: how they went, and others by what goes so;
    ``method`` is how the first shall. Raises NoWayThere.

    A way that is not offered for so much goes by the cheapest instead, unless it was just chosen: then
    ``method`` differs from the one before.
    """
    usual, further = going
    found: dict[str, Choice] = {}
    for load in pricing.loads_of(counted, order.currency):
        choices = delivery.choices(session, order.channel_id, place, load)
        first = not found
        code = (method or usual) if first else further.get(load.goes_by)
        insists = first and method not in (None, usual)
        chosen = pricing.chosen_of(choices, code)
        if chosen is None or (insists and chosen.code != method):
            named = [str(place[name]) for name in ("city", "country") if place.get(name)]
            raise NoWayThere(", ".join(named), f" by {method}" if insists else "")
        found[load.goes_by] = chosen
    return found


def counted_of(
    session: Session, lines: Sequence[tuple[OrderLine, int]], order: Order
) -> list[Counted]:
    """So many pieces of lines that were ordered, as what they weigh and cost for a delivery."""
    keys = [line.variant_id for line, _ in lines if line.variant_id is not None]
    rows = session.execute(
        select(Variant.id, Variant.weight_g, Variant.goes_by).where(Variant.id.in_(keys))
    )
    known: dict[uuid.UUID, tuple[int, str]] = {key: (weight, by) for key, weight, by in rows}
    return list(_counted(lines, known, order))


def _counted(
    lines: Sequence[tuple[OrderLine, int]],
    known: Mapping[uuid.UUID, tuple[int, str]],
    order: Order,
) -> Iterator[Counted]:
    for line, quantity in lines:
        weight, by = known.get(line.variant_id or line.id, (0, PARCEL))
        net = extend(line.unit_price_micros, quantity, order.currency)
        yield Counted(line.kind, line.tax_category, net, weight * quantity, by)


def prices(
    session: Session, order: Order, variants: Sequence[Variant], clock: Clock
) -> Mapping[uuid.UUID, Resolved]:
    """What one of each costs today; what has no price is not in the answer."""
    wanted = {variant.id: 1 for variant in variants}
    return resolve.prices(session, order.channel_id, order.currency, wanted, clock.now())


def today(
    session: Session, order: Order, variant: Variant, quantity: int, clock: Clock
) -> int | None:
    """What one of so many costs today, in millionths; None where it has no price."""
    wanted = {variant.id: quantity}
    found = resolve.prices(session, order.channel_id, order.currency, wanted, clock.now())
    unit = found.get(variant.id)
    return unit.unit_price_micros if unit is not None else None


def agreed(session: Session, order: Order, line: OrderLine, sku: str, clock: Clock) -> int | None:
    """``agreed_of`` for a SKU, with today's prices. Raises UnknownSku for another than the line's."""
    if sku == line.sku:
        return line.unit_price_micros
    variant = products.variant(session, sku)
    own = session.get(Variant, line.variant_id) if line.variant_id is not None else None
    if own is None:
        return None
    return agreed_of(line, own, variant, prices(session, order, [own, variant], clock))


def agreed_of(
    line: OrderLine, own: Variant, variant: Variant, now: Mapping[uuid.UUID, Resolved]
) -> int | None:
    """What one of ``variant`` costs instead of a piece of ``line``, of ``own``, in millionths, where that is
    what the piece cost: the same thing, or another variant of its product that costs the same ``now``. None:
    today's price. Pure."""
    if variant.sku == line.sku:
        return line.unit_price_micros
    if own.product_id != variant.product_id or BUNDLE in (own.kind, variant.kind):
        return None
    if own.id not in now or variant.id not in now:
        return None
    same = now[own.id].unit_price_micros == now[variant.id].unit_price_micros
    return line.unit_price_micros if same else None
