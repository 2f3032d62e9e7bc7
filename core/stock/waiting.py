"""Who waits for what is gone: they ask, confirm by mail, are offered a piece in turn, and take it or not.

First come, first served, by when they confirmed. An offer is a hold of its own for a short while; nobody else
can have the piece meanwhile. Called by ``flows.wait_for_stock``.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.kernel.db import changed, insert_once
from core.kernel.errors import NotFound
from core.kernel.ids import new_id, new_public_id
from core.kernel.looking import found_in
from core.kernel.sorting import Place, Sorts
from core.stock import holds, levels
from core.stock.holds import Demand, OutOfStock, Owner
from core.stock.models import StockLevel, StockWait

#: Where somebody still wants to hear.
OPEN = ("asked", "waiting", "offered")
STATES = ("waiting", "offered", "asked", "taken", "let_go", "left")
SORTS = Sorts(StockWait.id, {"asked": StockWait.asked_at, "sku": Variant.sku})
FIRST = Place("asked")


def ask(
    session: Session, channel_id: uuid.UUID, variant_id: uuid.UUID, email: str, now: datetime
) -> StockWait:
    """Their place in the list; the one that they have already, when they asked before."""
    insert_once(
        session,
        StockWait,
        id=new_id(),
        public_id=new_public_id(),
        channel_id=channel_id,
        variant_id=variant_id,
        email=email.strip().lower(),
        state="asked",
        asked_at=now,
    )
    query = select(StockWait).where(
        StockWait.channel_id == channel_id,
        StockWait.variant_id == variant_id,
        StockWait.email == email.strip().lower(),
        StockWait.state.in_(OPEN),
    )
    return session.scalars(query).one()


def lock(session: Session, public_id: str) -> StockWait:
    """Locked behind what it waits for. NotFound when there is none."""
    query = select(StockWait).where(StockWait.public_id == public_id)
    found = session.scalar(query)
    if found is None:
        raise NotFound("place in the list")
    _lock_levels(session, found.variant_id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _lock_levels(session: Session, variant_id: uuid.UUID) -> None:
    """Levels before waits, as whoever offers does."""
    query = select(StockLevel.id).where(StockLevel.variant_id == variant_id)
    session.execute(query.order_by(StockLevel.id).with_for_update()).all()


def confirm(session: Session, wait: StockWait, now: datetime) -> bool:
    """It is their address: from now on they are in the line. False when they were already."""
    return _move(session, wait, ("asked",), "waiting", confirmed_at=now)


def leave(session: Session, wait: StockWait, now: datetime) -> bool:
    """They want to hear nothing any more. False when there was nothing to hear."""
    holds.release(session, Owner("offer", wait.id), telling=now)
    return _move(session, wait, OPEN, "left", ended_at=now)


def take(session: Session, wait: StockWait, now: datetime) -> bool:
    """What is kept for them is let go, for them to have in the same transaction. False: it is too late."""
    if wait.state != "offered" or wait.offered_until is None or wait.offered_until <= now:
        return False
    holds.release(session, Owner("offer", wait.id))
    return _move(session, wait, ("offered",), "taken", ended_at=now)


def let_go(session: Session, wait_id: uuid.UUID, now: datetime) -> bool:
    """What is kept for them is kept no more; whoever lets the hold go says so. False when nothing was."""
    wait = session.get_one(StockWait, wait_id)
    return _move(session, wait, ("offered",), "let_go", ended_at=now)


def forget(session: Session, before: datetime) -> None:
    """Addresses of those who never confirmed, and of whom it is over, are not kept for good."""
    never = (StockWait.state == "asked") & (StockWait.asked_at < before)
    over = StockWait.ended_at.is_not(None) & (StockWait.ended_at < before)
    session.execute(
        delete(StockWait).where(or_(never, over)).execution_options(synchronize_session=False)
    )


def wait_again(session: Session, wait: StockWait, now: datetime) -> bool:
    """They did not take it in time, and go to the end of the line. False when they need not."""
    return _move(
        session, wait, ("let_go",), "waiting", confirmed_at=now, offered_until=None, ended_at=None
    )


def offer(
    session: Session, variant_id: uuid.UUID, until: datetime, now: datetime
) -> list[StockWait]:
    """Offer what is there to those who wait, in turn; answers to whom. Offers whose time is over go first."""
    _lock_levels(session, variant_id)
    for late in session.scalars(_late(now).where(StockWait.variant_id == variant_id)).all():
        holds.release(session, Owner("offer", late.id))
        _move(session, late, ("offered",), "let_go", ended_at=now)
    offered: list[StockWait] = []
    numbered = session.get_one(Variant, variant_id).numbered
    for wait in session.scalars(_line(variant_id)):
        need = Demand(wait.id, variant_id, 1, numbered)
        try:
            with session.begin_nested():
                if not holds.hold(
                    session, Owner("offer", wait.id), [need], until, now, beyond=False
                ):
                    break
        except OutOfStock:
            break
        _move(session, wait, ("waiting",), "offered", offered_at=now, offered_until=until)
        offered.append(wait)
    return offered


def due(session: Session, now: datetime) -> Sequence[uuid.UUID]:
    """Things that somebody waits for and that are there, or of which an offer's time is over."""
    wanted = select(StockWait.variant_id).where(StockWait.state == "waiting").distinct()
    variants = session.scalars(wanted).all()
    there = levels.outlook(session, variants, now) if variants else {}
    late = session.scalars(_late(now)).all()
    found = {key for key, one in there.items() if one.there > 0}
    return sorted(found | {one.variant_id for one in late})


