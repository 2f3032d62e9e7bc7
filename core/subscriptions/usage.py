"""What was used: told once under the teller's own key, corrected by a record that names the first.

A correction stands on the day of the record that it corrects and says the whole quantity anew; to move
usage to another day, correct it to zero and tell it again.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.calendar import Cycle
from core.kernel.clock import local_date
from core.kernel.db import insert_once
from core.kernel.ids import new_id
from core.parties.models import Account
from core.prices import plans
from core.prices.models import Meter
from core.subscriptions import reading
from core.subscriptions.errors import (
    NoSuchMeter,
    NoSuchRecord,
    OutsideOfService,
    UsageConflict,
    UsageTooMuch,
)
from core.subscriptions.models import Subscription, UsageRecord
from core.subscriptions.timeline import Timeline

#: Of a meter's unit, in one record.
MOST_AT_ONCE = Decimal(10_000_000)
#: Older usage is not taken any more.
OLDEST_MONTHS = 18
_MILLION = 1_000_000
_MOST_KEYS = 300
_FINEST = Decimal("0.000001")


@dataclass(frozen=True)
class Used:
    """What counts of one day: the sum of all records, the highest, and the last reading, in millionths."""

    meter_id: uuid.UUID
    day: date
    sum_micros: int
    max_micros: int
    last_micros: int


@dataclass(frozen=True)
class Cell:
    """A period of a phase, for one meter; ``index`` counts from the phase's first period as 0."""

    phase_id: uuid.UUID
    meter_id: uuid.UUID
    index: int


def record(
    session: Session,
    subscription: Subscription,
    meter: Meter,
    key: str,
    quantity: Decimal,
    used_at: datetime | None,
    source: str,
    now: datetime,
    *,
    corrects: str | None = None,
) -> UsageRecord:
    """Write down that so many units were used; the same again under the same key is the same record.

    ``corrects`` is the key of the first record; its ``used_at`` holds then. Raises UsageConflict,
    UsageTooMuch, OutsideOfService, NoSuchMeter and NoSuchRecord.
    """
    micros = _micros(quantity)
    root = _root(session, subscription, meter, corrects) if corrects is not None else None
    at = root.used_at if root is not None else used_at
    if at is None:
        raise OutsideOfService(now)
    known = _of_key(session, subscription, meter, key)
    if known is None:
        zone = session.get_one(Account, subscription.service_account_id).time_zone
        used_on = root.used_on if root is not None else local_date(at, zone)
        if root is None:
            _within(session, subscription, meter, at, used_on, local_date(now, zone), now)
        is_new = insert_once(
            session,
            UsageRecord,
            id=new_id(),
            subscription_id=subscription.id,
            meter_id=meter.id,
            record_key=key,
            quantity_micros=micros,
            used_at=at,
            used_on=used_on,
            recorded_at=now,
            source=source,
            corrects_id=root.id if root is not None else None,
        )
        if is_new and root is not None:  # somebody's decision; the rest is its own log
            said: dict[str, Any] = {"meter": meter.code, "key": corrects}
            said["quantity"] = f"{quantity:f}"
            subject = ("service", subscription.public_id)
            audit.write(session, now, source, "service.usage_corrected", subject, **said)
        known = _of_key(session, subscription, meter, key)
    asked = (micros, at, root.id if root is not None else None)
    if known is None or (known.quantity_micros, known.used_at, known.corrects_id) != asked:
        raise UsageConflict(key)
    return known


def _micros(quantity: Decimal) -> int:
    """Millionths, exactly; a quantity that is finer is refused, not rounded."""
    if not quantity.is_finite() or not 0 <= quantity <= MOST_AT_ONCE:
        raise UsageTooMuch(f"{quantity:f}"[:40], f"{MOST_AT_ONCE:f}")
    exact = quantity.quantize(_FINEST)
    if exact != quantity:
        raise UsageTooMuch(f"{quantity:f}"[:40], f"{MOST_AT_ONCE:f}")
    return int(exact.scaleb(6))


def _root(session: Session, subscription: Subscription, meter: Meter, key: str) -> UsageRecord:
    found = _of_key(session, subscription, meter, key)
    if found is None or found.corrects_id is not None:
        raise NoSuchRecord(key)
    return found


def _of_key(
    session: Session, subscription: Subscription, meter: Meter, key: str
) -> UsageRecord | None:
    return session.scalar(
        select(UsageRecord).where(
            UsageRecord.subscription_id == subscription.id,
            UsageRecord.meter_id == meter.id,
            UsageRecord.record_key == key,
        )
    )


