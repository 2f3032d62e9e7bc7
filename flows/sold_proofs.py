"""Of each order, what stock has sold and not seen leave is what its lines still wait for; for ``verify``."""

from functools import cache
from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.orders.models import Order, OrderLine
from core.stock.models import StockLevel, StockMovement


def what_waits_is_allocated(session: Session) -> Part:
    """By order and variant, where the variant is counted; from both sides."""
    wrong = proof.offenders(
        session,
        _unlike(),
        lambda row: f"{row[0]}: {row[1]} wait to be sent, {row[2]} are kept for it in stock",
    )
    total = proof.count(session, _waiting())
    return Part(f"{total:,} pieces wait to be sent", wrong)


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _unlike() -> Select[*tuple[Any, ...]]:
    counted = select(StockLevel.variant_id).distinct()
    waiting = (
        select(
            literal("order:").concat(Order.public_id).label("about"),
            OrderLine.variant_id.label("variant"),
            (OrderLine.quantity - OrderLine.fulfilled - OrderLine.cancelled).label("waiting"),
            literal(0).label("allocated"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            and_(
                Order.lifecycle.in_(("confirmed", "completed")),
                OrderLine.kind == "physical",
                OrderLine.variant_id.in_(counted),
            )
        )
    )
    allocated = (
        select(
            StockMovement.reference,
            StockLevel.variant_id,
            literal(0),
            StockMovement.allocated,
        )
        .join(StockLevel, StockLevel.id == StockMovement.level_id)
        .where(StockMovement.allocated != 0)
    )
    both = union_all(waiting, allocated).subquery()
    sums = (func.sum(both.c.waiting), func.sum(both.c.allocated))
    return (
        select(both.c.about, *sums)
        .group_by(both.c.about, both.c.variant)
        .having(or_(sums[0] != sums[1]))
        .order_by(both.c.about)
    )


@cache
def _waiting() -> Select[int]:
    return (
        select(func.sum(OrderLine.quantity - OrderLine.fulfilled - OrderLine.cancelled))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.lifecycle == "confirmed", OrderLine.kind == "physical")
    )
