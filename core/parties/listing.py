"""Customers as a list, and what hangs on one: for staff, who see all of them."""

import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from core.kernel.sorting import By, Place, Sorts
from core.parties.models import Account, Address, Membership, User

#: What the list may be sorted by.
SORTS = Sorts(
    Account.id,
    {
        "created": Account.created_at,
        "name": By(Account.name, ignores_case=True),
        "number": Account.number,
    },
)
NEWEST = Place("-created")


def page(
    session: Session,
    *,
    words: str = "",
    kind: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> Sequence[Account]:
    """Accounts from a place on; ``words`` in name, e-mail, number, and members' e-mails."""
    return session.scalars(SORTS.apply(_query(words, kind), place, limit)).all()


def counts(session: Session) -> dict[str, int]:
    """How many accounts are of each kind."""
    rows = session.execute(select(Account.kind, func.count()).group_by(Account.kind))
    return {kind: int(count) for kind, count in rows}


def called(words: str) -> ColumnElement[bool]:
    """Is an account meant by these words: is it its number, or a part of its name?"""
    return or_(
        Account.number == words.replace(" ", ""), Account.name.icontains(words, autoescape=True)
    )


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
                called(words),
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
