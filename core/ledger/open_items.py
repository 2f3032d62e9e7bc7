"""The open items of one account, page by page, the earliest due first; for the desk."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.cuts import Cut, settle
from core.ledger.models import Application, OpenItem
from core.ledger.open_now import OpenNow


@dataclass(frozen=True)
class Waiting:
    """An item of which something was open. ``due`` is its own day where it has no due date."""

    id: uuid.UUID
    ledger_code: str
    source_id: uuid.UUID
    number: str
    on: date
    due: date
    amount: Money
    open: Money


def page(
    session: Session,
    account_id: uuid.UUID,
    cut: Cut,
    *,
    after: tuple[date, uuid.UUID] | None,
    limit: int,
) -> list[Waiting]:
    """Items that were open at the cut; ``after`` is due day and key of the one above."""
    cut = settle(session, cut)
    due: Any = func.coalesce(OpenItem.due_date, OpenItem.effective_date)
    open_: Any
    if cut.whole:
        due, open_ = OpenNow.due, OpenNow.open_minor
        query = select(OpenItem, due, open_).join(OpenNow, OpenNow.item_id == OpenItem.id)
        query = query.where(OpenNow.account_id == account_id)
    else:
        open_ = OpenItem.amount_minor - _applied(cut)
        query = select(OpenItem, due, open_).where(OpenItem.account_id == account_id, open_ > 0)
    query = query.where(*cut.items()).order_by(due, OpenItem.id).limit(limit)
    if after is not None:
        query = query.where(tuple_(due, OpenItem.id) > tuple_(*after))
    return [_waiting(*row) for row in session.execute(query)]


def _applied(cut: Cut) -> Any:
    sides = or_(Application.debit_item_id == OpenItem.id, Application.credit_item_id == OpenItem.id)
    query = select(func.coalesce(func.sum(Application.amount_minor), 0))
    return query.where(sides, *cut.applications()).correlate(OpenItem).scalar_subquery()


def _waiting(item: OpenItem, due: date, open_: Any) -> Waiting:
    return Waiting(
        item.id,
        item.ledger_code,
        item.source_id,
        item.number,
        item.effective_date,
        due,
        Money(item.amount_minor, item.currency),
        Money(int(open_), item.currency),
    )
