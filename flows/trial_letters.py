"""Mails about trials: one function a mail, each in the caller's transaction and queued once under its key."""

import uuid
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.kernel.clock import local_date
from core.notices import addressing, mails
from core.notices.figures import figures, first_name
from core.notices.mails import NewMail
from core.notices.rendering import render
from core.notices.trial_letters import (
    TrialCancelled,
    TrialEnding,
    TrialFollowUpLetter,
    TrialHalfway,
    TrialLetter,
    TrialOverLetter,
    TrialUsage,
    TrialWelcome,
)
from core.parties.models import Account, User
from core.subscriptions import trial_words
from core.subscriptions.models import Subscription
from core.subscriptions.trial_dates import ABOVE_FREE, ENDING, HALFWAY, NEARLY_FULL, WELCOME
from core.subscriptions.trial_models import CARD, FREE_TIER, NO_CARD, Trial
from flows import trial_offers, trial_usage
from flows.house import House


def tell(
    session: Session, house: House, trial: Trial, subscription: Subscription, name: str
) -> None:
    """The mail of one step (``trial_dates``), or of a follow-up."""
    facts = _facts(session, house, trial, subscription)
    letter: TrialLetter
    if name == WELCOME:
        letter = TrialWelcome(**facts, words=tuple(str(one) for one in trial.words))
    elif name == HALFWAY:
        letter = TrialHalfway(**facts)
    elif name == ENDING:
        letter = TrialEnding(**facts)
    elif name in (NEARLY_FULL, ABOVE_FREE):
        told = _usage(session, house, trial, subscription, facts)
        if told is None:
            return
        letter = told
    else:
        letter = TrialFollowUpLetter(**facts)
    _queue(session, house, trial, letter, name)


def tell_cancelled(
    session: Session, house: House, trial: Trial, subscription: Subscription
) -> None:
    """It was cancelled, until when it can be used, and how to take that back."""
    if subscription.ended_on is None:
        return
    facts = _facts(session, house, trial, subscription)
    letter = TrialCancelled(**facts, until=subscription.ended_on - timedelta(days=1))
    _queue(session, house, trial, letter, f"cancelled:{subscription.revision}")


def tell_over(session: Session, house: House, trial_id: uuid.UUID, how: str) -> None:
    """It is over without being paid for. One that is paid for gets its bill."""
    trial = session.get_one(Trial, trial_id)
    if how == "converted" or trial.subscription_id is None:
        return
    subscription = session.get_one(Subscription, trial.subscription_id)
    facts = _facts(session, house, trial, subscription)
    variant = session.get_one(Variant, trial.variant_id)
    product = session.get_one(Product, variant.product_id)
    link = f"{house.links.base_url}/p/{product.slug}"
    letter = TrialOverLetter(**facts, was_cancelled=how == "cancelled", shop_link=link)
    _queue(session, house, trial, letter, "over")


def _facts(
    session: Session, house: House, trial: Trial, subscription: Subscription
) -> dict[str, Any]:
    account = session.get_one(Account, trial.account_id)
    user = session.get_one(User, trial.user_id)
    head = addressing.of_account(session, account)
    agreed = trial_offers.agreed_after(session, trial)
    variant = session.get_one(Variant, agreed.variant_id if agreed else trial.variant_id)
    cost = trial_offers.cost_of(session, house, trial, account)
    today = local_date(house.clock.now(), account.time_zone)
    goes_on = agreed is not None
    asks = trial.kind == NO_CARD and not goes_on
    return {
        "head": head,
        "name": first_name(user.name),
        "link": house.links.trial(trial.public_id),
        "plan": variant.name,
        "kind": trial.kind,
        "goes_on": goes_on and trial.kind != CARD,
        "last_day": _before(trial.ends_on),
        "paid_from": trial.ends_on,
        "days_left": max((trial.ends_on - today).days, 0) if trial.ends_on is not None else 0,
        "price": _price(trial, cost, head.locale),
        "every": cost.every,
        "go_on_link": house.links.trial_go_on(trial.public_id) if asks else "",
    }


def _price(trial: Trial, cost: trial_words.Cost, locale: str) -> str:
    if trial.kind == FREE_TIER:
        return "free up to the same amount"
    return trial_words.amount(cost, figures(locale))


def _before(day: date | None) -> date | None:
    return day - timedelta(days=1) if day is not None else None


def _usage(
    session: Session,
    house: House,
    trial: Trial,
    subscription: Subscription,
    facts: dict[str, Any],
) -> TrialUsage | None:
    account = session.get_one(Account, trial.account_id)
    today = local_date(house.clock.now(), account.time_zone)
    now = trial_usage.level(session, subscription, today)
    if now is None:
        return None
    return TrialUsage(
        **facts,
        is_above=now.is_above,
        used=f"{trial_words.number(now.used)} {now.unit}",
        free=f"{trial_words.number(now.free)} {now.unit}",
        cost=now.cost,
        billed_on=now.billed_on,
    )


def _queue(session: Session, house: House, trial: Trial, letter: TrialLetter, name: str) -> None:
    mails.queue(
        session,
        NewMail(
            key=f"trial:{trial.id}:{name}",
            template=letter.TEMPLATE,
            to_address=trial.email,
            words=render(letter),
            domain=house.links.domain,
            account_id=trial.account_id,
        ),
        house.clock.now(),
    )
