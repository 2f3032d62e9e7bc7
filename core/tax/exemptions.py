"""Certificates of exemption: entered, revoked, listed, and which of them hold on a day."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, Select, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.db import insert_once
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.ids import new_id, new_public_id
from core.kernel.sorting import By, Place, Sorts
from core.parties.listing import called
from core.parties.models import Account
from core.tax.models import TaxExemption, TaxExemptionEnd
from core.tax.relief import Certificate

#: A certificate that ends within this is told of.
SOON = timedelta(days=60)
STATES = ("holding", "ending", "ended", "revoked")


@dataclass(frozen=True)
class NewExemption:
    """A certificate as somebody showed it. ``ends_on``: from this day on tax is charged again."""

    account_id: uuid.UUID
    certificate_number: str
    jurisdictions: tuple[str, ...]
    categories: tuple[str, ...]
    valid_from: date
    ends_on: date | None
    file_reference: str = ""


@dataclass(frozen=True)
class Listed:
    """A certificate, whose it is, and how it ended when it was revoked."""

    exemption: TaxExemption
    account: Account
    end: TaxExemptionEnd | None

    def state(self, today: date) -> str:
        """``revoked``, ``ended``, ``later``, ``ending`` (soon) or ``holding``."""
        row = self.exemption
        if self.end is not None:
            return "revoked"
        if row.ends_on is not None and row.ends_on <= today:
            return "ended"
        if row.valid_from > today:
            return "later"
        return "ending" if row.ends_on is not None and row.ends_on <= today + SOON else "holding"


def enter(session: Session, new: NewExemption, actor: str, now: datetime) -> TaxExemption:
    """Write a certificate down. Raises Invalid by field."""
    _check(new)
    row = TaxExemption(
        id=new_id(),
        public_id=new_public_id(),
        account_id=new.account_id,
        certificate_number=new.certificate_number.strip(),
        jurisdictions=sorted(new.jurisdictions),
        categories=sorted(new.categories),
        file_reference=new.file_reference.strip(),
        valid_from=new.valid_from,
        ends_on=new.ends_on,
        entered_at=now,
        entered_by=actor,
    )
    session.add(row)
    session.flush()
    audit.write(
        session,
        now,
        actor,
        "exemption.entered",
        ("exemption", row.public_id),
        certificate=row.certificate_number,
        account=str(new.account_id),
        valid_from=str(new.valid_from),
        ends_on=str(new.ends_on or ""),
    )
    return row


def _check(new: NewExemption) -> None:
    wrong = {}
    if not new.certificate_number.strip():
        wrong["certificate_number"] = "Tell us the number on the certificate."
    elif len(new.certificate_number.strip()) > 80:
        wrong["certificate_number"] = "Use at most 80 characters."
    if len(new.file_reference.strip()) > 200:
        wrong["file_reference"] = "Use at most 200 characters."
    if new.ends_on is not None and new.ends_on <= new.valid_from:
        wrong["ends_on"] = "It has to end after it begins."
    if wrong:
        raise Invalid(wrong)


def revoke(session: Session, row: TaxExemption, reason: str, actor: str, now: datetime) -> None:
    """From now on it frees nobody. Raises Invalid without a reason, StaleState the second time."""
    if not reason.strip() or len(reason.strip()) > 200:
        raise Invalid({"reason": "Say why, in at most 200 characters."})
    ended = {"revoked_at": now, "revoked_by": actor, "reason": reason.strip()}
    if not insert_once(session, TaxExemptionEnd, exemption_id=row.id, **ended):
        raise StaleState("certificate", "revoked")
    about = ("exemption", row.public_id)
    audit.write(session, now, actor, "exemption.revoked", about, reason=reason.strip())


def holding(session: Session, account_id: uuid.UUID, on: date) -> tuple[Certificate, ...]:
    """The certificates of an account that hold on a day, the oldest first."""
    rows = session.scalars(_holding(), {"account": account_id, "day": on})
    return tuple(_certificate(row) for row in rows)


def holding_each(
    session: Session, account_ids: Collection[uuid.UUID], on: date
) -> dict[uuid.UUID, tuple[Certificate, ...]]:
    """``holding`` for each of some accounts that have a certificate, in one question."""
    rows = session.scalars(
        select(TaxExemption)
        .where(
            TaxExemption.account_id.in_(account_ids),
            TaxExemption.valid_from <= on,
            or_(TaxExemption.ends_on.is_(None), TaxExemption.ends_on > on),
            ~_is_revoked(),
        )
        .order_by(TaxExemption.valid_from, TaxExemption.id)
    )
    found: dict[uuid.UUID, tuple[Certificate, ...]] = {}
    for row in rows:
        found[row.account_id] = (*found.get(row.account_id, ()), _certificate(row))
    return found


def _certificate(row: TaxExemption) -> Certificate:
    return Certificate(
        row.certificate_number, frozenset(row.jurisdictions), frozenset(row.categories)
    )


@cache
def _holding() -> Select[TaxExemption]:
    """Put together once, at first use: that costs more than running it."""
    day = bindparam("day", type_=TaxExemption.valid_from.type)
    return (
        select(TaxExemption)
        .where(
            TaxExemption.account_id == bindparam("account"),
            TaxExemption.valid_from <= day,
            or_(TaxExemption.ends_on.is_(None), TaxExemption.ends_on > day),
            ~_is_revoked(),
        )
        .order_by(TaxExemption.valid_from, TaxExemption.id)
    )


def _is_revoked() -> ColumnElement[bool]:
    mine = TaxExemptionEnd.exemption_id == TaxExemption.id
    return exists().where(mine).correlate(TaxExemption)


def one(session: Session, public_id: str) -> Listed:
    """One certificate. NotFound when there is none."""
    row = session.execute(_listed().where(TaxExemption.public_id == public_id)).first()
    if row is None:
        raise NotFound("certificate")
    return Listed(*row)


#: What the desk's list may be sorted by.
SORTS = Sorts(
    TaxExemption.id,
    {"from": TaxExemption.valid_from, "ends": By(TaxExemption.ends_on, empty=date.max)},
)
NEWEST = Place("-from")


def listing(
    session: Session,
    today: date,
    *,
    state: str = "",
    words: str = "",
    place: Place = NEWEST,
    limit: int,
) -> Sequence[Listed]:
    """A page of certificates from a place on; ``state`` is one of ``STATES``, or all.

    What is ``ending`` holds today and ends within ``SOON``. ``words``: certificate, name, account.
    """
    query = _listed().where(*_in_state(state, today))
    if words:
        query = query.where(or_(TaxExemption.certificate_number == words, called(words)))
    return [Listed(*row) for row in session.execute(SORTS.apply(query, place, limit))]


def of_accounts(session: Session, account_ids: Sequence[uuid.UUID]) -> list[Listed]:
    """Every certificate of some accounts, the newest first."""
    query = _listed().where(TaxExemption.account_id.in_(account_ids))
    query = query.order_by(TaxExemption.valid_from.desc(), TaxExemption.id.desc())
    return [Listed(*row) for row in session.execute(query)]


def _listed() -> Select[TaxExemption, Account, TaxExemptionEnd]:
    return (
        select(TaxExemption, Account, TaxExemptionEnd)
        .join(Account, Account.id == TaxExemption.account_id)
        .outerjoin(TaxExemptionEnd, TaxExemptionEnd.exemption_id == TaxExemption.id)
    )


def _in_state(state: str, today: date) -> list[ColumnElement[bool]]:
    open_ = or_(TaxExemption.ends_on.is_(None), TaxExemption.ends_on > today)
    soon = (TaxExemption.ends_on > today) & (TaxExemption.ends_on <= today + SOON)
    found: dict[str, list[ColumnElement[bool]]] = {
        "holding": [~_is_revoked(), open_, TaxExemption.valid_from <= today],
        "ending": [~_is_revoked(), soon],
        "ended": [~_is_revoked(), TaxExemption.ends_on <= today],
        "revoked": [_is_revoked()],
    }
    return found.get(state, [])
