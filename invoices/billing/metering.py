"""What was used: day by day as it counts now, and the units of each window."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.prices.models import Meter, Plan, UsagePrice
from core.subscriptions import usage
from core.subscriptions.timeline import Timeline
from core.subscriptions.usage import Used
from invoices.billing.terms import Metered, Meters, Window
from invoices.rating.usage import Pricing

_MILLION = Decimal(1_000_000)


#: The days of each service on which something was used, by meter, the first first.
Days = Mapping[uuid.UUID, Sequence[Used]]


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
    """What was used of the services that have a meter; one statement, however many."""
    metered = [
        timeline.id
        for timeline in timelines
        if any((phase.variant_id, timeline.currency) in known for phase in timeline.phases)
    ]
    return usage.by_day(session, metered) if metered else {}


def units(window: Window, used: Days) -> Decimal:
    """The units of a window, as its meter counts them."""
    mine = [
        one
        for one in used.get(window.timeline.id, ())
        if one.meter_id == window.metered.meter_id and one.day in window.days
    ]
    return Decimal(_COUNTED[window.metered.counts](mine)) / _MILLION


_COUNTED: Mapping[str, Callable[[Sequence[Used]], int]] = {
    "sum": lambda mine: sum(one.sum_micros for one in mine),
    "max": lambda mine: max((one.max_micros for one in mine), default=0),
    "last": lambda mine: mine[-1].last_micros if mine else 0,
}
