"""Open items: what is owed, what is held for somebody, and how much of each is still open.

What is open is always an item's amount less what was applied, read here and stored nowhere. Of what is
open a part may be contested.
"""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ScalarSelect,
    Select,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from core.kernel.db import insert_rows
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import rates
from core.ledger.chart import OPEN_ON_DEBIT, RECEIVABLE, RECEIVABLE_CHARGED_BACK
from core.ledger.journal import Side
from core.ledger.models import Application, ContestedAmount, JournalLine, OpenItem
from core.ledger.open_now import OpenNow


def carried(functional_minor: int, whole: int, part: int) -> int:
    """The share of ``part`` of a whole in the whole's functional amount, half up.

    Parts that are taken off one after the other sum to the whole's amount exactly, whatever their sizes.
    """
    return (2 * functional_minor * part + whole) // (2 * whole)


@dataclass(frozen=True)
class Open:
    """An item with what is still open of it."""

    id: uuid.UUID
    legal_entity_id: uuid.UUID
    #: None for money that nobody knows yet.
    account_id: uuid.UUID | None
    ledger_code: str
    side: str
    source_kind: str
    source_id: uuid.UUID
    number: str
    effective_date: date
    due_date: date | None
    amount: Money
    open: Money
    is_history: bool
    order_id: uuid.UUID | None
    #: How much of what is open the payer disputes.
    contested: Money
    #: The whole amount in the functional currency, at the rate of its day.
    functional_minor: int

    @property
    def uncontested(self) -> Money:
        """What is open and not disputed: this may be dunned and drawn."""
        return self.open - self.contested

    def carried(self, open_: Money) -> int:
        """What so much of it is in the functional currency; the whole of it exactly, nothing at zero."""
        return carried(self.functional_minor, self.amount.minor, open_.minor)

    def settle(self, part: Money) -> Side:
        """The line that takes ``part`` off what is open, at the rate it was opened at."""
        return self._line(part, self.carried(self.open) - self.carried(self.open - part))

    def restore(self, part: Money) -> Side:
        """The line that opens ``part`` again, at the rate it was opened at."""
        return self._line(-part, self.carried(self.open) - self.carried(self.open + part))

    def _line(self, part: Money, functional: int) -> Side:
        if self.side == "debit":
            part, functional = -part, -functional
        return Side(self.ledger_code, part, self.account_id, functional)


@dataclass(frozen=True)
class NewItem:
    """An item to be opened under an entry that was just posted."""

    legal_entity_id: uuid.UUID
    account_id: uuid.UUID | None
    ledger_code: str
    amount: Money
    source_kind: str
    source_id: uuid.UUID
    number: str
    effective_date: date
    due_date: date | None = None
    order_id: uuid.UUID | None = None
    is_history: bool = False


def open_item(session: Session, entry_id: uuid.UUID, new: NewItem) -> uuid.UUID:
    """Open an item; what is receivable stands on the debit side, all else on the credit side."""
    return open_many(session, [(entry_id, new)])[0]


def open_many(session: Session, new_items: Sequence[tuple[uuid.UUID, NewItem]]) -> list[uuid.UUID]:
    """Open items, each under its entry; answers their keys in the same order."""
    valued: dict[tuple[object, ...], int] = {}
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "legal_entity_id": new.legal_entity_id,
            "account_id": new.account_id,
            "entry_id": entry_id,
            "ledger_code": new.ledger_code,
            "side": "debit" if new.ledger_code in OPEN_ON_DEBIT else "credit",
            "currency": new.amount.currency,
            "amount_minor": new.amount.minor,
            "functional_minor": _functional(session, entry_id, new, valued),
            "source_kind": new.source_kind,
            "source_id": new.source_id,
            "number": new.number,
            "effective_date": new.effective_date,
            "due_date": new.due_date,
            "order_id": new.order_id,
            "is_history": new.is_history,
        }
        for entry_id, new in new_items
    ]
    insert_rows(session, OpenItem, rows)
    return [row["id"] for row in rows]


