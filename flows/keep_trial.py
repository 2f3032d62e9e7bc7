"""What somebody does with a trial that runs: cancel it, keep it after all, or go on after it.

Whoever has the link of a mail may cancel and keep, without logging in; going on needs the account.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.kernel.ids import same_token
from core.parties import accounts
from core.parties.models import Account
from core.subscriptions import reading, trial_reading, trials
from core.subscriptions.models import Subscription
from core.subscriptions.trial_models import FREE_TIER, Trial
from core.subscriptions.trial_reading import Listed
from core.tax.service import Answers
from flows import bill_account, run_trials, taxing, trial_letters
from flows.house import House

When = Literal["end", "now"]


@dataclass(frozen=True)
class Hand:
    """A trial with its service and its account, all locked."""

    trial: Trial
    subscription: Subscription
    account: Account
    today: date


def by_link(session: Session, house: House, public_id: str, token: str) -> Listed:
    """The trial that a mail's link opens. NotFound for a forged one."""
    if not same_token(token, house.links.trial_token(public_id)):
        raise NotFound("trial")
    return trial_reading.one(session, public_id)


def take(session: Session, house: House, trial_id: uuid.UUID) -> Hand:
    """Lock a trial that has begun: its account first, then the service. NotFound before it began."""
    found = session.get_one(Trial, trial_id)
    if found.subscription_id is None:
        raise NotFound("trial")
    account = accounts.lock(session, found.account_id)
    subscription = reading.lock(session, found.subscription_id)
    trial = trials.lock(session, trial_id)
    return Hand(trial, subscription, account, local_date(house.clock.now(), account.time_zone))


def cancel(house: House, trial_id: uuid.UUID, reason: str) -> date:
    """It ends without being charged; answers the first day without it. Once more is no change.

    A trial of some days stays until its end, a free tier until the month that runs is over.
    """

    def work(session: Session) -> date:
        hand = take(session, house, trial_id)
        ends_on = _last(session, hand)
        was = trials.is_cancelled(hand.subscription)
        trials.cancel(session, hand.trial, hand.subscription, ends_on, reason, house.clock.now())
        if not was:
            trial_letters.tell_cancelled(session, house, hand.trial, hand.subscription)
        return hand.subscription.ended_on or ends_on

    return house.db.run_tx(work)


def _last(session: Session, hand: Hand) -> date:
    if hand.trial.kind != FREE_TIER and hand.trial.ends_on is not None:
        return hand.trial.ends_on
    timeline = reading.timeline(session, hand.subscription.id)
    phase = timeline.phase_on(hand.today)
    return timeline.cycle(phase).around(hand.today).end if phase is not None else hand.today


def keep(house: House, trial_id: uuid.UUID) -> None:
    """Take a cancellation back while the trial runs. Raises TrialOver."""

    def work(session: Session) -> None:
        hand = take(session, house, trial_id)
        trials.keep(session, hand.trial, hand.subscription, house.clock.now())

    house.db.run_tx(work)


def go_on(
    house: House,
    public_id: str,
    account_ids: Collection[uuid.UUID],
    when: When,
    method_id: uuid.UUID | None = None,
) -> date:
    """Agree to pay for the plan from the end of the trial, or from today; answers from which day.

    From today it is billed with this very commit. ``method_id``: a card on file is charged for its bills;
    else they are sent. Raises NotFound, TrialOver, NothingToGoOn and NoTaxAnswer.
    """
    with house.db.reading() as session:
        trial_id = trial_reading.one(session, public_id, account_ids).trial.id

    def work(answers: Answers) -> date:
        return house.db.run_tx(
            lambda session: go_on_within(session, house, trial_id, when, method_id, answers)
        )

    return taxing.with_taxes(house, work)


def go_on_within(
    session: Session,
    house: House,
    trial_id: uuid.UUID,
    when: When,
    method_id: uuid.UUID | None,
    answers: Answers,
) -> date:
    """The same in the caller's transaction."""
    hand = take(session, house, trial_id)
    ends_on = hand.trial.ends_on or hand.today
    on = hand.today if when == "now" else ends_on
    trials.go_on(session, hand.trial, hand.subscription, on, method_id, house.clock.now())
    crash.point("trial.goes_on")
    if on <= hand.today:
        bill_account.bill_within(session, house, hand.account.id, hand.today, answers)
        run_trials.close_if_over(session, house, hand.trial, hand.subscription, hand.today)
    crash.point("trial.before_commit")
    return on
