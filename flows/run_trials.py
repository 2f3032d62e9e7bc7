"""What happens to trials by the clock: mails on their days, ends, and the first bill. Run again, it finds
nothing to do.

A trial is walked on its account's own calendar. Each is one commit, so that one that fails stops no other.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date, timedelta

import structlog
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from core.entitlements import granting
from core.kernel import crash
from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.parties import accounts
from core.subscriptions import ending, reading, trial_dates, trial_reading, trial_starting, trials
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.trial_dates import ENDING, WELCOME
from core.subscriptions.trial_models import CARD, FREE_TIER, Trial
from core.tax.service import Answers
from flows import bill_account, taxing, trial_letters, trial_usage
from flows.house import House
from invoices.models import Invoice, InvoiceLine

_log = structlog.get_logger("trials")
#: So long a trial waits for a card that nobody enters; the processor's page is closed long before.
WAITS = timedelta(hours=2)


@dataclass
class Walked:
    """How many trials were looked at, and which could not be done."""

    seen: int = 0
    problems: list[str] = field(default_factory=list)


def run(house: House) -> Walked:
    """Do everything that is due now. A trial that fails is told and stays for the next round."""
    walked, after = Walked(), None
    # In the farthest east it is tomorrow already.
    latest = house.clock.now().date() + timedelta(days=1)
    while True:
        with house.db.reading() as session:
            keys = trial_reading.due(session, latest, after)
        for key in keys:
            walked.seen += 1
            try:
                step(house, key)
            except ShopError as error:
                walked.problems.append(f"{key}: {error}")
        if not keys:
            return walked
        after = keys[-1]


def step(house: House, trial_id: uuid.UUID) -> None:
    """Whatever is due for one trial: a mail, its end, its first bill. Raises NoTaxAnswer."""

    def work(answers: Answers) -> None:
        house.db.run_tx(lambda session: _step(session, house, trial_id, answers))

    taxing.with_taxes(house, work)


def _step(session: Session, house: House, trial_id: uuid.UUID, answers: Answers) -> None:
    found = session.get_one(Trial, trial_id)
    if found.state != "running" or found.subscription_id is None:
        return
    account = accounts.lock(session, found.account_id)
    subscription = reading.lock(session, found.subscription_id)
    trial = trials.lock(session, trial_id)
    today = local_date(house.clock.now(), account.time_zone)
    if trial.state != "running" or trial.next_on is None or trial.next_on > today:
        return
    _give_notice(session, house, trial, subscription, today)
    timeline = reading.timeline(session, subscription.id)
    if trials.outcome(trial, subscription, timeline, today) == "converted":
        bill_account.bill_within(session, house, subscription.payer_account_id, today, answers)
        crash.point("trial.billed")
    is_over = close_if_over(session, house, trial, subscription, today)
    if not is_over and (trial.ends_on is None or today < trial.ends_on):
        _write(session, house, trial, subscription, today)
    crash.point("trial.before_commit")


def _give_notice(
    session: Session, house: House, trial: Trial, subscription: Subscription, today: date
) -> None:
    """Nobody's card is charged who was not told in time: where the notice is late, so is the charge."""
    if trial.kind != CARD or trial.ends_on is None or trials.is_cancelled(subscription):
        return
    notice_on = trial.ends_on - timedelta(days=trial.notice_days)
    if today < notice_on or trial.noticed_on is not None:
        return
    ends_on = trial_dates.charged_on(trial.ends_on, today, trial.notice_days)
    trials.postpone(session, trial, subscription, ends_on, house.clock.now())
    trial.noticed_on = today
    session.flush()


def _write(
    session: Session, house: House, trial: Trial, subscription: Subscription, today: date
) -> None:
    """The mails of today, and when to look again."""
    if trial.kind == FREE_TIER:
        names = trial_usage.due(session, trial, subscription, today)
        following: date | None = today + timedelta(days=1)
    else:
        due_on = [row.due_on for row in trial_reading.follow_ups_of(session, trial.id)]
        dates = trials.dates(trial, due_on)
        assert dates is not None  # it runs, and has an end
        names = trial_dates.due(dates, trial.told, today)
        following = trial_dates.next_day(dates, [*trial.told, *names], today)
    names = [name for name in names if _is_welcome_now(session, trial, subscription, name)]
    for name in names:
        trial_letters.tell(session, house, trial, subscription, name)
    trial.told = [*trial.told, *names]
    trial.next_on = following
    session.flush()


