"""A card that was put on file for a trial: the trial begins, or goes on after its end, with it.

The return page and the worker both come here, and whoever is first does it. A card that had a trial before
begins none: it is off file again, and nothing was charged.
"""

import uuid
from collections.abc import Collection
from datetime import date

from sqlalchemy.orm import Session

from core.entitlements import granting
from core.kernel import crash
from core.kernel.clock import local_date
from core.notices import addressing
from core.notices.figures import figures
from core.parties import accounts
from core.subscriptions import (
    activating,
    trial_claims,
    trial_reading,
    trial_starting,
    trial_words,
    trials,
)
from core.subscriptions.models import Subscription
from core.subscriptions.trial_claims import TrialRefused
from core.subscriptions.trial_models import Trial
from core.subscriptions.trials import NothingToGoOn, TrialOver
from core.tax.service import Answers
from flows import bill_account, keep_trial, taxing, trial_offers
from flows.house import House
from flows.set_up_method import SetUpWish
from payments import methods
from payments.methods import Consent
from payments.models import Authorisation, PaymentMethod

#: What the card is for: to begin, or to go on from the end or from today.
BEGIN, FROM_END, FROM_NOW = "trial", "trial_goes_on", "trial_paid_now"
CARD_USED = "card_used"


def subject(trial_id: uuid.UUID) -> str:
    """How an authorisation names a trial."""
    return f"trial:{trial_id}"


def consent(trial: Trial, purpose: str, text: str) -> Consent:
    """What is agreed about a card for a trial."""
    return Consent(
        trial.user_id, purpose, subject(trial.id), text, trial.words_version, trial.agreed_from
    )


def card_for(
    house: House,
    public_id: str,
    account_ids: Collection[uuid.UUID],
    when: keep_trial.When,
    agreed_from: str,
) -> SetUpWish:
    """A card is to be put on file to go on after a trial, and what is agreed by that.

    Raises NotFound, and TrialOver for one that cannot go on.
    """
    with house.db.snapshot() as session:
        found = trial_reading.one(session, public_id, account_ids)
        trial, account = found.trial, found.account
        if trial.state != "running" or trial.ends_on is None:
            raise TrialOver
        cost = trial_offers.cost_of(session, house, trial, account)
        say = addressing.of_account(session, account).locale
    today = local_date(house.clock.now(), account.time_zone)
    on = today if when == "now" else trial.ends_on
    text = trial_words.of_going_on(found.variant.name, on, cost, figures(say))
    here = f"/account/trials/{public_id}"
    purpose = FROM_NOW if when == "now" else FROM_END
    agreed = Consent(
        trial.user_id, purpose, subject(trial.id), text, trial_words.VERSION, agreed_from
    )
    return SetUpWish(account.id, agreed, done_path=here, back_path=f"{here}/go-on")


def stored(house: House, operation_id: uuid.UUID) -> None:
    """A set-up succeeded. Nothing when it was for something else, or when somebody was here before.

    Raises NoTaxAnswer: asked again it goes on.
    """

    def work(answers: Answers) -> None:
        house.db.run_tx(lambda session: _stored(session, house, operation_id, answers))

    taxing.with_taxes(house, work)


def _stored(session: Session, house: House, operation_id: uuid.UUID, answers: Answers) -> None:
    given = methods.authorisation(session, operation_id)
    kind, _, key = given.subject.partition(":")
    if kind != "trial":
        return
    method = session.get_one(PaymentMethod, given.payment_method_id)
    if given.purpose == BEGIN:
        _begin(session, house, uuid.UUID(key), method, given, answers)
    else:
        _go_on(session, house, uuid.UUID(key), method, given, answers)
    crash.point("trial.card_before_commit")


def _begin(
    session: Session,
    house: House,
    trial_id: uuid.UUID,
    method: PaymentMethod,
    given: Authorisation,
    answers: Answers,
) -> None:
    now = house.clock.now()
    account = accounts.lock(session, session.get_one(Trial, trial_id).account_id)
    trial = trials.lock(session, trial_id)
    if trial.state == "abandoned":
        _forget(session, house, given, method)
    if trial.state != "awaiting_card":
        return
    try:
        _claim(session, house, trial, method)
    except TrialRefused:
        trial_starting.give_up(session, trial, CARD_USED, now)
        _forget(session, house, given, method)
        return
    assert account.channel_id is not None  # it was opened on the channel that sells
    service = trial_starting.open_service(
        session, account, account.channel_id, trial, method.id, now
    )
    today = local_date(now, account.time_zone)
    activate(session, house, service, today)
    trial_starting.start_with_card(session, trial, service, today, now)
    bill_account.bill_within(session, house, account.id, today, answers)


def activate(session: Session, house: House, service: Subscription, today: date) -> None:
    """The service of a trial begins today, and what it gives may be used at once."""
    now = house.clock.now()
    activating.activate(session, service, today, "trial", now)
    granting.grant(session, service, today, "trial", now)


def _claim(session: Session, house: House, trial: Trial, method: PaymentMethod) -> None:
    """One trial for each card, as far as the processor can tell cards apart."""
    if method.fingerprint_digest is None:
        return
    family = trial_claims.family_of(session, trial.variant_id)
    claims = trial_claims.of_card(house.links.secret, family, method.fingerprint_digest)
    trial_claims.claim(session, trial.id, claims, house.clock.now())


def _forget(session: Session, house: House, given: Authorisation, method: PaymentMethod) -> None:
    """What was agreed in one set-up is over; a card that is for nothing else is off file."""
    now = house.clock.now()
    methods.end_one(session, given.id, now)
    if not methods.is_authorised(session, method.id):
        methods.detach(session, method.id, now)


def _go_on(
    session: Session,
    house: House,
    trial_id: uuid.UUID,
    method: PaymentMethod,
    given: Authorisation,
    answers: Answers,
) -> None:
    when: keep_trial.When = "now" if given.purpose == FROM_NOW else "end"
    service = keep_trial.take(session, house, trial_id).subscription
    if service.payment_method_id == method.id and service.state != "ended":
        return  # somebody was here before, and the trial may have been converted since
    try:
        with session.begin_nested():
            keep_trial.go_on_within(session, house, trial_id, when, method.id, answers)
    except (NothingToGoOn, TrialOver):
        _forget(session, house, given, method)  # it comes too late: another way was agreed before
    else:
        _replace(session, house, trial_id, method)


def _replace(session: Session, house: House, trial_id: uuid.UUID, method: PaymentMethod) -> None:
    """This card is charged now: what was agreed for another one before is over."""
    for earlier in methods.of_subject(session, subject(trial_id)):
        if earlier.payment_method_id != method.id and earlier.ended_at is None:
            other = session.get_one(PaymentMethod, earlier.payment_method_id)
            _forget(session, house, earlier, other)


def forget(session: Session, house: House, subscription_id: uuid.UUID) -> None:
    """A service is over: what was agreed about its trial's card is too. Its last bill, for what was used
    until then, is still covered (``methods.covered``)."""
    trial = trial_reading.of_subscription(session, subscription_id)
    if trial is not None:
        methods.end(session, subject(trial.id), house.clock.now())
