"""A service begins: by hand when somebody has connected it, or at once with its order."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import SubscriptionActivated
from core.kernel import jobs
from core.parties.models import Account
from core.prices.models import Plan
from core.subscriptions import states
from core.subscriptions.errors import AlreadyThere, WrongDay
from core.subscriptions.models import Subscription, SubscriptionPhase

#: So long ago may a service have begun that is activated today.
LONGEST_AGO = timedelta(days=60)


def activate(
    session: Session, subscription: Subscription, on: date, actor: str, now: datetime
) -> None:
    """Ordered → active: the first phase begins ``on``, and the bill day is set for good.

    ``on`` is today or up to 60 days ago, where the service is used. Raises AlreadyThere, WrongDay and
    StaleState.
    """
    if subscription.state != "ordered":
        raise AlreadyThere(subscription.state)
    today = states.today(session, subscription, now)
    if not today - LONGEST_AGO <= on <= today:
        raise WrongDay(on, today - LONGEST_AGO, today)
    first = session.scalars(
        select(SubscriptionPhase).where(
            SubscriptionPhase.subscription_id == subscription.id, SubscriptionPhase.number == 0
        )
    ).one()
    plan = session.scalar(select(Plan).where(Plan.variant_id == first.variant_id))
    bill_day = on.day
    if plan is not None and plan.bills_on == "account":
        bill_day = session.get_one(Account, subscription.payer_account_id).bill_day
    first.starts_on = first.cycle_from = on
    states.move(session, subscription, "active", activated_on=on, bill_day=bill_day)
    event = SubscriptionActivated(str(subscription.id))
    jobs.record(session, event, now, key=f"service-activated:{subscription.id}")
    states.noted(session, subscription, "activated", actor, now, on=on.isoformat())
