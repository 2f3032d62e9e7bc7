"""A payment that its payer plans for a day: planned, changed and cancelled until it is made."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import ClassVar

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.clock import local_date
from core.kernel.errors import Invalid, ShopError, StaleState
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.parties import accounts
from core.parties.models import Account
from flows import card_letters, card_words, charge_terms, run_autopay
from flows.charge_terms import Parts
from flows.house import House
from payments import methods, scheduled
from payments.automatic_models import ScheduledPayment
from payments.methods import Consent
from payments.models import PaymentMethod
from payments.scheduled import BeingCharged, Wanted

PURPOSE = "scheduled"
#: So far ahead may a payment be planned.
FURTHEST = timedelta(days=366)
#: So many of an account may wait at a time.
MOST = 50


class NoLongerPlanned(ShopError):
    """It was made, tried or cancelled meanwhile: there is nothing to change."""

    code: ClassVar[str] = "no_longer_planned"
    text: ClassVar[str] = "This payment is not planned any more, so it can’t be changed."


@dataclass(frozen=True)
class Wish:
    """What to pay, when, with which card; ``revision`` is of the page that was seen, for a change."""

    account_id: uuid.UUID
    user_id: uuid.UUID
    method_id: str
    kind: str
    on: date
    address: str
    amount: Money | None = None
    invoice_ids: Sequence[uuid.UUID] = field(default=())
    revision: int | None = None


@dataclass(frozen=True)
class Foreseen:
    """What a planned payment would take, as things are now, and what is agreed by planning it."""

    account: Account
    method: PaymentMethod
    wanted: Wanted
    on: date
    parts: Parts
    total: Money
    text: str


def foresee(session: Session, house: House, wish: Wish) -> Foreseen:
    """Check a wish and say what it would bring. Raises Invalid by field; NotFound for a card of others."""
    account = session.get_one(Account, wish.account_id)
    method = methods.one(session, wish.method_id, [account.id])
    _check(session, house, account, method, wish)
    wanted = Wanted(wish.kind, wish.amount if wish.kind == "amount" else None, _bills(wish))
    row = _draft(account, wanted, wish)
    parts = charge_terms.of_payment(session, house, row)
    if wish.kind == "balance":
        parts = charge_terms.with_credit(session, account, parts, account.currency)
    if not parts:
        raise Invalid({"kind": "Nothing of that is open, so there is nothing to plan."})
    named = [item.number for item, _ in parts] if wish.kind == "bills" else wanted.amount
    text = card_words.scheduled(session, account, method, named, wish.on)
    total = charge_terms.total_of(parts, account.currency)
    return Foreseen(account, method, wanted, wish.on, parts, total, text)


def _bills(wish: Wish) -> Sequence[uuid.UUID]:
    return wish.invoice_ids if wish.kind == "bills" else ()


def _draft(account: Account, wanted: Wanted, wish: Wish) -> ScheduledPayment:
    """A row to ask with, never written."""
    return ScheduledPayment(
        account_id=account.id,
        origin="customer",
        wants=wanted.kind,
        amount_minor=wanted.amount.minor if wanted.amount else None,
        currency=account.currency,
        invoice_ids=[str(key) for key in wanted.invoice_ids],
        on_date=wish.on,
    )


def _check(
    session: Session, house: House, account: Account, method: PaymentMethod, wish: Wish
) -> None:
    today = local_date(house.clock.now(), account.time_zone)
    wrong: dict[str, str] = {}
    if wish.kind not in ("balance", "amount", "bills"):
        wrong["kind"] = "Choose what to pay."
    if wish.kind == "amount" and (wish.amount is None or wish.amount.minor <= 0):
        wrong["amount"] = "Give an amount above zero, such as 45.00."
    elif wish.amount is not None and wish.amount.currency != account.currency:
        wrong["amount"] = f"This account pays in {account.currency}."
    if wish.kind == "bills" and not wish.invoice_ids:
        wrong["kind"] = "Choose at least one bill."
    if wish.on <= today:
        wrong["on"] = "Choose a day from tomorrow on. To pay today, pay now."
    elif wish.on > today + FURTHEST:
        wrong["on"] = "Choose a day within a year."
    if method.state != "active":
        wrong["card"] = "This card is not on file any more. Choose another one."
    elif methods.is_lapsed(method, wish.on):
        wrong["card"] = "This card will have expired by then. Choose another one."
    if wrong:
        raise Invalid(wrong)


def plan(house: House, wish: Wish) -> ScheduledPayment:
    """Plan it; told by mail with what was agreed. Raises as ``foresee`` does."""

    def work(session: Session) -> ScheduledPayment:
        now = house.clock.now()
        account = accounts.lock(session, wish.account_id)
        waiting = scheduled.open_of(session, [account.id], MOST + 1)
        if len(waiting) > MOST:
            raise Invalid({"on": f"{MOST} payments wait already. Cancel some of them first."})
        seen = foresee(session, house, wish)
        payment_id = new_id()
        given = methods.agree(session, seen.method, _consent(wish, seen, payment_id), now)
        at = run_autopay.morning(wish.on, account.time_zone)
        actor = f"user:{wish.user_id}"
        row = scheduled.plan(
            session, payment_id, seen.method, seen.wanted, account.currency, wish.on, at,
            given.id, actor, now,
        )  # fmt: skip
        audit.write(session, now, actor, "payment.planned", ("scheduled", row.public_id))
        card_letters.tell_scheduled(session, house, row, "planned")
        crash.point("schedule.before_commit")
        return row

    return house.db.run_tx(work)


def _consent(wish: Wish, seen: Foreseen, payment_id: uuid.UUID) -> Consent:
    subject = scheduled.subject(payment_id)
    return Consent(wish.user_id, PURPOSE, subject, seen.text, card_words.VERSION, wish.address)


def change(house: House, public_id: str, wish: Wish) -> ScheduledPayment:
    """Another day, amount or card, until it is made; agreed to anew.

    Raises as ``foresee`` does, NoLongerPlanned, BeingCharged, and StaleState for a page that is old.
    """

    def work(session: Session) -> ScheduledPayment:
        now = house.clock.now()
        account = accounts.lock(session, wish.account_id)
        row = _in_hand(session, public_id, [account.id], now)
        if row.state != "planned":
            raise NoLongerPlanned
        if wish.revision not in (None, row.revision):
            raise StaleState("payment", row.state)
        seen = foresee(session, house, wish)
        if row.authorisation_id is not None:
            methods.end_one(session, row.authorisation_id, now)
        given = methods.agree(session, seen.method, _consent(wish, seen, row.id), now)
        row.payment_method_id, row.authorisation_id = seen.method.id, given.id
        row.wants, row.on_date = seen.wanted.kind, wish.on
        row.amount_minor = seen.wanted.amount.minor if seen.wanted.amount else None
        row.invoice_ids = [str(key) for key in seen.wanted.invoice_ids]
        row.next_at = run_autopay.morning(wish.on, account.time_zone)
        row.noticed_at, row.revision = None, row.revision + 1
        session.flush()
        actor = f"user:{wish.user_id}"
        audit.write(session, now, actor, "payment.replanned", ("scheduled", row.public_id))
        card_letters.tell_scheduled(session, house, row, "changed")
        crash.point("schedule.before_commit")
        return row

    return house.db.run_tx(work)


def cancel(
    house: House, public_id: str, account_ids: Collection[uuid.UUID], actor: str
) -> ScheduledPayment:
    """It is not made, and not tried again. Raises NotFound, NoLongerPlanned and BeingCharged; a second time
    it is no change."""

    def work(session: Session) -> ScheduledPayment:
        now = house.clock.now()
        found = scheduled.one(session, public_id, account_ids)
        accounts.lock(session, found.account_id)
        row = _in_hand(session, public_id, account_ids, now)
        if row.state == "cancelled":
            return row
        if row.closed_at is not None or row.origin != "customer":
            raise NoLongerPlanned
        charge_terms.close(session, row, "cancelled", now)
        audit.write(session, now, actor, "payment.cancelled", ("scheduled", row.public_id))
        card_letters.tell_scheduled(session, house, row, "cancelled")
        crash.point("schedule.before_commit")
        return row

    return house.db.run_tx(work)


def _in_hand(
    session: Session, public_id: str, account_ids: Collection[uuid.UUID], now: datetime
) -> ScheduledPayment:
    """The payment, locked behind its account, with no try under way."""
    row = scheduled.lock(session, scheduled.one(session, public_id, account_ids).id)
    if row.closed_at is None and not run_autopay.halt(session, row, now):
        raise BeingCharged
    return row
