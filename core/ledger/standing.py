"""What some accounts owe and hold, summed by the database: for pages that must not grow with a history."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.chart import CUSTOMER_CREDIT, ORDER_DEPOSIT, RECEIVABLE, UNAPPLIED
from core.ledger.models import ContestedAmount, OpenItem
from core.ledger.open_now import OpenNow


@dataclass(frozen=True)
class Owes:
    """What one account owes in one currency. ``late`` was due before today; a part of it may be contested."""

    account_id: uuid.UUID
    count: int
    open: Money
    late_count: int
    late: Money
    first_due: date
    contested: Money


def owed(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str, today: date
) -> list[Owes]:
    """A row for each account that owes; what was brought in from another system is left out."""
    is_late, minor = OpenNow.due < today, OpenNow.open_minor
    query: Any = (
        select(
            OpenNow.account_id,
            func.count(),
            func.sum(minor),
            func.sum(case((is_late, 1), else_=0)),
            func.sum(case((is_late, minor), else_=0)),
            func.min(OpenNow.due),
        )
        .where(*_owed_by(account_ids, currency), OpenNow.item_id.not_in(_history(account_ids)))
        .group_by(OpenNow.account_id)
    )
    rows = session.execute(query).all()
    is_any_late = any(late_count for _, _, _, late_count, _, _ in rows)
    disputed = _contested(session, account_ids, currency, today) if is_any_late else {}
    return [
        Owes(
            key,
            int(count),
            Money(int(whole), currency),
            int(late_count),
            Money(int(late), currency),
            first,
            Money(disputed.get(key, 0), currency),
        )
        for key, count, whole, late_count, late, first in rows
    ]


def held(session: Session, account_ids: Sequence[uuid.UUID], currency: str) -> Money:
    """Deposits, credits and unapplied money of the accounts together."""
    found = session.scalar(
        select(func.sum(OpenNow.open_minor)).where(
            OpenNow.account_id.in_(account_ids),
            OpenNow.ledger_code.in_((ORDER_DEPOSIT, CUSTOMER_CREDIT, UNAPPLIED)),
            OpenNow.currency == currency,
        )
    )
    return Money(int(found or 0), currency)


def _owed_by(account_ids: Sequence[uuid.UUID], currency: str) -> tuple[Any, ...]:
    return (
        OpenNow.account_id.in_(account_ids),
        OpenNow.ledger_code == RECEIVABLE,
        OpenNow.currency == currency,
    )


def _history(account_ids: Sequence[uuid.UUID]) -> Any:
    """Items of another system: few accounts have any, and an index of their own finds them."""
    return select(OpenItem.id).where(OpenItem.account_id.in_(account_ids), OpenItem.is_history)


def _contested(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str, today: date
) -> dict[uuid.UUID, int]:
    """How much of what is late is contested, by account."""
    keys = (OpenNow.item_id, OpenNow.account_id, OpenNow.open_minor)
    rows = session.execute(
        select(*keys, func.sum(ContestedAmount.amount_minor))
        .join(ContestedAmount, ContestedAmount.item_id == OpenNow.item_id)
        .where(
            *_owed_by(account_ids, currency),
            OpenNow.due < today,
            ContestedAmount.closed_at.is_(None),
        )
        .group_by(*keys)
    )
    found: dict[uuid.UUID, int] = {}
    for _, account_id, open_, contested in rows:
        if account_id is not None:
            found[account_id] = found.get(account_id, 0) + min(int(open_), int(contested))
    return found
