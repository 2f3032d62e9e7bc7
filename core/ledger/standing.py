"""What some accounts owe and hold, summed by the database: for pages that must not grow with a history."""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Date, Select, bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import items
from core.ledger.chart import CUSTOMER_CREDIT, ORDER_DEPOSIT, RECEIVABLE, UNAPPLIED
from core.ledger.items import Open
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


def stands(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str, today: date
) -> tuple[list[Owes], Money]:
    """A row for each account that owes, and what is held for all of them: deposits, credits and unapplied
    money. What was brought in from another system is not owed."""
    asked = {"accounts": list(account_ids), "currency": currency, "today": today}
    found = session.execute(_stands(), asked).all()
    held = sum(int(row[3]) for row in found if row[1] != RECEIVABLE)
    owing = [row for row in found if row[1] == RECEIVABLE]
    return _owes(session, owing, account_ids, currency, today), Money(held, currency)


def _owes(
    session: Session,
    found: Sequence[Any],
    account_ids: Sequence[uuid.UUID],
    currency: str,
    today: date,
) -> list[Owes]:
    rows = [(key, *sums) for key, _, *sums in found]
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


def first_owed(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str, limit: int
) -> list[Open]:
    """The first of what some accounts owe in a currency, the earliest due first; no history."""
    asked = {"accounts": list(account_ids), "currency": currency, "limit": limit}
    return [items.read(row) for row in session.execute(_first_owed(), asked)]


@functools.cache
def _first_owed() -> Select[OpenItem, int, int]:
    return (
        select(OpenItem, OpenItem.amount_minor - OpenNow.open_minor, items.contested_of(None))
        .join(OpenNow, OpenNow.item_id == OpenItem.id)
        .where(
            OpenNow.account_id.in_(bindparam("accounts", expanding=True)),
            OpenNow.ledger_code == RECEIVABLE,
            OpenNow.currency == bindparam("currency"),
            ~OpenItem.is_history,
        )
        .order_by(OpenNow.due, OpenNow.item_id)
        .limit(bindparam("limit"))
    )


@functools.cache
def _stands() -> Any:
    is_late, minor = OpenNow.due < bindparam("today", type_=Date()), OpenNow.open_minor
    return (
        select(
            OpenNow.account_id,
            OpenNow.ledger_code,
            func.count(),
            func.sum(minor),
            func.sum(case((is_late, 1), else_=0)),
            func.sum(case((is_late, minor), else_=0)),
            func.min(OpenNow.due),
        )
        .where(
            OpenNow.account_id.in_(bindparam("accounts", expanding=True)),
            OpenNow.ledger_code.in_((RECEIVABLE, ORDER_DEPOSIT, CUSTOMER_CREDIT, UNAPPLIED)),
            OpenNow.currency == bindparam("currency"),
            or_(OpenNow.ledger_code != RECEIVABLE, OpenNow.item_id.not_in(_history())),
        )
        .group_by(OpenNow.account_id, OpenNow.ledger_code)
    )


def _owed_by() -> tuple[Any, ...]:
    return (
        OpenNow.account_id.in_(bindparam("accounts", expanding=True)),
        OpenNow.ledger_code == RECEIVABLE,
        OpenNow.currency == bindparam("currency"),
    )


def _history() -> Any:
    """Items of another system: few accounts have any, and an index of their own finds them."""
    mine = OpenItem.account_id.in_(bindparam("accounts", expanding=True))
    return select(OpenItem.id).where(mine, OpenItem.is_history)


def _contested(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str, today: date
) -> dict[uuid.UUID, int]:
    """How much of what is late is contested, by account."""
    asked = {"accounts": list(account_ids), "currency": currency, "today": today}
    found: dict[uuid.UUID, int] = {}
    for _, account_id, open_, contested in session.execute(_late_and_contested(), asked):
        if account_id is not None:
            found[account_id] = found.get(account_id, 0) + min(int(open_), int(contested))
    return found


@functools.cache
def _late_and_contested() -> Any:
    keys = (OpenNow.item_id, OpenNow.account_id, OpenNow.open_minor)
    return (
        select(*keys, func.sum(ContestedAmount.amount_minor))
        .join(ContestedAmount, ContestedAmount.item_id == OpenNow.item_id)
        .where(
            *_owed_by(),
            OpenNow.due < bindparam("today", type_=Date()),
            ContestedAmount.closed_at.is_(None),
        )
        .group_by(*keys)
    )
