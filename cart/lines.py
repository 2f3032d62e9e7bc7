"""What is in a cart, and changing it. Each change holds the pieces of its line anew.

Called by the shop's pages and by the API, with a session of theirs.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import Session

from cart.models import Cart, CartLine
from core.catalog import products
from core.catalog.models import Product, Variant
from core.kernel.db import changed
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_id, new_public_id
from core.parties.models import Channel
from core.prices import resolve
from core.prices.resolve import NoPrice
from core.stock import holds
from core.stock.holds import Demand, Owner
from core.stock.models import Hold

#: More of one thing than this is a quote, not a cart.
MOST_OF_ONE = 99


@dataclass(eq=False)
class CartClosed(ShopError):
    """It has become an order, or is being paid for."""

    code: ClassVar[str] = "cart_closed"
    text: ClassVar[str] = "This cart is being paid for and cannot be changed right now."


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


def open_cart(
    session: Session, channel: Channel, now: datetime, user_id: uuid.UUID | None = None
) -> Cart:
    """A new, empty cart of a channel."""
    cart = Cart(
        id=new_id(),
        public_id=new_public_id(),
        legal_entity_id=channel.legal_entity_id,
        channel_id=channel.id,
        currency=channel.currency,
        user_id=user_id,
        state="open",
        created_at=now,
        changed_at=now,
    )
    session.add(cart)
    session.flush()
    return cart


def find(session: Session, public_id: str) -> Cart:
    """The cart with this public id. NotFound when there is none."""
    cart = session.scalar(select(Cart).where(Cart.public_id == public_id))
    if cart is None:
        raise NotFound("cart")
    return cart


def lock(session: Session, public_id: str) -> Cart:
    """The cart, locked: one change after the other."""
    cart = session.scalar(select(Cart).where(Cart.public_id == public_id).with_for_update())
    if cart is None:
        raise NotFound("cart")
    return cart


def lock_open(session: Session, public_id: str) -> Cart:
    """The cart, locked, when it may be changed. Raises CartClosed otherwise."""
    cart = lock(session, public_id)
    if cart.state != "open":
        raise CartClosed
    return cart


def add(
    session: Session, cart: Cart, sku: str, quantity: int, hold_for: timedelta, now: datetime
) -> CartLine:
    """Put pieces into a locked cart, beside those already there, and hold them all anew.

    Raises UnknownSku, NoPrice, BadQuantity, TooMany or OutOfStock (with what can be had).
    """
    variant = products.variant(session, sku)
    line = session.scalar(
        select(CartLine).where(CartLine.cart_id == cart.id, CartLine.variant_id == variant.id)
    )
    wanted = quantity + (line.quantity if line else 0)
    _check_quantity(wanted)
    price = resolve.prices(session, cart.channel_id, cart.currency, {variant.id: wanted}, now)
    if variant.id not in price:
        raise NoPrice(sku)
    if line is None:
        line = CartLine(
            id=new_id(),
            public_id=new_public_id(),
            cart_id=cart.id,
            variant_id=variant.id,
            added_at=now,
        )
        session.add(line)
    else:
        holds.release(session, Owner("cart", cart.id), line.id)
    line.quantity = wanted
    line.unit_price_micros = price[variant.id].unit_price_micros
    line.price_trace = price[variant.id].trace
    cart.changed_at = now
    if variant.kind == "physical":
        demand = Demand(line.id, variant.id, wanted)
        holds.hold(session, Owner("cart", cart.id), [demand], now + hold_for, now)
    session.flush()
    return line


def set_quantity(
    session: Session, cart: Cart, line_id: str, quantity: int, hold_for: timedelta, now: datetime
) -> None:
    """Change how many of a line; zero takes it out. Raises as ``add`` does."""
    if quantity == 0:
        remove(session, cart, line_id, now)
        return
    line, variant = _line(session, cart, line_id)
    _check_quantity(quantity)
    price = resolve.prices(session, cart.channel_id, cart.currency, {variant.id: quantity}, now)
    if variant.id not in price:
        raise NoPrice(variant.sku)
    line.quantity = quantity
    line.unit_price_micros = price[variant.id].unit_price_micros
    line.price_trace = price[variant.id].trace
    cart.changed_at = now
    _hold_again(session, cart, [line], hold_for, now)


def remove(session: Session, cart: Cart, line_id: str, now: datetime) -> None:
    """Take a line out and let its pieces go. NotFound when it isn't in this cart."""
    line, _ = _line(session, cart, line_id)
    holds.release(session, Owner("cart", cart.id), line.id)
    session.execute(delete(CartLine).where(CartLine.id == line.id))
    cart.changed_at = now


