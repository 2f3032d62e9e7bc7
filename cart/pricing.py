"""What a cart costs: lines at their prices, delivery, tax, what is due now and what recurs.

Reads only. The same answer feeds the cart page, checkout, the API and the order that is written.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from cart import lines
from cart.delivery import Choice, Delivery
from cart.models import Cart
from core.kernel.clock import local_date
from core.kernel.money import Money, extend, micros_of, total
from core.orders import placing
from core.parties.models import Channel, LegalEntity
from core.prices import resolve
from core.prices.resolve import Resolved
from core.stock import holds
from core.stock.holds import Owner
from core.tax import buyers, rates
from core.tax.arithmetic import REVERSE_CHARGE, TaxedLine
from core.tax.buyers import NOBODY, Known
from core.tax.relief import relieve
from core.tax.service import Answers, AskedLine, Place, Question


@dataclass(frozen=True)
class PricedLine:
    """One line of a cart at today's price. ``held_until`` None and ``needs_stock``: it lapsed."""

    id: uuid.UUID
    public_id: str
    variant_id: uuid.UUID
    sku: str
    name: str
    slug: str
    picture: str
    kind: str
    tax_category: str
    quantity: int
    price: Resolved
    net: Money
    held_until: datetime | None
    #: What the unit price was when it was put in, if that differs from now.
    price_was: Money | None

    @property
    def needs_stock(self) -> bool:
        """Only physical goods are held."""
        return self.kind == "physical"

    @property
    def lapsed(self) -> bool:
        """Its pieces are not kept any more."""
        return self.needs_stock and self.held_until is None


@dataclass(frozen=True)
class Recurring:
    """What will be charged again: an amount at an interval, and for what."""

    amount: Money
    interval: str
    interval_count: int
    name: str


@dataclass(frozen=True)
class PricedCart:
    """A cart with everything that its price is made of. Tax is known once the place is."""

    lines: tuple[PricedLine, ...]
    methods: tuple[Choice, ...]
    method: Choice | None
    goods: Money
    delivery: Money
    tax: Money
    tax_known: bool
    due_now: Money
    recurring: tuple[Recurring, ...]
    #: One for each line, then one for the delivery when there is one.
    taxed: tuple[TaxedLine, ...] = field(default=())
    #: SKUs that have lost their price since they were put in.
    unpriced: tuple[str, ...] = ()
    #: The prices are with tax.
    tax_included: bool = False
    #: A VAT id that was told, whether it relieves of tax or not.
    vat_id: str = ""

    @classmethod
    def empty(cls, currency: str) -> "PricedCart":
        """A cart with nothing in it, going nowhere yet."""
        zero = Money.zero(currency)
        return cls((), (), None, zero, zero, zero, False, zero, ())

    @property
    def tax_on_top(self) -> Money:
        """What is added to the prices."""
        return self.tax - self.tax_contained

    @property
    def tax_contained(self) -> Money:
        """What the prices contain already."""
        return Money(sum(line.contained_minor for line in self.taxed), self.tax.currency)

    @property
    def tax_taken_off(self) -> Money:
        """What the prices contain and this buyer does not pay."""
        return self.goods + self.delivery + self.tax_on_top - self.due_now

    @property
    def reverse_charge(self) -> bool:
        """Does the buyer account for tax themselves?"""
        return any(one.tax.relief == REVERSE_CHARGE for line in self.taxed for one in line.taxes)

    @property
    def held_until(self) -> datetime | None:
        """The earliest end of a hold; None when nothing is held."""
        ends = [line.held_until for line in self.lines if line.held_until is not None]
        return min(ends, default=None)

    @property
    def ships(self) -> bool:
        """Is there anything to be delivered?"""
        return any(line.needs_stock for line in self.lines)


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
    known: Known = NOBODY,
    answers: Answers | None = None,
) -> PricedCart:
    """Price ``cart`` for ``place`` (an address; the cart's own when None) and a way of delivery.

    Without a chosen way the cheapest is shown. ``known`` is who buys; ``answers`` works out the taxes,
    our own table when None, and raises Unanswered when a service has to be asked outside.
    """
    place = place or cart.shipping_address
    method_code = method_code or cart.shipping_method
    priced, unpriced = _lines(session, cart, now)
    goods = total((line.net for line in priced), cart.currency)
    ships = any(line.needs_stock for line in priced)
    country = (place or {}).get("country") or entity.country
    choices: Sequence[Choice] = []
    if ships:
        hardware = total((line.net for line in priced if line.needs_stock), cart.currency)
        choices = delivery.choices(session, channel.id, country, hardware)
    method = _chosen(choices, method_code)
    asked = [(line.net.minor, line.tax_category) for line in priced]
    if method is not None:
        asked.append((method.price.minor, method.tax_category))
    question = ask(session, channel, entity, asked, place, known, now)
    taxed = (answers or Answers()).of(question)
    tax = Money(sum(line.tax_minor for line in taxed), cart.currency)
    net = Money(sum(line.net_minor for line in taxed), cart.currency)
    return PricedCart(
        lines=tuple(priced),
        methods=tuple(choices),
        method=method,
        goods=goods,
        delivery=method.price if method else Money.zero(cart.currency),
        tax=tax,
        tax_known=bool(place and place.get("country")),
        due_now=net + tax,
        recurring=_recurring(priced),
        taxed=tuple(taxed),
        unpriced=tuple(unpriced),
        tax_included=question.included,
        vat_id=known.vat_id,
    )


