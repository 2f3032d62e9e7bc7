"""A service rests: days that are neither served nor billed, with an end that is set or not."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.calendar import Period
from core.subscriptions import reading, states
from core.subscriptions.errors import (
    AlreadyThere,
    FreeTier,
    NotRunning,
    OnTrial,
    UnknownReason,
    WrongDay,
)
from core.subscriptions.models import Subscription, SubscriptionPause
from core.subscriptions.timeline import NEVER, Timeline

#: Why people pause.
REASONS = ("away", "moving", "too_expensive", "works", "other")
#: An end that is set lies no further ahead.
LONGEST = timedelta(days=366)


def proposed(timeline: Timeline, on: date, until: date | None = None) -> Timeline:
    """The timeline resting from ``on``, the first day without service, until the first day with it again.

    Raises NotRunning, AlreadyThere, OnTrial, FreeTier and WrongDay.
    """
    if timeline.state == "paused" or timeline.rests_on(on):
        raise AlreadyThere("paused")
    running = timeline.phase_on(on)
    if timeline.state != "active" or running is None:
        raise NotRunning("ending" if timeline.state == "active" else timeline.state)
    if (ends := timeline.trial_end(on)) is not None:
        raise OnTrial(ends)
    if running.kind == "trial":
        raise FreeTier
    if until is not None and not on < until <= on + LONGEST:
        raise WrongDay(until, on + timedelta(days=1), on + LONGEST)
    rest = Period(on, until or NEVER)
    return replace(timeline, state="paused", pauses=(*timeline.pauses, rest))


def resumed(timeline: Timeline, on: date) -> Timeline:
    """The timeline with service again from ``on``, or from the pause's own end when that was earlier.

    Raises NotRunning when it does not rest.
    """
    if timeline.state != "paused":
        raise NotRunning(timeline.state)
    *earlier, rest = timeline.pauses
    over = Period(rest.start, max(rest.start, min(rest.end, on)))
    return replace(timeline, state="active", pauses=(*earlier, over))


def pause(
    session: Session,
    subscription: Subscription,
    on: date,
    reason: str,
    note: str,
    actor: str,
    now: datetime,
    *,
    until: date | None = None,
) -> Timeline:
    """Rest from today on (``on``); answers the timeline as it is now.

    Raises what ``proposed`` raises, UnknownReason and StaleState.
    """
    if reason not in REASONS:
        raise UnknownReason(reason)
    today = states.today(session, subscription, now)
    if on != today:
        raise WrongDay(on, today, today)
    proposed(reading.timeline(session, subscription.id), on, until)
    states.move(session, subscription, "paused")
    session.add(
        SubscriptionPause(
            subscription_id=subscription.id,
            starts_on=on,
            ends_on=until,
            reason=reason,
            note=note,
            asked_at=now,
            asked_by=actor,
        )
    )
    session.flush()
    said = {"on": on.isoformat(), "until": until.isoformat() if until else None, "reason": reason}
    states.told(session, subscription, "paused", actor, now, **said)
    return reading.timeline(session, subscription.id)


def resume(
    session: Session, subscription: Subscription, on: date, actor: str, now: datetime
) -> Timeline:
    """Service again from ``on``, today; a pause whose end has come keeps that end.

    Raises NotRunning and StaleState; answers the timeline as it is now.
    """
    if subscription.state != "paused":
        raise NotRunning(subscription.state)
    rest = current(session, subscription)
    if rest.ends_on is None or rest.ends_on > on:
        rest.ends_on = max(on, rest.starts_on)
    states.move(session, subscription, "active")
    states.told(session, subscription, "resumed", actor, now, on=rest.ends_on.isoformat())
    return reading.timeline(session, subscription.id)


def current(session: Session, subscription: Subscription) -> SubscriptionPause:
    """The last pause of a service. NotRunning when there never was one."""
    found = session.scalars(
        select(SubscriptionPause)
        .where(SubscriptionPause.subscription_id == subscription.id)
        .order_by(SubscriptionPause.starts_on.desc(), SubscriptionPause.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        raise NotRunning(subscription.state)
    return found
