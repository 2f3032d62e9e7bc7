"""Reading statements: of accounts, one by its public id, the desk's list, and their stored bytes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session, defer

from core.kernel.blobs import Blobs
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.kernel.sorting import Place, Sorts
from core.parties.listing import called
from core.parties.models import Account
from invoices.statements.models import Statement, StatementRange, StoredStatement

Cursor = tuple[date, uuid.UUID]


def of_accounts(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    before: Cursor | None = None,
    limit: int = 25,
) -> Sequence[Statement]:
    """The statements that are addressed to the accounts, the newest first, without their documents."""
    query = select(Statement).where(Statement.account_id.in_(account_ids))
    if before is not None:
        query = query.where(tuple_(Statement.issue_date, Statement.id) < tuple_(*before))
    return session.scalars(
        query.options(defer(Statement.document))
        .order_by(Statement.issue_date.desc(), Statement.id.desc())
        .limit(limit)
    ).all()


def one(
    session: Session, public_id: str, account_ids: Sequence[uuid.UUID] | None = None
) -> Statement:
    """A statement by its public id. NotFound when there is none, or it is none of the accounts'.

    ``account_ids`` None is for staff, who see all.
    """
    query = select(Statement).where(Statement.public_id == public_id)
    if account_ids is not None:
        query = query.where(Statement.account_id.in_(account_ids))
    found = session.scalar(query)
    if found is None:
        raise NotFound("statement")
    return found


def neighbours(session: Session, statement: Statement) -> tuple[str | None, str | None]:
    """The public ids of the statement before and of the one after."""
    found = {
        row[0]: row[1]
        for row in session.execute(
            select(Statement.sequence, Statement.public_id).where(
                Statement.account_id == statement.account_id,
                Statement.currency == statement.currency,
                Statement.sequence.in_((statement.sequence - 1, statement.sequence + 1)),
            )
        )
    }
    return found.get(statement.sequence - 1), found.get(statement.sequence + 1)


#: What the desk's list may be sorted by.
SORTS = Sorts(Statement.id, {"dated": Statement.issue_date, "balance": Statement.closing_minor})
NEWEST = Place("-dated")


def listing(
    session: Session,
    *,
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[Statement, Account]]:
    """Statements with whose they are, from a place on; ``words`` in number, name, account number."""
    query = select(Statement, Account).join(Account, Account.id == Statement.account_id)
    if words:
        query = query.where(or_(Statement.number == words.upper(), called(words)))
    rows = session.execute(SORTS.apply(query.options(defer(Statement.document)), place, limit))
    return [(statement, account) for statement, account in rows]


def stored_ids(session: Session, statement_ids: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Which of the statements are rendered and kept."""
    return frozenset(
        session.scalars(
            select(StoredStatement.statement_id).where(
                StoredStatement.statement_id.in_(statement_ids)
            )
        )
    )


def pdf_bytes(session: Session, blobs: Blobs, statement_id: uuid.UUID) -> bytes | None:
    """The stored bytes of a statement; None while they are not rendered."""
    row = session.get(StoredStatement, statement_id)
    return blobs.get(row.sha256) if row is not None else None


@dataclass(frozen=True)
class Taken:
    """Which postings of an account a statement took, and with what balance it began and ended."""

    account_number: str
    name: str
    after: int
    to: int
    opening: Money
    closing: Money


def ranges(session: Session, statement_id: uuid.UUID) -> list[Taken]:
    """The accounts on a statement with the postings that it took of each."""
    rows = session.execute(
        select(StatementRange, Account.number, Account.name)
        .join(Account, Account.id == StatementRange.account_id)
        .where(StatementRange.statement_id == statement_id)
        .order_by(Account.number)
    )
    return [
        Taken(
            number,
            name,
            row.after_posting,
            row.to_posting,
            Money(row.opening_minor, row.currency),
            Money(row.closing_minor, row.currency),
        )
        for row, number, name in rows
    ]