def _functional(
    session: Session, entry_id: uuid.UUID, new: NewItem, valued: dict[tuple[object, ...], int]
) -> int:
    """The item's share of its line's functional amount; shares of one line sum exactly to it.

    ``valued`` keeps how much of each line the items before it in the same call took.
    """
    if new.amount.currency == rates.functional_currency(session, new.legal_entity_id):
        return new.amount.minor
    key = (entry_id, new.ledger_code, new.account_id)
    signed = JournalLine.amount_minor
    line = session.execute(
        select(func.sum(JournalLine.amount_minor), func.sum(JournalLine.functional_minor)).where(
            JournalLine.entry_id == entry_id,
            JournalLine.ledger_code == new.ledger_code,
            JournalLine.currency == new.amount.currency,
            JournalLine.account_id.is_not_distinct_from(new.account_id),
            signed > 0 if new.ledger_code in OPEN_ON_DEBIT else signed < 0,
        )
    ).one()
    if not line[0]:
        raise ValueError(f"the entry has no line of {new.ledger_code} for {new.number}")
    whole, functional = abs(int(line[0])), abs(int(line[1]))
    taken = valued.get(key, _opened(session, entry_id, new))
    valued[key] = taken + new.amount.minor
    return carried(functional, whole, valued[key]) - carried(functional, whole, taken)


def _opened(session: Session, entry_id: uuid.UUID, new: NewItem) -> int:
    found = session.scalar(
        select(func.sum(OpenItem.amount_minor)).where(
            OpenItem.entry_id == entry_id,
            OpenItem.ledger_code == new.ledger_code,
            OpenItem.account_id.is_not_distinct_from(new.account_id),
        )
    )
    return int(found or 0)


@dataclass(frozen=True)
class NewApplication:
    """So much of a source or credit item settles so much of a debit item or target."""

    amount: Money
    source_kind: str
    source_id: uuid.UUID
    effective_date: date
    credit_item_id: uuid.UUID | None = None
    debit_item_id: uuid.UUID | None = None
    #: The application that this one takes back; then the amount is negative.
    reverses_id: uuid.UUID | None = None


def apply(session: Session, entry_id: uuid.UUID, now: datetime, new: NewApplication) -> uuid.UUID:
    """Write an application under an entry that was just posted; answers its key."""
    return apply_many(session, [(entry_id, new)], now)[0]


def apply_many(
    session: Session, new_applications: Sequence[tuple[uuid.UUID, NewApplication]], now: datetime
) -> list[uuid.UUID]:
    """Write applications, each under its entry; answers their keys in the same order."""
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "entry_id": entry_id,
            "credit_item_id": new.credit_item_id,
            "debit_item_id": new.debit_item_id,
            "source_kind": new.source_kind,
            "source_id": new.source_id,
            "amount_minor": new.amount.minor,
            "effective_date": new.effective_date,
            "posted_at": now,
            "reverses_id": new.reverses_id,
        }
        for entry_id, new in new_applications
    ]
    insert_rows(session, Application, rows)
    return [row["id"] for row in rows]


def find(session: Session, *where: ColumnElement[bool], as_of: date | None = None) -> list[Open]:
    """Items that meet ``where``, the earliest due first, with what is open of each."""
    return [read(row) for row in session.execute(_query(as_of).where(*where))]


def owed_by(
    session: Session, account_ids: Sequence[uuid.UUID], as_of: date | None = None
) -> list[Open]:
    """What the accounts still owe, the earliest due first; not what a card network holds back."""
    return _still_open(session, account_ids, "debit", as_of)


def held_for(
    session: Session, account_ids: Sequence[uuid.UUID], as_of: date | None = None
) -> list[Open]:
    """Deposits, credits and unapplied money of the accounts that is still there."""
    return _still_open(session, account_ids, "credit", as_of)


def _still_open(
    session: Session, account_ids: Sequence[uuid.UUID], side: str, as_of: date | None
) -> list[Open]:
    """The database leaves out what is settled: an account's history may be long."""
    if as_of is None:
        return open_now(
            session,
            OpenNow.account_id.in_(account_ids),
            OpenNow.side == side,
            OpenNow.ledger_code != RECEIVABLE_CHARGED_BACK,
        )
    return still_open(
        session,
        OpenItem.account_id.in_(account_ids),
        OpenItem.side == side,
        OpenItem.ledger_code != RECEIVABLE_CHARGED_BACK,
        as_of=as_of,
    )


def open_now(session: Session, *where: ColumnElement[bool], limit: int | None = None) -> list[Open]:
    """Items that are open now and meet ``where``, the earliest due first: reads no settled one."""
    query = (
        select(OpenItem, OpenItem.amount_minor - OpenNow.open_minor, contested_of(None))
        .join(OpenNow, OpenNow.item_id == OpenItem.id)
        .where(*where)
        .order_by(OpenNow.due, OpenItem.id)
        .limit(limit)
    )
    return [read(row) for row in session.execute(query)]


