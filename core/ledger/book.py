"""The journal as a book: its entries with their lines, page by page for the desk, whole for exports."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.kernel.money import Money
from core.ledger.cuts import Cut
from core.ledger.models import JournalEntry, JournalLine, LedgerAccount
from core.parties.models import Account

#: Posting numbers that are read at a time.
BATCH = 1_000


@dataclass(frozen=True)
class Line:
    """One line of an entry: a debit is positive. ``functional`` is in the legal entity's currency."""

    code: str
    name: str
    ledger_class: str
    account_number: str | None
    amount: Money
    functional: int
    rate: str

    @property
    def shown(self) -> Money:
        """The amount, or of a realised currency difference its functional one: it has no other."""
        return self.amount or Money(self.functional, self.amount.currency)


@dataclass(frozen=True)
class Entry:
    """An entry with its lines. ``source_kind`` and ``source_id`` say what it stands for."""

    number: int
    kind: str
    on: date
    posted_at: datetime
    source_kind: str
    source_id: uuid.UUID
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Wanted:
    """Which entries: from a day on, of a kind, with a line on a ledger account or of an account."""

    first: date | None = None
    kind: str = ""
    ledger_code: str = ""
    account_id: uuid.UUID | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """The conditions on journal entries."""
        found: list[ColumnElement[bool]] = []
        if self.first is not None:
            found.append(JournalEntry.effective_date >= self.first)
        if self.kind:
            found.append(JournalEntry.kind == self.kind)
        line = aliased(JournalLine)
        touches = [line.entry_id == JournalEntry.id]
        if self.ledger_code:
            touches.append(line.ledger_code == self.ledger_code)
        if self.account_id is not None:
            touches.append(line.account_id == self.account_id)
        return [*found, exists().where(*touches)] if len(touches) > 1 else found


def page(
    session: Session, cut: Cut, wanted: Wanted, *, before: int | None, limit: int
) -> list[Entry]:
    """Entries, the last posted first; ``before`` is the posting number of the one above."""
    query = select(JournalEntry.id).where(*cut.entries(), *wanted.where())
    if before is not None:
        query = query.where(JournalEntry.posting_number < before)
    keys = session.scalars(query.order_by(JournalEntry.posting_number.desc()).limit(limit)).all()
    return list(reversed(_read(session, [JournalEntry.id.in_(keys)]))) if keys else []


def whole(session: Session, cut: Cut, wanted: Wanted) -> Iterator[tuple[int, int, list[Entry]]]:
    """All entries as they were posted, some at a time, with how far that is and the last number."""
    last = session.scalar(select(func.max(JournalEntry.posting_number)).where(*cut.entries())) or 0
    for first in range(1, last + 1, BATCH):
        until = min(first + BATCH - 1, last)
        among = JournalEntry.posting_number.between(first, until)
        yield until, last, _read(session, [among, *cut.entries(), *wanted.where()])


def kinds(session: Session, legal_entity_id: uuid.UUID) -> Sequence[str]:
    """The kinds of entries that there are."""
    mine = JournalEntry.legal_entity_id == legal_entity_id
    query = select(JournalEntry.kind).where(mine).distinct().order_by(JournalEntry.kind)
    return session.scalars(query).all()


def chart(session: Session, legal_entity_id: uuid.UUID) -> list[tuple[str, str]]:
    """The ledger accounts of a legal entity: code and name, by name."""
    query = select(LedgerAccount.code, LedgerAccount.name)
    rows = session.execute(
        query.where(LedgerAccount.legal_entity_id == legal_entity_id).order_by(LedgerAccount.name)
    )
    return [(code, name) for code, name in rows]


def _read(session: Session, where: Sequence[ColumnElement[bool]]) -> list[Entry]:
    """Entries in posting order with all their lines."""
    rows = session.execute(
        select(
            JournalEntry.id,
            JournalEntry.posting_number,
            JournalEntry.kind,
            JournalEntry.effective_date,
            JournalEntry.posted_at,
            JournalEntry.source_kind,
            JournalEntry.source_id,
            LedgerAccount.code,
            LedgerAccount.name,
            LedgerAccount.ledger_class,
            Account.number,
            JournalLine.amount_minor,
            JournalLine.currency,
            JournalLine.functional_minor,
            JournalLine.rate,
        )
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .join(
            LedgerAccount,
            (LedgerAccount.legal_entity_id == JournalLine.legal_entity_id)
            & (LedgerAccount.code == JournalLine.ledger_code),
        )
        .outerjoin(Account, Account.id == JournalLine.account_id)
        .where(*where)
        .order_by(JournalEntry.posting_number, JournalLine.line_number)
    )
    heads: dict[uuid.UUID, tuple[int, str, date, datetime, str, uuid.UUID]] = {}
    lines: dict[uuid.UUID, list[Line]] = {}
    for key, number, kind, on, posted_at, source_kind, source_id, *line in rows:
        heads.setdefault(key, (number, kind, on, posted_at, source_kind, source_id))
        code, name, ledger_class, account_number, minor, currency, functional, rate = line
        money = Money(minor, currency)
        lines.setdefault(key, []).append(
            Line(code, name, ledger_class, account_number, money, functional, rate)
        )
    return [Entry(*head, tuple(lines[key])) for key, head in heads.items()]
