"""What a line of a cart stands for: its price at a quantity, and what it needs from stock.

A bundle is one line: it has a price for each charge kind, and needs what its pieces need.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.models import Cart, CartLine
from core.catalog import bundles as catalog
from core.catalog.bundles import Component
from core.catalog.limits import ANY_NUMBER, Limits
from core.catalog.models import BUNDLE, Variant
from core.kernel.errors import ShopError
from core.prices import bundles, resolve
from core.prices.bundles import Bundle
from core.prices.resolve import NoPrice, Resolved
from core.stock.holds import Demand, Near

#: More of one thing than this is a quote, not a cart.
MOST_OF_ONE = 99


@dataclass(eq=False)
class TooMany(ShopError):
    code: ClassVar[str] = "too_many"
    text: ClassVar[str] = "At most {most} can be in one cart."
    most: int


@dataclass(eq=False)
class BadQuantity(ShopError):
    code: ClassVar[str] = "bad_quantity"
    text: ClassVar[str] = "Choose a quantity from 1 to {most}."
    most: int = MOST_OF_ONE


@dataclass(eq=False)
class QuantityStep(ShopError):
    """It comes in steps."""

    code: ClassVar[str] = "quantity_step"
    text: ClassVar[str] = "This is sold {step} at a time."
    step: int
    #: What could be bought instead, below and above.
    nearest: tuple[int, ...]


@dataclass(eq=False)
class TooFew(ShopError):
    """Fewer are not sold."""

    code: ClassVar[str] = "quantity_least"
    text: ClassVar[str] = "At least {least} of this are bought at once."
    least: int


@dataclass(frozen=True)
class Sold:
    """What is sold under a SKU."""

    id: uuid.UUID
    sku: str
    name: str
    kind: str
    limits: Limits = ANY_NUMBER

    @classmethod
    def of(cls, variant: Variant) -> "Sold":
        return cls(variant.id, variant.sku, variant.name, variant.kind, Limits.of(variant))


@dataclass(frozen=True)
class Sale:
    """Its price now (of a bundle what one costs at once, see ``bundle``) and what is held for a line."""

    sold: Sold
    unit: Resolved
    bundle: Bundle | None = None

    def demands(self, line_id: uuid.UUID, quantity: int) -> list[Demand]:
        """What so many of it need from stock."""
        pieces = [piece.component for piece in self.bundle.pieces] if self.bundle else ()
        return demands_of(line_id, self.sold.id, self.sold.kind, quantity, pieces)


def problem(limits: Limits, quantity: int) -> ShopError | None:
    """Why so many cannot be bought: BadQuantity, TooMany, TooFew or QuantityStep; None when they can."""
    if quantity < 1:
        return BadQuantity()
    most = limits.largest(MOST_OF_ONE)
    if quantity > most:
        return TooMany(most)
    if quantity < limits.smallest:
        return TooFew(limits.smallest)
    if quantity % limits.step:
        return QuantityStep(limits.step, limits.nearest(quantity, MOST_OF_ONE))
    return None


def sale(
    session: Session,
    cart: Cart,
    sold: Sold,
    quantity: int,
    now: datetime,
    prices: Sequence[Any] | None = None,
) -> Sale:
    """At which price so many are sold. Raises NoPrice, and what ``problem`` answers.

    ``prices``: rows of ``resolve.beside`` for who has read them already; a bundle's are always asked for.
    """
    if (wrong := problem(sold.limits, quantity)) is not None:
        raise wrong
    asked = (session, cart.channel_id, cart.currency, {sold.id: quantity}, now)
    if sold.kind == BUNDLE:
        bundle = bundles.offered(*asked).get(sold.id)
        if bundle is None:
            raise NoPrice(sold.sku)
        return Sale(sold, bundle.now, bundle)
    if prices is None:
        found = resolve.prices(*asked)
    else:
        found = resolve.choose(resolve.there(prices), {sold.id: quantity}, cart.currency)
    unit = found.get(sold.id)
    if unit is None:
        raise NoPrice(sold.sku)
    return Sale(sold, unit)


def near(cart: Cart) -> Near:
    """Where its pieces go, as far as somebody said."""
    return Near.of(cart.shipping_address)


def demands_of(
    line_id: uuid.UUID,
    variant_id: uuid.UUID,
    kind: str,
    quantity: int,
    pieces: Iterable[Component] = (),
) -> list[Demand]:
    """What a line needs from stock; only physical goods do."""
    if kind == BUNDLE:
        return [
            Demand(line_id, piece.variant_id, piece.quantity * quantity)
            for piece in pieces
            if piece.needs_stock
        ]
    return [Demand(line_id, variant_id, quantity)] if kind == "physical" else []


def demands(session: Session, rows: Sequence[CartLine]) -> list[Demand]:
    """What these lines need from stock."""
    ids = [row.variant_id for row in rows]
    query = select(Variant.id, Variant.kind).where(Variant.id.in_(ids))
    kinds: Mapping[uuid.UUID, str] = dict(session.execute(query).all())
    packed = [key for key, kind in kinds.items() if kind == BUNDLE]
    pieces = catalog.components(session, packed) if packed else {}
    return [
        demand
        for row in rows
        for demand in demands_of(
            row.id,
            row.variant_id,
            kinds[row.variant_id],
            row.quantity,
            pieces.get(row.variant_id, ()),
        )
    ]
