"""What the numbers show of themselves: each pool's level counts them, each hold keeps as many as it says, and
what was written down of each leads to where it is. For ``verify``."""

from datetime import datetime

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.catalog.models import Variant
from core.kernel import proof
from core.kernel.proof import Part
from core.stock.models import Hold, LogicalResource, ResourcePool, ResourceStep, StockLevel

#: By the last step of a number: the states that it can be in. A hold may have ended since.
_MAY_BE = {
    "add": ("free",),
    "reserve": ("reserved", "free"),
    "assign": ("assigned",),
    "quarantine": ("quarantined", "free"),
    "release": ("free",),
    "withdraw": ("withdrawn",),
    "restore": ("free",),
}


def numbers_are_true(session: Session, now: datetime) -> Part:
    """On hand, sold and held of each pool are its numbers; each active hold keeps its own; the last step of
    each number leads to its state."""
    wrong = [*_untrue_levels(session), *_untrue_holds(session), *_untrue_steps(session)]
    pools = session.scalar(select(func.count()).select_from(ResourcePool)) or 0
    free, total = session.execute(
        select(func.count().filter(LogicalResource.state == "free"), func.count()).select_from(
            LogicalResource
        )
    ).one()
    return Part(
        f"{total:,} numbers and keys in {pools:,} pools, {free:,} free", proof.first_few(wrong)
    )


def _untrue_levels(session: Session) -> tuple[str, ...]:
    one = LogicalResource
    there = func.count(one.id).filter(one.state != "withdrawn")
    sold = func.count(one.id).filter(one.state == "assigned")
    held = func.count(one.id).filter(one.hold_id.is_not(None))
    level = StockLevel
    query = (
        select(
            Variant.sku,
            level.on_hand,
            there,
            level.allocated,
            sold,
            level.held,
            held,
            Variant.numbered,
        )
        .select_from(ResourcePool)
        .join(level, level.id == ResourcePool.level_id)
        .join(Variant, Variant.id == ResourcePool.variant_id)
        .outerjoin(one, one.pool_id == ResourcePool.id)
        .group_by(
            ResourcePool.id,
            Variant.sku,
            Variant.numbered,
            level.on_hand,
            level.allocated,
            level.held,
        )
        .having(
            or_(
                level.on_hand != there,
                level.allocated != sold,
                level.held != held,
                Variant.numbered.is_(False),
            )
        )
        .order_by(Variant.sku)
    )
    return proof.offenders(
        session,
        query,
        lambda row: (
            f"{row[0]}: {row[1]} on hand of {row[2]} numbers, {row[3]} sold of {row[4]} assigned, "
            f"{row[5]} held of {row[6]} kept"
        ),
    )


def _untrue_holds(session: Session) -> tuple[str, ...]:
    kept = func.count(LogicalResource.id)
    query = (
        select(Hold.id, Hold.quantity, kept)
        .outerjoin(LogicalResource, LogicalResource.hold_id == Hold.id)
        .where(Hold.numbered)
        .group_by(Hold.id, Hold.quantity, Hold.state)
        .having(kept != case((Hold.state == "active", Hold.quantity), else_=0))
        .order_by(Hold.id)
    )
    return proof.offenders(
        session, query, lambda row: f"hold {row[0]} of {row[1]} keeps {row[2]} numbers"
    )


def _untrue_steps(session: Session) -> tuple[str, ...]:
    """The last step is the one with the largest key: keys are made in the order of time."""
    last, other = ResourceStep, aliased(ResourceStep)
    later = select(other.id).where(other.resource_id == last.resource_id, other.id > last.id)
    fits = or_(
        *(
            and_(last.act == act, LogicalResource.state.in_(states))
            for act, states in _MAY_BE.items()
        )
    )
    query = (
        select(LogicalResource.id, LogicalResource.state, last.act)
        .outerjoin(last, and_(last.resource_id == LogicalResource.id, ~later.exists()))
        .where(or_(last.id.is_(None), ~fits))
        .order_by(LogicalResource.id)
    )
    # Its key, not its value: a licence key is not to be read in a log.
    return proof.offenders(
        session, query, lambda row: f"number {row[0]} is {row[1]} after {row[2] or 'nothing'}"
    )
