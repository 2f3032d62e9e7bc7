"""An account's history: each entry that changed what it owes or what is held for it, with the balance."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.chart import (
    CUSTOMER_CREDIT,
    ORDER_DEPOSIT,
    RECEIVABLE,
    RECEIVABLE_CHARGED_BACK,
    UNAPPLIED,
)
from core.ledger.cuts import Cut
from core.ledger.models import JournalEntry, JournalLine

#: What an account's position is made of: owed on the debit side, held for it on the credit side.
POSITION = (RECEIVABLE, RECEIVABLE_CHARGED_BACK, ORDER_DEPOSIT, CUSTOMER_CREDIT, UNAPPLIED)


class Place(NamedTuple):
    """Where a movement stands in the history; the cursor of its pages."""

    on: date
    number: int
    currency: str


@dataclass(frozen=True)
class Movement:
    """One entry's change of the position, and the position after it; positive is owed by the account.

    Zero is a change from one ledger account to another, as when a deposit is used on a bill.
    """

    place: Place
    posted_at: datetime
    kind: str
    source_kind: str
    source_id: uuid.UUID
    change: Money
    balance: Money


def newest(
    session: Session, account_id: uuid.UUID, cut: Cut, *, before: Place | None, limit: int
) -> list[Movement]:
    """Movements, the newest first; ``before`` is the place of the one above."""
    day, number, currency = _KEYS
    query, sums = _changes(account_id, cut), _balances(account_id, cut)
    if before is not None:
        earlier = _earlier(before)
        query, sums = query.where(earlier), sums.where(earlier)
    balances = {code: int(minor) for code, minor in session.execute(sums)}
    found = []
    for row in session.execute(query.order_by(day.desc(), number.desc(), currency).limit(limit)):
        movement = _movement(row, balances[row.currency])
        balances[row.currency] -= movement.change.minor
        found.append(movement)
    return found


def whole(session: Session, account_id: uuid.UUID, cut: Cut) -> Iterator[Movement]:
    """All movements, the oldest first, read row by row."""
    query = _changes(account_id, cut).order_by(_KEYS[0], _KEYS[1], _KEYS[2].desc())
    balances: dict[str, int] = {}
    for row in session.execute(query, execution_options={"yield_per": 500}):
        balances[row.currency] = balances.get(row.currency, 0) + int(row.change)
        yield _movement(row, balances[row.currency])


_KEYS: tuple[Any, Any, Any] = (
    JournalEntry.effective_date,
    JournalEntry.posting_number,
    JournalLine.currency,
)


def _earlier(place: Place) -> Any:
    day, number, currency = _KEYS
    return or_(
        tuple_(day, number) < tuple_(place.on, place.number),
        (day == place.on) & (number == place.number) & (currency > place.currency),
    )


def _mine(query: Select[*tuple[Any, ...]], account_id: uuid.UUID, cut: Cut) -> Any:
    return query.join(JournalEntry, JournalEntry.id == JournalLine.entry_id).where(
        JournalLine.account_id == account_id,
        JournalLine.ledger_code.in_(POSITION),
        *cut.entries(),
    )


def _changes(account_id: uuid.UUID, cut: Cut) -> Any:
    keys = (
        *_KEYS,
        JournalEntry.posted_at,
        JournalEntry.kind,
        JournalEntry.source_kind,
        JournalEntry.source_id,
    )
    query = select(*keys, func.sum(JournalLine.amount_minor).label("change"))
    return _mine(query.select_from(JournalLine), account_id, cut).group_by(*keys)


def _balances(account_id: uuid.UUID, cut: Cut) -> Any:
    query = select(JournalLine.currency, func.sum(JournalLine.amount_minor))
    return _mine(query.select_from(JournalLine), account_id, cut).group_by(JournalLine.currency)


def _movement(row: Any, balance: int) -> Movement:
    return Movement(
        Place(row.effective_date, row.posting_number, row.currency),
        row.posted_at,
        row.kind,
        row.source_kind,
        row.source_id,
        Money(int(row.change), row.currency),
        Money(balance, row.currency),
    )
