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

from core.events import TrialEnded
from core.kernel import audit, jobs
from core.kernel.db import changed
from core.kernel.errors import ShopError, StaleState
from core.subscriptions import changing, states, trial_dates
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.timeline import Timeline
from core.subscriptions.trial_dates import Dates
from core.subscriptions.trial_models import (
    CANCELLED,
    FREE_TIER,
    OVER,
    SHORTEST_NOTICE,
    STATES,
    Trial,
)


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
    session: Session,
    trial: Trial,
    subscription: Subscription,
    on: date,
    now: datetime,
    **values: Any,
) -> None:
    """The paid phase begins on ``on``, and its bills come on that day of the month.

    ``values`` of the subscription are written in the same step: a phase names the step that agreed to it.
    """
    phase = paid_phase(session, subscription.id)
    goes_on = {"bill_day": on.day, "ended_on": None, "end_reason": None, "end_note": ""}
    states.keep(session, subscription, **goes_on, **values)
    if phase is not None:
        phase.starts_on = phase.cycle_from = on
        phase.revision = subscription.revision
    else:
        _agree(session, trial, subscription, on, now)
    session.flush()


def _agree(
    session: Session, trial: Trial, subscription: Subscription, on: date, now: datetime
) -> None:
    session.add(
        SubscriptionPhase(
            subscription_id=subscription.id,
            number=changing.next_number(session, subscription),
            kind="paid",
            variant_id=trial.variant_id,
            quantity=1,
            unit_price_micros=trial.price_micros,
            price_trace=trial.price_trace,
            interval=trial.interval,
            interval_count=trial.interval_count,
            starts_on=on,
            cycle_from=on,
            agreed_at=now,
            agreed_by=f"user:{trial.user_id}",
            revision=subscription.revision,
        )
    )


def paid_phase(session: Session, subscription_id: uuid.UUID) -> SubscriptionPhase | None:
    """What was agreed for the time after a trial; None when nothing was."""
    return session.scalars(
        select(SubscriptionPhase)
        .where(
            SubscriptionPhase.subscription_id == subscription_id,
            SubscriptionPhase.number > 0,
            SubscriptionPhase.kind == "paid",
            SubscriptionPhase.withdrawn_at.is_(None),
        )
        .order_by(SubscriptionPhase.starts_on, SubscriptionPhase.number)
        .limit(1)
    ).first()


def is_cancelled(subscription: Subscription) -> bool:
    """Was it asked to end, on this page or on the service's own?"""
    return subscription.ended_on is not None and subscription.end_reason != OVER


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
    today = states.today(session, subscription, now)
    if trial.state != "running" or trial.ends_on is None or not today <= on <= trial.ends_on:
        raise TrialOver
    if subscription.state != "active":
        raise TrialOver
    phase = paid_phase(session, subscription.id)
    starts = phase.starts_on if phase is not None else None
    if starts is not None and starts <= on and not is_cancelled(subscription):
        raise NothingToGoOn
    card = {} if method_id is None else {"payment_method_id": method_id}
    pay_from(session, trial, subscription, on, now, **card)
    trial.ends_on, trial.cancelled_at, trial.close_reason = on, None, ""
    trial.next_on = min(on, trial.next_on or on)
    session.flush()
    actor = f"user:{trial.user_id}"
    states.told(session, subscription, "plan", actor, now, on=on.isoformat())
    note(session, trial, "trial.goes_on", actor, now, on=on.isoformat())


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
            states.keep(session, subscription, ended_on=ended, end_reason=reason)
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
    if is_cancelled(subscription):
        return
    states.keep(session, subscription, ended_on=ends_on, end_reason=CANCELLED)
    trial.cancelled_at, trial.close_reason = now, reason
    session.flush()
    actor = f"user:{trial.user_id}"
    said = {"on": ends_on.isoformat(), "reason": CANCELLED}
    states.told(session, subscription, "cancelled", actor, now, **said)
    note(session, trial, "trial.cancelled", actor, now, reason=reason)


def keep(session: Session, trial: Trial, subscription: Subscription, now: datetime) -> None:
    """Take a cancellation back: it ends, or goes on, as was agreed at first. Once more is no change.

    Raises TrialOver for one that does not run, or whose service has ended.
    """
    if trial.state != "running" or subscription.state == "ended":
        raise TrialOver
    if not is_cancelled(subscription):
        return
    ends = trial.kind != FREE_TIER and paid_phase(session, subscription.id) is None
    states.keep(
        session,
        subscription,
        ended_on=trial.ends_on if ends else None,
        end_reason=OVER if ends else None,
        end_note="",
    )
    trial.cancelled_at, trial.close_reason = None, ""
    session.flush()
    actor = f"user:{trial.user_id}"
    states.told(session, subscription, "kept", actor, now, taken_back="end")
    note(session, trial, "trial.kept", actor, now)


# --- its end --------------------------------------------------------------------------------------


def outcome(trial: Trial, subscription: Subscription, timeline: Timeline, today: date) -> str:
    """How it ended by ``today``: ``converted``, ``cancelled`` or ``lapsed``; empty while it runs.

    A free tier converts with its first bill above zero, which is not asked here.
    """
    ended = subscription.ended_on if is_cancelled(subscription) else None
    if ended is not None and ended <= today and ended <= (trial.ends_on or ended):
        return "cancelled"
    if trial.ends_on is None or today < trial.ends_on:
        return ""
    phase = timeline.phase_on(trial.ends_on)
    return "converted" if phase is not None and phase.kind == "paid" else "lapsed"


def close(
    session: Session,
    trial: Trial,
    how: str,
    now: datetime,
    bill: tuple[uuid.UUID, int] | None = None,
) -> None:
    """It ended. ``bill`` is its first above zero, and what it was before tax, in minor units.

    StaleState when somebody else closed it.
    """
    key, net = bill if bill is not None else (None, None)
    move(
        session,
        trial,
        how,
        closed_at=now,
        next_on=None,
        first_invoice_id=key,
        first_net_minor=net,
    )
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


def note(
    session: Session, trial: Trial, act: str, actor: str, now: datetime, **detail: Any
) -> None:
    """A line in the audit log."""
    audit.write(session, now, actor, act, ("trial", trial.public_id), **detail)
