"""Money goes back to the card: written down, asked of the processor, then posted. Once per reason."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import RefundMade
from core.kernel import audit, crash, jobs
from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.ledger import business, items
from core.ledger.models import OpenItem
from core.orders import placing
from core.parties import accounts
from core.parties.models import LegalEntity
from flows.house import House
from payments import gateway, money, operations
from payments.gateway import (
    GatewayError,
    Indeterminate,
    Misconfigured,
    RateLimited,
    RefundFailed,
    RefundRequest,
)
from payments.models import Payment, PaymentOperation

_NOT_PAID_OUT = ("failed", "canceled")


def refund(house: House, payment_id: uuid.UUID, amount_minor: int, reason: str) -> None:
    """Send ``amount_minor`` of a payment back. Raises GatewayError; asked again it goes on from there."""
    operation_id, charge_id = house.db.run_tx(
        lambda session: _prepare(session, house, payment_id, amount_minor, reason)
    )
    crash.point("refund.prepared")
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    if operation.state == "succeeded":
        return
    done = _ask(house, operation, charge_id)
    if done.status in _NOT_PAID_OUT:
        failed = RefundFailed(done.failure or done.status)
        operations.note(house.db, operation.id, "failed", str(failed))
        raise failed
    crash.point("refund.asked")
    house.db.run_tx(lambda session: _apply(session, house, operation_id, done))


def hear_of_refund(house: House, refund_id: str) -> bool:
    """Look at a refund that the processor tells of; False when it is none of ours.

    One that could not be paid out after all is noted for the desk: the customer is without the money.
    """
    told = house.gateway.get_refund(refund_id)
    if told.operation_id is None:
        return False
    with house.db.reading() as session:
        try:
            operation = operations.by_public_id(session, told.operation_id)
        except NotFound:
            return False
    if told.status in _NOT_PAID_OUT and operation.state == "succeeded":
        words = str(RefundFailed(told.failure or told.status))
        house.db.run_tx(lambda session: _came_back(session, house, operation, words))
    return True


def _came_back(session: Session, house: House, operation: PaymentOperation, words: str) -> None:
    if operations.note_trouble(session, operation.id, words, None):
        subject = ("payment", str(operation.payment_id))
        audit.write(session, house.clock.now(), "system", "payment.refund_failed", subject)


def _prepare(
    session: Session, house: House, payment_id: uuid.UUID, amount_minor: int, reason: str
) -> tuple[uuid.UUID, str]:
    payment = session.get_one(Payment, payment_id)
    operation = operations.prepare_refund(
        session,
        payment.account_id,
        payment.order_id,
        payment.id,
        Money(amount_minor, payment.currency),
        reason,
        house.clock.now(),
    )
    return operation.id, payment.gateway_id


def _ask(house: House, operation: PaymentOperation, charge_id: str) -> gateway.Refund:
    if house.clock.now() - operation.created_at > operations.KEY_LIFE:
        found = house.gateway.find_refund_by_operation(operation.public_id, charge_id)
        if found is not None:
            return found
    try:
        return house.gateway.refund(
            RefundRequest(
                operation.op_key,
                operation.public_id,
                charge_id,
                Money(operation.amount_minor, operation.currency),
            )
        )
    except (Indeterminate, RateLimited, Misconfigured) as error:
        operations.note(house.db, operation.id, "indeterminate", str(error))
        raise
    except GatewayError as error:
        operations.note(house.db, operation.id, "failed", str(error))
        raise


def _apply(session: Session, house: House, operation_id: uuid.UUID, done: gateway.Refund) -> None:
    now = house.clock.now()
    operation = operations.lock(session, operation_id)
    if operation.state == "succeeded":
        return
    account = accounts.lock(session, operation.account_id)
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    row = money.record_refund(session, operation, done, now)
    left = Money(operation.amount_minor, operation.currency)
    held = items.find(
        session, OpenItem.source_id == operation.payment_id, OpenItem.side == "credit"
    )
    for item in held:
        part = min(left, item.open)
        if part.minor > 0:
            today = local_date(now, entity.time_zone)
            business.refund_credit(session, item, part, row.id, today, now)
            left -= part
    if left:
        raise ValueError(f"{left} of refund {row.id} is not held for anybody")
    operation.gateway_id = done.id
    operations.settle(session, operation, "succeeded", now)
    if operation.order_id is not None:
        order = placing.lock(session, operation.order_id)
        if order.payment == "refund_due":
            placing.set_payment(session, order, "refunded")
    audit.write(session, now, "system", "payment.refunded", ("payment", str(operation.payment_id)))
    jobs.record(session, RefundMade(str(row.id)), now, key=f"refunded:{row.id}")


def waiting(session: Session) -> list[tuple[uuid.UUID, int, str]]:
    """Refunds that were begun and not finished: payment, amount, reason."""
    rows = session.scalars(
        select(PaymentOperation).where(
            PaymentOperation.kind == "refund",
            PaymentOperation.state.in_(operations.OPEN_STATES),
        )
    )
    return [
        (row.payment_id, row.amount_minor, row.request["reason"])
        for row in rows
        if row.payment_id is not None
    ]
