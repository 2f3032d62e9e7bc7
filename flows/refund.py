"""Money goes back to the card: posted, asked of the processor, and posted back when that fails.

It is in the ledger from the moment it is requested, so that nothing else can take it meanwhile. Once per
reason; ``give_back`` asks here for the part of a refund that goes to a card.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import RefundMade
from core.kernel import audit, crash, jobs
from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.ledger import business, items, returns, reversals, tenders
from core.ledger.items import Open
from core.ledger.models import OpenItem
from core.ledger.returns import Purse
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
from payments.models import Payment, PaymentOperation, Refund

_NOT_PAID_OUT = ("failed", "canceled")
#: A refund whose end nobody told us of is asked for after so long, so many in a round.
_TOLD_AFTER = timedelta(hours=1)
_MOST_ASKED = 20


def refund(house: House, payment_id: uuid.UUID, amount_minor: int, reason: str) -> None:
    """Send ``amount_minor`` of a payment back, from what is held of it.

    Raises GatewayError; asked again it goes on from there. One that failed stays failed: ``again`` is
    another one.
    """
    go(house, house.db.run_tx(lambda s: _prepare(s, house, payment_id, amount_minor, reason)))


def again(house: House, refund_id: uuid.UUID) -> None:
    """Ask once more for a refund that failed, under a key of its own; for the desk.

    Raises RefundTooMuch when what it was taken from is not held any more.
    """
    with house.db.reading() as session:
        failed = session.get_one(Refund, refund_id)
    if failed.state == "failed":
        go(house, house.db.run_tx(lambda session: _again(session, house, failed)))


def _again(session: Session, house: House, failed: Refund) -> uuid.UUID:
    """From what the first one was taken from, and of the tenders that it was of."""
    payment, key = session.get_one(Payment, failed.payment_id), f"again-{failed.id.hex}"
    accounts.lock(session, payment.account_id)
    known = operations.refund_under(session, payment.id, key)
    if known is not None:
        return known.id
    amount = Money(failed.amount_minor, payment.currency)
    taken_from = tenders.unreserved(session, reversals.given_back_to(session, failed.id))
    parts = Purse(taken_from, payment.currency).draw(amount)
    row = request(session, house, payment, amount, failed.reason, parts, key)
    returns.repeat(session, failed.id, row.id, key, house.clock.now())
    return row.operation_id


def _prepare(
    session: Session,
    house: House,
    payment_id: uuid.UUID,
    amount_minor: int,
    reason: str,
) -> uuid.UUID:
    payment = session.get_one(Payment, payment_id)
    accounts.lock(session, payment.account_id)
    left, parts = Money(amount_minor, payment.currency), []
    for item in _held_of(session, payment):
        part = min(left, item.open)
        if part.minor > 0:
            parts.append((item, part))
            left -= part
    amount = Money(amount_minor, payment.currency)
    return request(session, house, payment, amount, reason, parts).operation_id


def _held_of(session: Session, payment: Payment) -> list[Open]:
    """What is held of a payment: of an order's, what is earmarked to that order."""
    where = [OpenItem.source_id == payment.id, OpenItem.side == "credit"]
    if payment.order_id is not None:
        where.append(OpenItem.order_id == payment.order_id)
    return items.find(session, *where)


def request(
    session: Session,
    house: House,
    payment: Payment,
    amount: Money,
    reason: str,
    parts: Sequence[tuple[Open, Money]],
    once_for: str = "",
) -> Refund:
    """Write a refund down and post it; ``parts`` is what it is taken from. Asked again, the first one.

    Raises ValueError when the parts are not the amount.
    """
    now = house.clock.now()
    operation = operations.prepare_refund(
        session, payment.account_id, payment.order_id, payment.id, amount, reason, now, once_for
    )
    known = session.scalar(select(Refund).where(Refund.operation_id == operation.id))
    if known is not None:
        return known
    row = money.request_refund(session, operation, now)
    entity = session.get_one(LegalEntity, payment.legal_entity_id)
    today, left = local_date(now, entity.time_zone), amount
    for item, part in parts:
        business.refund_credit(session, item, part, row.id, today, now)
        left -= part
    if left:
        raise ValueError(f"{left} of refund {row.id} is not held for anybody")
    return row