def still_open(
    session: Session,
    *where: ColumnElement[bool],
    as_of: date | None = None,
    limit: int | None = None,
) -> list[Open]:
    """Items that meet ``where`` and are not settled, the earliest due first."""
    query = _query(as_of).where(*where, OpenItem.amount_minor > _applied(as_of)).limit(limit)
    return [read(row) for row in session.execute(query)]


def held_for_order(session: Session, order_id: uuid.UUID) -> list[Open]:
    """Deposits and credits that are earmarked to an order, used up ones too."""
    return [read(row) for row in session.execute(_of_order(), {"order": order_id})]


def is_held_for(order: BindParameter[uuid.UUID]) -> ColumnElement[bool]:
    """Whether ``held_for_order`` finds anything: for a question that is asked anyway."""
    earmarked = select(OpenItem.id).where(OpenItem.order_id == order, OpenItem.side == "credit")
    return earmarked.exists()


@functools.cache
def _of_order() -> Select[OpenItem, int, int]:
    return _query(None).where(OpenItem.order_id == bindparam("order"), OpenItem.side == "credit")


def of_sources(session: Session, source_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Open]:
    """The items of the given invoices (or other sources), by source."""
    if not source_ids:
        return {}
    return {item.source_id: item for item in find(session, OpenItem.source_id.in_(source_ids))}


def some(session: Session, item_ids: Sequence[uuid.UUID]) -> list[Open]:
    """The items with these keys."""
    return find(session, OpenItem.id.in_(item_ids))


def owed_under(session: Session, legal_entity_id: uuid.UUID, number: str) -> Open | None:
    """What is open of the bill of this number; None when nothing is."""
    found = find(
        session,
        OpenItem.legal_entity_id == legal_entity_id,
        OpenItem.number == number,
        OpenItem.ledger_code == RECEIVABLE,
    )
    return next((item for item in found if item.open), None)


def get(session: Session, item_id: uuid.UUID) -> Open:
    """One item by its key; it exists."""
    return find(session, OpenItem.id == item_id)[0]


def _applied(as_of: date | None) -> ScalarSelect[int]:
    """How much was applied to, or of, an item."""
    applied = select(func.coalesce(func.sum(Application.amount_minor), 0)).where(
        or_(
            Application.debit_item_id == OpenItem.id,
            Application.credit_item_id == OpenItem.id,
        )
    )
    if as_of is not None:
        applied = applied.where(Application.effective_date <= as_of)
    return applied.correlate(OpenItem).scalar_subquery()


def with_open(as_of: date | None) -> Select[OpenItem, int]:
    """Items with what was applied of each, for proofs that read many."""
    query = select(OpenItem, _applied(as_of))
    return query.where(OpenItem.effective_date <= as_of) if as_of is not None else query


def contested_of(as_of: date | None) -> ScalarSelect[int]:
    """How much of an item is disputed, whether or not so much is open."""
    contested = select(func.coalesce(func.sum(ContestedAmount.amount_minor), 0)).where(
        ContestedAmount.item_id == OpenItem.id
    )
    if as_of is None:
        contested = contested.where(ContestedAmount.closed_at.is_(None))
    else:
        contested = contested.where(
            ContestedAmount.opened_on <= as_of,
            or_(ContestedAmount.closed_on.is_(None), ContestedAmount.closed_on > as_of),
        )
    return contested.correlate(OpenItem).scalar_subquery()


def _query(as_of: date | None) -> Select[OpenItem, int, int]:
    query = select(OpenItem, _applied(as_of), contested_of(as_of))
    if as_of is not None:
        query = query.where(OpenItem.effective_date <= as_of)
    return query.order_by(func.coalesce(OpenItem.due_date, OpenItem.effective_date), OpenItem.id)


def read(row: Sequence[object]) -> Open:
    """The item of a row: itself, how much of it was applied, how much is disputed."""
    item, applied, contested = row[0], row[1], row[2]
    assert isinstance(item, OpenItem)
    amount = Money(item.amount_minor, item.currency)
    open_ = amount - Money(int(str(applied)), item.currency)
    return Open(
        id=item.id,
        legal_entity_id=item.legal_entity_id,
        account_id=item.account_id,
        ledger_code=item.ledger_code,
        side=item.side,
        source_kind=item.source_kind,
        source_id=item.source_id,
        number=item.number,
        effective_date=item.effective_date,
        due_date=item.due_date,
        amount=amount,
        open=open_,
        is_history=item.is_history,
        order_id=item.order_id,
        contested=min(Money(int(str(contested)), item.currency), open_),
        functional_minor=item.functional_minor,
    )