def _is_welcome_now(session: Session, trial: Trial, subscription: Subscription, name: str) -> bool:
    """Whoever has cancelled is left in peace, and whoever has decided to go on is asked no more."""
    if name == WELCOME:
        return True
    if trials.is_cancelled(subscription):
        return False
    decided = trial.kind != FREE_TIER and trials.paid_phase(session, subscription.id) is not None
    return name == ENDING or trial.kind == CARD or not decided


def begin(session: Session, house: House, trial_id: uuid.UUID) -> None:
    """The welcome, at once: what the daily walk would do a little later."""
    trial = trials.lock(session, trial_id)
    if trial.subscription_id is None or WELCOME in trial.told:
        return
    subscription = session.get_one(Subscription, trial.subscription_id)
    trial_letters.tell(session, house, trial, subscription, WELCOME)
    trial.told = [*trial.told, WELCOME]
    session.flush()


def close_if_over(
    session: Session, house: House, trial: Trial, subscription: Subscription, today: date
) -> bool:
    """Close it when it is over: converted with its first bill, cancelled, or lapsed. Says whether it is."""
    now = house.clock.now()
    timeline = reading.timeline(session, subscription.id)
    bill = first_bill(session, subscription.id)
    how = "converted" if bill else trials.outcome(trial, subscription, timeline, today)
    if not how:
        return False
    if how == "converted" and bill is None and trial.price_micros:
        return False  # its first bill is not there yet; the next round asks again
    if bill is not None:
        trials.close(session, trial, how, now, bill)
        return True
    trials.close(session, trial, how, now)
    if how != "converted" and ending.finish(session, subscription, now):
        granting.revoke(session, subscription, "ended", "system", now)
    return True


def first_bill(session: Session, subscription_id: uuid.UUID) -> tuple[uuid.UUID, int] | None:
    """The first bill above zero of a service: its key, and what of it is the service's, before tax."""
    lines = (
        select(InvoiceLine.invoice_id, InvoiceLine.net_minor)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .join(SubscriptionPhase, SubscriptionPhase.id == InvoiceLine.phase_id)
        .join(Trial, Trial.subscription_id == SubscriptionPhase.subscription_id)
        .where(
            SubscriptionPhase.subscription_id == subscription_id,
            Invoice.kind == "invoice",
            *_counts(),
        )
        .order_by(Invoice.issued_at, Invoice.id)
    )
    rows = session.execute(lines).all()
    if not rows:
        return None
    key = rows[0].invoice_id
    return key, sum(row.net_minor for row in rows if row.invoice_id == key)


def _counts() -> tuple[ColumnElement[bool], ...]:
    """Of a trial of some days the paid phase's lines, of a free tier all that cost something."""
    own = or_(SubscriptionPhase.kind == "paid", Trial.kind == FREE_TIER)
    return InvoiceLine.net_minor > 0, own


def note_end(session: Session, house: House, subscription_id: uuid.UUID) -> None:
    """A service ended: so did the trial that it was."""
    found = trial_reading.of_subscription(session, subscription_id)
    if found is None or found.state != "running":
        return
    account = accounts.lock(session, found.account_id)
    subscription = reading.lock(session, subscription_id)
    trial = trials.lock(session, found.id)
    if trial.state == "running":
        today = local_date(house.clock.now(), account.time_zone)
        close_if_over(session, house, trial, subscription, today)


def forget_unfinished(house: House) -> int:
    """Trials whose card nobody entered are given up, and what they claimed is free; says how many."""
    before = house.clock.now() - WAITS
    with house.db.reading() as session:
        keys = trial_reading.waiting(session, before)

    def give_up(session: Session, key: uuid.UUID) -> bool:
        trial = trials.lock(session, key)
        return trial_starting.give_up(session, trial, "not_finished", house.clock.now())

    return sum(house.db.run_tx(lambda session, key=key: give_up(session, key)) for key in keys)  # type: ignore[misc]  # bound now
