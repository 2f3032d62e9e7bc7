"""The one writer of a subscription's row: every step is fenced by its state and its revision."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.events import SubscriptionChanged
from core.kernel import audit, jobs
from core.kernel.clock import local_date
from core.kernel.db import changed
from core.kernel.errors import StaleState
from core.parties.models import Account
from core.subscriptions.models import STATES, Subscription


def move(session: Session, subscription: Subscription, to: str, **values: Any) -> None:
    """Move the state along its table. StaleState when it is not there, or somebody was faster."""
    origins = [state for state, onward in STATES.items() if to in onward]
    _write(session, subscription, origins, state=to, **values)


def keep(session: Session, subscription: Subscription, **values: Any) -> None:
    """Write values, the state stays. StaleState when somebody was faster."""
    _write(session, subscription, [subscription.state], **values)


def _write(session: Session, subscription: Subscription, origins: list[str], **values: Any) -> None:
    values["revision"] = subscription.revision + 1
    session.flush()
    result = session.execute(
        update(Subscription)
        .where(
            Subscription.id == subscription.id,
            Subscription.state.in_(origins),
            Subscription.revision == subscription.revision,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("service", str(values.get("state", subscription.state)))
    for name, value in values.items():
        set_committed_value(subscription, name, value)


def today(session: Session, subscription: Subscription, now: datetime) -> date:
    """The day that it is where the service is used: days of service are counted there."""
    account = session.get_one(Account, subscription.service_account_id)
    return local_date(now, account.time_zone)


def told(
    session: Session,
    subscription: Subscription,
    what: str,
    actor: str,
    now: datetime,
    **detail: Any,
) -> None:
    """Record that it was changed, for whoever listens, and in the audit log."""
    event = SubscriptionChanged(str(subscription.id), what, subscription.revision)
    key = f"service-changed:{subscription.id}:{subscription.revision}"
    jobs.record(session, event, now, key=key)
    noted(session, subscription, what, actor, now, **detail)


def noted(
    session: Session,
    subscription: Subscription,
    what: str,
    actor: str,
    now: datetime,
    **detail: Any,
) -> None:
    """A line of the audit log about a service."""
    subject = ("service", subscription.public_id)
    audit.write(session, now, actor, f"service.{what}", subject, **detail)
