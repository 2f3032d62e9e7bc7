"""Who pays for a service: any account of the same seller and currency, from the next bill on."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.parties.models import Account
from core.subscriptions import reading, states
from core.subscriptions.errors import NotRunning, OnTrial, PayerRefused, SameAgain
from core.subscriptions.models import Subscription


def set_payer(
    session: Session, subscription: Subscription, payer: Account, actor: str, now: datetime
) -> None:
    """Somebody else pays from now on; bills that were issued stay where they are.

    A method that its bills are charged to was the old payer's and goes; a trial, whose terms one person
    agreed to, ends first. Raises PayerRefused, SameAgain, NotRunning, OnTrial and StaleState.
    """
    if subscription.state == "ended":
        raise NotRunning(subscription.state)
    if payer.id == subscription.payer_account_id:
        raise SameAgain
    if (payer.legal_entity_id, payer.currency) != (
        subscription.legal_entity_id,
        subscription.currency,
    ):
        raise PayerRefused(payer.number)
    today = states.today(session, subscription, now)
    ends = reading.timeline(session, subscription.id).trial_end(today)
    if ends is not None:
        raise OnTrial(ends)
    old = session.get_one(Account, subscription.payer_account_id)
    states.keep(session, subscription, payer_account_id=payer.id, payment_method_id=None)
    who = {"payer": payer.public_id, "old_payer": old.public_id}
    states.told(session, subscription, "payer", actor, now, **who)