def _within(
    session: Session,
    subscription: Subscription,
    meter: Meter,
    used_at: datetime,
    used_on: date,
    today: date,
    now: datetime,
) -> None:
    """The service ran then, its plan counts this, and it is neither ahead nor too long ago."""
    oldest = Cycle.anchored(today).bill_day(-OLDEST_MONTHS)
    running = reading.timeline(session, subscription.id).phase_on(used_on)
    if running is None or used_at > now or used_on < oldest:
        raise OutsideOfService(used_at)
    counted = plans.meters(session, [running.variant_id], subscription.currency)
    if meter.id not in {one.id for one, _ in counted.get(running.variant_id, ())}:
        raise NoSuchMeter(meter.code)


def by_day(
    session: Session, subscription_ids: Sequence[uuid.UUID], *, since: date | None = None
) -> dict[uuid.UUID, list[Used]]:
    """What counts of each day, by subscription: one statement, however many. Corrected records count not."""
    row = UsageRecord
    chain = func.coalesce(row.corrects_id, row.id)
    newest = (row.recorded_at.desc(), row.id.desc())
    where: list[ColumnElement[bool]] = [row.subscription_id.in_(subscription_ids)]
    if since is not None:
        where.append(row.used_on >= since)
    told = (
        select(
            row.id,
            row.subscription_id,
            row.meter_id,
            row.used_on,
            row.used_at,
            row.quantity_micros,
            func.row_number().over(partition_by=chain, order_by=newest).label("version"),
        )
        .where(*where)
        .subquery()
    )
    of_day = (told.c.subscription_id, told.c.meter_id, told.c.used_on)
    last = (told.c.used_at.desc(), told.c.id.desc())
    counted = (
        select(
            *of_day,
            told.c.quantity_micros,
            func.row_number().over(partition_by=of_day, order_by=last).label("place"),
        )
        .where(told.c.version == 1)
        .subquery()
    )
    key = (counted.c.subscription_id, counted.c.meter_id, counted.c.used_on)
    micros = counted.c.quantity_micros
    rows = session.execute(
        select(
            *key,
            func.sum(micros),
            func.max(micros),
            func.max(case((counted.c.place == 1, micros), else_=0)),
        )
        .group_by(*key)
        .order_by(*key)
    )
    found: dict[uuid.UUID, list[Used]] = {}
    for subscription_id, meter_id, day, total, most, reading_ in rows:
        used = Used(meter_id, day, int(total), int(most), int(reading_))
        found.setdefault(subscription_id, []).append(used)
    return found


def keys_by_day(
    session: Session, subscription_id: uuid.UUID, *, since: date
) -> dict[tuple[uuid.UUID, date], list[str]]:
    """The keys of first records by meter and day, as a correction names them; of the latest few hundred."""
    row = UsageRecord
    rows = session.execute(
        select(row.meter_id, row.used_on, row.record_key)
        .where(
            row.subscription_id == subscription_id, row.corrects_id.is_(None), row.used_on >= since
        )
        .order_by(row.used_at.desc(), row.id.desc())
        .limit(_MOST_KEYS)
    )
    found: dict[tuple[uuid.UUID, date], list[str]] = {}
    for meter_id, day, key in rows:
        found.setdefault((meter_id, day), []).append(key)
    return found


def totals(
    session: Session, timelines: Sequence[Timeline], *, since: date | None = None
) -> dict[Cell, Decimal]:
    """Units by phase, meter and period of the phase, as each meter counts: two statements, however many.

    Days before ``since`` are left out; choose the first day of a period. A period without usage has no cell.
    """
    days = by_day(session, [one.id for one in timelines], since=since)
    if not days:
        return {}
    meter_ids = {used.meter_id for rows in days.values() for used in rows}
    counts = {
        row.id: row.counts for row in session.scalars(select(Meter).where(Meter.id.in_(meter_ids)))
    }
    found: dict[Cell, Decimal] = {}
    for one in timelines:
        found |= by_period(one, days.get(one.id, ()), counts)
    return found


def by_period(
    timeline: Timeline, days: Iterable[Used], counts: Mapping[uuid.UUID, str]
) -> dict[Cell, Decimal]:
    """The units of one service's days, by phase, meter and period. Pure.

    ``sum`` adds up, ``max`` is the highest of any day, ``last`` the last reading of the period.
    """
    spans = [(phase, span, timeline.cycle(phase)) for phase, span in timeline.spans()]
    found: dict[Cell, int] = {}
    for used in sorted(days, key=lambda one: one.day):
        for phase, span, cycle in spans:
            if used.day in span:
                index = cycle.index_of(used.day) - cycle.index_of(span.start)
                cell = Cell(phase.id, used.meter_id, index)
                found[cell] = _counted(counts[used.meter_id], found.get(cell), used)
    return {cell: Decimal(micros) / _MILLION for cell, micros in found.items()}


def _counted(how: str, so_far: int | None, used: Used) -> int:
    if how == "max":
        return max(so_far or 0, used.max_micros)
    if how == "last":
        return used.last_micros
    return (so_far or 0) + used.sum_micros
