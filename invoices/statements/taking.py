"""What a statement takes from the ledger: entries by posting number, what is open at a cut-off, and the
documents that entries stand for. Reads only; called by ``making`` and ``proofs``.

Posting numbers are given out under a lock that is held to the commit, so that whoever sees a number
sees every entry before it: a range of numbers is whole when it is read.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.ledger.chart import ORDER_DEPOSIT, RECEIVABLE, RECEIVABLE_CHARGED_BACK
from core.ledger.models import (
    Application,
    ContestedAmount,
    JournalEntry,
    JournalLine,
    OpenItem,
)
from core.parties.models import Account
from invoices.models import Invoice, InvoiceLine
from invoices.statements.rolling import BALANCE

#: How many keys are asked for at once.
_CHUNK = 500


class Taken(NamedTuple):
    """An entry's change of one account's balance, in minor units."""

    account_id: uuid.UUID
    entry_id: uuid.UUID
    posting: int
    kind: str
    on: date
    source_kind: str
    source_id: uuid.UUID
    minor: int


def last_posting_before(session: Session, legal_entity_id: uuid.UUID, moment: datetime) -> int:
    """The last posting number that was given out before ``moment``; 0 when there was none."""
    found = session.scalar(
        select(JournalEntry.posting_number)
        .where(JournalEntry.legal_entity_id == legal_entity_id, JournalEntry.posted_at < moment)
        .order_by(JournalEntry.posting_number.desc())
        .limit(1)
    )
    return found or 0


def first_posted(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str
) -> datetime | None:
    """When the first entry was posted that changed the balance of any of the accounts."""
    found: datetime | None = session.scalar(
        select(func.min(JournalEntry.posted_at))
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalLine.account_id.in_(account_ids),
            JournalLine.currency == currency,
            JournalLine.ledger_code.in_(BALANCE),
        )
    )
    return found


def entries(
    session: Session, account: Account, currency: str, after: int, upto: int
) -> list[Taken]:
    """The entries of one account in a range of posting numbers that changed its balance, by date."""
    keys = (
        JournalEntry.id,
        JournalEntry.posting_number,
        JournalEntry.kind,
        JournalEntry.effective_date,
        JournalEntry.source_kind,
        JournalEntry.source_id,
    )
    change = func.sum(JournalLine.amount_minor)
    rows = session.execute(
        select(*keys, change)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalLine.account_id == account.id,
            JournalLine.currency == currency,
            JournalLine.ledger_code.in_(BALANCE),
            JournalEntry.legal_entity_id == account.legal_entity_id,
            JournalEntry.posting_number > after,
            JournalEntry.posting_number <= upto,
        )
        .group_by(*keys)
        .having(change != 0)
        .order_by(JournalEntry.effective_date, JournalEntry.posting_number)
    )
    return [Taken(account.id, *row[:6], int(row[6])) for row in rows]


def balances(session: Session, account: Account, currency: str, upto: int) -> dict[str, int]:
    """The account's balance by ledger account up to a posting number; debits positive."""
    rows = session.execute(
        select(JournalLine.ledger_code, func.sum(JournalLine.amount_minor))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalLine.account_id == account.id,
            JournalLine.currency == currency,
            JournalLine.ledger_code.in_((*BALANCE, ORDER_DEPOSIT)),
            JournalEntry.legal_entity_id == account.legal_entity_id,
            JournalEntry.posting_number <= upto,
        )
        .group_by(JournalLine.ledger_code)
    )
    return {code: int(minor) for code, minor in rows}


@dataclass(frozen=True)
class Owed:
    """An item that was still open at a cut-off. ``contested``: how much of it is disputed now."""

    ledger_code: str
    due: date
    minor: int
    contested: int
    is_history: bool


def owed(session: Session, account: Account, currency: str, upto: int) -> list[Owed]:
    """What the account owed at a cut-off, item by item."""
    entry = (
        select(JournalEntry.posting_number)
        .where(JournalEntry.id == Application.entry_id)
        .correlate(Application)
        .scalar_subquery()
    )
    applied = (
        select(func.coalesce(func.sum(Application.amount_minor), 0))
        .where(Application.debit_item_id == OpenItem.id, entry <= upto)
        .correlate(OpenItem)
        .scalar_subquery()
    )
    contested = (
        select(func.coalesce(func.sum(ContestedAmount.amount_minor), 0))
        .where(ContestedAmount.item_id == OpenItem.id, ContestedAmount.closed_at.is_(None))
        .correlate(OpenItem)
        .scalar_subquery()
    )
    rows = session.execute(
        select(OpenItem, OpenItem.amount_minor - applied, contested)
        .join(JournalEntry, JournalEntry.id == OpenItem.entry_id)
        .where(
            OpenItem.account_id == account.id,
            OpenItem.currency == currency,
            OpenItem.ledger_code.in_((RECEIVABLE, RECEIVABLE_CHARGED_BACK)),
            JournalEntry.posting_number <= upto,
            OpenItem.amount_minor > applied,
        )
    )
    return [
        Owed(
            item.ledger_code,
            item.due_date or item.effective_date,
            int(open_),
            min(int(open_), int(disputed)),
            item.is_history,
        )
        for item, open_, disputed in rows
    ]


@dataclass(frozen=True)
class Told:
    """A document that entries stand for, as a statement names it."""

    kind: str
    number: str
    service_account_id: uuid.UUID
    due_date: date | None
    first_line: str
    line_count: int


def documents(session: Session, taken: Sequence[Taken]) -> dict[uuid.UUID, Told]:
    """What the entries stand for, by the entry's source: its document, or the one that it settles."""
    found: dict[uuid.UUID, Told] = {}
    for chunk in _chunks({each.source_id for each in taken}):
        counts = session.execute(
            select(InvoiceLine.invoice_id, func.count())
            .where(InvoiceLine.invoice_id.in_(chunk), InvoiceLine.parent_id.is_(None))
            .group_by(InvoiceLine.invoice_id)
        )
        count = {row[0]: int(row[1]) for row in counts}
        firsts = session.execute(
            select(InvoiceLine.invoice_id, InvoiceLine.name).where(
                InvoiceLine.invoice_id.in_(chunk), InvoiceLine.line_number == 1
            )
        )
        first = {row[0]: row[1] for row in firsts}
        for row in session.execute(
            select(
                Invoice.id,
                Invoice.kind,
                Invoice.number,
                Invoice.service_account_id,
                Invoice.due_date,
            ).where(Invoice.id.in_(chunk))
        ):
            found[row.id] = Told(
                row.kind,
                row.number,
                row.service_account_id,
                row.due_date,
                first.get(row.id, ""),
                count.get(row.id, 0),
            )
    return found


def service_accounts(
    session: Session, entry_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, uuid.UUID]:
    """The service account that an entry is about by what it was applied to, where that is one alone."""
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    for chunk in _chunks(set(entry_ids)):
        for entry_id, service_id in session.execute(
            select(Application.entry_id, Invoice.service_account_id)
            .join(OpenItem, OpenItem.id == Application.debit_item_id)
            .join(Invoice, Invoice.id == OpenItem.source_id)
            .where(Application.entry_id.in_(chunk))
        ):
            found.setdefault(entry_id, set()).add(service_id)
    return {entry: next(iter(about)) for entry, about in found.items() if len(about) == 1}


def _chunks(keys: set[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    ordered: list[Any] = sorted(keys)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
