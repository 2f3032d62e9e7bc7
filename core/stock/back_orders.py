"""Back-orders: sold pieces that were not there when they were sold, until they came and were released.

At each place the pieces on hand cover what was sold there first; what they do not cover waits, and is noted
by its sale's reference (``sold.reference``). Pieces that come in are released to the oldest first, and only
what is released leaves. Nothing is written while somebody buys: a job looks each minute, and so does whoever
sends.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Subquery, case, func, or_, select
from sqlalchemy.orm import Session

from core.events import BackOrderReleased
from core.kernel import audit, jobs
from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.stock.back_order_models import BackOrder, BackOrderRelease
from core.stock.models import Location, StockLevel
from core.stock.uncovered import Uncovered, uncovered

#: What releases by itself, in the audit log.
BY_ITSELF = "system"


@dataclass(eq=False)
class BackOrderWaits(ShopError):
    """The pieces are for orders that waited longer, or nobody has released them yet."""

    code: ClassVar[str] = "back_order_waits"
    text: ClassVar[str] = "{sku}: {waiting} of them wait as a back-order until they are released."
    sku: str
    waiting: int


def note(session: Session, level: StockLevel) -> list[Uncovered]:
    """Note what of a level's sold pieces nothing on hand covers; answers it. The level is locked."""
    late = uncovered(session, level)
    known = {
        row.reference: row for row in _rows(session, level.id, [one.reference for one in late])
    }
    for sale in late:
        row = known.get(sale.reference)
        if row is None:
            session.add(_new(level.id, sale))
        elif sale.pieces > row.waiting:
            row.quantity += sale.pieces - row.waiting
            row.waiting = sale.pieces
    session.flush()
    return late


def _new(level_id: uuid.UUID, sale: Uncovered) -> BackOrder:
    return BackOrder(
        id=new_id(),
        level_id=level_id,
        reference=sale.reference,
        quantity=sale.pieces,
        waiting=sale.pieces,
        let_go=0,
        since=sale.since,
    )


def release(
    session: Session,
    level: StockLevel,
    actor: str,
    now: datetime,
    only: Collection[uuid.UUID] | None = None,
) -> int:
    """Release what can be covered at a level, the oldest first; of ``only`` these, what is theirs. Tells each
    sale, and the audit log; says to how many. The level is locked."""
    late = {sale.reference: sale.pieces for sale in note(session, level)}
    done = 0
    for row in _rows(session, level.id, None):
        part = row.waiting - late.get(row.reference, 0)
        if part <= 0 or (only is not None and row.id not in only):
            continue
        row.waiting -= part
        _released(session, row, part, actor, now)
        done += 1
    session.flush()
    return done


def _released(session: Session, row: BackOrder, part: int, actor: str, now: datetime) -> None:
    batch = new_id()
    session.add(
        BackOrderRelease(
            id=new_id(), back_order_id=row.id, quantity=part, batch=batch, at=now, actor=actor
        )
    )
    event = BackOrderReleased(str(batch))
    jobs.record(session, event, now, key=f"back-order:{batch}", priority=1)
    subject = ("order", row.reference.removeprefix("order:"))
    audit.write(session, now, actor, "order.back_order_released", subject, pieces=part)


def settle(session: Session, level_id: uuid.UUID, now: datetime) -> StockLevel:
    """Note what waits at a level by now; release it, where its place says that this is done by itself."""
    level = session.get_one(StockLevel, level_id, with_for_update=True, populate_existing=True)
    if session.get_one(Location, level.location_id).releases_back_orders:
        release(session, level, BY_ITSELF, now)
    else:
        note(session, level)
    return level


def gave_up(session: Session, level_id: uuid.UUID, about: str, quantity: int) -> None:
    """Pieces of a sale are free again before they left: what waits of it goes first."""
    for row in _rows(session, level_id, [about]):
        part = min(row.waiting, quantity)
        row.waiting, row.let_go = row.waiting - part, row.let_go + part
    session.flush()


def waiting_of(session: Session, about: str) -> dict[uuid.UUID, int]:
    """How many pieces of a sale wait, by level."""
    query = select(BackOrder.level_id, BackOrder.waiting).where(
        BackOrder.reference == about, BackOrder.waiting > 0
    )
    return dict(session.execute(query).all())


def _rows(
    session: Session, level_id: uuid.UUID, about: Collection[str] | None
) -> Sequence[BackOrder]:
    """What was noted at a level for some sales, or (None) all that waits there; the oldest first."""
    query = select(BackOrder).where(BackOrder.level_id == level_id)
    which = BackOrder.waiting > 0 if about is None else BackOrder.reference.in_(about)
    return session.scalars(query.where(which).order_by(BackOrder.since, BackOrder.id)).all()


# --- which levels, and by themselves or not -------------------------------------------------------


def to_look_at(session: Session) -> Sequence[uuid.UUID]:
    """Levels where something waits, or should: all of them."""
    waits = select(BackOrder.level_id).where(BackOrder.waiting > 0)
    query = select(StockLevel.id).where(
        or_(StockLevel.allocated > StockLevel.on_hand, StockLevel.id.in_(waits))
    )
    return session.scalars(query.order_by(StockLevel.id)).all()


def levels_of(session: Session, variant_ids: Iterable[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The levels of some things where something waits."""
    query = (
        select(BackOrder.level_id)
        .distinct()
        .join(StockLevel, StockLevel.id == BackOrder.level_id)
        .where(BackOrder.waiting > 0, StockLevel.variant_id.in_(list(variant_ids)))
    )
    return sorted(session.scalars(query))


def of_batch(session: Session, batch: uuid.UUID) -> tuple[str, dict[uuid.UUID, int]]:
    """A sale's reference, and how many of which thing an act released."""
    rows = session.execute(
        select(BackOrder.reference, StockLevel.variant_id, func.sum(BackOrderRelease.quantity))
        .select_from(BackOrderRelease)
        .join(BackOrder, BackOrder.id == BackOrderRelease.back_order_id)
        .join(StockLevel, StockLevel.id == BackOrder.level_id)
        .where(BackOrderRelease.batch == batch)
        .group_by(BackOrder.reference, StockLevel.variant_id)
    ).all()
    return rows[0][0], {variant_id: int(pieces) for _, variant_id, pieces in rows}


def can_now() -> Subquery:
    """SQL: how many pieces of each back-order that waits ``can`` be released now, by its ``id``: the older
    ones at its level come first. Each level is added up once, however many wait there."""
    late = BackOrder
    older = func.sum(late.waiting).over(
        partition_by=late.level_id, order_by=(late.since, late.id), rows=(None, -1)
    )
    every = func.sum(late.waiting).over(partition_by=late.level_id)
    left = StockLevel.on_hand - StockLevel.allocated + every - func.coalesce(older, 0)
    can = case((left <= 0, 0), (left >= late.waiting, late.waiting), else_=left)
    return (
        select(late.id, can.label("can"))
        .join(StockLevel, StockLevel.id == late.level_id)
        .where(late.waiting > 0)
        .subquery("coverable")
    )
