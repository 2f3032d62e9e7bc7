"""Beginning a trial: by somebody who has an account, or who makes one in the same step.

One without a card begins in one commit, with its service, its bill over nothing and what it may use. One
with a card waits until the card is on file: then ``store_trial_card`` begins it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from cart import address as addresses
from core.kernel import crash
from core.kernel.errors import Invalid, ShopError
from core.parties import accounts, users
from core.parties.models import Account, User
from core.prices import plans
from core.subscriptions import (
    reading,
    trial_claims,
    trial_reading,
    trial_starting,
    trial_words,
)
from core.subscriptions.trial_models import CARD, Trial
from core.subscriptions.trial_starting import NewTrial
from core.tax.service import Answers
from flows import bill_account, enter, store_trial_card, taxing, trial_offers
from flows.house import House
from flows.set_up_method import SetUpWish
from flows.store_trial_card import BEGIN
from flows.trial_offers import ShownOffer


@dataclass(eq=False)
class WordsChanged(ShopError):
    """What was shown does not hold any more: a new day, another price, an address that is known now."""

    code: ClassVar[str] = "words_changed"
    text: ClassVar[str] = (
        "What we told you has changed a little since you opened this page. Please read it again; "
        "nothing has begun."
    )


@dataclass(eq=False)
class HasThePlan(ShopError):
    """The account has a plan of this family."""

    code: ClassVar[str] = "has_the_plan"
    text: ClassVar[str] = "You have {plan} already. You find it in your account."
    plan: str


@dataclass(eq=False)
class NoAccount(ShopError):
    """Whoever is logged in buys on no account."""

    code: ClassVar[str] = "no_account"
    text: ClassVar[str] = "Your log-in has no account that a trial could stand on. Please call us."


@dataclass(frozen=True)
class Newcomer:
    """Somebody who makes an account in the same step."""

    name: str
    email: str
    password: str


@dataclass(frozen=True)
class Wish:
    """Which trial, whose, and under which words (``ShownOffer.fingerprint``).

    ``address`` is where the account is billed; it is kept when the account has none.
    """

    offer: str
    shown: str
    user_id: uuid.UUID | None = None
    newcomer: Newcomer | None = None
    address: Mapping[str, Any] | None = None
    agreed_from: str = ""


@dataclass(frozen=True)
class Started:
    """The trial, and who it is of. ``set_up``: its card is to be put on file first."""

    id: uuid.UUID
    public_id: str
    user: User
    set_up: SetUpWish | None


def start(house: House, wish: Wish) -> Started:
    """Begin a trial, or let one wait for its card.

    Raises Invalid (by field), TrialRefused, HasThePlan, WordsChanged, NoAccount, NotFound and NoTaxAnswer;
    nothing is kept then.
    """
    hashed = ""
    if wish.newcomer is not None:
        users.check_password(wish.newcomer.password, wish.newcomer.email)
        hashed = users.hash_password(wish.newcomer.password)

    def work(answers: Answers) -> Started:
        return house.db.run_tx(lambda session: _start(session, house, wish, hashed, answers))

    return taxing.with_taxes(house, work)


def _start(session: Session, house: House, wish: Wish, hashed: str, answers: Answers) -> Started:
    now = house.clock.now()
    channel, entity = accounts.channel_by_code(session, house.rules.channel)
    user, account = _person(session, house, wish, hashed, entity.id)
    # The words are those of somebody whose address is not known yet, where it is told only now.
    known = account if _has_address(account) else None
    shown = trial_offers.of_code(session, house, wish.offer, channel, entity, known, answers)
    if shown.fingerprint != wish.shown:
        raise WordsChanged
    _settle_address(account, wish.address)
    _refuse_doubles(session, account, shown)
    for unfinished in trial_reading.waiting_of(session, account.id):
        trial_starting.give_up(session, unfinished, "begun_again", now)
    claims = trial_claims.of_person(
        house.links.secret, shown.family, account.id, user.email, account.billing_address or {}
    )
    new = _new(account, user, shown, wish)
    if shown.offered.offer.kind == CARD:
        trial = trial_starting.ask(session, new, now)
    else:
        subscription = trial_starting.open_service(session, account, channel.id, new, None, now)
        store_trial_card.activate(session, house, subscription, shown.today)
        trial = trial_starting.start_at_once(session, new, subscription, shown.today, now)
    trial_claims.claim(session, trial.id, claims, now)
    if trial.subscription_id is not None:
        bill_account.bill_within(session, house, account.id, shown.today, answers)
    crash.point("trial.before_start")
    waits = trial.subscription_id is None
    return Started(trial.id, trial.public_id, user, _set_up(trial, wish.offer) if waits else None)


def _set_up(trial: Trial, offer: str) -> SetUpWish:
    """The card that it waits for, and what was agreed about it, word for word."""
    return SetUpWish(
        trial.account_id,
        store_trial_card.consent(trial, BEGIN, "\n".join(map(str, trial.words))),
        done_path=f"/account/trials/{trial.public_id}",
        back_path=f"/trials/{offer}",
    )


def _person(
    session: Session, house: House, wish: Wish, hashed: str, entity_id: uuid.UUID
) -> tuple[User, Account]:
    if wish.newcomer is not None:
        new = wish.newcomer
        user, opened = enter.register_within(session, house, new.email, new.name, hashed)
        return user, accounts.lock(session, opened.id)
    assert wish.user_id is not None  # the page asks everybody else who they are
    account = accounts.buying_account(session, wish.user_id, entity_id)
    if account is None:
        raise NoAccount
    return session.get_one(User, wish.user_id), accounts.lock(session, account.id)


def _has_address(account: Account) -> bool:
    where = account.billing_address
    return bool(where) and not addresses.problems(addresses.clean(dict(where or {})))


def _settle_address(account: Account, given: Mapping[str, Any] | None) -> None:
    """Keep the address that was told, where the account has none. Raises Invalid by field."""
    if _has_address(account):
        return
    told = addresses.clean({"name": account.name, **(given or {})})
    if problems := addresses.problems(told):
        raise Invalid(problems)
    account.billing_address = told


def _refuse_doubles(session: Session, account: Account, shown: ShownOffer) -> None:
    """Whoever has a plan of the family does not try it."""
    live = [one for one in reading.of_accounts(session, [account.id]) if one.state != "ended"]
    last = [phase for one in live for phase in one.phases[-1:]]
    known = plans.of_variants(session, {phase.variant_id for phase in last})
    for phase in last:
        if trial_claims.family(known.get(phase.variant_id), phase.variant_id) == shown.family:
            raise HasThePlan(phase.name)


def _new(account: Account, user: User, shown: ShownOffer, wish: Wish) -> NewTrial:
    return NewTrial(
        offer=shown.offered.offer,
        account=account,
        user_id=user.id,
        email=user.email,
        price_micros=shown.price.unit_price_micros,
        price_trace=shown.price.trace,
        interval=shown.price.interval or "month",
        interval_count=shown.price.interval_count,
        words=trial_words.sentences(shown.steps),
        words_version=trial_words.VERSION,
        agreed_from=wish.agreed_from,
    )
