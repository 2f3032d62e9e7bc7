"""Customers as a list, and what hangs on one: for staff, who see all of them."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from core.kernel.errors import NotFound
from core.parties.models import Account, Address, Membership, User

#: How the list can be sorted, with the column that each goes by.
SORTS: dict[str, Any] = {
    "created": Account.created_at,
    "name": func.lower(Account.name),
    "number": Account.number,
}
_CHUNK = 500
#: Where a page begins: what the column says of the last one, and its key.
Cursor = tuple[datetime | str, uuid.UUID]


def page(
    session: Session,
    *,
    words: str = "",
    kind: str = "",
    sort: str = "-created",
    after: Cursor | None = None,
    limit: int = 50,
) -> Sequence[Account]:
    """Accounts, sorted (``-`` before it: downwards). ``words`` in name, e-mail, number, and members' e-mails.

    Raises NotFound for a place that is none.
    """
    column, down = SORTS[sort.lstrip("-")], sort.startswith("-")
    query = _query(words, kind)
    if after is not None:
        if isinstance(after[0], datetime) != (sort.lstrip("-") == "created"):
            raise NotFound("page")
        here, place = tuple_(column, Account.id), tuple_(*after)
        query = query.where(here < place if down else here > place)
    order = (column.desc(), Account.id.desc()) if down else (column, Account.id)
    return session.scalars(query.order_by(*order).limit(limit)).all()


def cursor_of(account: Account, sort: str) -> Cursor:
    """Where the page behind this account begins."""
    by = sort.lstrip("-")
    if by == "created":
        return account.created_at, account.id
    return account.name.lower() if by == "name" else account.number, account.id


def every(session: Session, *, words: str = "", kind: str = "") -> Iterator[Account]:
    """All of them by number, a few hundred at a time."""
    after = None
    while rows := page(session, words=words, kind=kind, sort="number", after=after, limit=_CHUNK):
        yield from rows
        after = cursor_of(rows[-1], "number")


def counts(session: Session) -> dict[str, int]:
    """How many accounts are of each kind."""
    rows = session.execute(select(Account.kind, func.count()).group_by(Account.kind))
    return {kind: int(count) for kind, count in rows}


def _query(words: str, kind: str) -> Select[Account]:
    query = select(Account)
    if kind:
        query = query.where(Account.kind == kind)
    if words:
        members = (
            select(Membership.account_id)
            .join(User, User.id == Membership.user_id)
            .where(User.email == words.lower())
        )
        query = query.where(
            or_(
                Account.name.icontains(words, autoescape=True),
                Account.number == words.replace(" ", ""),
                func.lower(Account.email) == words.lower(),
                Account.external_ref == words,
                Account.id.in_(members),
            )
        )
    return query


def members(session: Session, account_id: uuid.UUID) -> list[tuple[User, Membership]]:
    """Who may log in to an account, with what they may there."""
    rows = session.execute(
        select(User, Membership)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.account_id == account_id)
        .order_by(Membership.created_at, User.id)
        .limit(20)
    )
    return [(user, member) for user, member in rows]


def addresses(session: Session, account_id: uuid.UUID) -> Sequence[Address]:
    """Places that an account has, the newest first."""
    return session.scalars(
        select(Address)
        .where(Address.account_id == account_id)
        .order_by(Address.created_at.desc())
        .limit(10)
    ).all()
