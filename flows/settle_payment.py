"""What the processor says becomes money in the ledger, once, whoever asks first.

Return page, webhook and reconciler all come through ``settle``: it reads the visit's present state
outside any transaction and applies it under the operation's lock.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from core.events import PaymentApplied, RefundWanted
from core.kernel import audit, crash, jobs
from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.ledger import business, items, tenders
from core.orders import placing
from core.orders.models import Order
from core.parties import accounts
from core.parties.models import LegalEntity
from core.stock.holds import OutOfStock
from flows.cancel_order import cancel
from flows.confirm_order import confirm
from flows.house import House
from payments import money, operations
from payments.gateway import CheckoutSession
from payments.gateway import Payment as Captured
from payments.models import Payment, PaymentOperation


@dataclass(eq=False)
class PaymentMismatch(ShopError):
    """The processor's amount, currency or reference is not the one we asked for: a person must look."""

    code: ClassVar[str] = "payment_mismatch"
    text: ClassVar[str] = "The processor reports {found} where {asked} was asked for."
    asked: str
    found: str


def settle(house: House, operation_id: uuid.UUID) -> str:
    """Bring one checkout up to date; answers its state: sent, succeeded, expired, failed.

    Raises GatewayError when the processor does not answer, PaymentMismatch when it must not be applied.
    """
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    if operation.state not in (*operations.OPEN_STATES, "expired"):
        return operation.state
    visit = _visit(house, operation)
    if visit is None:
        return operation.state
    captured = None
    if visit.payment_status == "paid" and visit.payment_id is not None:
        captured = house.gateway.get_payment(visit.payment_id)
    crash.point("settle.fetched")
    state = house.db.run_tx(lambda session: _apply(session, house, operation_id, visit, captured))
    crash.point("settle.committed")
    return state


def _visit(house: House, operation: PaymentOperation) -> CheckoutSession | None:
    if operation.gateway_id is not None:
        return house.gateway.get_checkout(operation.gateway_id)
    return house.gateway.find_checkout_by_operation(operation.public_id, operation.created_at)


def _apply(
    session: Session,
    house: House,
    operation_id: uuid.UUID,
    visit: CheckoutSession,
    captured: Captured | None,
) -> str:
    operation = operations.lock(session, operation_id)
    if operation.state not in (*operations.OPEN_STATES, "expired"):
        return operation.state
    if visit.status == "expired":
        return _expired(session, house, operation)
    if captured is None or captured.status != "succeeded":
        if operation.gateway_id is None:
            operations.note_sent(session, operation.id, visit)
        return "sent"
    _check(operation, visit, captured)
    operation.gateway_id = visit.id
    take(session, house, operation, captured)
    operations.settle(session, operation, "succeeded", house.clock.now())
    crash.point("settle.before_commit")
    return "succeeded"


def _check(operation: PaymentOperation, visit: CheckoutSession, captured: Captured) -> None:
    asked = Money(operation.amount_minor, operation.currency)
    if captured.amount_received != asked or visit.amount != asked:
        raise PaymentMismatch(str(asked), str(captured.amount_received))
    if visit.operation_id != operation.public_id or captured.operation_id != operation.public_id:
        raise PaymentMismatch(operation.public_id, str(visit.operation_id))


def _expired(session: Session, house: House, operation: PaymentOperation) -> str:
    if operation.state == "expired":
        return "expired"
    operations.settle(session, operation, "expired", house.clock.now())
    tenders.release(session, operation_id=operation.id)
    if operation.order_id is not None:
        cancel(session, house, operation.order_id, "payment_expired")
    return "expired"


def take(session: Session, house: House, operation: PaymentOperation, captured: Captured) -> None:
    """Captured money of a locked operation goes into the ledger: to its order, or to the bills it is for."""
    now = house.clock.now()
    account = accounts.lock(session, operation.account_id)
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    today = local_date(now, entity.time_zone)
    if operation.order_id is not None:
        order = placing.lock(session, operation.order_id)
        reason = _confirm_order(session, house, order)
        payment = money.record_capture(session, operation, captured, entity.id, now)
        business.receive_for_order(session, money.receipt_of(payment, today), order.id, now)
        if reason is None:
            tenders.take_for_order(session, order.id, entity.id, today, now)
        else:
            _send_back(session, order, payment, reason, now)
    else:
        found = tenders.of_operation(session, operation.id)
        wanted = [
            (items.get(session, tender.open_item_id), Money(tender.amount_minor, tender.currency))
            for tender in found
            if tender.open_item_id is not None and tender.kind == "card"
        ]
        payment = money.record_capture(session, operation, captured, entity.id, now)
        business.receive_for_items(session, money.receipt_of(payment, today), wanted, now)
        tenders.take_for_bills(session, found, today, now)
    audit.write(session, now, "system", "payment.captured", ("payment", payment.public_id))
    jobs.record(session, PaymentApplied(str(payment.id)), now, key=f"paid:{payment.id}")


def _confirm_order(session: Session, house: House, order: Order) -> str | None:
    """Confirm the order that was paid for; or say why the money has to go back."""
    if order.lifecycle == "cancelled":
        return "paid_too_late"
    if order.lifecycle != "pending":
        return "paid_twice"
    try:
        with session.begin_nested():
            confirm(session, house, order, "paid", placing.lines_of(session, order.id))
    except OutOfStock:
        session.refresh(order)
        cancel(session, house, order.id, "sold_out")
        session.refresh(order)
        return "sold_out"
    return None


def _send_back(
    session: Session, order: Order, payment: Payment, reason: str, now: datetime
) -> None:
    if order.payment == "released":
        placing.set_payment(session, order, "refund_due")
    jobs.record(
        session,
        RefundWanted(str(payment.id), payment.amount_minor, reason),
        now,
        key=f"refund:{payment.id}:{reason}",
        priority=2,
    )
