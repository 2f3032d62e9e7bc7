"""Accounts: opening them, and who may see them."""

import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.kernel.db import changed, insert_once, keep_new, new_row, table
from core.kernel.errors import NotFound
from core.kernel.ids import new_id, new_public_id
from core.parties.models import Account, Channel, LegalEntity, Membership


def new_number() -> str:
    """A random account number of nine digits; the caller's insert proves that it is free."""
    return str(secrets.randbelow(900_000_000) + 100_000_000)


@dataclass(frozen=True)
class NewAccount:
    """What is known of somebody who will be billed."""

    name: str
    email: str | None
    billing_address: dict[str, Any] | None = None
    kind: str = "person"
    external_ref: str | None = None


def open_account(
    session: Session, entity: LegalEntity, channel: Channel | None, new: NewAccount, now: datetime
) -> Account:
    """Open an account with a number of its own: one that is taken gives way to the next."""
    values = {
        "legal_entity_id": entity.id,
        "channel_id": channel.id if channel else None,
        "is_stated_with_parent": False,
        "kind": new.kind,
        "name": new.name,
        "email": new.email,
        "currency": channel.currency if channel else entity.functional_currency,
        "locale": channel.locale if channel else None,
        "time_zone": channel.time_zone if channel else entity.time_zone,
        "bill_day": 1,
        "billing_address": new.billing_address,
        "external_ref": new.external_ref,
        "created_at": now,
        "pay_code_series": 0,
    }
    session.flush()
    connection = session.connection()
    opened = _opened(connection.dialect.name == "sqlite")
    while True:
        keys = {"id": new_id(), "public_id": new_public_id(), "number": new_number()}
        if changed(connection.execute(opened, {**keys, **values})) == 1:
            account = new_row(Account, **keys, **values)
            keep_new(session, account)
            return account


@cache
def _opened(is_sqlite: bool) -> Any:
    build = sqlite if is_sqlite else postgresql
    row = build.insert(table(Account)).inline()
    # Without the option an INSERT's count is lost on PostgreSQL.
    return row.on_conflict_do_nothing(index_elements=["number"]).execution_options(
        preserve_rowcount=True
    )


def join(
    session: Session, user_id: uuid.UUID, account_id: uuid.UUID, role: str, now: datetime
) -> bool:
    """Let a user onto an account; False when they are there already."""
    return insert_once(
        session, Membership, user_id=user_id, account_id=account_id, role=role, created_at=now
    )


def with_rights(session: Session, user_id: uuid.UUID) -> list[tuple[Account, bool]]:
    """The accounts that a user may see, the oldest first, and whether they may pay its bills.

    Any role may pay but a mere viewer's.
    """
    rows = session.execute(_with_rights(), {"user": user_id})
    return [(account, bool(may_pay)) for account, may_pay in rows]


@cache
def _with_rights() -> Select[Account, bool]:
    return (
        select(Account, Membership.role != "viewer")
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.user_id == bindparam("user"))
        .order_by(Account.created_at, Account.id)
    )


def owned_by(session: Session, user_id: uuid.UUID) -> set[uuid.UUID]:
    """The keys of the accounts that a user owns: they may change what those have."""
    return set(
        session.scalars(
            select(Membership.account_id).where(
                Membership.user_id == user_id, Membership.role == "owner"
            )
        )
    )


def of_user(session: Session, user_id: uuid.UUID) -> list[Account]:
    """The accounts that a user may see, the oldest first."""
    return [account for account, _ in with_rights(session, user_id)]


def payable_by(session: Session, user_id: uuid.UUID) -> list[Account]:
    """The accounts whose bills a user may pay."""
    return [account for account, may_pay in with_rights(session, user_id) if may_pay]


def buying_account(
    session: Session, user_id: uuid.UUID, legal_entity_id: uuid.UUID, *, to_name: bool = False
) -> Account | None:
    """The account that a user buys on: the oldest that they own or may buy for. ``to_name``: as
    ``lock_to_name`` answers it."""
    query = (
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(
            Membership.user_id == user_id,
            Membership.role.in_(["owner", "buyer"]),
            Account.legal_entity_id == legal_entity_id,
        )
        .order_by(Account.created_at, Account.id)
        .limit(1)
    )
    if to_name:
        query = query.with_for_update(read=True, key_share=True, of=Account)
    return session.scalar(query)


def may_buy(session: Session, user_id: uuid.UUID, account_id: uuid.UUID) -> bool:
    """May a user order for an account, as its owner or a buyer?"""
    member = session.get(Membership, (user_id, account_id))
    return member is not None and member.role in ("owner", "buyer")


def lock(session: Session, account_id: uuid.UUID) -> Account:
    """The account, locked: whoever changes what it owes does so one after the other."""
    return session.get_one(Account, account_id, with_for_update=True)


def lock_to_name(session: Session, account_id: uuid.UUID) -> Account:
    """The account, for who will write rows that name it: whoever has it locked is waited for here, and not
    with pieces and numbers in hand, which they may want next. Several may do so at once."""
    return session.get_one(Account, account_id, with_for_update={"read": True, "key_share": True})


def some(session: Session, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Account]:
    """Accounts by their keys, in one statement."""
    rows = session.scalars(select(Account).where(Account.id.in_(keys)))
    return {row.id: row for row in rows}


def lock_each(session: Session, account_ids: Collection[uuid.UUID]) -> list[Account]:
    """Some accounts, locked in the order of their keys, so that two who do so never wait for each other."""
    rows = session.scalars(
        select(Account)
        .where(Account.id.in_(account_ids))
        .order_by(Account.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(rows)


def by_number(session: Session, number: str) -> Account:
    """The account with this number, spaces aside. NotFound when there is none."""
    account = session.scalar(select(Account).where(Account.number == number.replace(" ", "")))
    if account is None:
        raise NotFound("account")
    return account


def by_public_id(session: Session, public_id: str) -> Account:
    """The account with that public id; NotFound when there is none."""
    account = session.scalar(select(Account).where(Account.public_id == public_id))
    if account is None:
        raise NotFound("account")
    return account


def legal_entities(session: Session) -> Sequence[LegalEntity]:
    """Everybody who bills, by code."""
    return session.scalars(select(LegalEntity).order_by(LegalEntity.code)).all()


def channel_by_code(session: Session, code: str) -> tuple[Channel, LegalEntity]:
    """A channel with the legal entity that bills for it. NotFound when there is none."""
    row = session.execute(
        select(Channel, LegalEntity)
        .join(LegalEntity, LegalEntity.id == Channel.legal_entity_id)
        .where(Channel.code == code)
    ).first()
    if row is None:
        raise NotFound(f"channel “{code}”")
    return row[0], row[1]
