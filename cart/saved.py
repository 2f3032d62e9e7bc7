"""Saved for later: put aside out of a cart and taken back into one. Nothing is held for it.

What somebody put aside who is logged in is theirs, in whatever cart; a guest's belongs to the cart, and goes
on to the next one of the same browser.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from cart import lines
from cart.goods import MOST_OF_ONE
from cart.lines import Entry
from cart.models import Cart, SavedLine
from core.catalog.models import BUNDLE, Product, Variant
from core.kernel.db import insert_rows
from core.kernel.errors import NotFound
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money, extend
from core.prices import bundles, resolve


@dataclass(frozen=True)
class Keeper:
    """Whose it is: a user's, or a guest's cart's."""

    user_id: uuid.UUID | None
    cart_id: uuid.UUID | None

    @classmethod
    def of(cls, cart: Cart) -> "Keeper":
        """The keeper of what is put aside out of this cart."""
        if cart.user_id is not None:
            return cls(cart.user_id, None)
        return cls(None, cart.id)

    @property
    def owns(self) -> ColumnElement[bool]:
        """Which rows are theirs."""
        if self.user_id is not None:
            return SavedLine.user_id == self.user_id
        return SavedLine.cart_id == self.cart_id


@dataclass(frozen=True)
class Saved:
    """Something put aside as its keeper sees it. ``price`` None: it cannot be bought any more."""

    public_id: str
    variant_id: uuid.UUID
    sku: str
    name: str
    kind: str
    slug: str
    picture: str
    quantity: int
    price: Money | None
    #: What one cost when it was put aside, if that differs from now.
    price_was: Money | None


def put_aside(session: Session, cart: Cart, line_id: str, now: datetime) -> None:
    """Take a line out of a locked cart for later. NotFound when it isn't in this cart."""
    line, _ = lines.one(session, cart, line_id)
    keep(session, Keeper.of(cart), line.variant_id, line.quantity, line.unit_price_micros, now)
    lines.remove(session, cart, line_id, now)


def keep(
    session: Session,
    keeper: Keeper,
    variant_id: uuid.UUID,
    quantity: int,
    unit_price_micros: int,
    now: datetime,
) -> None:
    """Put so many aside, beside those of it that are there; of one thing no more than a cart takes."""
    row = session.scalar(
        select(SavedLine).where(keeper.owns, SavedLine.variant_id == variant_id).with_for_update()
    )
    if row is not None:
        row.quantity = min(row.quantity + quantity, MOST_OF_ONE)
        session.flush()
        return
    values: dict[str, Any] = {
        "id": new_id(),
        "public_id": new_public_id(),
        "user_id": keeper.user_id,
        "cart_id": keeper.cart_id,
        "variant_id": variant_id,
        "quantity": min(quantity, MOST_OF_ONE),
        "unit_price_micros": unit_price_micros,
        "saved_at": now,
    }
    insert_rows(session, SavedLine, [values])


def take(session: Session, cart: Cart, saved_id: str, hold_for: timedelta, now: datetime) -> Entry:
    """Put it back into a locked cart and hold it. NotFound, or what ``lines.put`` raises: then it stays."""
    row, variant = _one(session, Keeper.of(cart), saved_id)
    entry = lines.put(session, cart, variant.sku, row.quantity, hold_for, now)
    session.execute(delete(SavedLine).where(SavedLine.id == row.id))
    return entry


def drop(session: Session, cart: Cart, saved_id: str, now: datetime) -> None:
    """Forget it. NotFound when it is not theirs."""
    row, _ = _one(session, Keeper.of(cart), saved_id)
    session.execute(delete(SavedLine).where(SavedLine.id == row.id))
    lines.touch(session, cart, now)


def hand_over(session: Session, giver: Keeper, taker: Keeper, now: datetime) -> None:
    """All that one put aside is the other's, who may have some of it already."""
    if giver == taker:
        return
    there = set(session.scalars(select(SavedLine.variant_id).where(taker.owns)))
    for row in session.scalars(select(SavedLine).where(giver.owns)).all():
        if row.variant_id in there:
            keep(session, taker, row.variant_id, row.quantity, row.unit_price_micros, now)
            session.execute(delete(SavedLine).where(SavedLine.id == row.id))
    session.execute(
        update(SavedLine)
        .where(giver.owns)
        .values(user_id=taker.user_id, cart_id=taker.cart_id)
        .execution_options(synchronize_session=False)
    )


def listing(
    session: Session, keeper: Keeper, channel_id: uuid.UUID, currency: str, now: datetime
) -> Sequence[Saved]:
    """What was put aside, the latest first, at today's prices on a channel."""
    rows = session.execute(
        select(SavedLine, Variant, Product)
        .join(Variant, Variant.id == SavedLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(keeper.owns)
        .order_by(SavedLine.saved_at.desc(), SavedLine.id)
    ).all()
    if not rows:
        return []
    asked = (session, channel_id, currency)
    wanted = {variant.id: row.quantity for row, variant, _ in rows}
    packs = bundles.offered(
        *asked, {v.id: row.quantity for row, v, _ in rows if v.kind == BUNDLE}, now
    )
    found = resolve.prices(*asked, wanted, now) | {key: one.now for key, one in packs.items()}
    return [
        _saved(row, variant, product, found[variant.id].unit_price_micros, currency)
        if variant.id in found and variant.active and product.active
        else _saved(row, variant, product, None, currency)
        for row, variant, product in rows
    ]


def _saved(
    row: SavedLine, variant: Variant, product: Product, micros: int | None, currency: str
) -> Saved:
    moved = micros is not None and micros != row.unit_price_micros
    return Saved(
        row.public_id,
        variant.id,
        variant.sku,
        variant.name,
        variant.kind,
        product.slug,
        product.picture,
        row.quantity,
        extend(micros, 1, currency) if micros is not None else None,
        extend(row.unit_price_micros, 1, currency) if moved else None,
    )


def _one(session: Session, keeper: Keeper, saved_id: str) -> tuple[SavedLine, Variant]:
    row = session.execute(
        select(SavedLine, Variant)
        .join(Variant, Variant.id == SavedLine.variant_id)
        .where(SavedLine.public_id == saved_id, keeper.owns)
        .with_for_update(of=SavedLine)
    ).first()
    if row is None:
        raise NotFound("thing saved for later")
    return row[0], row[1]
