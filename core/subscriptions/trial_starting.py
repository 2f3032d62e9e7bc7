"""Beginning a trial: what was agreed, its service, and its first day. What follows stands in ``trials``.

Callers hold the payer's account locked. Nothing commits.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from core.events import TrialStarted
from core.kernel import jobs
from core.kernel.ids import new_id
from core.parties.models import Account
from core.subscriptions import states, trial_claims, trial_dates, trials
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.trial_models import CARD, OVER, Trial, TrialFollowUp, TrialOffer


@dataclass(frozen=True)
class NewTrial:
    """What was agreed. The price is the plan's, for each of its periods, before tax."""

    offer: TrialOffer
    account: Account
    user_id: uuid.UUID
    email: str
    price_micros: int
    price_trace: dict[str, Any]
    interval: str
    interval_count: int
    words: Sequence[str]
    words_version: str
    agreed_from: str = ""
    public_id: str | None = field(default=None)


def ask(session: Session, new: NewTrial, now: datetime) -> Trial:
    """A trial that waits for its card."""
    trial = Trial(state="awaiting_card", **_agreed(new, now))
    session.add(trial)
    session.flush()
    trials.note(session, trial, "trial.asked", f"user:{new.user_id}", now)
    return trial


def _agreed(new: NewTrial, now: datetime) -> dict[str, Any]:
    offer = new.offer
    return {
        "id": new_id(),
        "offer_id": offer.id,
        "kind": offer.kind,
        "account_id": new.account.id,
        "user_id": new.user_id,
        "email": new.email,
        "variant_id": offer.variant_id,
        "price_micros": new.price_micros,
        "price_trace": dict(new.price_trace),
        "currency": new.account.currency,
        "interval": new.interval,
        "interval_count": new.interval_count,
        "days": offer.days,
        "notice_days": offer.notice_days,
        "words": list(new.words),
        "words_version": new.words_version,
        "agreed_from": new.agreed_from[:45],
        "asked_at": now,
        "told": [],
    }


# --- the service ----------------------------------------------------------------------------------


def open_service(
    session: Session,
    account: Account,
    channel_id: uuid.UUID,
    terms: Trial | NewTrial,
    method_id: uuid.UUID | None,
    now: datetime,
) -> Subscription:
    """The subscription of a trial, which waits to be activated, with its free phase.

    Of a free tier that phase has no end, and what is used above the tier is billed in it.
    """
    offer = terms if isinstance(terms, Trial) else terms.offer
    subscription = Subscription(
        id=new_id(),
        legal_entity_id=account.legal_entity_id,
        channel_id=channel_id,
        currency=account.currency,
        payer_account_id=account.id,
        service_account_id=account.id,
        service_location=account.billing_address,
        state="ordered",
        ordered_at=now,
        payment_method_id=method_id,
    )
    session.add(subscription)
    session.flush()
    session.add(
        SubscriptionPhase(
            subscription_id=subscription.id,
            number=0,
            kind="trial",
            variant_id=offer.variant_id,
            quantity=1,
            unit_price_micros=0,
            price_trace={"trial": offer.kind},
            interval=terms.interval,
            interval_count=terms.interval_count,
            agreed_at=now,
            agreed_by=f"user:{terms.user_id}",
        )
    )
    session.flush()
    return subscription


def start_at_once(
    session: Session,
    new: NewTrial,
    subscription: Subscription,
    today: date,
    now: datetime,
) -> Trial:
    """Begin a trial that asks for no card, on its activated subscription."""
    key = new.public_id
    agreed = _agreed(new, now)
    if key is not None:
        agreed["public_id"] = key
    begun = _begun(agreed["days"], agreed["notice_days"], subscription, today)
    trial = Trial(state="running", **agreed, **begun)
    session.add(trial)
    session.flush()
    _begin(session, trial, subscription, new.offer.follow_up_days, now)
    return trial


def start_with_card(
    session: Session, trial: Trial, subscription: Subscription, today: date, now: datetime
) -> None:
    """Begin a trial whose card is stored. StaleState when somebody else did, or it was given up."""
    begun = _begun(trial.days, trial.notice_days, subscription, today)
    trials.move(session, trial, "running", **begun)
    _begin(session, trial, subscription, (), now)


def _begun(
    days: int | None, notice_days: int, subscription: Subscription, today: date
) -> dict[str, Any]:
    ends_on = None if days is None else trial_dates.plan(today, days, notice_days).ends_on
    return {
        "subscription_id": subscription.id,
        "starts_on": today,
        "ends_on": ends_on,
        "next_on": today,
    }


def _begin(
    session: Session,
    trial: Trial,
    subscription: Subscription,
    follow_up_days: Sequence[int],
    now: datetime,
) -> None:
    if trial.ends_on is not None and trial.kind == CARD:
        trials.pay_from(session, trial, subscription, trial.ends_on, now)
    elif trial.ends_on is not None:
        states.keep(session, subscription, ended_on=trial.ends_on, end_reason=OVER)
    if trial.starts_on is not None and trial.days is not None:
        plan = trial_dates.plan(trial.starts_on, trial.days, trial.notice_days, follow_up_days)
        session.add_all(TrialFollowUp(trial_id=trial.id, due_on=day) for day in plan.follow_ups)
    session.flush()
    jobs.record(session, TrialStarted(str(trial.id)), now, key=f"trial-started:{trial.id}")
    trials.note(
        session, trial, "trial.started", f"user:{trial.user_id}", now, ends=str(trial.ends_on)
    )


def give_up(session: Session, trial: Trial, reason: str, now: datetime) -> bool:
    """A trial whose card never came, or may not be used: what it claimed is free again.

    False when it is not waiting any more.
    """
    if trial.state != "awaiting_card":
        return False
    trials.move(session, trial, "abandoned", closed_at=now, close_reason=reason, next_on=None)
    trial_claims.free(session, trial.id)
    trials.note(session, trial, "trial.abandoned", "system", now, reason=reason)
    return True
