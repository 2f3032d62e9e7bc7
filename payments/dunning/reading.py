"""Reading cases: the desk's list and one case's history."""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.kernel.sorting import By, Place, Sorts
from core.ledger.open_now import OpenNow
from core.parties.listing import called
from core.parties.models import Account
from payments.dunning.models import DunningAct, DunningCase

#: What a list may be narrowed to.
SHOWN = ("open", "locked", "promised", "held", "closed")
#: What the desk's list may be sorted by.
SORTS = Sorts(
    DunningCase.id,
    {"since": DunningCase.due_on, "next": By(DunningCase.next_on, empty=date.max)},
)
LONGEST = Place("since")


@dataclass(frozen=True)
class Listed:
    """A case with whose it is, and what was open and past its date when it was read, contested or not."""

    case: DunningCase
    account: Account
    amounts: tuple[Money, ...]


def listing(
    session: Session,
    *,
    shown: str = "open",
    words: str = "",
    older_than: date | None = None,
    place: Place = LONGEST,
    limit: int = 50,
) -> list[tuple[DunningCase, Account]]:
    """Cases from a place on; ``older_than``: due before that day."""
    query = select(DunningCase, Account).join(Account, Account.id == DunningCase.account_id)
    query = query.where(DunningCase.state == ("closed" if shown == "closed" else "open"))
    if shown == "locked":
        query = query.where(DunningCase.locked_at.is_not(None))
    elif shown == "promised":
        query = query.where(DunningCase.promise_until.is_not(None))
    elif shown == "held":
        query = query.where(DunningCase.hold_until.is_not(None))
    if words:
        query = query.where(called(words))
    if older_than is not None:
        query = query.where(DunningCase.due_on < older_than)
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(case, account) for case, account in rows]


def open_ones() -> Select[uuid.UUID]:
    """The keys of cases that are not over."""
    return select(DunningCase.id).where(DunningCase.state == "open")


def past_due_of(
    session: Session, found: Sequence[tuple[DunningCase, Account]], today: date
) -> list[Listed]:
    """The cases with what is past its date now, in one question for all of them."""
    keys = [account.id for _, account in found]
    sums: dict[uuid.UUID, list[Money]] = {}
    query: Any = (
        select(OpenNow.account_id, OpenNow.currency, func.sum(OpenNow.open_minor))
        .where(
            OpenNow.account_id.in_(keys),
            OpenNow.ledger_code == "accounts_receivable",
            OpenNow.due < today,
        )
        .group_by(OpenNow.account_id, OpenNow.currency)
        .order_by(OpenNow.currency)
    )
    for account_id, currency, minor in session.execute(query):
        sums.setdefault(account_id, []).append(Money(int(minor), currency))
    return [Listed(case, account, tuple(sums.get(account.id, ()))) for case, account in found]


def acts_of(
    session: Session,
    case_id: uuid.UUID,
    *,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 100,
) -> Sequence[DunningAct]:
    """What was done in a case, the last first."""
    query = select(DunningAct).where(DunningAct.case_id == case_id)
    if before is not None:
        query = query.where(tuple_(DunningAct.at, DunningAct.id) < tuple_(*before))
    order = (DunningAct.at.desc(), DunningAct.id.desc())
    return session.scalars(query.order_by(*order).limit(limit)).all()


def open_of(session: Session, account_ids: Sequence[uuid.UUID]) -> Sequence[DunningCase]:
    """The open cases of some accounts, the longest past due first."""
    return session.scalars(_open(), {"accounts": list(account_ids)}).all()


@functools.cache
def _open() -> Select[DunningCase]:
    return (
        select(DunningCase)
        .where(
            DunningCase.account_id.in_(bindparam("accounts", expanding=True)),
            DunningCase.state == "open",
        )
        .order_by(DunningCase.due_on, DunningCase.id)
    )


def of_account(session: Session, account_id: uuid.UUID, limit: int = 20) -> Sequence[DunningCase]:
    """An account's cases, the newest first."""
    return session.scalars(
        select(DunningCase)
        .where(DunningCase.account_id == account_id)
        .order_by(DunningCase.opened_at.desc(), DunningCase.id.desc())
        .limit(limit)
    ).all()


def fee_of(session: Session, case_id: uuid.UUID) -> DunningAct | None:
    """The late fee of a case that was not taken back yet."""
    waived = select(DunningAct.key).where(
        DunningAct.case_id == case_id, DunningAct.kind == "fee_waived"
    )
    taken_back = set(session.scalars(waived))
    fees = session.scalars(
        select(DunningAct)
        .where(DunningAct.case_id == case_id, DunningAct.kind == "fee")
        .order_by(DunningAct.at.desc(), DunningAct.id.desc())
    )
    return next((one for one in fees if waived_key(one) not in taken_back), None)


def waived_key(fee: DunningAct) -> str:
    """A fee is taken back once."""
    return f"{fee.document_id}:waived"
