"""Services for whoever may see them: what runs, what it used, what comes next to pay. Reads only."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from core.entitlements import steps
from core.entitlements.models import Entitlement, EntitlementEvent
from core.kernel.calendar import Period
from core.kernel.clock import local_date
from core.kernel.money import Money, total
from core.orders import fulfilling, naming
from core.orders.models import Order
from core.parties import accounts
from core.parties.models import Account
from core.prices import plans
from core.prices.models import Meter, Plan
from core.subscriptions import arriving, changing, reading, usage
from core.subscriptions.models import Subscription, SubscriptionPause, SubscriptionPhase
from core.subscriptions.timeline import Phase, Timeline
from core.subscriptions.usage import Used
from invoices.billing import comparing, metering, terms
from invoices.billing.comparing import Facts

#: How far back the table of days goes.
DAYS_SHOWN = timedelta(days=92)


@dataclass(frozen=True)
class InUse:
    """What was used of a meter in the period that runs, and what it would cost if that was all."""

    meter: str
    unit: str
    units: Decimal
    cost: Money
    days: Period


@dataclass(frozen=True)
class Seen:
    """A service as it is today. ``phase`` runs, or comes first, or was the last.

    ``next_on`` is the next day on which something may be billed, ``next_amount`` what that would be before
    tax, as things are now; None when nothing is.
    """

    row: Subscription
    timeline: Timeline
    today: date
    service_account: Account
    payer: Account
    phase: Phase
    ahead: Phase | None
    next_on: date | None
    next_amount: Money | None
    #: When the next period begins, of one that runs.
    next_period: date | None
    in_use: tuple[InUse, ...]


@dataclass(frozen=True)
class Told:
    """What is known of one service beside that."""

    seen: Seen
    plan: Plan | None
    phases: Sequence[SubscriptionPhase]
    #: The names of their plans, by variant.
    names: Mapping[uuid.UUID, tuple[str, str]]
    pauses: Sequence[SubscriptionPause]
    days: Sequence[tuple[Meter, Used]]
    #: Of these days' first records, by meter and day.
    keys: Mapping[tuple[uuid.UUID, date], Sequence[str]]
    meters: Sequence[Meter]
    entitlements: Sequence[Entitlement]
    steps: Mapping[uuid.UUID, Sequence[EntitlementEvent]]
    #: The numbers, addresses and keys that it has.
    numbers: Sequence[str] = ()


def seen(session: Session, rows: Sequence[Subscription], now: datetime) -> list[Seen]:
    """Some services as they are now; always the same number of statements. Needs a snapshot."""
    if not rows:
        return []
    found = {
        one.id: one
        for one in reading.timelines(session, Subscription.id.in_([row.id for row in rows]))
    }
    keys = {row.service_account_id for row in rows} | {row.payer_account_id for row in rows}
    people = accounts.some(session, keys)
    days = {row.id: local_date(now, people[row.service_account_id].time_zone) for row in rows}
    timelines = [arriving.arrived(found[row.id], days[row.id]) for row in rows]
    known = comparing.facts(session, timelines)
    return [
        _seen(row, timeline, days[row.id], people, known)
        for row, timeline in zip(rows, timelines, strict=True)
    ]


def _seen(
    row: Subscription,
    timeline: Timeline,
    today: date,
    people: Mapping[uuid.UUID, Account],
    known: Facts,
) -> Seen:
    phase = timeline.phase_on(today) or _nearest(timeline, today)
    next_on, next_amount = _next(timeline, known, today)
    return Seen(
        row=row,
        timeline=timeline,
        today=today,
        service_account=people[row.service_account_id],
        payer=people[row.payer_account_id],
        phase=phase,
        ahead=changing.ahead(timeline, today),
        next_on=next_on,
        next_amount=next_amount,
        next_period=_next_period(timeline, today),
        in_use=tuple(_in_use(timeline, known, today)),
    )


def _next_period(timeline: Timeline, today: date) -> date | None:
    return changing.next_day(timeline, today) if timeline.phase_on(today) is not None else None


def _nearest(timeline: Timeline, today: date) -> Phase:
    """Of a service that does not run: the plan that was the last, else the first to come."""
    begun = [phase for phase, days in timeline.spans() if days.days and days.start <= today]
    return begun[-1] if begun else timeline.phases[0]


def _next(timeline: Timeline, known: Facts, today: date) -> tuple[date | None, Money | None]:
    """The next day with something to bill, and what: today, where the night has not billed it yet."""
    if timeline.activated_on is None:
        return None, None
    due = _amount(timeline, known, today)
    if due.minor > 0:
        return today, due
    day = terms.next_day(timeline, known.meters, today)
    return day, _amount(timeline, known, day) if day is not None else None


def _amount(timeline: Timeline, known: Facts, day: date) -> Money:
    """What a bill of that day would say of this service, before tax."""
    found = comparing.compare([timeline], known, day)
    changes = [one.change.amount for one in found.charges]
    return total([*changes, *(one.change.amount for one in found.repairs)], timeline.currency)


def _in_use(timeline: Timeline, known: Facts, today: date) -> list[InUse]:
    running = timeline.phase_on(today)
    if running is None:
        return []
    end = timeline.cycle(running).around(today).end
    if timeline.ended_on is not None:
        end = min(end, timeline.ended_on)
    found = []
    for window in terms.windows(timeline, known.meters, end):
        if today in window.days:
            units = metering.units(window, known.used)
            cost = window.metered.pricing.rate(units).amount
            metered = window.metered
            found.append(InUse(metered.name, metered.unit, units, cost, window.days))
    return found


def told(session: Session, row: Subscription, now: datetime) -> Told:
    """Everything about one service. Needs a snapshot."""
    (one,) = seen(session, [row], now)
    phases, pauses = reading.history(session, row.id)
    variants = {phase.variant_id for phase in phases}
    entitlements = steps.of_subscription(session, row.id)
    counted = plans.meters(session, variants, row.currency)
    known = plans.named(session, variants | {one.phase.variant_id})
    meters = {meter.id: meter for found in counted.values() for meter, _ in found}
    since = one.today - DAYS_SHOWN
    days = usage.by_day(session, [row.id], since=since).get(row.id, [])
    return Told(
        seen=one,
        plan=known[one.phase.variant_id][1],
        phases=phases,
        names={key: (variant.sku, variant.name) for key, (variant, _) in known.items()},
        pauses=pauses,
        days=[(meters[used.meter_id], used) for used in reversed(days) if used.meter_id in meters],
        keys=usage.keys_by_day(session, row.id, since=since) if days else {},
        meters=sorted(meters.values(), key=lambda meter: meter.code),
        entitlements=entitlements,
        steps=steps.history(session, [each.id for each in entitlements]),
        numbers=_numbers(session, row)
        if any(variant.numbered for variant, _ in known.values())
        else (),
    )


def _numbers(session: Session, row: Subscription) -> Sequence[str]:
    """What the line has that the service was ordered by."""
    line = fulfilling.of_subscription(session, row.id)
    if line is None or not line.numbered:
        return ()
    order = session.get_one(Order, line.order_id)
    return naming.named(session, order, [line], secrets=False).get(line.id, ())
