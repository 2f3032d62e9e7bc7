"""Which accounts a run looks at: those with a service that is new, has changed, whose day has come, or that
told late of usage.
"""

import functools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.kernel.clock import local_date
from core.kernel.db import table
from core.parties.models import Account
from core.subscriptions.models import Subscription, UsageRecord
from invoices.billing.models import BillMark, BillParking

#: Usage may be written down a little earlier than it is there to be read.
_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class Marked:
    """A service that was billed by a day in a revision: the next day that may bring something, and the
    first day whose usage is still to be billed."""

    subscription_id: uuid.UUID
    revision: int
    as_of: date
    next_on: date | None = None
    open_from: date | None = None


def note(session: Session, marked: Sequence[Marked], now: datetime) -> None:
    """Remember that some services were looked at."""
    if not marked:
        return
    rows = [
        {
            "subscription_id": one.subscription_id,
            "revision": one.revision,
            "as_of": one.as_of,
            "next_on": one.next_on,
            "open_from": one.open_from,
            "looked_at": now - _SLACK,
        }
        for one in sorted(marked, key=lambda one: one.subscription_id)
    ]
    connection = session.connection()
    connection.execute(_upsert(connection.dialect.name), rows)


@functools.cache
def _upsert(dialect: str) -> Any:
    build: Any = sqlite if dialect == "sqlite" else postgresql
    marks = table(BillMark)
    row = build.insert(marks)
    new = row.excluded
    return row.on_conflict_do_update(
        index_elements=["subscription_id"],
        set_={
            "revision": new.revision,
            "as_of": new.as_of,
            "next_on": new.next_on,
            "open_from": new.open_from,
            "looked_at": new.looked_at,
        },
        # Whoever looks by an earlier day learns nothing that is not known.
        where=or_(new.as_of >= marks.c.as_of, new.revision != marks.c.revision),
    )


def days_of_zones(
    session: Session, now: datetime, between: tuple[uuid.UUID, uuid.UUID] | None = None
) -> dict[str, date]:
    """Which day it is where the payers of services are, by time zone; of those ``between`` two keys only."""
    zones = (
        select(Account.time_zone)
        .where(exists().where(Subscription.payer_account_id == Account.id))
        .distinct()
    )
    if between is not None:
        zones = zones.where(Account.id.between(*between))
    return {zone: local_date(now, zone) for zone in session.scalars(zones)}


def due(
    as_of: date,
    *,
    zones: Mapping[str, date] | None = None,
    account_id: uuid.UUID | None = None,
    between: tuple[uuid.UUID, uuid.UUID] | None = None,
) -> Select[uuid.UUID]:
    """The payers that have to be looked at by a day, by key; none that is parked.

    ``zones`` is which day it is in each of their time zones: nobody is asked about a day that has not begun
    there. Without it, all are.
    """
    new = [*_unseen(), _day_has_come(as_of, zones or {})]
    query = (
        select(Subscription.payer_account_id)
        .outerjoin(BillMark, BillMark.subscription_id == Subscription.id)
        .join(Account, Account.id == Subscription.payer_account_id)
        .where(
            Subscription.activated_on.is_not(None),
            or_(*new),
            ~_is_parked(Subscription.payer_account_id),
        )
        .distinct()
        .order_by(Subscription.payer_account_id)
    )
    if account_id is not None:
        query = query.where(Subscription.payer_account_id == account_id)
    if between is not None:
        query = query.where(Subscription.payer_account_id.between(*between))
    return query


def _unseen() -> list[ColumnElement[bool]]:
    """What happened to a service since it was looked at."""
    told_late = exists().where(
        UsageRecord.subscription_id == Subscription.id,
        UsageRecord.used_on < BillMark.open_from,
        UsageRecord.recorded_at > BillMark.looked_at,
    )
    return [
        BillMark.subscription_id.is_(None),
        BillMark.revision != Subscription.revision,
        told_late,
    ]


def seen(after: uuid.UUID | None, limit: int) -> Select[uuid.UUID, date]:
    """Payers, by key, none of whose services changed since it was looked at, and the day by which all of
    them were billed."""
    unseen = (
        select(Subscription.id)
        .outerjoin(BillMark, BillMark.subscription_id == Subscription.id)
        .where(
            Subscription.payer_account_id == Account.id,
            Subscription.activated_on.is_not(None),
            or_(*_unseen()),
        )
        .correlate(Account)
    )
    query = (
        select(Account.id, func.min(BillMark.as_of))
        .join(Subscription, Subscription.payer_account_id == Account.id)
        .join(BillMark, BillMark.subscription_id == Subscription.id)
        .where(~unseen.exists(), ~_is_parked(Account.id))
        .group_by(Account.id)
        .order_by(Account.id)
        .limit(limit)
    )
    return query.where(Account.id > after) if after is not None else query


def late(as_of: date, zones: Mapping[str, date], since: datetime) -> Select[str]:
    """The numbers of payers whose day had come by ``as_of`` and who were not looked at since a moment."""
    return (
        select(Account.number)
        .distinct()
        .join(Subscription, Subscription.payer_account_id == Account.id)
        .join(BillMark, BillMark.subscription_id == Subscription.id)
        .where(
            _day_has_come(as_of, zones),
            BillMark.looked_at < since - _SLACK,
            ~_is_parked(Account.id),
        )
        .order_by(Account.number)
    )


def _is_parked(account_id: ColumnElement[uuid.UUID] | InstrumentedAttribute[Any]) -> Any:
    return exists().where(BillParking.account_id == account_id, BillParking.released_at.is_(None))


def _day_has_come(as_of: date, zones: Mapping[str, date]) -> ColumnElement[bool]:
    behind = {zone: day for zone, day in zones.items() if day < as_of}
    if not behind:
        return BillMark.next_on <= as_of
    days: dict[date, list[str]] = {}
    for zone, day in behind.items():
        days.setdefault(day, []).append(zone)
    there = [
        and_(Account.time_zone.in_(names), BillMark.next_on <= day) for day, names in days.items()
    ]
    return or_(and_(Account.time_zone.not_in(list(behind)), BillMark.next_on <= as_of), *there)


def revisions(session: Session, keys: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """In which revision each service is."""
    rows = session.execute(
        select(Subscription.id, Subscription.revision).where(Subscription.id.in_(keys))
    )
    return {row.id: row.revision for row in rows}
