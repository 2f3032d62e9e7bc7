"""Writing down money that came or went back: one row per operation, with its ledger entry."""

import uuid
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel import numbering
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.ledger.business import Receipt
from payments import gateway
from payments.models import Payment, PaymentOperation, Refund

PAYMENT_SERIES = "payment"
#: The first number is one more than this.
BEFORE_FIRST = 10_000


def record_capture(
    session: Session,
    operation: PaymentOperation,
    captured: gateway.Payment,
    legal_entity_id: uuid.UUID,
    now: datetime,
) -> Payment:
    """The payment's row; its operation makes it the only one."""
    position = numbering.take(session, legal_entity_id, PAYMENT_SERIES)
    brand, last4 = captured.card_brand, captured.card_last4
    payment = Payment(
        id=new_id(),
        public_id=new_public_id(),
        number=f"P-{BEFORE_FIRST + position}",
        legal_entity_id=legal_entity_id,
        account_id=operation.account_id,
        operation_id=operation.id,
        order_id=operation.order_id,
        gateway_id=captured.id,
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        instrument=f"{brand.title()} ending {last4}" if brand and last4 else "Card",
        captured_at=now,
    )
    session.add(payment)
    session.flush()
    return payment


def receipt_of(payment: Payment, received_on: date) -> Receipt:
    """What the ledger has to know of a payment."""
    return Receipt(
        payment_id=payment.id,
        legal_entity_id=payment.legal_entity_id,
        account_id=payment.account_id,
        number=payment.number,
        amount=Money(payment.amount_minor, payment.currency),
        received_on=received_on,
    )


def record_refund(
    session: Session, operation: PaymentOperation, done: gateway.Refund, now: datetime
) -> Refund:
    """The refund's row; its operation makes it the only one."""
    assert operation.payment_id is not None
    refund = Refund(
        id=new_id(),
        payment_id=operation.payment_id,
        operation_id=operation.id,
        gateway_id=done.id,
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        reason=operation.request["reason"],
        refunded_at=now,
    )
    session.add(refund)
    session.flush()
    return refund


def of_operation(session: Session, operation_id: uuid.UUID) -> Payment | None:
    """The payment that an operation brought."""
    return session.scalar(select(Payment).where(Payment.operation_id == operation_id))
