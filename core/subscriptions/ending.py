"""A service ends, now or on a day ahead; what lies ahead can be taken back."""

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import SubscriptionEnded
from core.kernel import jobs
from core.subscriptions import changing, reading, states
from core.subscriptions.errors import (
    AlreadyThere,
    NothingAhead,
    NotRunning,
    OnTrial,
    UnknownReason,
    WrongDay,
)
from core.subscriptions.models import Subscription, SubscriptionPause
from core.subscriptions.timeline import NEVER, Timeline

#: Why people leave.
REASONS = ("moving", "too_expensive", "not_needed", "unhappy", "other")


def proposed(timeline: Timeline, on: date) -> Timeline:
    """The timeline that ends: ``on`` is the first day without service.

    An end that lies ahead can only come nearer. Raises NotRunning and AlreadyThere.
    """
    if timeline.state == "ended":
        raise NotRunning(timeline.state)
    if timeline.ended_on is not None and on >= timeline.ended_on:
        raise AlreadyThere("ending")
    return replace(timeline, ended_on=on)


def kept(timeline: Timeline, today: date) -> Timeline:
    """The timeline without the end, else without the change, that lies ahead. Raises NothingAhead.

    The end of a trial is its own affair (``trials.keep``): without it nobody would ever be asked to pay.
    """
    if timeline.state == "ended":
        raise NotRunning(timeline.state)
    running = timeline.phase_on(today)
    if running is not None and running.kind == "trial" and timeline.ended_on is not None:
        raise OnTrial(timeline.ended_on)
    if timeline.ended_on is not None:
        if timeline.ended_on <= today:
            raise NothingAhead
        return replace(timeline, ended_on=None)
    if changing.ahead(timeline, today) is None:
        raise NothingAhead
    left = [one for one in timeline.phases if one.starts_on is None or one.starts_on <= today]
    return replace(timeline, phases=tuple(left))


def end(
    session: Session,
    subscription: Subscription,
    on: date,
    reason: str,
    note: str,
    actor: str,
    now: datetime,
) -> Timeline:
    """End it ``on``, today or later; today it is over with this call. Answers the timeline as it is now.

    What waits for activation ends today only. Raises what ``proposed`` raises, UnknownReason, WrongDay and
    StaleState.
    """
    if reason not in REASONS:
        raise UnknownReason(reason)
    today = states.today(session, subscription, now)
    latest = today if subscription.state == "ordered" else NEVER
    if not today <= on <= latest:
        raise WrongDay(on, today, latest)
    proposed(reading.timeline(session, subscription.id), on)
    states.keep(session, subscription, ended_on=on, end_reason=reason, end_note=note)
    states.told(session, subscription, "cancelled", actor, now, on=on.isoformat(), reason=reason)
    finish(session, subscription, now, actor)
    return reading.timeline(session, subscription.id)


def keep(session: Session, subscription: Subscription, actor: str, now: datetime) -> Timeline:
    """Take back the end that lies ahead, else the change; answers the timeline as it is now.

    Raises NothingAhead, NotRunning and StaleState.
    """
    before = reading.timeline(session, subscription.id)
    after = kept(before, states.today(session, subscription, now))
    gone = [one.id for one in before.phases if one not in after.phases]
    changing.withdraw(session, subscription, gone, now)
    values = {} if gone else {"ended_on": None, "end_reason": None, "end_note": ""}
    states.keep(session, subscription, **values)
    what = "change" if gone else "end"
    states.told(session, subscription, "kept", actor, now, taken_back=what)
    return reading.timeline(session, subscription.id)


def finish(
    session: Session, subscription: Subscription, now: datetime, actor: str = "system"
) -> bool:
    """State ended, when the day has come; says whether it had. An open pause ends with it."""
    if subscription.ended_on is None or subscription.state == "ended":
        return False
    if states.today(session, subscription, now) < subscription.ended_on:
        return False
    rest = session.scalar(
        select(SubscriptionPause).where(
            SubscriptionPause.subscription_id == subscription.id,
            SubscriptionPause.ends_on.is_(None),
        )
    )
    if rest is not None:
        rest.ends_on = max(rest.starts_on, subscription.ended_on)
    states.move(session, subscription, "ended")
    event = SubscriptionEnded(str(subscription.id))
    jobs.record(session, event, now, key=f"service-ended:{subscription.id}")
    states.noted(session, subscription, "ended", actor, now, on=subscription.ended_on.isoformat())
    return True
