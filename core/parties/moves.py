"""An account gets another parent or owner. Its entries stay where they are: they name the account."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from core.kernel.db import changed, insert_once
from core.kernel.errors import NotFound, ShopError
from core.parties.models import Account, Membership


@dataclass(eq=False)
class ParentRefused(ShopError):
    """An account stands under an account of the same legal entity, and never under itself."""

    code: ClassVar[str] = "parent_refused"
    text: ClassVar[str] = "Account {account} cannot stand under account {parent}."
    account: str
    parent: str


def set_parent(session: Session, account_id: uuid.UUID, parent_id: uuid.UUID | None) -> None:
    """Put an account under another one, or under none. Raises ParentRefused.

    The account and all above the new parent are locked, so that two moves at once make no circle.
    """
    account = session.get_one(Account, account_id, with_for_update=True)
    above = parent_id
    while above is not None:
        one = session.get_one(Account, above, with_for_update=True, populate_existing=True)
        if one.id == account.id or one.legal_entity_id != account.legal_entity_id:
            parent = session.get_one(Account, parent_id)
            raise ParentRefused(account.number, parent.number)
        above = one.parent_id
    account.parent_id = parent_id
    session.flush()


def state_with_parent(session: Session, account_id: uuid.UUID, wanted: bool) -> None:
    """From now on the account stands on its parent's statements, or has its own again.

    Raises ParentRefused for an account that stands under none.
    """
    account = session.get_one(Account, account_id, with_for_update=True)
    if wanted and account.parent_id is None:
        raise ParentRefused(account.number, "(none)")
    account.is_stated_with_parent = wanted
    session.flush()


def hand_over(
    session: Session, account_id: uuid.UUID, owner_id: uuid.UUID, to_id: uuid.UUID, now: datetime
) -> None:
    """Somebody else owns the account from now on; who owned it is off it. NotFound for no owner."""
    gone = session.execute(
        delete(Membership).where(
            Membership.account_id == account_id,
            Membership.user_id == owner_id,
            Membership.role == "owner",
        )
    )
    if changed(gone) != 1:
        raise NotFound("owner of this account")
    new = {"user_id": to_id, "account_id": account_id}
    if not insert_once(session, Membership, **new, role="owner", created_at=now):
        session.execute(
            update(Membership)
            .where(Membership.user_id == to_id, Membership.account_id == account_id)
            .values(role="owner")
        )