def go(house: House, operation_id: uuid.UUID) -> None:
    """Ask the processor for a refund that was requested. Raises GatewayError."""
    crash.point("refund.prepared")
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
        payment = session.get_one(Payment, operation.payment_id)
    if operation.state not in operations.OPEN_STATES:
        return
    try:
        done = _ask(house, operation, payment.gateway_id)
    except (Indeterminate, RateLimited, Misconfigured) as error:
        operations.note(house.db, operation.id, "indeterminate", str(error))
        raise
    except GatewayError as error:
        words = str(error)
        house.db.run_tx(lambda session: _fail(session, house, operation_id, words))
        raise
    crash.point("refund.asked")
    house.db.run_tx(lambda session: _hear(session, house, operation_id, done))
    if done.status in _NOT_PAID_OUT:
        raise RefundFailed(done.failure or done.status)


def hear_of_refund(house: House, refund_id: str) -> bool:
    """Look at a refund that the processor tells of; False when it is none of ours.

    One that could not be paid out after all is posted back and told to the desk.
    """
    told = house.gateway.get_refund(refund_id)
    if told.operation_id is None:
        return False
    with house.db.reading() as session:
        try:
            operation = operations.by_public_id(session, told.operation_id)
        except NotFound:
            return False
    house.db.run_tx(lambda session: _hear(session, house, operation.id, told))
    return True


def _ask(house: House, operation: PaymentOperation, charge_id: str) -> gateway.Refund:
    if house.clock.now() - operation.created_at > operations.KEY_LIFE:
        found = house.gateway.find_refund_by_operation(operation.public_id, charge_id)
        if found is not None:
            return found
    return house.gateway.refund(
        RefundRequest(
            operation.op_key,
            operation.public_id,
            charge_id,
            Money(operation.amount_minor, operation.currency),
        )
    )


def _hear(session: Session, house: House, operation_id: uuid.UUID, told: gateway.Refund) -> None:
    """Apply what the processor says of a refund, whoever hears it first."""
    if told.status in _NOT_PAID_OUT:
        _fail(session, house, operation_id, str(RefundFailed(told.failure or told.status)), told.id)
        return
    now = house.clock.now()
    operation = operations.lock(session, operation_id)
    row = money.refund_of(session, operation_id)
    was = row.state
    if not money.note_refund(session, row, told) or was != "requested":
        return
    operation.gateway_id = told.id
    operations.settle(session, operation, "succeeded", now)
    if operation.order_id is not None:
        order = placing.lock(session, operation.order_id)
        if order.payment == "refund_due":
            placing.set_payment(session, order, "refunded")
    audit.write(session, now, "system", "payment.refunded", ("payment", str(operation.payment_id)))
    jobs.record(session, RefundMade(str(row.id)), now, key=f"refunded:{row.id}")


def _fail(
    session: Session,
    house: House,
    operation_id: uuid.UUID,
    words: str,
    gateway_id: str | None = None,
) -> None:
    """Post a refund back, once, and tell the desk: the customer is without the money."""
    now = house.clock.now()
    operation = operations.lock(session, operation_id)
    row = money.refund_of(session, operation_id)
    if not money.fail_refund(session, row, words, now):
        return
    account = accounts.lock(session, operation.account_id)
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    reversals.refund_failed(session, row.id, local_date(now, entity.time_zone), now)
    returns.take_back(session, row.id, now)
    operation.gateway_id = gateway_id or operation.gateway_id
    operation.last_error = words[:2000]
    operations.settle(session, operation, "failed", now)
    if operation.order_id is not None:
        order = placing.lock(session, operation.order_id)
        if order.payment == "refunded":
            placing.set_payment(session, order, "refund_due")
    subject = ("payment", str(operation.payment_id))
    audit.write(session, now, "system", "payment.refund_failed", subject)
    crash.point("refund.posted_back")


def waiting(session: Session) -> Sequence[uuid.UUID]:
    """Refunds that were requested and not taken by the processor yet: their operations."""
    return session.scalars(
        select(PaymentOperation.id).where(
            PaymentOperation.kind == "refund",
            PaymentOperation.state.in_(operations.OPEN_STATES),
        )
    ).all()


def unsettled(session: Session, house: House) -> list[str]:
    """Refunds that the processor took and has not told the end of: its ids of them."""
    since = house.clock.now() - _TOLD_AFTER
    rows = session.scalars(
        select(Refund.gateway_id)
        .where(Refund.state == "sent", Refund.refunded_at < since)
        .order_by(Refund.refunded_at)
        .limit(_MOST_ASKED)
    )
    return [row for row in rows if row is not None]
