"""A bill is charged to a card on file, as its owner agreed when it was put there.

The operation is written first, then its amount is fixed and reserved from what is open at that moment, then
the processor is asked. What it answers goes into the ledger like any card payment, once, whoever hears it
first: the call itself, a webhook, or the reconciler. An unanswered call is looked for before it is repeated.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.events import ChargeFailed
from core.kernel import audit, crash, jobs
from core.kernel.money import Money
from core.ledger import tenders
from core.parties import accounts
from flows import charge_terms, retry_charge, settle_payment
from flows.house import House
from flows.settle_payment import PaymentMismatch
from flows.start_payment import ChargeUnderWay
from invoices.models import Invoice
from payments import method_operations, methods, operations, scheduled
from payments.automatic_models import TRIED, ScheduledPayment
from payments.gateway import (
    AuthenticationRequired,
    Declined,
    GatewayError,
    Indeterminate,
    InvalidRequest,
    KeyConflict,
    Misconfigured,
    Payment,
    RateLimited,
)
from payments.method_operations import Charged
from payments.models import PaymentMethod, PaymentOperation

#: A charge that the bank works on is asked for so often, should no webhook tell of it.
_WHILE_PROCESSING = timedelta(hours=1)
_UNDER_WAY = ("processing", "requires_capture")
_UNTRIED = ("requires_payment_method", "requires_confirmation")
#: For so long there was no answer that asking again could be a second charge.
NO_ANSWER = "no_answer"
_UNANSWERED = (Indeterminate, RateLimited, Misconfigured, KeyConflict)


def charge(
    house: House,
    invoice_id: uuid.UUID,
    method_id: uuid.UUID,
    attempt: int = 1,
    revision: int | None = None,
) -> str | None:
    """Charge what is open and not disputed of a bill; answers the operation's state, None for no charge.

    The same attempt is one operation, however often it is asked for. A card that is not charged is a state
    (``failed``), told by ``ChargeFailed``. Raises ChargeUnderWay while another attempt may still take money,
    or GatewayError when there was no answer: asked again it goes on from there.
    """
    operation_id = house.db.run_tx(
        lambda session: _prepare(session, house, invoice_id, method_id, attempt, revision)
    )
    crash.point("charge.prepared")
    return None if operation_id is None else go(house, operation_id)


def charge_payment(house: House, payment_id: uuid.UUID, tries: int) -> str | None:
    """Make a payment whose time has come, after so many ``tries``; answers as ``charge`` does.

    A payment that was moved, stopped or tried meanwhile is left alone.
    """
    with house.db.reading() as session:
        row = session.get_one(ScheduledPayment, payment_id)
    if row.state not in TRIED or row.tries != tries:
        return None
    if row.invoice_id is not None:
        changed = row.revision if row.revision > 1 else None  # another try than one that was halted
        state = charge(house, row.invoice_id, row.payment_method_id, tries + 1, changed)
        if state is None:
            house.db.run_tx(lambda session: _wait(session, house, payment_id))
        return state
    operation_id = house.db.run_tx(
        lambda session: _prepare_payment(session, house, payment_id, tries)
    )
    crash.point("charge.prepared")
    return None if operation_id is None else go(house, operation_id)


def _prepare(
    session: Session,
    house: House,
    invoice_id: uuid.UUID,
    method_id: uuid.UUID,
    attempt: int,
    revision: int | None,
) -> uuid.UUID | None:
    invoice = session.get_one(Invoice, invoice_id)
    accounts.lock(session, invoice.payer_account_id)
    key = method_operations.charge_key(invoice_id, method_id, attempt, revision)
    known = method_operations.charge_under(session, key)
    if known is not None:
        return known.id
    parts = charge_terms.of_bill(session, house, invoice_id)
    if not parts:
        charge_terms.wait_for_dispute(session, invoice_id, method_id, house.clock.now())
        return None
    if method_operations.charge_of_bill(session, [invoice_id]) is not None:
        raise ChargeUnderWay
    operation = method_operations.prepare_charge(
        session,
        key,
        Charged(f"Bill {invoice.number}", invoice_id=invoice_id),
        invoice.payer_account_id,
        session.get_one(PaymentMethod, method_id),
        parts[0][1],
        house.clock.now(),
    )
    return operation.id


def _wait(session: Session, house: House, payment_id: uuid.UUID) -> None:
    """Nothing may be charged now: the bill is disputed, and looked at again, or paid."""
    accounts.lock(session, session.get_one(ScheduledPayment, payment_id).account_id)
    row = scheduled.lock(session, payment_id)
    if row.state in TRIED:
        charge_terms.nothing_now(session, row, house.clock.now())


def _prepare_payment(
    session: Session, house: House, payment_id: uuid.UUID, tries: int
) -> uuid.UUID | None:
    now = house.clock.now()
    accounts.lock(session, session.get_one(ScheduledPayment, payment_id).account_id)
    row = scheduled.lock(session, payment_id)
    if row.state not in TRIED or row.tries != tries or row.next_at is None or row.next_at > now:
        return None
    key = method_operations.charge_key(row.id, row.payment_method_id, tries + 1, row.revision)
    known = method_operations.charge_under(session, key)
    if known is not None:
        return known.id
    parts = charge_terms.of_payment(session, house, row)
    if not parts:
        charge_terms.nothing_now(session, row, now)
        return None
    if scheduled.under_way(session, row) is not None:
        raise ChargeUnderWay
    label = ", ".join(item.number for item, _ in parts)
    operation = method_operations.prepare_charge(
        session,
        key,
        Charged(f"Bill {label}"[:200], scheduled_payment_id=row.id),
        row.account_id,
        session.get_one(PaymentMethod, row.payment_method_id),
        charge_terms.total_of(parts, row.currency),
        now,
    )
    return operation.id


def go(house: House, operation_id: uuid.UUID) -> str:
    """Ask the processor for a charge that was prepared; answers the operation's state.

    Raises GatewayError when there was no answer.
    """
    state = house.db.run_tx(lambda session: _begin(session, house, operation_id))
    if state == "sent":
        return settle(house, operation_id)
    if state != "asking":
        return state
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    crash.point("charge.before_call")
    try:
        payment = _ask(house, operation)
    except _UNANSWERED as error:
        operations.note(house.db, operation_id, "indeterminate", str(error))
        raise
    except GatewayError as error:
        return _refused(house, operation_id, error)
    crash.point("charge.asked")
    return _hear(house, operation_id, payment)


def _begin(session: Session, house: House, operation_id: uuid.UUID) -> str:
    """``asking`` when the processor is to be asked now, else the state: there may be nothing to ask.

    Before the first call everything is read again; from then on the amount stands.
    """
    now = house.clock.now()
    operation = operations.lock(session, operation_id)
    if operation.state not in ("pending", "indeterminate"):
        return operation.state
    if operation.attempts == 0 and not _fix(session, house, operation, now):
        return operation.state
    operations.begin_attempt(session, operation_id, now)
    return "asking"


def _fix(session: Session, house: House, operation: PaymentOperation, now: datetime) -> bool:
    """Fix the amount and reserve it. False when there is nothing to ask for (yet): the state says so."""
    why_not = charge_terms.fix(session, house, operation, now)
    if why_not:
        _fail(session, house, operation, why_not, "")
    return why_not == ""


def _ask(house: House, operation: PaymentOperation) -> Payment:
    """The answer to the call; from the second call on that of an earlier one, if one came through."""
    if operation.attempts > 1:
        found = _found(house, operation)
        if found is not None and not _is_untried(found):
            return found
        if house.clock.now() - operation.created_at > operations.KEY_LIFE:
            raise InvalidRequest(NO_ANSWER, "the processor has not answered for too long")
    return house.gateway.charge_saved(method_operations.charge_request(operation))


def _found(house: House, operation: PaymentOperation) -> Payment | None:
    """What the processor has of an operation, looked up by our id."""
    if operation.gateway_id is not None:
        return house.gateway.get_payment(operation.gateway_id)
    return house.gateway.find_payment_by_operation(
        operation.public_id, operation.request["customer"], operation.created_at
    )


def _is_untried(payment: Payment) -> bool:
    """Was no card tried on it (yet)?"""
    return payment.status in _UNTRIED and payment.last_decline is None


def settle(house: House, operation_id: uuid.UUID) -> str:
    """Bring one charge up to date with what the processor says of it; answers its state. Asks for no money.

    Raises GatewayError when the processor does not answer, PaymentMismatch when it must not be applied.
    """
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    if operation.state == "succeeded" or operation.attempts == 0:
        return operation.state
    payment = _found(house, operation)
    crash.point("charge.fetched")
    return operation.state if payment is None else _hear(house, operation_id, payment)


def _hear(house: House, operation_id: uuid.UUID, payment: Payment) -> str:
    state = house.db.run_tx(lambda session: _apply(session, house, operation_id, payment))
    crash.point("charge.committed")
    return state


def _apply(session: Session, house: House, operation_id: uuid.UUID, payment: Payment) -> str:
    """Money that was taken is taken down even for a charge that was given up; nothing else reopens one."""
    now = house.clock.now()
    operation = operations.lock(session, operation_id)
    if operation.state == "succeeded":
        return operation.state
    if payment.status == "succeeded":
        _check(operation, payment)
        operation.gateway_id, operation.failure = payment.id, None
        settle_payment.take(session, house, operation, payment)
        retry_charge.took(session, operation, house)
        operations.settle(session, operation, "succeeded", now)
        crash.point("charge.before_commit")
    elif operation.state not in operations.OPEN_STATES or _is_untried(payment):
        return operation.state
    elif payment.status in _UNDER_WAY:
        operation.gateway_id, operation.state = payment.id, "sent"
        operation.next_at, operation.last_error = now + _WHILE_PROCESSING, None
    else:
        decline = payment.last_decline
        code = decline.decline_code or decline.code if decline else payment.status
        words = decline.message if decline else payment.status
        operation.gateway_id = payment.id
        _fail(session, house, operation, code, words)
    return operation.state


def _check(operation: PaymentOperation, payment: Payment) -> None:
    asked = Money(operation.amount_minor, operation.currency)
    if payment.amount_received != asked:
        raise PaymentMismatch(str(asked), str(payment.amount_received))
    if payment.operation_id != operation.public_id:
        raise PaymentMismatch(operation.public_id, str(payment.operation_id))


def _refused(house: House, operation_id: uuid.UUID, error: GatewayError) -> str:
    """The bank said no, wants its customer, or the processor will not do it: the payer is told."""
    code, payment_id = _code_of(error)
    is_gone = isinstance(error, InvalidRequest) and error.is_missing

    def write(session: Session) -> str:
        operation = operations.lock(session, operation_id)
        if operation.state in operations.OPEN_STATES:
            operation.gateway_id = payment_id or operation.gateway_id
            if is_gone and operation.payment_method_id is not None:
                methods.detach(session, operation.payment_method_id, house.clock.now())
            _fail(session, house, operation, code, str(error))
        return operation.state

    state = house.db.run_tx(write)
    crash.point("charge.failed")
    return state


def _code_of(error: GatewayError) -> tuple[str, str | None]:
    if isinstance(error, Declined):
        return error.decline_code or error.reason, error.payment_id
    if isinstance(error, AuthenticationRequired):
        return error.code, error.payment_id
    if isinstance(error, InvalidRequest):
        return "method_detached" if error.is_missing else error.reason, None
    return error.code, None


def _fail(
    session: Session, house: House, operation: PaymentOperation, code: str, words: str
) -> None:
    """Close a locked operation without money; its bill stays open, and its payer hears of it once."""
    now = house.clock.now()
    operation.failure, operation.last_error = code[:60], words[:2000] or None
    operations.settle(session, operation, "failed", now)
    tenders.release(session, operation_id=operation.id)
    retry_charge.declined(session, house, operation)
    audit.write(session, now, "system", "charge.failed", ("operation", operation.public_id))
    jobs.record(session, ChargeFailed(str(operation.id)), now, key=f"charge-failed:{operation.id}")
