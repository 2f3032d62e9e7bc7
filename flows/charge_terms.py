"""What a charge of a card on file is for, read anew each time: of which bills, how much, and whether it may
be made at all."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import credits, items, tenders
from core.ledger.chart import RECEIVABLE
from core.ledger.items import Open
from core.parties import accounts
from core.parties.models import Account, LegalEntity
from flows import early_payment, start_payment
from flows.house import House
from invoices import reading as invoices
from invoices.models import Invoice
from payments import bills_on_file, methods, operations, scheduled
from payments.automatic_models import TRIED, ScheduledPayment
from payments.models import Authorisation, PaymentMethod, PaymentOperation

#: Its payer is at the processor's page for the same bill: so much later it is looked at again.
AFTER_A_VISIT = timedelta(minutes=5)
#: So often is looked whether a dispute is over; its end is heard of sooner.
LOOK_AGAIN = timedelta(days=1)

Parts = list[tuple[Open, Money]]


def of_bill(session: Session, house: House, invoice_id: uuid.UUID) -> Parts:
    """What may be drawn of a bill now; nothing when nothing of it is open and uncontested."""
    item = items.of_sources(session, [invoice_id]).get(invoice_id)
    if item is None or item.side != "debit":
        return []
    return _asked(session, house, [item])


def of_account(session: Session, house: House, account_id: uuid.UUID, currency: str) -> Parts:
    """What may be drawn of everything that an account owes, the earliest due first."""
    owed = [
        item
        for item in items.owed_by(session, [account_id])
        if item.ledger_code == RECEIVABLE
        and not item.is_history
        and item.amount.currency == currency
    ]
    return _asked(session, house, owed)


def _asked(session: Session, house: House, owed: Sequence[Open]) -> Parts:
    asked = early_payment.asked(session, house, owed)
    return [(item, item.uncontested) for item in asked if item.uncontested.minor > 0]


def of_payment(session: Session, house: House, row: ScheduledPayment) -> Parts:
    """What a payment that was scheduled would take if it were made now."""
    return chosen(row, of_account(session, house, row.account_id, row.currency))


def chosen(row: ScheduledPayment, found: Parts) -> Parts:
    """The same of what an account owes that was read already."""
    if row.wants == "bills" or (row.noticed_at is not None and row.origin == "autopay"):
        found = [part for part in found if str(part[0].source_id) in row.invoice_ids]
    elif row.origin == "autopay":
        found = [part for part in found if due_on(part[0]) <= row.on_date]
    most = row.amount_minor
    if row.origin == "autopay" and row.noticed_minor is not None:
        most = row.noticed_minor
    return found if most is None else _up_to(found, most)


def due_on(item: Open) -> date:
    """The day by which it is to be paid; at once where nothing else was said."""
    return item.due_date or item.effective_date


def _up_to(parts: Parts, most: int) -> Parts:
    taken: Parts = []
    for item, amount in parts:
        part = min(amount.minor, most)
        if part > 0:
            taken.append((item, Money(part, amount.currency)))
            most -= part
    return taken


def of_operation(session: Session, house: House, operation: PaymentOperation) -> Parts:
    """What a charge that was prepared would take now."""
    if operation.scheduled_payment_id is None:
        assert operation.invoice_id is not None
        return of_bill(session, house, operation.invoice_id)
    row = session.get_one(ScheduledPayment, operation.scheduled_payment_id)
    return of_payment(session, house, row) if row.state in TRIED else []


def fix(session: Session, house: House, operation: PaymentOperation, now: datetime) -> str | None:
    """Fix the amount of a locked charge and reserve it: ``""``. Nothing may be asked for otherwise: the code
    of why not, or None when there is nothing to charge (yet), which the operation's state says."""
    assert operation.payment_method_id is not None
    payer = accounts.lock(session, operation.account_id)
    entity = session.get_one(LegalEntity, payer.legal_entity_id)
    today = local_date(now, entity.time_zone)
    _use_credit(session, operation, today, now)
    parts = of_operation(session, house, operation)
    if not parts:
        operations.settle(session, operation, "expired", now)
        close_row(session, operation, now)
        return None
    if any(tenders.is_being_paid(session, item.id) for item, _ in parts):
        operation.next_at = now + AFTER_A_VISIT
        return None
    method = session.get_one(PaymentMethod, operation.payment_method_id)
    why_not = _why_not(session, method, operation, today, entity)
    if why_not is None:
        start_payment.for_charge(session, house, operation, parts, methods.label(method))
    return why_not or ""


def _use_credit(session: Session, operation: PaymentOperation, today: date, now: datetime) -> None:
    """Where all that is owed is charged, what the shop holds for the account is used before its card."""
    if operation.scheduled_payment_id is None:
        return
    row = scheduled.lock(session, operation.scheduled_payment_id)
    if row.state in TRIED and row.wants == "balance":
        credits.use_oldest_first(session, operation.account_id, today, now)


