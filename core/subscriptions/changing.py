"""Another plan or quantity, from today or from a day ahead: what it would be (pure), and agreeing to it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.kernel.calendar import MONTHS
from core.kernel.ids import new_id
from core.prices import plans
from core.subscriptions import reading, states
from core.subscriptions.errors import (
    NotRunning,
    OnTrial,
    OtherFamily,
    SameAgain,
    TooManyOf,
    WrongDay,
)
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.timeline import NEVER, Phase, Timeline

#: More pieces of a plan than one service has.
MOST = 10_000


@dataclass(frozen=True)
class Wish:
    """What should hold: a plan in a quantity at a price, and why it is that price."""

    variant_id: uuid.UUID
    sku: str
    name: str
    tax_category: str
    quantity: int
    unit_price_micros: int
    interval: str
    interval_count: int = 1
    #: Of the price: ``{"list": …}`` or ``{"quote": …}``.
    trace: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The list or quote that the price is from."""
        return str(self.trace.get("list") or self.trace.get("quote") or "")

    def is_in(self, phase: Phase) -> bool:
        """Is it what a phase gives already? A price that has moved since is no wish."""
        wanted = (self.variant_id, self.quantity, self.interval, self.interval_count)
        return wanted == (phase.variant_id, phase.quantity, phase.interval, phase.interval_count)


def next_day(timeline: Timeline, today: date) -> date:
    """The first day on which a change "at the end of the period" holds: the next bill day, or the trial's
    end. Raises NotRunning."""
    running = _running(timeline, today)
    return timeline.trial_end(today) or timeline.cycle(running).around(today).end


def propose(timeline: Timeline, wish: Wish, on: date, *, today: date | None = None) -> Timeline:
    """The timeline with the wish from ``on``; ``today`` None: that is the day.

    Phases that lie ahead give way to it. A plan of the same interval keeps its bill days; another one counts
    its periods from ``on``. Raises NotRunning, OnTrial, SameAgain and TooManyOf.
    """
    if not 1 <= wish.quantity <= MOST:
        raise TooManyOf(wish.quantity, MOST)
    if timeline.state != "active":
        raise NotRunning(timeline.state)
    running = _running(timeline, on)
    if (
        ends := timeline.trial_end(on)
    ) is not None:  # a free tier has none that could be waited for
        raise OnTrial(ends)
    begun = today or on
    kept = [one for one in timeline.phases if one.starts_on and _stays(one.starts_on, on, begun)]
    if wish.is_in(running) or wish.is_in(_replaced(kept, running)):
        raise SameAgain
    months = MONTHS[wish.interval] * wish.interval_count
    made = Phase(
        id=new_id(),
        number=max(one.number for one in timeline.phases) + 1,
        kind="paid",
        variant_id=wish.variant_id,
        sku=wish.sku,
        name=wish.name,
        tax_category=wish.tax_category,
        quantity=wish.quantity,
        unit_price_micros=wish.unit_price_micros,
        interval=wish.interval,
        interval_count=wish.interval_count,
        starts_on=on,
        cycle_from=running.cycle_from if months == running.months else on,
        source=wish.source,
    )
    return replace(timeline, phases=(*kept, made))


def _stays(starts_on: date, on: date, today: date) -> bool:
    """A phase that began earlier, or on the very day of a change that holds today: that one is empty now."""
    return starts_on < on or starts_on <= today


def _replaced(kept: Sequence[Phase], running: Phase) -> Phase:
    """What a change takes the place of: the phase before it; behind a trial, what was to follow it."""
    return kept[-1] if kept and kept[-1].kind == "paid" else running


def _running(timeline: Timeline, day: date) -> Phase:
    found = timeline.phase_on(day)
    if found is None:
        over = timeline.ended_on is not None and timeline.ended_on <= day
        raise NotRunning("ending" if over and timeline.state != "ended" else timeline.state)
    return found


def ahead(timeline: Timeline, today: date) -> Phase | None:
    """The change that was agreed for a later day; None, too, while a trial runs: what follows it is part
    of the trial."""
    running = timeline.phase_on(today)
    if running is None or running.kind == "trial":
        return None
    later = [one for one in timeline.phases if one.starts_on and one.starts_on > today]
    return later[0] if later else None


def change(
    session: Session, subscription: Subscription, wish: Wish, on: date, actor: str, now: datetime
) -> Timeline:
    """Agree to the wish from ``on``, today or later; answers the timeline as it is now.

    Raises what ``propose`` raises, OtherFamily, WrongDay and StaleState.
    """
    before = reading.timeline(session, subscription.id)
    today = states.today(session, subscription, now)
    if on < today:
        raise WrongDay(on, today, subscription.ended_on or NEVER)
    after = propose(before, wish, on, today=today)
    old = _replaced(after.phases[:-1], _running(before, on))
    if not plans.is_one_family(session, old.variant_id, wish.variant_id):
        raise OtherFamily(wish.sku)
    withdraw(
        session, subscription, [one.id for one in before.phases if one not in after.phases], now
    )
    made = after.phases[-1]
    states.keep(session, subscription)
    session.add(
        SubscriptionPhase(
            id=made.id,
            subscription_id=subscription.id,
            number=next_number(session, subscription),
            kind=made.kind,
            variant_id=made.variant_id,
            quantity=made.quantity,
            unit_price_micros=made.unit_price_micros,
            price_trace=dict(wish.trace),
            interval=made.interval,
            interval_count=made.interval_count,
            starts_on=made.starts_on,
            cycle_from=made.cycle_from,
            agreed_at=now,
            agreed_by=actor,
            revision=subscription.revision,
        )
    )
    session.flush()
    what = "quantity" if old.variant_id == wish.variant_id else "plan"
    said = {"on": on.isoformat(), "plan": wish.sku, "quantity": wish.quantity}
    was = {"old_plan": old.sku, "old_quantity": old.quantity}
    states.told(session, subscription, what, actor, now, **said, **was)
    return reading.timeline(session, subscription.id)


def withdraw(
    session: Session, subscription: Subscription, phase_ids: list[uuid.UUID], now: datetime
) -> None:
    """Phases that lie ahead will never begin."""
    if phase_ids:
        session.execute(
            update(SubscriptionPhase)
            .where(
                SubscriptionPhase.id.in_(phase_ids),
                SubscriptionPhase.subscription_id == subscription.id,
                SubscriptionPhase.withdrawn_at.is_(None),
            )
            .values(withdrawn_at=now)
        )


def next_number(session: Session, subscription: Subscription) -> int:
    """Withdrawn phases keep their numbers."""
    last = session.scalar(
        select(func.max(SubscriptionPhase.number)).where(
            SubscriptionPhase.subscription_id == subscription.id
        )
    )
    return (last if last is not None else -1) + 1
