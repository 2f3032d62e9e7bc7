"""Writing down money that came or went back: one row per operation, with its ledger entry."""

import uuid
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.kernel import numbering
from core.kernel.db import changed
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.ledger.business import Receipt
from payments import gateway
from payments.models import REFUND, Payment, PaymentOperation, Refund

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


def request_refund(session: Session, operation: PaymentOperation, now: datetime) -> Refund:
    """The refund's row, before the processor is asked; its operation makes it the only one."""
    assert operation.payment_id is not None
    refund = Refund(
        id=new_id(),
        payment_id=operation.payment_id,
        operation_id=operation.id,
        amount_minor=operation.amount_minor,
        currency=operation.currency,
        reason=operation.request["reason"],
        state="requested",
        refunded_at=now,
    )
    session.add(refund)
    session.flush()
    return refund


def note_refund(session: Session, refund: Refund, done: gateway.Refund) -> bool:
    """The processor took it: ``sent``, or paid out already. False when that was known."""
    state = "succeeded" if done.status == "succeeded" else "sent"
    return move_refund(session, refund, state, gateway_id=done.id)


def fail_refund(session: Session, refund: Refund, words: str, now: datetime) -> bool:
    """It could not be paid out. False when that was known."""
    return move_refund(session, refund, "failed", failed_at=now, failure=words[:200])


def move_refund(session: Session, refund: Refund, state: str, **values: Any) -> bool:
    """Move a refund's state along its table, in one statement; False when it does not lead there."""
    before = [one for one, onward in REFUND.items() if state in onward]
    done = session.execute(
        update(Refund)
        .where(Refund.id == refund.id, Refund.state.in_(before))
        .values(state=state, **values)
    )
    return changed(done) == 1


def record_refund(
    session: Session, operation: PaymentOperation, done: gateway.Refund, now: datetime
) -> Refund:
    """A refund that the processor took at once."""
    refund = request_refund(session, operation, now)
    note_refund(session, refund, done)
    return refund


def refund_of(session: Session, operation_id: uuid.UUID) -> Refund:
    """The refund that an operation asks for, read again."""
    return session.scalars(
        select(Refund)
        .where(Refund.operation_id == operation_id)
        .execution_options(populate_existing=True)
    ).one()


def of_operations(
    session: Session, operation_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Payment]:
    """The payments that some operations brought."""
    rows = session.scalars(select(Payment).where(Payment.operation_id.in_(operation_ids)))
    return {row.operation_id: row for row in rows}


def of_operation(session: Session, operation_id: uuid.UUID) -> Payment | None:
    """The payment that an operation brought."""
    return session.scalar(select(Payment).where(Payment.operation_id == operation_id))