def _lines(session: Session, cart: Cart, now: datetime) -> tuple[list[PricedLine], list[str]]:
    rows = lines.contents(session, cart)
    if not rows:
        return [], []
    quantities = {variant.id: line.quantity for line, variant, _ in rows}
    found = resolve.prices(session, cart.channel_id, cart.currency, quantities, now)
    until = _held(session, cart, {line.id: line.variant_id for line, _, _ in rows}, now)
    priced, unpriced = [], []
    for line, variant, product in rows:
        if variant.id not in found or not (variant.active and product.active):
            unpriced.append(variant.sku)
            continue
        unit = found[variant.id]
        was = line.unit_price_micros
        priced.append(
            PricedLine(
                id=line.id,
                public_id=line.public_id,
                variant_id=variant.id,
                sku=variant.sku,
                name=variant.name,
                slug=product.slug,
                picture=product.picture,
                kind=variant.kind,
                tax_category=variant.tax_category,
                quantity=line.quantity,
                price=unit,
                net=extend(unit.unit_price_micros, line.quantity, cart.currency),
                held_until=until.get(line.id),
                price_was=extend(was, 1, cart.currency) if was != unit.unit_price_micros else None,
            )
        )
    return priced, unpriced


def _held(
    session: Session, cart: Cart, variants: dict[uuid.UUID, uuid.UUID], now: datetime
) -> dict[uuid.UUID, datetime]:
    """Until when each line is held; ``variants`` by line. While a cart is being paid for, its order
    holds the pieces."""
    if cart.state != "checking_out":
        return holds.of(session, Owner("cart", cart.id), now)
    order = placing.of_cart(session, cart.id)
    if order is None:
        return {}
    until = holds.of(session, Owner("order", order.id), now)
    kept = {
        line.variant_id: until[line.id]
        for line in placing.lines_of(session, order.id)
        if line.id in until
    }
    return {line: kept[variant] for line, variant in variants.items() if variant in kept}


def _chosen(choices: Sequence[Choice], code: str | None) -> Choice | None:
    for choice in choices:
        if choice.code == code:
            return choice
    return min(choices, key=lambda choice: choice.price.minor) if choices else None


def ask(
    session: Session,
    channel: Channel,
    entity: LegalEntity,
    amounts: Sequence[tuple[int, str]],
    place: dict[str, Any] | None,
    known: Known,
    now: datetime,
) -> Question:
    """What is asked of whoever works out taxes of ``amounts`` (minor units, tax category) at a place, with
    what our own table knows. A quote asks the same."""
    today = local_date(now, entity.time_zone)
    included = channel.prices_include_tax
    table = rates.taxes_by_category(session, entity.id, place, today, included=included)
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


def _recurring(priced: Sequence[PricedLine]) -> tuple[Recurring, ...]:
    return tuple(
        Recurring(line.net, line.price.interval, line.price.interval_count, line.name)
        for line in priced
        if line.price.interval is not None
    )


def delivery_micros(choice: Choice) -> int:
    """The price of a way of delivery as a unit price."""
    return micros_of(choice.price)
