"""Coming back unpaid: the visit is ended at the processor, the order cancelled, the cart given back."""

import uuid

from sqlalchemy.orm import Session

from core.kernel import crash
from core.ledger import tenders
from flows.cancel_order import cancel
from flows.house import House
from flows.settle_payment import settle
from payments import operations
from payments.gateway import InvalidRequest
from payments.models import PaymentOperation


def abandon(house: House, order_id: uuid.UUID, reason: str) -> bool:
    """Give a pending order up; False when it turns out to be paid (then it is settled instead).

    The visit is ended before the pieces are let go. Raises GatewayError when the processor does not
    answer; nothing has changed then.
    """
    with house.db.reading() as session:
        operation = operations.of_order(session, order_id)
    if operation is not None and not end_visit(house, operation):
        settle(house, operation.id)
        return False
    crash.point("abandon.visit_ended")
    return house.db.run_tx(
        lambda session: cancel(session, house, order_id, reason, hold_again=True)
    )


def end_visit(house: House, operation: PaymentOperation) -> bool:
    """Make sure that nobody can pay on it any more; False when somebody has."""
    checkout_id = operation.gateway_id
    if checkout_id is None and operation.attempts > 0:
        found = house.gateway.find_checkout_by_operation(operation.public_id, operation.created_at)
        checkout_id = found.id if found else None
    if checkout_id is None:
        return True
    try:
        ended = house.gateway.expire_checkout(checkout_id, f"{operation.op_key}-expire")
    except InvalidRequest as error:
        if not error.is_missing:
            raise
        return True
    return ended.status != "complete"


def give_up_bills(house: House, operation_id: uuid.UUID) -> bool:
    """Give up paying bills; False when it turns out to be paid (then it is settled instead).

    Raises GatewayError when the processor does not answer; nothing has changed then.
    """
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    if operation.state not in operations.OPEN_STATES:
        return operation.state != "succeeded"
    if not end_visit(house, operation):
        settle(house, operation_id)
        return False
    return house.db.run_tx(lambda session: release_bills(session, house, operation_id))


def release_bills(session: Session, house: House, operation_id: uuid.UUID) -> bool:
    """Close an operation whose visit has ended; False when it was paid meanwhile."""
    operation = operations.lock(session, operation_id)
    if operation.state in operations.OPEN_STATES:
        operations.settle(session, operation, "expired", house.clock.now())
        tenders.release(session, operation_id=operation_id)
    return operation.state != "succeeded"
