"""What was used: day by day as it counts now, and the units of each window."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.prices.models import Meter, Plan, UsagePrice
from core.subscriptions.models import UsageRecord
from core.subscriptions.timeline import Timeline
from invoices.billing.terms import Metered, Meters, Window
from invoices.rating.usage import Pricing

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Day:
    """One day of a meter: the sum of what was told, the most, and the last, in millionths."""

    on: date
    sum_micros: int
    max_micros: int
    last_micros: int


#: The days of each service and meter on which something was used, the first first.
Days = Mapping[tuple[uuid.UUID, uuid.UUID], Sequence[Day]]


def meters(session: Session, timelines: Sequence[Timeline]) -> Meters:
    """What the plans of the timelines count, with what it costs in each currency."""
    variants = {phase.variant_id for timeline in timelines for phase in timeline.phases}
    rows = session.execute(
        select(Plan.variant_id, Meter, UsagePrice)
        .join(UsagePrice, UsagePrice.plan_id == Plan.id)
        .join(Meter, Meter.id == UsagePrice.meter_id)
        .where(Plan.variant_id.in_(variants))
        .order_by(Meter.code)
    )
    found: dict[tuple[uuid.UUID, str], list[Metered]] = {}
    for variant_id, meter, price in rows:
        pricing = Pricing.of(price.model, price.free, price.tiers, price.currency)
        one = Metered(meter.id, meter.name, meter.unit, meter.counts, pricing)
        found.setdefault((variant_id, price.currency), []).append(one)
    return found


def days(session: Session, timelines: Sequence[Timeline], known: Meters) -> Days:
    """What was used of the services that have a meter; two statements, however many."""
    metered = [
        timeline.id
        for timeline in timelines
        if any((phase.variant_id, timeline.currency) in known for phase in timeline.phases)
    ]
    if not metered:
        return {}
    of_services = UsageRecord.subscription_id.in_(metered)
    lasts = _lasts(session, of_services)
    found: dict[tuple[uuid.UUID, uuid.UUID], list[Day]] = {}
    record = UsageRecord
    key = (record.subscription_id, record.meter_id, record.used_on)
    micros = record.quantity_micros
    rows = session.execute(
        select(*key, func.sum(micros), func.max(micros))
        .where(of_services, _counts())
        .group_by(*key)
        .order_by(*key)
    )
    for service, meter, on, whole, most in rows:
        last = lasts.get((service, meter, on), 0)
        found.setdefault((service, meter), []).append(Day(on, int(whole), int(most), last))
    return found


def _counts() -> ColumnElement[bool]:
    """The last of each chain: no correction of the same record came after it."""
    later = aliased(UsageRecord)
    root = func.coalesce(UsageRecord.corrects_id, UsageRecord.id)
    after = or_(
        UsageRecord.corrects_id.is_(None),
        later.recorded_at > UsageRecord.recorded_at,
        and_(later.recorded_at == UsageRecord.recorded_at, later.id > UsageRecord.id),
    )
    return ~select(later.id).where(later.corrects_id == root, after).exists()


def _lasts(
    session: Session, of_services: ColumnElement[bool]
) -> dict[tuple[uuid.UUID, uuid.UUID, date], int]:
    """The last reading of each day, of the meters that count by it."""
    rows = session.execute(
        select(
            UsageRecord.subscription_id,
            UsageRecord.meter_id,
            UsageRecord.used_on,
            UsageRecord.quantity_micros,
        )
        .join(Meter, Meter.id == UsageRecord.meter_id)
        .where(of_services, Meter.counts == "last", _counts())
        .order_by(UsageRecord.used_at, UsageRecord.id)
    )
    return {(service, meter, on): micros for service, meter, on, micros in rows}


def units(window: Window, used: Days) -> Decimal:
    """The units of a window, as its meter counts them."""
    key = (window.timeline.id, window.metered.meter_id)
    mine = [day for day in used.get(key, ()) if day.on in window.days]
    return Decimal(_COUNTED[window.metered.counts](mine)) / _MILLION


_COUNTED: Mapping[str, Callable[[Sequence[Day]], int]] = {
    "sum": lambda mine: sum(day.sum_micros for day in mine),
    "max": lambda mine: max((day.max_micros for day in mine), default=0),
    "last": lambda mine: mine[-1].last_micros if mine else 0,
}
