"""Somebody logs in: what they had put in as a guest comes into the cart of their account."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cart import lines, merging, owning, saved
from cart.merging import PutAside
from cart.models import Cart, CartLine
from cart.saved import Keeper
from core.kernel.errors import NotFound
from flows.house import House


@dataclass(frozen=True)
class Brought:
    """What became of a guest's cart.

    ``nothing`` was in it; ``theirs``: it is the account's cart now; ``together``: its lines went into the
    account's; ``waits``: one of the two is being paid for, so both stay as they are.
    """

    how: str
    count: int = 0
    aside: tuple[PutAside, ...] = ()


NOTHING, WAITS = Brought("nothing"), Brought("waits")


def bring(house: House, user_id: uuid.UUID, cart_id: str) -> Brought:
    """A guest's cart, by its public id, becomes the account's or goes into it. Done twice it is done once."""
    return house.db.run_tx(lambda session: _bring(session, house, user_id, cart_id))


def _bring(session: Session, house: House, user_id: uuid.UUID, cart_id: str) -> Brought:
    now = house.clock.now()
    try:
        guests = lines.lock(session, cart_id)
    except NotFound:
        return NOTHING
    if guests.user_id is not None:
        return NOTHING
    if guests.state == "ordered":
        saved.hand_over(session, Keeper.of(guests), Keeper(user_id, None), now)
        return NOTHING
    count = _count(session, guests)
    mine = owning.of_user(session, user_id, guests.channel_id, lock=True)
    if mine is None:
        owning.give(session, guests, user_id, now)
        return Brought("theirs", count)
    if "checking_out" in (mine.state, guests.state):
        return WAITS if count else NOTHING
    if mine.shipping_address is None:
        mine.shipping_address = guests.shipping_address
        session.flush()
    poured = merging.pour(session, guests, mine, house.rules.hold_for, now)
    return Brought("together" if count else "nothing", count, poured.aside)


def _count(session: Session, cart: Cart) -> int:
    query = select(func.count()).select_from(CartLine).where(CartLine.cart_id == cart.id)
    return session.scalar(query) or 0
