"""A cart with everything that its price is made of, as pages, the API and the order read it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cart.delivery import PARCEL, VISIT, Choice
from cart.goods import demands_of
from core.catalog.limits import ANY_NUMBER, Limits
from core.kernel.money import Money
from core.prices.bundles import Bundle, KindPrice, Share
from core.prices.resolve import Resolved
from core.stock.holds import Demand
from core.stock.named import Picked
from core.tax.arithmetic import REVERSE_CHARGE, TaxedLine


@dataclass(frozen=True)
class Counted:
    """A thing that a line comes down to: what kind it is, how it is taxed, what it costs now."""

    kind: str
    tax_category: str
    net: Money
    weight_g: int = 0
    goes_by: str = PARCEL


@dataclass(frozen=True)
class Also:
    """Another delivery of the same cart: what goes by another way, and how it could."""

    goes_by: str
    #: What of the cart it is, by name.
    names: tuple[str, ...]
    methods: tuple[Choice, ...]
    method: Choice | None


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
    #: Of one.
    weight_g: int = 0
    goes_by: str = PARCEL
    #: Each piece is a number or a key of its own.
    numbered: bool = False
    #: Those that it has, or chose and does not have any more.
    numbers: tuple[Picked, ...] = ()

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
        mine = (self.id, self.variant_id, self.kind, self.quantity)
        return demands_of(*mine, pieces, numbered=self.numbered)

    @property
    def counted(self) -> list[Counted]:
        """What is taxed and billed of it: itself, or its pieces."""
        if self.bundle is None:
            weight = self.weight_g * self.quantity
            return [Counted(self.kind, self.tax_category, self.net, weight, self.goes_by)]
        return [
            Counted(
                piece.kind,
                piece.tax_category,
                share.amount,
                piece.weight_g * share.quantity,
                piece.goes_by,
            )
            for share in self.shares
            for piece in (share.piece.component,)
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
        """Only goods and what is numbered are held."""
        return bool(self.demands)

    @property
    def ships(self) -> bool:
        """Are there goods in it?"""
        return any(one.kind == "physical" for one in self.counted)

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
    #: One for each line, of a bundle one for each piece, then one for each delivery that is chosen.
    taxed: tuple[TaxedLine, ...] = field(default=())
    #: Further deliveries, of what goes by other ways than the first.
    also: tuple[Also, ...] = ()
    #: What cannot be bought any more since it was put in.
    gone: tuple[GoneLine, ...] = ()
    #: The prices are with tax.
    tax_included: bool = False
    #: A VAT id that was told, whether it relieves of tax or not.
    vat_id: str = ""
    #: Under which mark of ``core.kernel.kept_rules`` its lines were read; None: there are none, or no mark.
    rule_mark: uuid.UUID | None = None

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
    def chosen(self) -> list[Choice]:
        """The ways of delivery that are counted, in their order."""
        ways = [self.method, *(one.method for one in self.also)]
        return [way for way in ways if way is not None]

    @property
    def wants_visit(self) -> bool:
        """Is there work in it for which a time can be agreed on?"""
        return any(
            one.kind == "service" and one.goes_by == VISIT
            for line in self.lines
            for one in line.counted
        )

    @property
    def ships(self) -> bool:
        """Is there anything to be delivered?"""
        return any(line.ships for line in self.lines)
