"""How far a free tier is used up: what to tell somebody who comes near its end, and what it would cost."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.prices import plans
from core.subscriptions import reading, usage
from core.subscriptions.models import Subscription
from core.subscriptions.trial_dates import ABOVE_FREE, NEARLY_FULL, WELCOME
from core.subscriptions.trial_models import Trial
from invoices.rating.usage import Pricing

#: Of what is free; whoever is beyond it is told.
_NEAR = Decimal("0.8")


@dataclass(frozen=True)
class Level:
    """What is used in the month that runs, what of it is free, and what it comes to so far, before tax."""

    used: Decimal
    free: Decimal
    unit: str
    cost: Money
    #: The first day of the next month of the service: when it would be billed.
    billed_on: date

    @property
    def is_near(self) -> bool:
        """Is little left of what is free?"""
        return self.used >= self.free * _NEAR

    @property
    def is_above(self) -> bool:
        """Is more used than is free?"""
        return self.used > self.free


def level(session: Session, subscription: Subscription, today: date) -> Level | None:
    """What is used of a service's plan now; None where it counts nothing, or does not run."""
    timeline = reading.timeline(session, subscription.id)
    phase = timeline.phase_on(today)
    if phase is None:
        return None
    counted = plans.meters(session, [phase.variant_id], subscription.currency)
    if not counted.get(phase.variant_id):
        return None
    meter, price = counted[phase.variant_id][0]
    period = timeline.cycle(phase).around(today)
    cells = usage.totals(session, [timeline], since=period.start)
    used = max(
        (units for cell, units in cells.items() if cell.meter_id == meter.id), default=Decimal(0)
    )
    pricing = Pricing.of(price.model, price.free, price.tiers, price.currency)
    return Level(used, Decimal(price.free), meter.unit, pricing.rate(used).amount, period.end)


def due(session: Session, trial: Trial, subscription: Subscription, today: date) -> list[str]:
    """What is to be told of it today and was not told yet."""
    names = [] if WELCOME in trial.told else [WELCOME]
    now = level(session, subscription, today)
    if now is None or ABOVE_FREE in trial.told:
        return names
    if now.is_above:
        names.append(ABOVE_FREE)
    elif now.is_near and NEARLY_FULL not in trial.told:
        names.append(NEARLY_FULL)
    return names
