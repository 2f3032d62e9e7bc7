"""Cards on file for whoever pays for an account: put one there, choose the first, take one off, and let
another one take its place.

A card that something needs stays: ``card_uses`` says what that is. ``instead`` gives all of it to another
card, and what was declined with the old one is tried again at once.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from core.events import ScheduledPaymentDue
from core.kernel import audit, crash, jobs
from core.kernel.errors import ShopError
from core.parties import accounts
from core.parties.models import Account
from core.subscriptions import reading as subscriptions
from flows import card_words, run_autopay
from flows.card_uses import uses
from flows.house import House
from flows.set_up_method import SetUpWish
from payments import autopay, method_operations, methods, retrying, scheduled
from payments.automatic_models import ScheduledPayment
from payments.methods import Consent
from payments.models import Authorisation, PaymentMethod

#: What a card that takes another one's place is authorised for.
INSTEAD = "instead"
#: Card networks count: after so many declines it is another card's turn.
MOST_TRIES = 10


@dataclass(eq=False)
class CardNeeded(ShopError):
    """Something is charged to this card; it has to have another one, or end, first."""

    code: ClassVar[str] = "card_needed"
    text: ClassVar[str] = "This card is still needed: {needed}."
    needed: str


class CardGone(ShopError):
    """The card is not on file any more."""

    code: ClassVar[str] = "card_gone"
    text: ClassVar[str] = "This card is not on file any more."


class NotAgain(ShopError):
    """The bank will not take it with this card, or it was tried too often."""

    code: ClassVar[str] = "not_again"
    text: ClassVar[str] = (
        "This can’t be tried again with this card. Use another card, or pay in another way."
    )


def card_to_keep(
    session: Session, account: Account, user_id: uuid.UUID, address: str, done_path: str
) -> SetUpWish:
    """A card is to be put on file, to be charged when its owner says so."""
    text = card_words.on_file(session, account)
    subject = f"account:{account.id}"
    consent = Consent(user_id, methods.ON_FILE, subject, text, card_words.VERSION, address)
    return SetUpWish(account.id, consent, done_path, "/account/cards")


def make_default(
    house: House, public_id: str, account_ids: Collection[uuid.UUID], actor: str
) -> PaymentMethod:
    """This card is offered first from now on. Raises NotFound and CardGone."""

    def work(session: Session) -> PaymentMethod:
        method = _on_file(session, public_id, account_ids)
        methods.make_default(session, method)
        subject = ("method", method.public_id)
        audit.write(session, house.clock.now(), actor, "method.made_default", subject)
        return method

    return house.db.run_tx(work)


def remove(
    house: House, public_id: str, account_ids: Collection[uuid.UUID], actor: str
) -> PaymentMethod:
    """Off file, here at once and at the processor by a job; a second time it is no change.

    Raises NotFound, CardNeeded, and BeingCharged while a charge of it is under way.
    """

    def work(session: Session) -> PaymentMethod:
        now = house.clock.now()
        method = methods.one(session, public_id, list(account_ids))
        accounts.lock(session, method.account_id)
        needed = uses(session, [method])[method.id]
        if needed:
            raise CardNeeded(", ".join(use.words for use in needed))
        if method_operations.charge_of_card(session, method.id) is not None:
            raise scheduled.BeingCharged
        if methods.detach(session, method.id, now):
            audit.write(session, now, actor, "method.removed", ("method", method.public_id))
        crash.point("method.before_commit")
        session.refresh(method)
        return method

    return house.db.run_tx(work)


def _on_file(session: Session, public_id: str, account_ids: Collection[uuid.UUID]) -> PaymentMethod:
    method = methods.one(session, public_id, list(account_ids))
    if method.state != "active":
        raise CardGone
    return method


# --- another card in its place --------------------------------------------------------------------


def subject_of(old: PaymentMethod) -> str:
    """How an authorisation names the card whose place another one takes."""
    return f"card:{old.id}"


def consent_instead(
    session: Session,
    old: PaymentMethod,
    new: PaymentMethod | None,
    user_id: uuid.UUID,
    address: str,
) -> Consent:
    """What is agreed when ``new`` (None: a card that is put on file now) takes the place of ``old``."""
    account = session.get_one(Account, old.account_id)
    named = [use.words for use in uses(session, [old])[old.id]]
    named += [
        "a payment that was declined"
        for row in scheduled.with_card(session, old.id)
        if row.state in ("waiting", "failed")
    ]
    text = card_words.instead(session, account, old, new, list(dict.fromkeys(named)))
    return Consent(user_id, INSTEAD, subject_of(old), text, card_words.VERSION, address)


def instead(
    house: House,
    old_id: str,
    new_id: str,
    account_ids: Collection[uuid.UUID],
    user_id: uuid.UUID,
    address: str,
) -> None:
    """A card that is on file takes the place of another one. Raises NotFound and CardGone."""

    def work(session: Session) -> None:
        old = methods.one(session, old_id, list(account_ids))
        new = _on_file(session, new_id, [old.account_id])
        if new.id == old.id:
            raise CardGone
        accounts.lock(session, old.account_id)
        consent = consent_instead(session, old, new, user_id, address)
        given = methods.agree(session, new, consent, house.clock.now())
        _take_over(session, house, old, new, given, f"user:{user_id}")

    house.db.run_tx(work)


def stored(house: House, operation_id: uuid.UUID) -> None:
    """A card is on file that was to take another one's place: it does. Hears ``MethodStored``, and the return
    page comes here too; the second finds it done."""

    def work(session: Session) -> None:
        given = methods.authorisation(session, operation_id)
        kind, _, key = given.subject.partition(":")
        if kind != "card" or given.ended_at is not None:
            return
        accounts.lock(session, given.account_id)
        old = session.get_one(PaymentMethod, uuid.UUID(key))
        new = session.get_one(PaymentMethod, given.payment_method_id)
        if old.account_id == new.account_id:
            _take_over(session, house, old, new, given, f"user:{given.user_id}")

    house.db.run_tx(work)


def _take_over(
    session: Session,
    house: House,
    old: PaymentMethod,
    new: PaymentMethod,
    given: Authorisation,
    actor: str,
) -> None:
    """Everything that ``old`` is charged for is charged to ``new``; what was declined is tried at once."""
    now = house.clock.now()
    rule = autopay.active(session, old.account_id)
    if rule is not None and rule.payment_method_id == old.id:
        autopay.stop(session, rule, actor, now)
        rule = autopay.start(session, new, given, actor, now)
    for found in scheduled.with_card(session, old.id):
        row = scheduled.lock(session, found.id)
        if row.closed_at is not None or not run_autopay.halt(session, row, now):
            continue
        row.payment_method_id, row.revision = new.id, row.revision + 1
        if row.origin != "bill":
            row.authorisation_id = given.id
        if row.origin == "autopay" and rule is not None:
            row.rule_id = rule.id
        session.flush()
        if row.state != "planned":
            _at_once(session, house, row)
    subscriptions.charge_to(session, old.id, new.id)
    audit.write(session, now, actor, "method.took_place", ("method", new.public_id))
    crash.point("instead.before_commit")


def _at_once(session: Session, house: House, row: ScheduledPayment) -> None:
    now = house.clock.now()
    scheduled.move(session, row, "retrying", now, next_at=now)
    event = ScheduledPaymentDue(str(row.id), row.tries)
    jobs.record(session, event, now, key=f"due:{row.id}:{row.tries}:{now.isoformat()}", priority=2)


def try_again(
    house: House, public_id: str, account_ids: Collection[uuid.UUID], actor: str
) -> ScheduledPayment:
    """Try a payment that was declined again now, with the same card: there is money on it again.

    Raises NotFound, NotAgain, and BeingCharged.
    """

    def work(session: Session) -> ScheduledPayment:
        found = scheduled.one(session, public_id, account_ids)
        accounts.lock(session, found.account_id)
        row = scheduled.lock(session, found.id)
        if not may_try_again(row):
            raise NotAgain
        if not run_autopay.halt(session, row, house.clock.now()):
            raise scheduled.BeingCharged
        row.revision += 1
        session.flush()
        _at_once(session, house, row)
        subject = ("scheduled", row.public_id)
        audit.write(session, house.clock.now(), actor, "payment.tried_again", subject)
        return row

    return house.db.run_tx(work)


def may_try_again(row: ScheduledPayment) -> bool:
    """Could the same card be charged after all?"""
    known = row.failure or ""
    is_hard = known in retrying.HARD | retrying.ASKS_THE_CUSTOMER | retrying.OURS
    return row.state in ("retrying", "waiting", "failed") and not is_hard and row.tries < MOST_TRIES
