"""How a placed order is delivered once a change has given up and added goods, or sends them elsewhere. Reads
only; for ``plan_change``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cart import additions, pricing
from cart.delivery import PARCEL, PICKUP, Choice
from cart.priced import Counted, PricedLine
from core.catalog.models import BUNDLE
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.orders import grouping
from core.orders.deliveries import DELIVERY, GOODS
from core.orders.fulfilling import Some
from core.orders.models import Order, OrderLine
from core.orders.places import Place
from core.stock.models import Location
from flows.tax_goods import TaxGoods


@dataclass(frozen=True)
class Delivered:
    """All ways as they are then, by how they go, and those that are billed anew; the delivery lines that are
    given up for these; and how all of it goes, as an order keeps it. ``method`` None: as before."""

    ways: Mapping[str, Choice] = field(default_factory=dict)
    billed: Mapping[str, Choice] = field(default_factory=dict)
    given_up: Sequence[OrderLine] = ()
    method: str | None = None
    further: Mapping[str, str] = field(default_factory=dict)


def going(order: Order, place: Place) -> tuple[str | None, Mapping[str, str]]:
    """How what goes to a place goes: the usual way, and others by what goes that way. An order for one place
    says it; of one for several the deliveries do."""
    if not place.is_own:
        return order.shipping_method, order.ways or {}
    codes = {
        line.goes_by or PARCEL: line.sku.removeprefix("delivery:")
        for line in place.lines
        if line.kind == DELIVERY and (line.waiting or line.fulfilled)
    }
    first = min(codes, key=lambda by: (by != PARCEL, by), default=None)
    return codes.pop(first) if first is not None else None, codes


def delivered(
    tax: TaxGoods,
    place: Place,
    removed: Sequence[Some],
    goods: Sequence[PricedLine],
    to: Mapping[str, Any],
    method: str | None,
) -> Delivered:
    """How what goes to a place of the order goes ``to`` an address, which may be another. What has partly
    left keeps its delivery; a delivery that costs for the goods as they were what it costs now stays.
    Raises NoWayThere, and Invalid for another ``method`` where something has left."""
    order, was, lines = tax.order, place.address, place.lines
    now_by = going(order, place)
    if any(line.fulfilled for line in lines if line.kind in (GOODS, DELIVERY)):
        if method not in (None, now_by[0]):
            told = "Something has left already: how the rest goes stays as it is."
            raise Invalid({"method": told})
        return Delivered()
    gone = {one.line.id: one.quantity for one in removed}
    held = [(one, one.waiting) for one in lines if one.kind == GOODS and one.waiting]
    kept = [(one, waits - gone.get(one.id, 0)) for one, waits in held]
    kept = [(one, waits) for one, waits in kept if waits]
    now = additions.counted_of(tax.session, kept, order)
    now += [one for line in goods for one in line.counted]
    standing = [one for one in lines if one.kind == DELIVERY and one.waiting]
    whole = [Some(one, one.quantity) for one in standing]
    before = _before(tax, additions.counted_of(tax.session, held, order), was, now_by)
    after = _ways(tax, now, to, now_by, method)
    anew = (to != was or method is not None) and tax.which(
        whole, taxed_at(tax, place, was)
    ) != tax.which(whole, taxed_at(tax, place, to, ways=after.values()))
    billed: dict[str, Choice] = {}
    given_up: list[OrderLine] = []
    for by in sorted({*after, *before}):
        old, new = before.get(by), after.get(by)
        if not anew and old and new and (old.code, old.price) == (new.code, new.price):
            continue
        given_up += [one for one in _of_way(standing, by, old) if one not in given_up]
        if new is not None:
            billed[by] = new
    codes = {by: way.code for by, way in after.items()}
    first = next(iter(codes), None)
    main = codes.pop(first) if first is not None else None
    return Delivered(after, billed, given_up, main, codes)


def taxed_at(
    tax: TaxGoods,
    place: Place,
    to: Mapping[str, Any],
    kinds: Sequence[str] = (),
    ways: Collection[Choice] = (),
) -> dict[str, Any]:
    """Where things are taxed that go to a place of the order, which is ``to`` then, as the checkout decides
    it: where all of it is fetched, or there. ``kinds`` of what is added; ``ways``: how it goes then; none: as
    it goes now."""
    placed = grouping.as_placed(place.lines)
    bought = [line.kind for line in placed if line.kind not in (BUNDLE, DELIVERY)]
    chosen = list(ways) or [
        _standing(tax, line)
        for line in place.lines
        if line.kind == DELIVERY and (line.waiting or line.fulfilled)
    ]
    return pricing.taxed_at(dict(to), chosen, [*bought, *kinds]) or {}


def taxed_then(
    tax: TaxGoods,
    place: Place,
    kept: Sequence[Some],
    goods: Sequence[PricedLine],
    to: Mapping[str, Any],
    method: str | None,
) -> dict[str, Any]:
    """Where what is kept of a place is taxed once it has another address or way, and ``goods`` go there, too.
    Raises NoWayThere."""
    ways: Collection[Choice] = ()
    if not any(line.fulfilled for line in place.lines if line.kind in (GOODS, DELIVERY)):
        rows = [(one.line, one.quantity) for one in kept]
        counted = additions.counted_of(tax.session, rows, tax.order)
        counted += [one for line in goods for one in line.counted]
        ways = _ways(tax, counted, to, going(tax.order, place), method).values()
    return taxed_at(tax, place, to, ways=ways)


def _standing(tax: TaxGoods, line: OrderLine) -> Choice:
    """A delivery of the order as the way that it is, as far as its taxes go."""
    spot = tax.session.get(Location, line.pickup_id) if line.pickup_id is not None else None
    code = line.sku.removeprefix("delivery:")
    way = Choice(code, line.name, "", Money.zero(tax.order.currency), line.tax_category)
    if spot is None:
        return way
    return replace(way, kind=PICKUP, country=spot.country or "", region=spot.region or "")


def _ways(
    tax: TaxGoods,
    counted: Sequence[Counted],
    place: Mapping[str, Any],
    going_by: tuple[str | None, Mapping[str, str]],
    method: str | None,
) -> dict[str, Choice]:
    where = {**place, "country": place.get("country") or tax.entity.country}
    return additions.ways(
        tax.session, tax.house.delivery, tax.order, where, counted, going_by, method
    )


def _before(
    tax: TaxGoods,
    counted: Sequence[Counted],
    place: Mapping[str, Any],
    going_by: tuple[str | None, Mapping[str, str]],
) -> dict[str, Choice]:
    """How the goods as they were would go today; nothing where that is not offered any more."""
    try:
        return _ways(tax, counted, place, going_by, None)
    except additions.NoWayThere:
        return {}


def _of_way(standing: Sequence[OrderLine], by: str, way: Choice | None) -> list[OrderLine]:
    """The lines that this way of going was billed by; ``way`` is what it was, for lines from before that
    was written on them."""
    return [
        one
        for one in standing
        if one.goes_by == by
        or (one.goes_by is None and way is not None and one.sku == f"delivery:{way.code}")
    ]
