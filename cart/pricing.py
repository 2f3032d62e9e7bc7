"""What a cart costs: lines at their prices, delivery, tax, what is due now and what recurs.

Reads only. The same answer feeds the cart page, checkout, the API and the order that is written.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cart import lines
from cart.delivery import PARCEL, PICKUP, Choice, Delivery, Load
from cart.models import Cart
from cart.priced import Also, Counted, GoneLine, PricedCart, PricedLine
from core.catalog.limits import Limits
from core.catalog.models import BUNDLE
from core.kernel.clock import local_date
from core.kernel.money import Money, extend, micros_of, total
from core.orders import placing
from core.parties.models import Channel, LegalEntity
from core.prices import bundles, resolve
from core.prices.bundles import Bundle
from core.prices.resolve import Resolved
from core.stock import kept, named
from core.stock.holds import Demand, Owner
from core.stock.named import Picked
from core.tax import buyers, rates
from core.tax.buyers import NOBODY, Known
from core.tax.relief import relieve
from core.tax.service import Answers, AskedLine, Place, Question


def price(
    session: Session,
    cart: Cart,
    channel: Channel,
    entity: LegalEntity,
    delivery: Delivery,
    now: datetime,
    *,
    place: dict[str, Any] | None = None,
    method_code: str | None = None,
    more_ways: Mapping[str, str] | None = None,
    known: Known = NOBODY,
    answers: Answers | None = None,
    with_holds: bool = True,
) -> PricedCart:
    """Price ``cart`` for ``place`` (an address; the cart's own when None) and a way of delivery.

    Without a chosen way the cheapest is shown. ``known`` is who buys; ``answers`` works out the taxes,
    our own table when None, and raises Unanswered when a service has to be asked outside. Without
    ``with_holds`` no line says until when it is held: for who takes the holds next, whatever they are.
    """
    place = place or cart.shipping_address
    method_code = method_code or cart.shipping_method
    more_ways = more_ways or (cart.answers or {}).get("ways")
    rows = lines.with_prices(session, cart, now)
    under = rows[0].rule_mark if rows else None
    priced, gone = _lines(session, cart, rows, now, with_holds)
    goods = total((line.net for line in priced), cart.currency)
    counted = [one for line in priced for one in line.counted]
    ships = any(line.ships for line in priced)
    goes_to = {**(place or {}), "country": (place or {}).get("country") or entity.country}
    loads = loads_of(counted, cart.currency)
    choices: Sequence[Choice] = []
    if ships and loads:
        choices = delivery.choices(session, channel.id, goes_to, loads[0], under)
    method = chosen_of(choices, method_code)
    also = []
    for load in loads[1:]:
        ways = delivery.choices(session, channel.id, goes_to, load, under)
        found = chosen_of(ways, (more_ways or {}).get(load.goes_by))
        also.append(Also(load.goes_by, _names(priced, load.goes_by), tuple(ways), found))
    asked = [(one.net.minor, one.tax_category) for one in counted]
    chosen = [way for way in (method, *(one.method for one in also)) if way is not None]
    asked += [(way.price.minor, way.tax_category) for way in chosen]
    where = taxed_at(place, chosen, [one.kind for one in counted])
    question = ask(session, channel, entity, asked, where, known, now, under)
    taxed = (answers or Answers()).of(question)
    tax = Money(sum(line.tax_minor for line in taxed), cart.currency)
    net = Money(sum(line.net_minor for line in taxed), cart.currency)
    return PricedCart(
        lines=tuple(priced),
        methods=tuple(choices),
        method=method,
        goods=goods,
        delivery=total((way.price for way in chosen), cart.currency),
        tax=tax,
        tax_known=bool(place and place.get("country")),
        due_now=net + tax,
        recurring=tuple(again for line in priced for again in line.recurring),
        taxed=tuple(taxed),
        also=tuple(also),
        gone=tuple(gone),
        tax_included=question.included,
        vat_id=known.vat_id,
        rule_mark=under,
    )


def loads_of(counted: Sequence[Counted], currency: str) -> list[Load]:
    """What goes together, the usual way first."""
    found: dict[str, Load] = {}
    for one in (one for one in counted if one.kind == "physical"):
        before = found.get(one.goes_by) or Load(Money.zero(currency), 0, one.goes_by)
        found[one.goes_by] = Load(
            before.goods + one.net, before.weight_g + one.weight_g, one.goes_by
        )
    return sorted(found.values(), key=lambda load: (load.goes_by != PARCEL, load.goes_by))


def _names(priced: Sequence[PricedLine], goes_by: str) -> tuple[str, ...]:
    return tuple(
        line.name
        for line in priced
        if any(one.kind == "physical" and one.goes_by == goes_by for one in line.counted)
    )


def taxed_at(
    place: dict[str, Any] | None, chosen: Sequence[Choice], kinds: Sequence[str]
) -> dict[str, Any] | None:
    """Goods that are all picked up at one place are taxed there; else where they go. ``kinds`` of what is
    bought."""
    spots = {(way.country, way.region) for way in chosen if way.kind == PICKUP}
    picked = len(spots) == 1 and all(way.kind == PICKUP for way in chosen)
    if not picked or any(kind != "physical" for kind in kinds):
        return place
    country, region = spots.pop()
    return {**(place or {}), "country": country, "region": region} if country else place


def _lines(
    session: Session, cart: Cart, rows: Sequence[Any], now: datetime, with_holds: bool
) -> tuple[list[PricedLine], list[GoneLine]]:
    if not rows:
        return [], []
    quantities = {row.sold_id: row.quantity for row in rows}
    packed = {row.sold_id: row.quantity for row in rows if row.kind == BUNDLE}
    found = resolve.choose(resolve.there(rows), quantities, cart.currency)
    packs = bundles.offered(session, cart.channel_id, cart.currency, packed, now)
    priced: list[PricedLine] = []
    gone: list[GoneLine] = []
    for row in {row.line_id: row for row in rows}.values():
        bundle = packs.get(row.sold_id)
        unit = bundle.now if bundle else found.get(row.sold_id) if row.kind != BUNDLE else None
        if unit is None or not (row.is_sold and row.is_shown):
            gone.append(_gone(row))
            continue
        priced.append(_line(row, unit, bundle))
    if not with_holds:
        return priced, gone
    until = _held(session, cart, [need for line in priced for need in line.demands], now)
    chosen = _numbers(session, cart, priced, now)
    return [
        replace(line, held_until=until.get(line.id), numbers=chosen.get(line.id, ()))
        for line in priced
    ], gone


def _numbers(
    session: Session, cart: Cart, priced: Sequence[PricedLine], now: datetime
) -> dict[uuid.UUID, tuple[Picked, ...]]:
    """Which numbers each line has; nothing is asked where none has any."""
    if not any(need.numbered for line in priced for need in line.demands):
        return {}
    return named.of_owner(session, Owner("cart", cart.id), now)


def _gone(row: Any) -> GoneLine:
    return GoneLine(
        public_id=row.public_id,
        sku=row.sku,
        name=row.name,
        slug=row.slug if row.is_shown else "",
        picture=row.picture,
        quantity=row.quantity,
        code="no_price" if row.is_sold and row.is_shown else "withdrawn",
    )


def _line(row: Any, unit: Resolved, bundle: Bundle | None) -> PricedLine:
    """A row of ``lines.with_prices`` at its price."""
    net = extend(unit.unit_price_micros, row.quantity, unit.currency)
    was, before = extend(row.put_in_micros, 1, unit.currency), {}
    is_changed = row.put_in_micros != unit.unit_price_micros
    if bundle is not None:
        net = bundle.due_now(row.quantity)
        told = row.put_in_trace.get("bundle", {})
        were = {kind: one["unit_price_micros"] for kind, one in told.items()}
        is_changed = were != bundle.unit_prices
        before = {kind: extend(micros, 1, unit.currency) for kind, micros in were.items()}
    return PricedLine(
        id=row.line_id,
        public_id=row.public_id,
        variant_id=row.sold_id,
        sku=row.sku,
        name=row.name,
        slug=row.slug,
        picture=row.picture,
        kind=row.kind,
        tax_category=row.tax_category,
        quantity=row.quantity,
        price=unit,
        net=net,
        held_until=None,
        unheld=row.unheld,
        price_was=was if is_changed else None,
        bundle=bundle,
        prices_were=before if is_changed else {},
        limits=Limits.of(row),
        weight_g=row.weight_g,
        goes_by=row.goes_by,
        numbered=row.numbered,
    )


def _held(
    session: Session, cart: Cart, demands: Sequence[Demand], now: datetime
) -> dict[uuid.UUID, datetime]:
    """Until when each line has all that it needs. While a cart is being paid for, its order holds the
    pieces."""
    if cart.state != "checking_out":
        return kept.until(kept.of(session, Owner("cart", cart.id), now), demands)
    order = placing.of_cart(session, cart.id)
    if order is None:
        return {}
    return kept.until(kept.of(session, Owner("order", order.id), now), demands, by_line=False)


def chosen_of(choices: Sequence[Choice], code: str | None) -> Choice | None:
    """The way with this code, else the cheapest that brings things; a quote chooses alike."""
    for choice in choices:
        if choice.code == code:
            return choice
    # Nobody is sent to fetch their things who did not say so.
    sent = [choice for choice in choices if choice.kind != PICKUP]
    return min(sent or choices, key=lambda choice: choice.price.minor) if choices else None


def ask(
    session: Session,
    channel: Channel,
    entity: LegalEntity,
    amounts: Sequence[tuple[int, str]],
    place: dict[str, Any] | None,
    known: Known,
    now: datetime,
    under: uuid.UUID | None = None,
) -> Question:
    """What is asked of whoever works out taxes of ``amounts`` (minor units, tax category) at a place, with
    what our own table knows, kept ``under`` a mark or read. A quote asks the same."""
    today = local_date(now, entity.time_zone)
    included = channel.prices_include_tax
    table = rates.taxes_by_category(
        session, entity.id, place, today, included=included, under=under
    )
    buyer = buyers.read(session, known, today)
    taxes = relieve(table, buyer, entity.country, place)
    where = place or {}
    return Question(
        seller=entity.code,
        seller_country=entity.country,
        currency=channel.currency,
        rounding=entity.tax_rounding,
        included=included,
        on=today,
        place=Place(
            *(str(where.get(name) or "") for name in ("country", "region", "postal_code", "city"))
        ),
        vat_id=buyer.vat_id,
        lines=tuple(AskedLine(minor, category, taxes.of(category)) for minor, category in amounts),
    )


def delivery_micros(choice: Choice) -> int:
    """The price of a way of delivery as a unit price."""
    return micros_of(choice.price)
