"""AutoPay: begun and stopped by whoever pays for an account, and kept up with what is owed.

What is owed by a day becomes a payment of that day. ``follow`` hears ``OpenItemsChanged`` and brings the
payments in line: it plans what is missing, and closes what nobody owes any more.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.clock import local_date
from core.kernel.ids import new_id
from core.ledger import items
from core.parties import accounts
from core.parties.models import Account
from flows import card_letters, card_words, charge_terms
from flows.charge_terms import due_on
from flows.house import House
from payments import autopay, methods, operations, scheduled
from payments.automatic_models import AutoPayRule, ScheduledPayment
from payments.methods import Consent
from payments.models import PaymentMethod
from payments.scheduled import Wanted

PURPOSE = "autopay"
#: The hour of an account's own night at which its payments are made: late enough for every clock change.
MORNING = time(3)


def start(house: House, method_id: uuid.UUID, user_id: uuid.UUID, address: str) -> AutoPayRule:
    """AutoPay begins with a card that is on file, or goes over to it. Raises AutoPayRuns.

    What was agreed is kept word for word, with its version, the time and the network address.
    """

    def work(session: Session) -> AutoPayRule:
        method = session.get_one(PaymentMethod, method_id)
        account = accounts.lock(session, method.account_id)
        text = card_words.autopay(session, house, account, method)
        subject = autopay.subject(account.id)
        consent = Consent(user_id, PURPOSE, subject, text, card_words.VERSION, address)
        return begin(session, house, account, method, consent, f"user:{user_id}")

    return house.db.run_tx(work)


def begin(
    session: Session,
    house: House,
    account: Account,
    method: PaymentMethod,
    consent: Consent,
    actor: str,
) -> AutoPayRule:
    """The same in the caller's transaction; the account is locked."""
    now = house.clock.now()
    running = autopay.active(session, account.id)
    if running is not None and running.payment_method_id == method.id:
        raise autopay.AutoPayRuns
    if running is not None:
        _cancel_payments(session, running, now)
    given = methods.agree(session, method, consent, now)
    rule = autopay.start(session, method, given, actor, now)
    audit.write(session, now, actor, "autopay.started", ("account", str(account.id)))
    card_letters.tell_autopay(session, house, rule, "started")
    crash.point("autopay.before_commit")
    follow(session, house, account.id)
    return rule


def stop(house: House, account_id: uuid.UUID, actor: str) -> bool:
    """AutoPay ends now: nothing is charged that the processor was not asked for yet. False: it was off."""

    def work(session: Session) -> bool:
        now = house.clock.now()
        accounts.lock(session, account_id)
        rule = autopay.active(session, account_id)
        if rule is None or not autopay.stop(session, rule, actor, now):
            return False
        _cancel_payments(session, rule, now)
        audit.write(session, now, actor, "autopay.stopped", ("account", str(account_id)))
        card_letters.tell_autopay(session, house, rule, "stopped")
        crash.point("autopay.before_commit")
        return True

    return house.db.run_tx(work)


def _cancel_payments(session: Session, rule: AutoPayRule, now: datetime) -> None:
    """What the rule planned is not made; a charge that the processor was asked for goes on."""
    for row in _payments_of(session, rule.account_id):
        locked = scheduled.lock(session, row.id)
        if locked.rule_id == rule.id and locked.closed_at is None and halt(session, locked, now):
            charge_terms.close(session, locked, "cancelled", now)


def halt(session: Session, row: ScheduledPayment, now: datetime) -> bool:
    """End a try that waits to be made; False when the processor was asked already."""
    trying = scheduled.under_way(session, row)
    if trying is None:
        return True
    operation = operations.lock(session, trying.id)
    if operation.state in operations.OPEN_STATES:
        if operation.attempts > 0:
            return False
        operations.settle(session, operation, "expired", now)
    return operation.state != "succeeded"


def _payments_of(session: Session, account_id: uuid.UUID) -> Sequence[ScheduledPayment]:
    return [row for row in scheduled.open_of(session, [account_id]) if row.origin == "autopay"]


# --- in line with what is owed --------------------------------------------------------------------


def follow(session: Session, house: House, account_id: uuid.UUID) -> None:
    """Bring an account's payments in line with what it owes; again it is no change. Hears
    ``OpenItemsChanged``."""
    rule = autopay.active(session, account_id)
    rows = scheduled.open_of(session, [account_id])
    if rule is None and not rows:
        return
    now = house.clock.now()
    account = accounts.lock(session, account_id)
    _close_settled(session, account, [row.id for row in rows], now)
    for row in rows:
        if row.origin == "bill" and row.state == "planned":
            _charge_what_is_free(session, house, row.id, now)
    if rule is not None:
        _plan(session, house, account, rule, now)


def _close_settled(
    session: Session, account: Account, keys: Sequence[uuid.UUID], now: datetime
) -> None:
    """Close what was declined, and what AutoPay has told of, where nothing of it is owed any more."""
    owed = items.owed_by(session, [account.id]) if keys else []
    for key in keys:
        row = scheduled.lock(session, key)
        waits = row.state == "planned" and row.origin != "bill" and not _is_told(row)
        if row.closed_at is not None or waits or charge_terms.owes(row, owed):
            continue
        if halt(session, row, now):
            charge_terms.close(session, row, "nothing_due", now)


def _is_told(row: ScheduledPayment) -> bool:
    return row.origin == "autopay" and row.noticed_at is not None


def _charge_what_is_free(session: Session, house: House, key: uuid.UUID, now: datetime) -> None:
    """A dispute is over: what of the bill is still owed is charged in the next round."""
    row = scheduled.lock(session, key)
    is_later = row.state == "planned" and row.next_at is not None and row.next_at > now
    if is_later and charge_terms.of_payment(session, house, row):
        charge_terms.look_at(session, row, now)


def _plan(
    session: Session, house: House, account: Account, rule: AutoPayRule, now: datetime
) -> None:
    """A payment for each day on which something is due that none is there for yet."""
    today = local_date(now, account.time_zone)
    soonest = today + timedelta(days=house.rules.cards.notice_days)
    rows = [row for row in _payments_of(session, account.id) if row.rule_id == rule.id]
    known = told_of(rows)
    days: set[date] = set()
    for item, _ in charge_terms.of_account(session, house, account.id, account.currency):
        if str(item.source_id) not in known:
            days.add(max(due_on(item), soonest))
    taken = {row.on_date for row in rows if row.state == "planned" and row.noticed_at is not None}
    waiting = {row.on_date: row for row in rows if row.state == "planned" and not row.noticed_at}
    wanted = {_free_from(day, taken) for day in days}
    for day in sorted(wanted - set(waiting)):
        scheduled.plan(
            session,
            new_id(),
            session.get_one(PaymentMethod, rule.payment_method_id),
            Wanted("balance"),
            account.currency,
            day,
            morning(day, account.time_zone),
            rule.authorisation_id,
            "system",
            now,
            rule.id,
        )
    for day in set(waiting) - wanted:
        charge_terms.close(session, scheduled.lock(session, waiting[day].id), "nothing_due", now)


def told_of(rows: Sequence[ScheduledPayment]) -> set[str]:
    """The bills that payments of AutoPay were told to be for, as text."""
    return {key for row in rows if row.noticed_at is not None for key in row.invoice_ids}


def _free_from(day: date, taken: set[date]) -> date:
    while day in taken:
        day += timedelta(days=1)
    return day


def morning(day: date, zone: str) -> datetime:
    """When a payment of this day is made."""
    return datetime.combine(day, MORNING, ZoneInfo(zone))