def hold_again(session: Session, cart: Cart, hold_for: timedelta, now: datetime) -> None:
    """Take the pieces of every line again, after holds have lapsed. Raises OutOfStock."""
    rows = session.scalars(select(CartLine).where(CartLine.cart_id == cart.id)).all()
    cart.changed_at = now
    _hold_again(session, cart, rows, hold_for, now)


def _hold_again(
    session: Session, cart: Cart, rows: Sequence[CartLine], hold_for: timedelta, now: datetime
) -> None:
    owner = Owner("cart", cart.id)
    for row in rows:
        holds.release(session, owner, row.id)
    session.flush()
    holds.hold(session, owner, demands(session, cart.id, rows), now + hold_for, now)


def demands(session: Session, cart_id: uuid.UUID, rows: Sequence[CartLine]) -> list[Demand]:
    """What the lines need from stock; only physical goods do."""
    physical = set(
        session.scalars(
            select(Variant.id).where(
                Variant.id.in_([row.variant_id for row in rows]), Variant.kind == "physical"
            )
        )
    )
    return [
        Demand(row.id, row.variant_id, row.quantity) for row in rows if row.variant_id in physical
    ]


def contents(session: Session, cart: Cart) -> Sequence[tuple[CartLine, Variant, Product]]:
    """The lines with what they stand for, in the order they were put in."""
    rows = session.execute(
        select(CartLine, Variant, Product)
        .join(Variant, Variant.id == CartLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(CartLine.cart_id == cart.id)
        .order_by(CartLine.added_at, CartLine.id)
    )
    return [(line, variant, product) for line, variant, product in rows]


@dataclass(frozen=True)
class Entry:
    """A line as whoever changed it wants to see it."""

    line: CartLine
    sku: str
    name: str
    kind: str
    currency: str
    held_until: datetime | None


def entry(session: Session, cart: Cart, line_id: str, now: datetime) -> Entry:
    """One line by its public id: one query. NotFound when it isn't in this cart."""
    row = session.execute(
        select(CartLine, Variant.sku, Variant.name, Variant.kind, Hold.expires_at)
        .join(Variant, Variant.id == CartLine.variant_id)
        .outerjoin(
            Hold,
            and_(
                Hold.owner_kind == "cart",
                Hold.owner_id == CartLine.cart_id,
                Hold.line_id == CartLine.id,
                Hold.state == "active",
                Hold.expires_at > now,
            ),
        )
        .where(CartLine.public_id == line_id, CartLine.cart_id == cart.id)
    ).first()
    if row is None:
        raise NotFound("line in this cart")
    return Entry(row[0], row[1], row[2], row[3], cart.currency, row[4])


def pieces(session: Session, public_id: str) -> int:
    """How many pieces are in the cart; 0 when there is no such cart."""
    rows = session.scalars(
        select(CartLine.quantity)
        .join(Cart, Cart.id == CartLine.cart_id)
        .where(Cart.public_id == public_id, Cart.state != "ordered")
    )
    return sum(rows)


def set_details(session: Session, cart: Cart, **values: Any) -> None:
    """Remember e-mail, address or delivery method on the cart."""
    for name, value in values.items():
        setattr(cart, name, value)
    session.flush()


def move(session: Session, cart_id: uuid.UUID, wanted: str, to: str) -> bool:
    """Change the cart's state; False when it is not in ``wanted``."""
    result = session.execute(
        update(Cart).where(Cart.id == cart_id, Cart.state == wanted).values(state=to)
    )
    return changed(result) == 1


def _line(session: Session, cart: Cart, line_id: str) -> tuple[CartLine, Variant]:
    row = session.execute(
        select(CartLine, Variant)
        .join(Variant, Variant.id == CartLine.variant_id)
        .where(CartLine.public_id == line_id, CartLine.cart_id == cart.id)
    ).first()
    if row is None:
        raise NotFound("line in this cart")
    return row[0], row[1]


def _check_quantity(quantity: int) -> None:
    if quantity < 1:
        raise BadQuantity
    if quantity > MOST_OF_ONE:
        raise TooMany(MOST_OF_ONE)