def close_row(session: Session, operation: PaymentOperation, now: datetime) -> None:
    """There was nothing to charge for the payment that it was a try at."""
    if operation.scheduled_payment_id is not None:
        row = scheduled.lock(session, operation.scheduled_payment_id)
    elif operation.invoice_id is not None:
        found = bills_on_file.of_bill(session, operation.invoice_id)
        if found is None:
            wait_for_dispute(session, operation.invoice_id, operation.payment_method_id, now)
            return
        row = scheduled.lock(session, found.id)
    if row.closed_at is None:
        nothing_now(session, row, now)


def wait_for_dispute(
    session: Session, invoice_id: uuid.UUID, method_id: uuid.UUID | None, now: datetime
) -> None:
    """A bill of a service of which some is disputed: should that end without a credit it is charged then."""
    item = items.of_sources(session, [invoice_id]).get(invoice_id)
    if item is None or not item.open or item.uncontested.minor > 0 or method_id is None:
        return
    method = session.get_one(PaymentMethod, method_id)
    again = now + LOOK_AGAIN
    day = local_date(again, session.get_one(Account, method.account_id).time_zone)
    bills_on_file.plan_of_bill(session, invoice_id, method, item.open.currency, day, again, now)


def nothing_now(session: Session, row: ScheduledPayment, now: datetime) -> None:
    """There is nothing to charge for a locked payment: it is over, unless it is a service's, or its card was
    declined, and what it is for is disputed: then it is looked at again, for a dispute may end without a
    credit."""
    waits = row.state == "retrying" or row.origin == "bill"
    if waits and owes(row, items.owed_by(session, [row.account_id])):
        look_at(session, row, now + LOOK_AGAIN)
    else:
        close(session, row, "nothing_due", now)


def look_at(session: Session, row: ScheduledPayment, at: datetime) -> None:
    """Look at a locked payment at another time: it is another try than one that was called for already."""
    row.next_at, row.revision = at, row.revision + 1
    if row.state == "planned":
        row.on_date = local_date(at, session.get_one(Account, row.account_id).time_zone)
    session.flush()


def owes(row: ScheduledPayment, owed: Sequence[Open]) -> bool:
    """Is anything of what a payment is for open, disputed or not?"""
    if row.invoice_ids:
        return any(str(item.source_id) in row.invoice_ids and item.open for item in owed)
    return any(item.open and item.amount.currency == row.currency for item in owed)


def close(session: Session, row: ScheduledPayment, state: str, now: datetime) -> None:
    """A locked payment is over, and with it what was agreed for it alone."""
    scheduled.move(session, row, state, now)
    if row.origin == "customer" and row.authorisation_id is not None:
        given = session.get_one(Authorisation, row.authorisation_id)
        if given.subject == scheduled.subject(row.id):
            methods.end_one(session, given.id, now)


def _why_not(
    session: Session,
    method: PaymentMethod,
    operation: PaymentOperation,
    today: date,
    entity: LegalEntity,
) -> str | None:
    """Why this card may not even be tried, as a code; None when it may."""
    if method.state != "active":
        return "method_detached"
    if method.account_id != operation.account_id or not _is_covered(
        session, method, operation, entity
    ):
        return "not_authorised"
    return "method_expired" if methods.is_lapsed(method, today) else None


def _is_covered(
    session: Session, method: PaymentMethod, operation: PaymentOperation, entity: LegalEntity
) -> bool:
    """Does what was agreed for the card cover this? The last bill of a service comes after its end."""
    if operation.scheduled_payment_id is not None:
        row = session.get_one(ScheduledPayment, operation.scheduled_payment_id)
        given = session.get_one(Authorisation, row.authorisation_id)
        return given.ended_at is None and given.payment_method_id == method.id
    bill = session.get_one(Invoice, operation.invoice_id)
    last_day = invoices.last_day(session, bill.id)
    return methods.covered(session, method.id, bill.issued_at, last_day, entity.time_zone)


def total_of(parts: Parts, currency: str) -> Money:
    """The sum of the parts."""
    return Money(sum(amount.minor for _, amount in parts), currency)


def with_credit(session: Session, account: Account, parts: Parts, currency: str) -> Parts:
    """The parts less what the shop holds for the account, which is used before its card."""
    left = sum(
        item.open.minor
        for item in credits.free(session, account.id)
        if item.amount.currency == currency
    )
    rest: Parts = []
    for item, amount in parts:
        used = min(left, amount.minor)
        left -= used
        if amount.minor > used:
            rest.append((item, Money(amount.minor - used, currency)))
    return rest
