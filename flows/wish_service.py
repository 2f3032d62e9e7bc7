"""What somebody may have in place of what they have, and what it costs there: from the price lists."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.errors import NotFound
from core.prices import plans, resolve
from core.prices.models import Plan
from core.prices.resolve import NoPrice, Resolved
from core.subscriptions.changing import Wish
from core.subscriptions.errors import OtherFamily
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.timeline import Timeline


@dataclass(frozen=True)
class Wanted:
    """A plan in a quantity, from today or from the next period on."""

    sku: str
    quantity: int
    at_period_end: bool


@dataclass(frozen=True)
class Choice:
    """A plan that can be had in place of the one that runs, at today's price for one."""

    sku: str
    name: str
    price: Resolved


def choices(
    session: Session, row: Subscription, timeline: Timeline, today: date, now: datetime
) -> list[Choice]:
    """The family of the plan that runs (or will), in the order of its shelf, as far as it has a price."""
    phase = timeline.phase_on(today) or timeline.phases[-1]
    found = plans.relatives(session, phase.variant_id)
    prices = resolve.prices(
        session,
        row.channel_id,
        row.currency,
        {variant.id: 1 for _, variant in found},
        now,
    )
    return [
        Choice(variant.sku, variant.name, prices[variant.id])
        for _, variant in found
        if variant.id in prices and (variant.active or variant.id == phase.variant_id)
    ]


def wish(
    session: Session,
    row: Subscription,
    timeline: Timeline,
    wanted: Wanted,
    on: date,
    now: datetime,
) -> Wish:
    """The wish at the price that holds now for the quantity. Raises NotFound, OtherFamily and NoPrice.

    More or fewer of a plan whose price was agreed in a quote keep that price.
    """
    running = timeline.phase_on(on) or timeline.phases[-1]
    related = {
        variant.sku: (plan, variant)
        for plan, variant in plans.relatives(session, running.variant_id)
    }
    if wanted.sku not in related:
        if plans.by_sku(session, wanted.sku) is None:
            raise NotFound("plan")
        raise OtherFamily(wanted.sku)
    plan, variant = related[wanted.sku]
    if variant.id == running.variant_id:
        agreed = session.get_one(SubscriptionPhase, running.id)
        if "quote" in agreed.price_trace:
            return _wish(plan, variant, wanted, running.unit_price_micros, agreed.price_trace)
    elif not variant.active:
        raise OtherFamily(wanted.sku)
    quantities = {variant.id: max(wanted.quantity, 1)}
    found = resolve.prices(session, row.channel_id, row.currency, quantities, now)
    if variant.id not in found:
        raise NoPrice(variant.sku)
    price = found[variant.id]
    return _wish(plan, variant, wanted, price.unit_price_micros, price.trace)


def _wish(
    plan: Plan, variant: Variant, wanted: Wanted, unit_price_micros: int, trace: dict[str, object]
) -> Wish:
    return Wish(
        variant_id=variant.id,
        sku=variant.sku,
        name=variant.name,
        tax_category=variant.tax_category,
        quantity=wanted.quantity,
        unit_price_micros=unit_price_micros,
        interval=plan.interval,
        interval_count=plan.interval_count,
        trace=trace,
    )
