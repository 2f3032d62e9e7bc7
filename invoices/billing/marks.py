"""Which accounts a run looks at: those with a service that is new, has changed, whose day has come, or that
told late of usage.
"""

import functools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.parties.models import Account
from core.subscriptions.models import Subscription, UsageRecord
from invoices.billing.models import BillMark, BillParking

#: Usage may be written down a little earlier than it is there to be read.
_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class Marked:
    """A service that was looked at in a revision: the next day that may bring something, and the first day
    whose usage is still to be billed."""

    subscription_id: uuid.UUID
    revision: int
    next_on: date | None
    open_from: date | None = None


def note(session: Session, marked: Sequence[Marked], now: datetime) -> None:
    """Remember that some services were looked at."""
    if not marked:
        return
    rows = [
        {
            "subscription_id": one.subscription_id,
            "revision": one.revision,
            "next_on": one.next_on,
            "open_from": one.open_from,
            "looked_at": now,
        }
        for one in sorted(marked, key=lambda one: one.subscription_id)
    ]
    connection = session.connection()
    connection.execute(_upsert(connection.dialect.name), rows)


@functools.cache
def _upsert(dialect: str) -> Any:
    build: Any = sqlite if dialect == "sqlite" else postgresql
    row = build.insert(BillMark.__table__)
    new = row.excluded
    return row.on_conflict_do_update(
        index_elements=["subscription_id"],
        set_={
            "revision": new.revision,
            "next_on": new.next_on,
            "open_from": new.open_from,
            "looked_at": new.looked_at,
        },
    )


def days_of_zones(session: Session, now: datetime) -> dict[str, date]:
    """Which day it is where the payers of services are, by time zone."""
    zones = (
        select(Account.time_zone)
        .where(exists().where(Subscription.payer_account_id == Account.id))
        .distinct()
    )
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
    used_since = exists().where(
        UsageRecord.subscription_id == Subscription.id,
        UsageRecord.used_on < BillMark.open_from,
        UsageRecord.recorded_at > BillMark.looked_at - literal(_SLACK),
    )
    new: list[ColumnElement[bool]] = [
        BillMark.subscription_id.is_(None),
        BillMark.revision != Subscription.revision,
        _day_has_come(as_of, zones or {}),
        used_since,
    ]
    is_parked = exists().where(
        BillParking.account_id == Subscription.payer_account_id, BillParking.released_at.is_(None)
    )
    query = (
        select(Subscription.payer_account_id)
        .outerjoin(BillMark, BillMark.subscription_id == Subscription.id)
        .join(Account, Account.id == Subscription.payer_account_id)
        .where(Subscription.activated_on.is_not(None), or_(*new), ~is_parked)
        .distinct()
        .order_by(Subscription.payer_account_id)
    )
    if account_id is not None:
        query = query.where(Subscription.payer_account_id == account_id)
    if between is not None:
        query = query.where(Subscription.payer_account_id.between(*between))
    return query


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
