"""What a cart costs: lines at their prices, delivery, tax, what is due now and what recurs.

Reads only. The same answer feeds the cart page, checkout, the API and the order that is written.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from cart import lines
from cart.delivery import Choice, Delivery
from cart.goods import demands_of
from cart.models import Cart, CartLine
from core.catalog.limits import ANY_NUMBER, Limits
from core.catalog.models import BUNDLE, Product, Variant
from core.kernel.clock import local_date
from core.kernel.money import Money, extend, micros_of, total
from core.orders import placing
from core.parties.models import Channel, LegalEntity
from core.prices import bundles, resolve
from core.prices.bundles import Bundle, KindPrice, Share
from core.prices.resolve import Resolved
from core.stock import kept
from core.stock.holds import Demand, Owner
from core.tax import buyers, rates
from core.tax.arithmetic import REVERSE_CHARGE, TaxedLine
from core.tax.buyers import NOBODY, Known
from core.tax.relief import relieve
from core.tax.service import Answers, AskedLine, Place, Question


@dataclass(frozen=True)
class Counted:
    """A thing that a line comes down to: what kind it is, how it is taxed, what it costs now."""

    kind: str
    tax_category: str
    net: Money


@dataclass(frozen=True)
class PricedLine:
    """One line of a cart at today's price. ``held_until`` None and ``needs_stock``: it lapsed, or by the
    rules it is not held (``unheld``)."""

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
    #: Of a bundle: its prices and pieces; ``price`` and ``net`` are then what is due now.
    bundle: Bundle | None = None
    #: Of a bundle whose prices have changed: what one cost, by charge kind.
    prices_were: Mapping[str, Money] = field(default_factory=dict)
    #: By the rules nothing is held for it: it is sold before it is there.
    unheld: bool = False
    limits: Limits = ANY_NUMBER

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """Of a bundle: its pieces, each with its part of the price."""
        return self.bundle.shares(self.quantity) if self.bundle is not None else ()

    @cached_property
    def charges(self) -> tuple[KindPrice, ...]:
        """Of a bundle: what it costs for each charge kind, and what its pieces cost apart."""
        return self.bundle.charges(self.quantity) if self.bundle is not None else ()

    @property
    def demands(self) -> list[Demand]:
        """What it needs from stock."""
        pieces = [share.piece.component for share in self.shares]
        return demands_of(self.id, self.variant_id, self.kind, self.quantity, pieces)

    @property
    def counted(self) -> list[Counted]:
        """What is taxed and billed of it: itself, or its pieces."""
        if self.bundle is None:
            return [Counted(self.kind, self.tax_category, self.net)]
        return [
            Counted(share.piece.component.kind, share.piece.component.tax_category, share.amount)
            for share in self.shares
        ]

    @property
    def recurring(self) -> list["Recurring"]:
        """What will be charged again: of a bundle for each of its plans."""
        if self.bundle is None:
            price = self.price
            again = [] if price.interval is None else [(self.net, price, self.name)]
        else:
            again = [
                (share.amount, share.piece.alone, share.piece.component.name)
                for share in self.shares
                if share.piece.alone.interval is not None
            ]
        return [
            Recurring(amount, price.interval or "", price.interval_count, name)
            for amount, price, name in again
        ]

    @property
    def needs_stock(self) -> bool:
        """Only physical goods are held."""
        return bool(self.demands)

    @property
    def lapsed(self) -> bool:
        """Its pieces are not kept any more."""
        return self.needs_stock and self.held_until is None and not self.unheld


@dataclass(frozen=True)
class GoneLine:
    """A line that cannot be bought any more. It stays until somebody takes it out, and costs nothing."""

    public_id: str
    sku: str
    name: str
    slug: str
    picture: str
    quantity: int
    #: ``withdrawn`` from the shop, or ``no_price``: not sold here just now.
    code: str


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
    #: One for each line, of a bundle one for each piece, then one for the delivery when there is one.
    taxed: tuple[TaxedLine, ...] = field(default=())
    #: What cannot be bought any more since it was put in.
    gone: tuple[GoneLine, ...] = ()
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
    def unpriced(self) -> tuple[str, ...]:
        """SKUs that cannot be bought any more."""
        return tuple(line.sku for line in self.gone)

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
    priced, gone = _lines(session, cart, now)
    goods = total((line.net for line in priced), cart.currency)
    counted = [one for line in priced for one in line.counted]
    ships = any(line.needs_stock for line in priced)
    country = (place or {}).get("country") or entity.country
    choices: Sequence[Choice] = []
    if ships:
        hardware = total((one.net for one in counted if one.kind == "physical"), cart.currency)
        choices = delivery.choices(session, channel.id, country, hardware)
    method = _chosen(choices, method_code)
    asked = [(one.net.minor, one.tax_category) for one in counted]
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
        recurring=tuple(again for line in priced for again in line.recurring),
        taxed=tuple(taxed),
        gone=tuple(gone),
        tax_included=question.included,
        vat_id=known.vat_id,
    )


def _lines(session: Session, cart: Cart, now: datetime) -> tuple[list[PricedLine], list[GoneLine]]:
    rows = lines.contents(session, cart)
    if not rows:
        return [], []
    asked = (session, cart.channel_id, cart.currency)
    quantities = {variant.id: line.quantity for line, variant, _ in rows}
    packed = {variant.id: line.quantity for line, variant, _ in rows if variant.kind == BUNDLE}
    found = resolve.prices(*asked, quantities, now)
    packs = bundles.offered(*asked, packed, now)
    priced: list[PricedLine] = []
    gone: list[GoneLine] = []
    for line, variant, product in rows:
        bundle = packs.get(variant.id)
        unit = bundle.now if bundle else found.get(variant.id) if variant.kind != BUNDLE else None
        if unit is None or not (variant.active and product.active):
            gone.append(_gone(line, variant, product))
            continue
        priced.append(_line(line, variant, product, unit, bundle))
    until = _held(session, cart, [need for line in priced for need in line.demands], now)
    return [replace(line, held_until=until.get(line.id)) for line in priced], gone


def _gone(line: CartLine, variant: Variant, product: Product) -> GoneLine:
    return GoneLine(
        public_id=line.public_id,
        sku=variant.sku,
        name=variant.name,
        slug=product.slug if product.active else "",
        picture=product.picture,
        quantity=line.quantity,
        code="no_price" if variant.active and product.active else "withdrawn",
    )


def _line(
    line: CartLine, variant: Variant, product: Product, unit: Resolved, bundle: Bundle | None
) -> PricedLine:
    net = extend(unit.unit_price_micros, line.quantity, unit.currency)
    was, before = extend(line.unit_price_micros, 1, unit.currency), {}
    is_changed = line.unit_price_micros != unit.unit_price_micros
    if bundle is not None:
        net = bundle.due_now(line.quantity)
        told = line.price_trace.get("bundle", {})
        were = {kind: one["unit_price_micros"] for kind, one in told.items()}
        is_changed = were != bundle.unit_prices
        before = {kind: extend(micros, 1, unit.currency) for kind, micros in were.items()}
    return PricedLine(
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
        net=net,
        held_until=None,
        unheld=line.unheld,
        price_was=was if is_changed else None,
        bundle=bundle,
        prices_were=before if is_changed else {},
        limits=Limits.of(variant),
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


def delivery_micros(choice: Choice) -> int:
    """The price of a way of delivery as a unit price."""
    return micros_of(choice.price)
