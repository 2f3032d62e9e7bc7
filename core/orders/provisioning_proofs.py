"""Services that a system outside begins: what was asked for is what became of the line that ordered it."""

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.orders.models import Order, OrderLine
from core.orders.provisioning import Provisioning


def provisioned_is_provided(session: Session) -> Part:
    """A wish that is done stands on a line that is provided; one that waits or failed, on one that is not."""
    provided = OrderLine.fulfilled > 0
    is_done = Provisioning.state == "done"
    wrong = or_(
        and_(is_done, ~provided),
        and_(Provisioning.state.in_(("waiting", "failed", "dropped")), provided),
        OrderLine.subscription_id.is_distinct_from(Provisioning.subscription_id),
    )
    query = (
        select(Order.number, OrderLine.line_number, Provisioning.state)
        .select_from(Provisioning)
        .join(OrderLine, OrderLine.id == Provisioning.order_line_id)
        .join(Order, Order.id == Provisioning.order_id)
        .where(wrong)
        .order_by(Order.number, OrderLine.line_number)
    )
    found = proof.offenders(
        session,
        query,
        lambda row: f"order {row[0]}, line {row[1]}: its service is {row[2]} at the system outside",
    )
    counts = select(Provisioning.state, func.count()).group_by(Provisioning.state)
    by_state = {state: int(count) for state, count in session.execute(counts)}
    waiting = by_state.get("waiting", 0) + by_state.get("failed", 0)
    return Part(f"{by_state.get('done', 0):,} begun by a system, {waiting:,} to come", found)
