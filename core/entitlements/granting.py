"""What a service's plan gives its account: granted with activation, moved with the plan, then revoked."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from core.entitlements import steps
from core.entitlements.models import Entitlement
from core.kernel.ids import new_id
from core.prices import plans
from core.subscriptions import reading
from core.subscriptions.models import Subscription


def grant(
    session: Session, subscription: Subscription, on: date, actor: str, now: datetime
) -> None:
    """Give the account what the plan that holds ``on`` gives, and take what it gives no more.

    Asked again it changes nothing. What is new takes over the locks that the service's other features
    have, and ``paused`` where it rests: a change of plan opens nothing.
    """
    wanted = features_on(session, subscription, on)
    rows = {row.feature: row for row in steps.of_subscription(session, subscription.id)}
    events = steps.history(session, [row.id for row in rows.values()])
    locks = {
        reason
        for row in rows.values()
        if row.state != "revoked"
        for reason in steps.held(events.get(row.id, ()))
    }
    if subscription.state == "paused":
        locks.add("paused")
    for feature in sorted(wanted):
        row = rows.get(feature)
        if row is not None and row.state != "revoked":
            continue
        if row is None:
            row = _new(session, subscription, feature, now)
        so_far = steps.step(session, row, "grant", "", actor, now, events.get(row.id, []))
        for reason in sorted(locks):
            so_far = steps.step(session, row, "lock", reason, actor, now, so_far)
    for feature, row in rows.items():
        if feature not in wanted and row.state != "revoked":
            steps.step(session, row, "revoke", "plan", actor, now, events.get(row.id, []))


def revoke(
    session: Session, subscription: Subscription, reason: str, actor: str, now: datetime
) -> None:
    """Take all that a service gives."""
    rows = [
        one for one in steps.of_subscription(session, subscription.id) if one.state != "revoked"
    ]
    events = steps.history(session, [row.id for row in rows])
    for row in rows:
        steps.step(session, row, "revoke", reason, actor, now, events.get(row.id, []))


def features_on(session: Session, subscription: Subscription, on: date) -> set[str]:
    """What the plan of a day gives; nothing on a day without service."""
    phase = reading.timeline(session, subscription.id).phase_on(on)
    if phase is None:
        return set()
    plan = plans.of_variants(session, [phase.variant_id]).get(phase.variant_id)
    return {str(feature) for feature in plan.features} if plan is not None else set()


def _new(session: Session, subscription: Subscription, feature: str, now: datetime) -> Entitlement:
    """A row that nothing was granted on yet."""
    row = Entitlement(
        id=new_id(),
        account_id=subscription.service_account_id,
        subscription_id=subscription.id,
        feature=feature,
        state="revoked",
        lock_reason="",
        changed_at=now,
    )
    session.add(row)
    session.flush()
    return row
