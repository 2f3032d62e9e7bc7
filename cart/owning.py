"""Whose cart it is: somebody who is logged in has one for each channel, the same on every device."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import lines, saved
from cart.models import Cart
from cart.saved import Keeper
from core.kernel.db import insert_once
from core.parties.models import Channel


def of_user(
    session: Session, user_id: uuid.UUID, channel_id: uuid.UUID, *, lock: bool = False
) -> Cart | None:
    """Their cart that has not become an order; None when there is none."""
    query = select(Cart).where(
        Cart.user_id == user_id, Cart.channel_id == channel_id, Cart.state != "ordered"
    )
    return session.scalar(query.with_for_update() if lock else query)


def opened_for(session: Session, channel: Channel, user_id: uuid.UUID, now: datetime) -> Cart:
    """Their cart, locked; opened when there is none. Two devices at once get the same one."""
    found = of_user(session, user_id, channel.id, lock=True)
    while found is None:
        insert_once(session, Cart, **lines.columns_of_new(channel, now, user_id))
        found = of_user(session, user_id, channel.id, lock=True)
    return found


def give(session: Session, cart: Cart, user_id: uuid.UUID, now: datetime) -> None:
    """A guest's locked cart, and what was saved for later out of it, is theirs, who has no other."""
    before = Keeper.of(cart)
    cart.user_id = user_id
    session.flush()
    saved.hand_over(session, before, Keeper.of(cart), now)
    lines.touch(session, cart, now)
