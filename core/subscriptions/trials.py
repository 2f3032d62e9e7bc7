"""Trials: going on after one, cancelling it, and its end. How one begins stands in ``trial_starting``.

A trial is a subscription whose first phase costs nothing. Whether it goes on stands in its phases alone: with
a card there is a paid phase from the first day after it, agreed from the start, so that a bill run converts
it as it bills anything else; without one the subscription ends on that day, unless somebody says otherwise.

Callers hold the payer's account, the subscription and the trial, locked in this order. Nothing commits.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.events import SubscriptionChanged, TrialEnded
from core.kernel import audit, jobs
from core.kernel.db import changed
from core.kernel.errors import ShopError, StaleState
from core.subscriptions import trial_dates
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.timeline import Timeline
from core.subscriptions.trial_dates import Dates
from core.subscriptions.trial_models import FREE_TIER, SHORTEST_NOTICE, STATES, Trial

#: Why a subscription ends with its trial when nobody said anything, and when somebody cancelled it.
OVER, CANCELLED = "trial_over", "trial_cancelled"


@dataclass(eq=False)
class TrialOver(ShopError):
    """It is over or was never begun: nothing about it can be changed any more."""

    code: ClassVar[str] = "trial_over"
    text: ClassVar[str] = "This trial is over. The plan can be ordered in the shop at any time."


@dataclass(eq=False)
class NothingToGoOn(ShopError):
    """It goes on already, or has no end that it could go on after."""

    code: ClassVar[str] = "trial_goes_on"
    text: ClassVar[str] = "This trial goes on by itself. There is nothing to do."


def pay_from(
    session: Session, trial: Trial, subscription: Subscription, on: date, now: datetime
) -> None:
    """The paid phase begins on ``on``, and its bills come on that day of the month."""
    phase = paid_phase(session, subscription.id)
    if phase is None:
        phase = SubscriptionPhase(
            subscription_id=subscription.id,
            number=1,
            kind="paid",
            variant_id=trial.variant_id,
            quantity=1,
            unit_price_micros=trial.price_micros,
            price_trace=trial.price_trace,
            interval=trial.interval,
            interval_count=trial.interval_count,
            agreed_at=now,
            agreed_by=f"user:{trial.user_id}",
        )
        session.add(phase)
    phase.starts_on = phase.cycle_from = on
    subscription.bill_day = on.day
    subscription.ended_on, subscription.end_reason = None, None
    session.flush()


def paid_phase(session: Session, subscription_id: uuid.UUID) -> SubscriptionPhase | None:
    """What was agreed for the time after a trial; None when nothing was."""
    return session.scalars(
        select(SubscriptionPhase)
        .where(
            SubscriptionPhase.subscription_id == subscription_id,
            SubscriptionPhase.number == 1,
            SubscriptionPhase.kind == "paid",
            SubscriptionPhase.withdrawn_at.is_(None),
        )
        .limit(1)
    ).first()


# --- while it runs --------------------------------------------------------------------------------


def lock(session: Session, trial_id: uuid.UUID) -> Trial:
    """The trial, locked and read again. Lock its account and its subscription first."""
    return session.get_one(Trial, trial_id, with_for_update=True, populate_existing=True)


def go_on(
    session: Session,
    trial: Trial,
    subscription: Subscription,
    on: date,
    method_id: uuid.UUID | None,
    now: datetime,
) -> None:
    """Agree to pay from ``on``: the end of the trial, or any earlier day from today.

    Raises TrialOver when it is, and NothingToGoOn when it is paid for from that day already.
    """
    if trial.state != "running" or trial.ends_on is None or on > trial.ends_on:
        raise TrialOver
    phase = paid_phase(session, subscription.id)
    starts = phase.starts_on if phase is not None else None
    if starts is not None and starts <= on and trial.cancelled_at is None:
        raise NothingToGoOn
    if method_id is not None:
        subscription.payment_method_id = method_id
    pay_from(session, trial, subscription, on, now)
    trial.ends_on, trial.cancelled_at, trial.close_reason = on, None, ""
    trial.setup_id, trial.pays_from = None, None
    trial.next_on = min(on, trial.next_on or on)
    _tell(session, trial, subscription, "plan", now)
    note(session, trial, "trial.goes_on", f"user:{trial.user_id}", now, on=str(on))


def postpone(
    session: Session, trial: Trial, subscription: Subscription, ends_on: date, now: datetime
) -> None:
    """Move the end, and with it the first charge, to a later day: nobody is charged without a notice."""
    if trial.ends_on is None or ends_on <= trial.ends_on:
        return
    phase = paid_phase(session, subscription.id)
    before, trial.ends_on = trial.ends_on, ends_on
    if phase is not None:
        ended, reason = subscription.ended_on, subscription.end_reason
        pay_from(session, trial, subscription, ends_on, now)
        if ended is not None:  # it was cancelled: its last day stays
            subscription.ended_on, subscription.end_reason = ended, reason
    details = {"from": str(before), "to": str(ends_on)}
    note(session, trial, "trial.postponed", "system", now, **details)


def cancel(
    session: Session,
    trial: Trial,
    subscription: Subscription,
    ends_on: date,
    reason: str,
    now: datetime,
) -> None:
    """It ends on ``ends_on`` and nothing is charged for what lies behind. Once more is no change.

    Raises TrialOver for one that does not run.
    """
    if trial.state != "running":
        raise TrialOver
    if trial.cancelled_at is not None:
        return
    subscription.ended_on, subscription.end_reason = ends_on, CANCELLED
    trial.cancelled_at, trial.close_reason = now, reason
    trial.setup_id, trial.pays_from = None, None
    _tell(session, trial, subscription, "cancelled", now)
    note(session, trial, "trial.cancelled", f"user:{trial.user_id}", now, reason=reason)


def keep(session: Session, trial: Trial, subscription: Subscription, now: datetime) -> None:
    """Take a cancellation back: it ends, or goes on, as was agreed at first. Once more is no change.

    Raises TrialOver for one that does not run, or whose service has ended.
    """
    if trial.state != "running" or subscription.state == "ended":
        raise TrialOver
    if trial.cancelled_at is None:
        return
    ends = trial.kind != FREE_TIER and paid_phase(session, subscription.id) is None
    subscription.ended_on = trial.ends_on if ends else None
    subscription.end_reason = OVER if ends else None
    trial.cancelled_at, trial.close_reason = None, ""
    _tell(session, trial, subscription, "kept", now)
    note(session, trial, "trial.kept", f"user:{trial.user_id}", now)


# --- its end --------------------------------------------------------------------------------------


def outcome(trial: Trial, subscription: Subscription, timeline: Timeline, today: date) -> str:
    """How it ended by ``today``: ``converted``, ``cancelled`` or ``lapsed``; empty while it runs.

    A free tier converts with its first bill above zero, which is not asked here.
    """
    if trial.kind == FREE_TIER:
        over = subscription.ended_on is not None and subscription.ended_on <= today
        return "cancelled" if over else ""
    if trial.ends_on is None or today < trial.ends_on:
        return ""
    phase = timeline.phase_on(trial.ends_on)
    if phase is not None and phase.kind == "paid":
        return "converted"
    by_itself = trial.cancelled_at is None and subscription.end_reason == OVER
    return "lapsed" if by_itself else "cancelled"


def close(session: Session, trial: Trial, how: str, now: datetime) -> None:
    """It ended. StaleState when somebody else closed it."""
    move(session, trial, how, closed_at=now, next_on=None)
    jobs.record(session, TrialEnded(str(trial.id), how), now, key=f"trial-ended:{trial.id}")
    note(session, trial, f"trial.{how}", "system", now)


def move(session: Session, trial: Trial, to: str, **values: Any) -> None:
    """Into another state, if nobody else moved it first. Raises StaleState."""
    if to not in STATES[trial.state]:
        raise StaleState("trial", to)
    result = session.execute(
        update(Trial)
        .where(Trial.id == trial.id, Trial.state == trial.state)
        .values(state=to, **values)
        .execution_options(synchronize_session=False)
    )
    if changed(result) == 0:
        raise StaleState("trial", to)
    session.refresh(trial)


def dates(trial: Trial, follow_ups: Sequence[date] = ()) -> Dates | None:
    """Its days as they are now; None for one that has no end or has not begun.

    Where its end was moved the notice moves with it.
    """
    if trial.starts_on is None or trial.ends_on is None or trial.days is None:
        return None
    length = max((trial.ends_on - trial.starts_on).days, trial.notice_days + 1)
    plan = trial_dates.plan(trial.starts_on, length, max(trial.notice_days, SHORTEST_NOTICE))
    return Dates(
        plan.starts_on, trial.ends_on, plan.halfway_on, plan.notice_on, tuple(sorted(follow_ups))
    )


def _tell(
    session: Session, trial: Trial, subscription: Subscription, what: str, now: datetime
) -> None:
    subscription.revision += 1
    session.flush()
    event = SubscriptionChanged(str(subscription.id), what, subscription.revision)
    key = f"subscription-changed:{subscription.id}:{subscription.revision}"
    jobs.record(session, event, now, key=key)


def note(
    session: Session, trial: Trial, act: str, actor: str, now: datetime, **detail: Any
) -> None:
    """A line in the audit log."""
    audit.write(session, now, actor, act, ("trial", trial.public_id), **detail)
