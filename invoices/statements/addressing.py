"""Whose statement an account's postings stand on: its own, or that of a parent, where it says so.

The statement's account is called its addressee. Reads only.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from core.kernel import calendar
from core.kernel.clock import local_date
from core.ledger.models import JournalEntry, JournalLine
from core.parties.models import Account
from invoices.statements.models import Statement, StatementRange
from invoices.statements.rolling import BALANCE


@dataclass(frozen=True)
class Due:
    """An account and currency that a bill day has passed for."""

    account_id: uuid.UUID
    number: str
    currency: str


def addressee(account_id: uuid.UUID, parents: Mapping[uuid.UUID, uuid.UUID]) -> uuid.UUID:
    """Up the parents for as long as each is stated with its own; the accounts know no cycles."""
    for _ in range(len(parents) + 1):
        if account_id not in parents:
            break
        account_id = parents[account_id]
    return account_id


def stated_elsewhere(session: Session) -> dict[uuid.UUID, uuid.UUID]:
    """Accounts without statements of their own, and the parents that they are stated with."""
    parent = aliased(Account)
    rows = session.execute(
        select(Account.id, parent.id)
        .join(parent, parent.id == Account.parent_id)
        .where(
            Account.is_stated_with_parent,
            parent.legal_entity_id == Account.legal_entity_id,
        )
    )
    return {row[0]: row[1] for row in rows}


def members(session: Session, account: Account) -> list[Account]:
    """The accounts that are stated on this account's statement: itself first, then by number."""
    parents = stated_elsewhere(session)
    if account.id in parents:
        return []
    children = [key for key in parents if addressee(key, parents) == account.id]
    found = session.scalars(
        select(Account).where(Account.id.in_(children)).order_by(Account.number)
    )
    return [account, *found]


def last_ranges(
    session: Session, accounts: list[Account], currency: str
) -> dict[uuid.UUID, StatementRange]:
    """The last range of postings that was taken of each account, whichever statement took it."""
    later = aliased(StatementRange)
    newest = (
        select(func.max(later.sequence))
        .where(later.account_id == StatementRange.account_id, later.currency == currency)
        .correlate(StatementRange)
        .scalar_subquery()
    )
    rows = session.scalars(
        select(StatementRange).where(
            StatementRange.account_id.in_([each.id for each in accounts]),
            StatementRange.currency == currency,
            StatementRange.sequence == newest,
        )
    )
    return {row.account_id: row for row in rows}


def last_statement(session: Session, account_id: uuid.UUID, currency: str) -> Statement | None:
    """The account's newest statement in this currency."""
    return session.scalar(
        select(Statement)
        .where(Statement.account_id == account_id, Statement.currency == currency)
        .order_by(Statement.sequence.desc())
        .limit(1)
    )


def last_end(session: Session, account_id: uuid.UUID, currency: str) -> date | None:
    """The last day of the last period that the account was stated for, on whichever statement."""
    query = _ends().where(
        StatementRange.account_id == account_id, StatementRange.currency == currency
    )
    row = session.execute(query).first()
    return row[2] if row else None


def _ends() -> Select[uuid.UUID, str, date]:
    return (
        select(StatementRange.account_id, StatementRange.currency, func.max(Statement.period_end))
        .join(Statement, Statement.id == StatementRange.statement_id)
        .group_by(StatementRange.account_id, StatementRange.currency)
    )


def due(session: Session, as_of: date, account_id: uuid.UUID | None = None) -> list[Due]:
    """The accounts for which a bill day has passed by ``as_of`` since their last statement, or since
    their first posting, and on which something happened since or something was to be paid.

    ``account_id`` asks for one alone, by the account that its statements are addressed to.
    """
    parents = stated_elsewhere(session)
    begun: dict[tuple[uuid.UUID, str], datetime | None] = {}
    for one, currency, first in _moved(session):
        key = (addressee(one, parents), currency)
        known = begun.get(key, first)
        begun[key] = min(first, known) if first is not None and known is not None else known
    wanted = {one for one, _ in begun if account_id is None or one == account_id}
    accounts = {
        row.id: row
        for row in session.execute(
            select(Account.id, Account.number, Account.bill_day, Account.time_zone)
        )
        if row.id in wanted
    }
    ended = {(row[0], row[1]): row[2] for row in session.execute(_ends())}
    found = []
    for (one, currency), first in begun.items():
        if one not in accounts:
            continue
        row = accounts[one]
        after = ended.get((one, currency))
        days = bill_days_after(row.bill_day, row.time_zone, after, first, as_of)
        if next(days, None) is not None:
            found.append(Due(one, row.number, currency))
    return sorted(found, key=lambda one: (one.number, one.currency))


def bill_days_after(
    anchor: int, zone: str, ended: date | None, first: datetime | None, until: date
) -> Iterator[date]:
    """The bill days that wait for a statement, when the last period ended on ``ended``."""
    if ended is not None:
        return calendar.bill_days(anchor, date.fromordinal(ended.toordinal() + 1), until)
    if first is None:
        return iter(())
    return calendar.bill_days(anchor, local_date(first, zone), until)


def _moved(session: Session) -> Iterator[tuple[uuid.UUID, str, datetime | None]]:
    """Accounts with a posting that no statement has taken, or with something to be paid on the last one;
    and when their first was posted."""
    posted = (
        select(
            JournalLine.account_id,
            JournalLine.currency,
            func.max(JournalEntry.posting_number).label("last"),
            func.min(JournalEntry.posted_at).label("first"),
        )
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.account_id.is_not(None), JournalLine.ledger_code.in_(BALANCE))
        .group_by(JournalLine.account_id, JournalLine.currency)
        .subquery()
    )
    later = aliased(StatementRange)
    is_last = ~(
        select(later.sequence)
        .where(
            later.account_id == StatementRange.account_id,
            later.currency == StatementRange.currency,
            later.sequence > StatementRange.sequence,
        )
        .exists()
    )
    taken = (
        select(StatementRange, Statement.due_minor)
        .join(Statement, Statement.id == StatementRange.statement_id)
        .where(is_last)
        .subquery()
    )
    rows = session.execute(
        select(posted.c.account_id, posted.c.currency, posted.c.first)
        .outerjoin(
            taken,
            (taken.c.account_id == posted.c.account_id) & (taken.c.currency == posted.c.currency),
        )
        .where(
            (taken.c.sequence.is_(None))
            | (posted.c.last > taken.c.to_posting)
            | (taken.c.due_minor > 0)
        )
    )
    for row in rows:
        yield row[0], row[1], row[2]
