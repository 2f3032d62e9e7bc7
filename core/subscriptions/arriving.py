"""What a day brings to services: an end, the end of a pause, a plan that begins; and to which of them."""

import uuid
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from core.subscriptions import pausing
from core.subscriptions.models import Subscription, SubscriptionPause, SubscriptionPhase
from core.subscriptions.timeline import Timeline

#: So many are asked for at a time.
CHUNK = 500
#: A plan that began within so many days is looked at again: its day may have come while nobody worked.
LOOK_BACK = timedelta(days=40)


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
    resumes = exists().where(
        SubscriptionPause.subscription_id == Subscription.id,
        SubscriptionPause.ends_on <= today,
        Subscription.state == "paused",
    )
    begins = exists().where(
        SubscriptionPhase.subscription_id == Subscription.id,
        SubscriptionPhase.number > 0,
        SubscriptionPhase.withdrawn_at.is_(None),
        SubscriptionPhase.starts_on <= today,
        SubscriptionPhase.starts_on >= today - LOOK_BACK,
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
