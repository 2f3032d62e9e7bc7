"""Parked accounts: not billed, rather than billed wrongly, until a person has looked and lets them go."""

import uuid
from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.db import changed, insert_once
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.ids import new_id, new_public_id
from core.kernel.sorting import Place, Sorts
from core.parties.listing import called
from core.parties.models import Account
from invoices.billing.models import BillParking

#: An error that is none of ours: its kind only, for its words may hold what people entered.
UNEXPECTED: str = "unexpected"
_LONGEST = 500


def reason_of(error: Exception) -> tuple[str, str]:
    """Code and words of what kept an account from being billed."""
    if isinstance(error, ShopError):
        return error.code, str(error)[:_LONGEST]
    return UNEXPECTED, type(error).__name__


def park(
    session: Session,
    account_id: uuid.UUID,
    error: Exception,
    as_of: date,
    actor: str,
    now: datetime,
) -> str:
    """Park an account, once; answers the reason's code."""
    reason, detail = reason_of(error)
    fresh = insert_once(
        session,
        BillParking,
        id=new_id(),
        public_id=new_public_id(),
        account_id=account_id,
        reason=reason,
        detail=detail,
        as_of=as_of,
        parked_at=now,
        parked_by=actor,
        note="",
    )
    if fresh:
        number = session.scalars(select(Account.public_id).where(Account.id == account_id)).one()
        audit.write(session, now, actor, "account.parked", ("account", number), reason=reason)
    return reason


def parked(session: Session, account_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Which of the accounts are parked, and the code of the reason."""
    rows = session.execute(
        select(BillParking.account_id, BillParking.reason).where(
            BillParking.account_id.in_(account_ids), BillParking.released_at.is_(None)
        )
    )
    return {row.account_id: row.reason for row in rows}


def open_ones() -> Select[uuid.UUID]:
    """The keys of what is parked now."""
    return select(BillParking.id).where(BillParking.released_at.is_(None))


def one(session: Session, public_id: str) -> tuple[BillParking, Account]:
    """A parking with its account. NotFound when there is none."""
    row = session.execute(_rows().where(BillParking.public_id == public_id)).first()
    if row is None:
        raise NotFound("parked account")
    return row[0], row[1]


def _rows() -> Select[BillParking, Account]:
    return select(BillParking, Account).join(Account, Account.id == BillParking.account_id)


#: What the desk's list may be sorted by.
SORTS = Sorts(BillParking.id, {"parked": BillParking.parked_at, "upto": BillParking.as_of})
NEWEST = Place("-parked")


def listing(
    session: Session,
    *,
    is_open: bool = True,
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[BillParking, Account]]:
    """Parked accounts from a place on, or those that were let go; ``words`` in name and number."""
    released = BillParking.released_at
    query = _rows().where(released.is_(None) if is_open else released.is_not(None))
    if words:
        query = query.where(called(words))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(row, account) for row, account in rows]


def release(session: Session, public_id: str, note: str, actor: str, now: datetime) -> uuid.UUID:
    """Let an account go; answers its key. NotFound; StaleState when somebody else did."""
    row, account = one(session, public_id)
    move = (
        update(BillParking)
        .where(BillParking.id == row.id, BillParking.released_at.is_(None))
        .values(released_at=now, released_by=actor, note=note.strip()[:_LONGEST])
    )
    if not changed(session.execute(move)):
        raise StaleState("parked account", "parked")
    subject = ("account", account.public_id)
    audit.write(session, now, actor, "account.released", subject, reason=row.reason)
    return account.id
