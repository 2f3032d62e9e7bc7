"""What the counts on order lines are held against: parcels, cancellations, returns, and stock."""

from functools import cache
from typing import Any

from sqlalchemy import Select, Subquery, func, or_, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.orders.fulfilment_models import (
    Fulfilment,
    FulfilmentLine,
    OrderChange,
    OrderChangeLine,
)
from core.orders.models import Order, OrderLine


def pieces_are_counted(session: Session) -> Part:
    """What lines count as sent, cancelled and returned is what parcels and changes say; no more than
    was ordered, and none came back that was not sent."""
    wrong = proof.offenders(
        session,
        _miscounted(),
        lambda row: (
            f"order {row[0]}, line {row[1]}: {row[2]} sent (parcels say {row[3]}), "
            f"{row[4]} cancelled ({row[5]}), {row[6]} returned ({row[7]})"
        ),
    )
    parcels = proof.count(session, _parcels())
    return Part(f"{parcels:,} parcels", wrong)


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _miscounted() -> Select[*tuple[Any, ...]]:
    sent, cancelled, back = _sent(), _changed("cancellation", "change"), _changed("return")
    return (
        select(
            Order.number,
            OrderLine.line_number,
            OrderLine.fulfilled,
            func.coalesce(sent.c.pieces, 0),
            OrderLine.cancelled,
            func.coalesce(cancelled.c.pieces, 0),
            OrderLine.returned,
            func.coalesce(back.c.pieces, 0),
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(sent, sent.c.line == OrderLine.id)
        .outerjoin(cancelled, cancelled.c.line == OrderLine.id)
        .outerjoin(back, back.c.line == OrderLine.id)
        .where(
            or_(
                OrderLine.fulfilled != func.coalesce(sent.c.pieces, 0),
                OrderLine.cancelled != func.coalesce(cancelled.c.pieces, 0),
                OrderLine.returned != func.coalesce(back.c.pieces, 0),
                OrderLine.fulfilled + OrderLine.cancelled > OrderLine.quantity,
                OrderLine.returned > OrderLine.fulfilled,
            )
        )
        .order_by(Order.number, OrderLine.line_number)
    )


def _sent() -> Subquery:
    return (
        select(
            FulfilmentLine.order_line_id.label("line"),
            func.sum(FulfilmentLine.quantity).label("pieces"),
        )
        .group_by(FulfilmentLine.order_line_id)
        .subquery("sent")
    )


def _changed(*kinds: str) -> Subquery:
    query = (
        select(
            OrderChangeLine.order_line_id.label("line"),
            func.sum(OrderChangeLine.quantity).label("pieces"),
        )
        .join(OrderChange, OrderChange.id == OrderChangeLine.change_id)
        .where(OrderChange.kind.in_(kinds), OrderChange.state.in_(("announced", "done")))
        .group_by(OrderChangeLine.order_line_id)
    )
    return query.subquery(kinds[0])


@cache
def _parcels() -> Select[int]:
    return select(func.count()).select_from(Fulfilment).where(Fulfilment.kind == "parcel")
