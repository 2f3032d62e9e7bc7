"""What the stock shows of itself. It knows today only: levels have no past but their movements."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel import proof
from core.kernel.proof import Part
from core.stock.back_order_models import BackOrder, BackOrderRelease
from core.stock.models import Hold, StockLevel, StockMovement


def levels_are_true(session: Session, now: datetime) -> Part:
    """held + allocated ≤ on hand + backorder, holds are what is held, movements sum to the level."""
    wrong = [
        *proof.offenders(
            session,
            _level(StockLevel.on_hand, StockLevel.allocated, StockLevel.held).where(
                or_(
                    StockLevel.on_hand
                    - StockLevel.allocated
                    - StockLevel.held
                    + StockLevel.backorder_limit
                    + StockLevel.preorder_limit
                    < 0,
                    StockLevel.held < 0,
                    StockLevel.allocated < 0,
                )
            ),
            lambda row: f"{row[0]} is oversold: {row[1]} on hand, {row[2]} sold, {row[3]} held",
        ),
        *_untrue_holds(session, now),
        *_untrue_movements(session),
        *_untrue_back_orders(session),
    ]
    levels, on_hand, allocated, held = session.execute(
        select(
            func.count(),
            func.sum(StockLevel.on_hand),
            func.sum(StockLevel.allocated),
            func.sum(StockLevel.held),
        )
    ).one()
    return Part(
        f"{levels:,} levels: {on_hand or 0:,} on hand, {allocated or 0:,} sold, {held or 0:,} held",
        proof.first_few(wrong),
    )


def _untrue_back_orders(session: Session) -> tuple[str, ...]:
    """What waits, was released and given up is what was noted; and no more waits than is sold and has not
    left."""
    released = (
        select(func.coalesce(func.sum(BackOrderRelease.quantity), 0))
        .where(BackOrderRelease.back_order_id == BackOrder.id)
        .scalar_subquery()
    )
    sold = (
        select(func.coalesce(func.sum(StockMovement.allocated), 0))
        .where(
            StockMovement.level_id == BackOrder.level_id,
            StockMovement.reference == BackOrder.reference,
        )
        .scalar_subquery()
    )
    row = BackOrder
    wrong = or_(
        row.quantity != row.waiting + row.let_go + released,
        and_(row.waiting > 0, row.waiting > sold),
    )
    return proof.offenders(
        session,
        select(row.reference, row.quantity, row.waiting, row.let_go, released, sold)
        .where(wrong)
        .order_by(row.reference),
        lambda one: (
            f"back-order of {one[0]}: {one[1]} were noted, {one[2]} wait, {one[3]} were given up, "
            f"{one[4]} released; {one[5]} are sold"
        ),
    )


def _level(*columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(Variant.sku, *columns)
        .select_from(StockLevel)
        .join(Variant, Variant.id == StockLevel.variant_id)
        .order_by(Variant.sku)
    )


def _untrue_holds(session: Session, now: datetime) -> tuple[str, ...]:
    """A lapsed hold counts as held until somebody lets it go; an unexpired one always does."""
    every = func.coalesce(func.sum(Hold.quantity), 0)
    unexpired = func.coalesce(func.sum(Hold.quantity).filter(Hold.expires_at > now), 0)
    query = (
        _level(StockLevel.held, every, unexpired)
        .outerjoin(Hold, and_(Hold.level_id == StockLevel.id, Hold.state == "active"))
        .group_by(StockLevel.id, Variant.sku, StockLevel.held)
        .having(or_(every != StockLevel.held, unexpired > StockLevel.held))
    )
    return proof.offenders(
        session,
        query,
        lambda row: f"{row[0]}: {row[1]} held, its holds are {row[2]} ({row[3]} unexpired)",
    )


def _untrue_movements(session: Session) -> tuple[str, ...]:
    on_hand = func.coalesce(func.sum(StockMovement.on_hand), 0)
    allocated = func.coalesce(func.sum(StockMovement.allocated), 0)
    query = (
        _level(StockLevel.on_hand, on_hand, StockLevel.allocated, allocated)
        .outerjoin(StockMovement, StockMovement.level_id == StockLevel.id)
        .group_by(StockLevel.id, Variant.sku, StockLevel.on_hand, StockLevel.allocated)
        .having(or_(on_hand != StockLevel.on_hand, allocated != StockLevel.allocated))
    )
    return proof.offenders(
        session,
        query,
        lambda row: (
            f"{row[0]}: {row[1]} on hand where movements say {row[2]}, "
            f"{row[3]} sold where they say {row[4]}"
        ),
    )
