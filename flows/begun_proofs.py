"""What orders have provided against what services have begun: the two rooms, line by line."""

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.orders.models import Order, OrderLine
from core.orders.provisioning import Provisioning
from core.subscriptions.models import Subscription


def what_is_provided_has_begun(session: Session) -> Part:
    """A plan's line of an order is provided exactly when its service has begun, and what a system outside was
    asked for says so on the same day."""
    begun = Subscription.activated_on.is_not(None)
    wrong = or_(
        and_(OrderLine.fulfilled > 0, ~begun),
        and_(begun, OrderLine.fulfilled == 0),
        and_(
            Provisioning.state == "done",
            Provisioning.began_on.is_distinct_from(Subscription.activated_on),
        ),
        and_(Provisioning.state.in_(("waiting", "failed")), Subscription.state != "ordered"),
    )
    rows = (
        select(Order.number, OrderLine.line_number, Subscription.public_id)
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Subscription, Subscription.id == OrderLine.subscription_id)
        .outerjoin(Provisioning, Provisioning.order_line_id == OrderLine.id)
        .where(OrderLine.period_index == 0)
    )
    found = proof.offenders(
        session,
        rows.where(wrong).order_by(Order.number, OrderLine.line_number),
        lambda row: f"order {row[0]}, line {row[1]}: service {row[2]} is not as it is provided",
    )
    counted = session.execute(
        select(func.count(), func.coalesce(func.sum(case((begun, 1), else_=0)), 0))
        .select_from(OrderLine)
        .join(Subscription, Subscription.id == OrderLine.subscription_id)
        .where(OrderLine.period_index == 0)
    ).one()
    return Part(f"{counted[1]:,} of {counted[0]:,} ordered services have begun", found)
