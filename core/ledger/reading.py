"""Reading the journal and the applications, for pages that show how an amount came about."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.models import Application, JournalEntry, JournalLine, LedgerAccount, OpenItem


@dataclass(frozen=True)
class Entry:
    """A journal entry with its sides: account's name and amount, debits positive."""

    number: int
    kind: str
    on: date
    sides: tuple[tuple[str, Money], ...]


def entries_about(session: Session, source_ids: Sequence[uuid.UUID]) -> list[Entry]:
    """The entries that stand for the given things, in posting order."""
    rows = session.execute(
        select(JournalEntry, JournalLine, LedgerAccount.name)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .join(
            LedgerAccount,
            (LedgerAccount.legal_entity_id == JournalLine.legal_entity_id)
            & (LedgerAccount.code == JournalLine.ledger_code),
        )
        .where(JournalEntry.source_id.in_(source_ids))
        .order_by(JournalEntry.posting_number, JournalLine.line_number)
    )
    found: dict[uuid.UUID, tuple[JournalEntry, list[tuple[str, Money]]]] = {}
    for entry, line, name in rows:
        sides = found.setdefault(entry.id, (entry, []))[1]
        # A realised currency difference has no amount but the functional one.
        minor = line.amount_minor or line.functional_minor
        sides.append((name, Money(minor, line.currency)))
    return [
        Entry(entry.posting_number, entry.kind, entry.effective_date, tuple(sides))
        for entry, sides in found.values()
    ]


@dataclass(frozen=True)
class Applied:
    """So much of a source went to an item, on a date."""

    source_id: uuid.UUID
    item_source_id: uuid.UUID
    item_number: str
    amount: Money
    on: date


def applied_from(session: Session, source_ids: Sequence[uuid.UUID]) -> list[Applied]:
    """What the given payments (or other sources) settled."""
    rows = session.execute(
        select(Application, OpenItem)
        .join(OpenItem, OpenItem.id == Application.debit_item_id)
        .where(Application.source_id.in_(source_ids))
        .order_by(Application.posted_at, Application.id)
    )
    return [
        Applied(
            application.source_id,
            item.source_id,
            item.number,
            Money(application.amount_minor, item.currency),
            application.effective_date,
        )
        for application, item in rows
    ]


def applied_to(session: Session, item_id: uuid.UUID) -> list[tuple[str, date, Money]]:
    """What settled an item: kind of the source, date, amount."""
    rows = session.execute(
        select(Application, OpenItem.currency)
        .join(OpenItem, OpenItem.id == Application.debit_item_id)
        .where(Application.debit_item_id == item_id)
        .order_by(Application.posted_at, Application.id)
    )
    return [
        (row.source_kind, row.effective_date, Money(row.amount_minor, currency))
        for row, currency in rows
    ]
