"""Fernway's telephone numbers and licence keys: those that cannot be anybody's."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.ids import new_id
from core.stock import giving_up, holds, pools
from core.stock.holds import Demand, Owner
from core.stock.models import LogicalResource
from core.stock.pools import Terms

LINE, PROGRAM = "TEL-1", "LOOK-PC"
#: Of the hundred numbers of each area that belong to no telephone.
_NUMBERS = tuple(f"740-555-{n:04}" for n in range(110, 176))
_KEYS = tuple(f"LOOKOUT-EXAMPLE-{n * 7919 % 9973:04}-{n:03}" for n in range(1, 26))


def open_pools(session: Session, now: datetime) -> None:
    """A phone line has a number, which is chosen; a program has a key, which is given."""
    pool, _ = pools.open_pool(session, LINE, "number", Terms(True, 30), now)
    pools.add(session, pool, _NUMBERS, "system", "Our first block", now)
    pool, _ = pools.open_pool(session, PROGRAM, "licence_key", Terms(False, None), now)
    pools.add(session, pool, _KEYS, "system", "", now)


def fill(session: Session, now: datetime) -> None:
    """One number rests that a neighbour gave back, and one is kept for the town hall."""
    variant = session.scalars(select(Variant).where(Variant.sku == LINE)).one()
    line, when = new_id(), now - timedelta(days=12)
    cart, about = Owner("cart", new_id()), "order:before-the-books"
    holds.sell(session, cart, [Demand(line, variant.id, 1, numbered=True)], about, when)
    giving_up.give_up(session, line, None, about, when, "system")
    last = session.scalars(
        select(LogicalResource.id).where(LogicalResource.value == _NUMBERS[-1])
    ).one()
    one = pools.one(session, last, locked=True)
    pools.withdraw(session, one, "system", "Kept for the town hall", now)
