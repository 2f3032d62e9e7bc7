"""Of each order, what stock has sold and not seen leave is what its lines still wait for; for ``verify``."""

from functools import cache
from typing import Any

from sqlalchemy import Select, and_, func, literal, not_, or_, select, union_all
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel import proof
from core.kernel.proof import Part
from core.orders.models import Order, OrderLine
from core.stock.models import LogicalResource, StockLevel, StockMovement
from core.subscriptions.models import Subscription


def what_waits_is_allocated(session: Session) -> Part:
    """By order and variant, where the variant is counted; from both sides."""
    wrong = proof.offenders(
        session,
        _unlike(),
        lambda row: f"{row[0]}: {row[1]} wait to be sent, {row[2]} are kept for it in stock",
    )
    total = proof.count(session, _waiting())
    return Part(f"{total:,} pieces wait to be sent", wrong)


def what_is_sold_has_its_numbers(session: Session) -> Part:
    """Of what is sold by numbers: a line has one for each piece that was not cancelled, and keeps it until it
    comes back or its service ends; nothing else has any."""
    wrong = proof.offenders(
        session,
        _without_numbers(),
        lambda row: f"{row[0]}, line {row[1]}: {row[2]} numbers for {row[3]} pieces",
    )
    query = select(func.count()).where(LogicalResource.state == "assigned")
    return Part(f"{proof.count(session, query):,} numbers and keys are given out", wrong)


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _unlike() -> Select[*tuple[Any, ...]]:
    counted = select(StockLevel.variant_id).distinct()
    numbered = select(Variant.id).where(Variant.numbered)
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
        .where(StockMovement.allocated != 0, StockLevel.variant_id.not_in(numbered))
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
def _without_numbers() -> Select[*tuple[Any, ...]]:
    line = OrderLine
    has = func.count(LogicalResource.id)
    most = line.quantity - line.cancelled
    placed = Order.lifecycle.in_(("confirmed", "completed"))
    ended = func.coalesce(Subscription.state, "") == "ended"
    return (
        select(Order.public_id, line.line_number, has, line.quantity)
        .select_from(line)
        .join(Order, Order.id == line.order_id)
        .outerjoin(Subscription, Subscription.id == line.subscription_id)
        .outerjoin(LogicalResource, LogicalResource.line_id == line.id)
        .where(line.numbered)
        .group_by(line.id, Order.public_id, Order.lifecycle, Subscription.state)
        .having(
            or_(
                has > most,
                and_(placed, not_(ended), has < most - line.returned),
                and_(or_(not_(placed), ended), has > 0),
            )
        )
        .order_by(Order.public_id, line.line_number)
    )


@cache
def _waiting() -> Select[int]:
    return (
        select(func.sum(OrderLine.quantity - OrderLine.fulfilled - OrderLine.cancelled))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.lifecycle == "confirmed", OrderLine.kind == "physical")
    )
