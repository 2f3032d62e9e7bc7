"""What a day brings to services: an end, the end of a pause, a plan that begins; and to which of them."""

import uuid
from dataclasses import replace
from datetime import date

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from core.subscriptions import pausing
from core.subscriptions.models import Subscription, SubscriptionPause, SubscriptionPhase
from core.subscriptions.timeline import Timeline

#: So many are asked for at a time.
CHUNK = 500


def arrived(timeline: Timeline, today: date) -> Timeline:
    """The timeline as the day makes it, whether or not the night has written it down yet. Pure."""
    if timeline.state == "ended":
        return timeline
    if timeline.ended_on is not None and timeline.ended_on <= today:
        return replace(timeline, state="ended")
    if timeline.state == "paused" and timeline.pauses[-1].end <= today:
        return pausing.resumed(timeline, today)
    return timeline


def waiting(
    session: Session, today: date, *, after: uuid.UUID | None = None, limit: int = CHUNK
) -> list[uuid.UUID]:
    """Services that may have something to do by ``today``, in the order of their keys, behind ``after``."""
    ends = Subscription.ended_on <= today
    later = aliased(SubscriptionPause)  # of two rests the second one counts
    resumes = exists().where(
        SubscriptionPause.subscription_id == Subscription.id,
        SubscriptionPause.ends_on <= today,
        Subscription.state == "paused",
        ~exists().where(
            later.subscription_id == Subscription.id,
            or_(later.ends_on.is_(None), later.ends_on > today),
        ),
    )
    begins = exists().where(
        SubscriptionPhase.subscription_id == Subscription.id,
        SubscriptionPhase.number > 0,
        SubscriptionPhase.withdrawn_at.is_(None),
        SubscriptionPhase.starts_on <= today,
        or_(
            Subscription.arrived_on.is_(None),
            SubscriptionPhase.starts_on > Subscription.arrived_on,
        ),
    )
    query = (
        select(Subscription.id)
        .where(Subscription.state.in_(["active", "paused"]), or_(ends, resumes, begins))
        .order_by(Subscription.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Subscription.id > after)
    return list(session.scalars(query))


def mark(session: Session, subscription: Subscription, today: date) -> None:
    """The days up to today have been done. No change of the service: nobody's form grows old by it."""
    session.execute(
        update(Subscription)
        .where(Subscription.id == subscription.id)
        .values(arrived_on=today)
        .execution_options(synchronize_session=False)
    )
