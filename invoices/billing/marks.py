"""Which accounts a run looks at: those with a service that is new, has changed, whose day has come, or that
told of usage since it was looked at last.
"""

import functools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.subscriptions.models import Subscription, UsageRecord
from invoices.billing.models import BillMark, BillParking

#: Usage may be written down a little earlier than it is there to be read.
_SLACK = timedelta(hours=1)


@dataclass(frozen=True)
class Marked:
    """A service that was looked at in a revision, and the next day that may bring something."""

    subscription_id: uuid.UUID
    revision: int
    next_on: date | None


def note(session: Session, marked: Sequence[Marked], now: datetime) -> None:
    """Remember that some services were looked at."""
    if not marked:
        return
    rows = [
        {
            "subscription_id": one.subscription_id,
            "revision": one.revision,
            "next_on": one.next_on,
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
            "looked_at": new.looked_at,
        },
    )


def due(
    as_of: date,
    *,
    account_id: uuid.UUID | None = None,
    between: tuple[uuid.UUID, uuid.UUID] | None = None,
) -> Select[uuid.UUID]:
    """The payers that have to be looked at by a day, by key; none that is parked."""
    used_since = exists().where(
        UsageRecord.subscription_id == Subscription.id,
        UsageRecord.recorded_at > BillMark.looked_at - literal(_SLACK),
    )
    new: list[ColumnElement[bool]] = [
        BillMark.subscription_id.is_(None),
        BillMark.revision != Subscription.revision,
        BillMark.next_on <= as_of,
        used_since,
    ]
    is_parked = exists().where(
        BillParking.account_id == Subscription.payer_account_id, BillParking.released_at.is_(None)
    )
    query = (
        select(Subscription.payer_account_id)
        .outerjoin(BillMark, BillMark.subscription_id == Subscription.id)
        .where(Subscription.activated_on.is_not(None), or_(*new), ~is_parked)
        .distinct()
        .order_by(Subscription.payer_account_id)
    )
    if account_id is not None:
        query = query.where(Subscription.payer_account_id == account_id)
    if between is not None:
        query = query.where(Subscription.payer_account_id.between(*between))
    return query


def revisions(session: Session, keys: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """In which revision each service is."""
    rows = session.execute(
        select(Subscription.id, Subscription.revision).where(Subscription.id.in_(keys))
    )
    return {row.id: row.revision for row in rows}
