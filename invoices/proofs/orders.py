"""What orders come to is what their documents say; for ``verify``."""

from functools import cache
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.orders.models import Order
from invoices.models import Invoice


def they_come_to_their_documents(session: Session) -> Part:
    """As placed, with what bills of changes and debit memos added, without what credit memos gave back."""
    wrong = proof.offenders(
        session,
        _unlike(),
        lambda row: f"order {row[0] or row[1]} is worth {row[2]}, by its documents {row[3]}",
    )
    return Part(f"{proof.count(session, _changed()):,} orders are worth another sum now", wrong)


@cache
def _unlike() -> Select[*tuple[Any, ...]]:
    signed = case((Invoice.kind == "credit_memo", -Invoice.total_minor), else_=Invoice.total_minor)
    later = (
        select(Invoice.order_id, func.sum(signed).label("more"))
        .where(
            Invoice.order_id.is_not(None),
            (Invoice.kind != "invoice") | Invoice.order_change_id.is_not(None),
        )
        .group_by(Invoice.order_id)
        .subquery()
    )
    told = Order.due_now_minor + func.coalesce(later.c.more, 0)
    return (
        select(Order.number, Order.public_id, Order.worth_minor, told)
        .outerjoin(later, later.c.order_id == Order.id)
        .where(Order.worth_minor != told)
        .order_by(Order.public_id)
    )


@cache
def _changed() -> Select[int]:
    changed = Order.worth_minor != Order.due_now_minor
    return select(func.count()).select_from(Order).where(changed)