def _late(now: datetime) -> Select[StockWait]:
    return select(StockWait).where(StockWait.state == "offered", StockWait.offered_until <= now)


def _line(variant_id: uuid.UUID) -> Select[StockWait]:
    return (
        select(StockWait)
        .where(StockWait.variant_id == variant_id, StockWait.state == "waiting")
        .order_by(StockWait.confirmed_at, StockWait.id)
        .limit(100)
        .with_for_update()
    )


def _move(session: Session, wait: StockWait, wanted: Sequence[str], to: str, **values: Any) -> bool:
    done = changed(
        session.execute(
            update(StockWait)
            .where(StockWait.id == wait.id, StockWait.state.in_(wanted))
            .values(state=to, **values)
            .execution_options(synchronize_session=False)
        )
    )
    if done:
        session.refresh(wait)
    return done == 1


# --- looking --------------------------------------------------------------------------------------


def page(
    session: Session, *, state: str = "", words: str = "", place: Place = FIRST, limit: int = 50
) -> list[tuple[StockWait, Variant]]:
    """Who waits for what, for staff; ``words`` in SKU, name and address."""
    query = select(StockWait, Variant).join(Variant, Variant.id == StockWait.variant_id)
    if state:
        query = query.where(StockWait.state == state)
    if words:
        query = query.where(found_in(words, Variant.sku, Variant.name, StockWait.email))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(wait, variant) for wait, variant in rows]


def counts(session: Session) -> dict[str, int]:
    """How many are in each state, and all of them as ``""``."""
    query = select(StockWait.state, func.count()).group_by(StockWait.state)
    found = {state: int(count) for state, count in session.execute(query)}
    return {"": sum(found.values()), **found}


def ahead(session: Session, wait: StockWait) -> int:
    """How many are before them in the line; nought while they are not in it."""
    if wait.confirmed_at is None:
        return 0
    query = (
        select(func.count())
        .select_from(StockWait)
        .where(
            StockWait.variant_id == wait.variant_id,
            StockWait.state == "waiting",
            StockWait.confirmed_at < wait.confirmed_at,
        )
    )
    return int(session.scalar(query) or 0)


def thing(session: Session, variant_id: uuid.UUID) -> tuple[Variant, Product]:
    """What is waited for."""
    variant = session.get_one(Variant, variant_id)
    return variant, session.get_one(Product, variant.product_id)
