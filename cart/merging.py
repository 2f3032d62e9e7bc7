"""Pouring one cart into another: a guest's into the account's, when somebody logs in.

Nothing is lost. What only one of the two has moves over as it is, with its price and its hold. Of what both
have the numbers are summed; what is more than can be had, or than one cart takes, is saved for later.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from cart import lines, saved
from cart.goods import MOST_OF_ONE
from cart.holds import TooManyForOne
from cart.models import Cart, CartLine
from cart.saved import Keeper
from core.catalog.limits import Limits
from core.catalog.models import Variant
from core.prices.resolve import NoPrice
from core.stock import handing, holds, picks
from core.stock.holds import OutOfStock, Owner


@dataclass(frozen=True)
class PutAside:
    """So many of a thing did not fit in and are saved for later."""

    name: str
    quantity: int


@dataclass(frozen=True)
class Poured:
    """How many lines came over, and what was saved for later of them."""

    count: int
    aside: tuple[PutAside, ...]


def pour(
    session: Session, source: Cart, target: Cart, hold_for: timedelta, now: datetime
) -> Poured:
    """Everything of one locked open cart goes into another locked open cart."""
    there = {variant.id: line for line, variant, _ in lines.contents(session, target)}
    rows = lines.contents(session, source)
    aside: list[PutAside] = []
    for line, variant, _ in rows:
        mine = there.get(variant.id)
        if mine is None:
            _move(session, line, variant, source, target)
        elif over := _sum(session, line, mine, variant, source, target, hold_for, now):
            aside.append(PutAside(variant.name, over))
    saved.hand_over(session, Keeper.of(source), Keeper.of(target), now)
    for cart in (source, target):
        lines.touch(session, cart, now)
    return Poured(len(rows), tuple(aside))


def _move(session: Session, line: CartLine, variant: Variant, source: Cart, target: Cart) -> None:
    """As it is: at the price that it was put in with, held as long as it is held."""
    if variant.numbered:
        picks.hand_over(session, line.id, Owner("cart", target.id))
    handing.over(session, Owner("cart", source.id), Owner("cart", target.id), line.id)
    session.execute(update(CartLine).where(CartLine.id == line.id).values(cart_id=target.id))


def _sum(
    session: Session,
    line: CartLine,
    mine: CartLine,
    variant: Variant,
    source: Cart,
    target: Cart,
    hold_for: timedelta,
    now: datetime,
) -> int:
    """Both have it: one line of the two. Answers how many are saved for later."""
    wanted = mine.quantity + line.quantity
    price = {"unit_price_micros": mine.unit_price_micros, "price_trace": mine.price_trace}
    holds.release(session, Owner("cart", source.id), line.id)
    if variant.numbered:
        picks.hand_over(session, line.id, Owner("cart", target.id), mine.id)
    session.execute(delete(CartLine).where(CartLine.id == line.id))
    limits = Limits.of(variant)
    fits = limits.largest(min(wanted, MOST_OF_ONE))
    while fits > mine.quantity:
        try:
            with session.begin_nested():
                lines.set_quantity(session, target, mine.public_id, fits, hold_for, now)
            break
        except OutOfStock as error:
            can = (
                error.available if error.sku == variant.sku else fits
            )  # of a bundle's piece: fewer
            fits = limits.largest(min(fits - 1, can))
        except TooManyForOne as error:
            fits = limits.largest(min(fits - 1, error.most - error.has))
        except NoPrice:
            # It stays, to be explained on the cart's page; nothing of it is held or bought.
            session.execute(update(CartLine).where(CartLine.id == mine.id).values(quantity=fits))
            break
    # The price that the line was put in with stays, so that a change of it is told.
    session.execute(update(CartLine).where(CartLine.id == mine.id).values(**price))
    over = wanted - max(fits, mine.quantity)
    if over > 0:
        saved.keep(session, Keeper.of(target), variant.id, over, line.unit_price_micros, now)
    return max(over, 0)
