"""Tenders: the ways of paying that make up one order's or one bill payment's total."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger.models import Tender


def reserve(
    session: Session,
    account_id: uuid.UUID,
    kind: str,
    amount: Money,
    now: datetime,
    order_id: uuid.UUID | None = None,
    *,
    operation_id: uuid.UUID | None = None,
    open_item_id: uuid.UUID | None = None,
    position: int = 0,
) -> None:
    """Write a tender that waits for its money."""
    session.add(
        Tender(
            id=new_id(),
            account_id=account_id,
            order_id=order_id,
            operation_id=operation_id,
            open_item_id=open_item_id,
            position=position,
            kind=kind,
            amount_minor=amount.minor,
            currency=amount.currency,
            state="reserved",
            created_at=now,
        )
    )
    session.flush()


def of_operation(session: Session, operation_id: uuid.UUID) -> Sequence[Tender]:
    """The tenders that one operation pays, in their order."""
    return session.scalars(
        select(Tender).where(Tender.operation_id == operation_id).order_by(Tender.position)
    ).all()


def conclude(
    session: Session,
    state: str,
    *,
    operation_id: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
) -> None:
    """``committed`` or ``released``: all reserved tenders of an operation or an order together."""
    query = update(Tender).where(Tender.state == "reserved")
    if operation_id is not None:
        query = query.where(Tender.operation_id == operation_id)
    else:
        query = query.where(Tender.order_id == order_id)
    session.execute(query.values(state=state))
