"""Sharing a cart by a link: a frozen copy, that whoever opens it can take into a cart of their own.

Nothing is held for it. Taken twice it is in a cart once: the cart has at least what was shared then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cart import goods, lines
from cart.models import Cart, SharedCart
from core.catalog.limits import Limits
from core.catalog.models import BUNDLE, GIFT_CARD, Product, Variant
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money, extend
from core.prices import bundles, resolve
from core.stock.holds import OutOfStock

#: A link leads somewhere for so long.
KEPT = timedelta(days=90)


@dataclass(eq=False)
class NothingToShare(ShopError):
    """An empty cart."""

    code: ClassVar[str] = "nothing_to_share"
    text: ClassVar[str] = "There is nothing in this cart that could be shared."


@dataclass(frozen=True)
class SharedLine:
    """A line of a shared cart. ``price`` None: it cannot be bought any more."""

    sku: str
    name: str
    slug: str
    picture: str
    quantity: int
    price: Money | None
    #: What one cost when it was shared, if that differs from now.
    price_was: Money | None


@dataclass(frozen=True)
class LeftOut:
    """What could not be taken as it was shared, and why."""

    sku: str
    name: str
    why: ShopError


def share(session: Session, cart: Cart, now: datetime) -> SharedCart:
    """A frozen copy of what is in a cart, but for gift cards. Raises NothingToShare."""
    rows = [
        {
            "sku": variant.sku,
            "name": variant.name,
            "quantity": line.quantity,
            "unit_price_micros": line.unit_price_micros,
        }
        for line, variant, _ in lines.contents(session, cart)
        if variant.kind != GIFT_CARD
    ]
    if not rows:
        raise NothingToShare
    shared = SharedCart(
        id=new_id(),
        public_id=new_public_id(),
        channel_id=cart.channel_id,
        currency=cart.currency,
        lines=rows,
        created_at=now,
        expires_at=now + KEPT,
    )
    session.add(shared)
    session.flush()
    return shared


def find(session: Session, public_id: str, now: datetime) -> SharedCart:
    """A shared cart. NotFound when there is none, or its time is over."""
    query = select(SharedCart).where(SharedCart.public_id == public_id, SharedCart.expires_at > now)
    found = session.scalar(query)
    if found is None:
        raise NotFound("shared cart")
    return found


def listing(session: Session, shared: SharedCart, now: datetime) -> Sequence[SharedLine]:
    """Its lines at today's prices."""
    skus = [row["sku"] for row in shared.lines]
    sold = {
        variant.sku: (variant, product)
        for variant, product in session.execute(
            select(Variant, Product)
            .join(Product, Product.id == Variant.product_id)
            .where(Variant.sku.in_(skus), Variant.active, Product.active)
        )
    }
    asked = (session, shared.channel_id, shared.currency)
    counts = {sold[row["sku"]][0].id: row["quantity"] for row in shared.lines if row["sku"] in sold}
    packed = {v.id: counts[v.id] for v, _ in sold.values() if v.kind == BUNDLE}
    packs = bundles.offered(*asked, packed, now) if packed else {}
    prices = resolve.prices(*asked, counts, now) | {key: one.now for key, one in packs.items()}
    found = []
    for row in shared.lines:
        variant, product = sold.get(row["sku"], (None, None))
        unit = prices.get(variant.id) if variant is not None else None
        was = row["unit_price_micros"]
        moved = unit is not None and unit.unit_price_micros != was
        found.append(
            SharedLine(
                sku=row["sku"],
                name=row["name"],
                slug=product.slug if product is not None else "",
                picture=product.picture if product is not None else "",
                quantity=row["quantity"],
                price=unit.unit_price if unit is not None else None,
                price_was=extend(was, 1, shared.currency) if moved else None,
            )
        )
    return found


def take(
    session: Session, shared: SharedCart, cart: Cart, hold_for: timedelta, now: datetime
) -> list[LeftOut]:
    """A locked cart has at least what was shared then; answers what it could not have, or not so many of."""
    there = {
        variant.sku: (line.quantity, Limits.of(variant))
        for line, variant, _ in lines.contents(session, cart)
    }
    left: list[LeftOut] = []
    for row in shared.lines:
        mine, limits = there.get(row["sku"], (0, None))
        missing = row["quantity"] - mine
        if missing <= 0:
            continue
        try:
            _put(session, cart, row["sku"], missing, hold_for, now)
        except ShopError as error:
            left.append(LeftOut(row["sku"], row["name"], error))
            if isinstance(error, OutOfStock) and error.sku == row["sku"]:
                _some(session, cart, error, mine, limits, hold_for, now)
    return left


def _put(
    session: Session, cart: Cart, sku: str, quantity: int, hold_for: timedelta, now: datetime
) -> None:
    with session.begin_nested():
        lines.put(session, cart, sku, quantity, hold_for, now)


def _some(
    session: Session,
    cart: Cart,
    error: OutOfStock,
    mine: int,
    limits: Limits | None,
    hold_for: timedelta,
    now: datetime,
) -> None:
    """As many as can be had."""
    if limits is None:
        limits = Limits.of(session.scalars(select(Variant).where(Variant.sku == error.sku)).one())
    can = limits.largest(min(error.available, goods.MOST_OF_ONE)) - mine
    if can > 0:
        _put(session, cart, error.sku, can, hold_for, now)


def forget(session: Session, now: datetime) -> None:
    """Drop those whose time is over."""
    session.execute(delete(SharedCart).where(SharedCart.expires_at <= now))
