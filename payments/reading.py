"""Reading payments and operations: of accounts, of orders, one by its public id, and the desk's list."""

import functools
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, or_, select, tuple_
from sqlalchemy.orm import Session, load_only

from core.kernel.errors import NotFound
from core.kernel.sorting import Place, Sorts
from core.orders.models import Order
from core.parties.listing import called
from core.parties.models import Account
from payments.models import Payment, PaymentOperation, Refund

#: Why a charge failed, where a person of the shop should look.
OUR_TROUBLES = ("no_answer", "not_authorised", "invalid_request", "amount_too_small")

Cursor = tuple[datetime, uuid.UUID]


def of_accounts(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    currency: str | None = None,
    before: Cursor | None = None,
    limit: int = 25,
) -> Sequence[Payment]:
    """The accounts' payments, the newest first, behind ``before``."""
    query = select(Payment).where(Payment.account_id.in_(account_ids))
    if currency is not None:
        query = query.where(Payment.currency == currency)
    if before is not None:
        query = query.where(tuple_(Payment.captured_at, Payment.id) < tuple_(*before))
    return session.scalars(
        query.order_by(Payment.captured_at.desc(), Payment.id.desc()).limit(limit)
    ).all()


def lately(
    session: Session, account_ids: Sequence[uuid.UUID], currency: str
) -> tuple[list[Payment], list[Refund]]:
    """The last payments of some accounts, the newest first, as far as lists tell of them, and what went
    back of them."""
    asked = {"accounts": list(account_ids), "currency": currency}
    rows = session.execute(_lately(), asked).all()
    paid = {payment.id: payment for payment, _ in rows}
    return list(paid.values()), [refund for _, refund in rows if refund is not None]


@functools.cache
def _lately() -> Select[Payment, Refund | None]:
    newest = (Payment.captured_at.desc(), Payment.id.desc())
    last = (
        select(Payment.id)
        .where(
            Payment.account_id.in_(bindparam("accounts", expanding=True)),
            Payment.currency == bindparam("currency"),
        )
        .order_by(*newest)
        .limit(10)
        .subquery()
    )
    return (
        select(Payment, Refund)
        .options(_told())
        .join(last, last.c.id == Payment.id)
        .outerjoin(Refund, Refund.payment_id == Payment.id)
        .order_by(*newest, Refund.refunded_at)
    )


def _told() -> Any:
    """What a line of a list tells of a payment, and nothing else."""
    return load_only(
        Payment.public_id,
        Payment.number,
        Payment.amount_minor,
        Payment.currency,
        Payment.instrument,
        Payment.captured_at,
        raiseload=True,
    )


def of_order(session: Session, order_id: uuid.UUID) -> Sequence[Payment]:
    """What came for an order, the oldest first."""
    return session.scalars(
        select(Payment).where(Payment.order_id == order_id).order_by(Payment.captured_at)
    ).all()


def order_of(session: Session, payment: Payment) -> str | None:
    """The public id of the order that a payment was for."""
    if payment.order_id is None:
        return None
    return session.scalar(select(Order.public_id).where(Order.id == payment.order_id))


def names(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Number and public id of those of the keys that are payments'; a refund has its payment's."""
    payments = select(Payment.id, Payment.number, Payment.public_id).where(Payment.id.in_(keys))
    refunds = select(Refund.id, Payment.number, Payment.public_id).where(Refund.id.in_(keys))
    both = payments.union_all(refunds.join(Payment, Payment.id == Refund.payment_id))
    return {key: (number, public_id) for key, number, public_id in session.execute(both)}


def one(
    session: Session, public_id: str, account_ids: Sequence[uuid.UUID] | None = None
) -> Payment:
    """A payment by its public id. NotFound when there is none, or it is none of the accounts'.

    ``account_ids`` None is for staff, who see all.
    """
    query = select(Payment).where(Payment.public_id == public_id)
    if account_ids is not None:
        query = query.where(Payment.account_id.in_(account_ids))
    found = session.scalar(query)
    if found is None:
        raise NotFound("payment")
    return found


def named(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Number and means of payments, and for refunds those of what they pay back, by key."""
    found: dict[uuid.UUID, tuple[str, str]] = {}
    for start in range(0, len(keys), 500):
        some = keys[start : start + 500]
        for row in session.execute(
            select(Payment.id, Payment.number, Payment.instrument).where(Payment.id.in_(some))
        ):
            found[row.id] = (row.number, row.instrument)
        for row in session.execute(
            select(Refund.id, Payment.number, Payment.instrument)
            .join(Payment, Payment.id == Refund.payment_id)
            .where(Refund.id.in_(some))
        ):
            found[row.id] = (row.number, row.instrument)
    return found


def underway(session: Session, account_ids: Sequence[uuid.UUID]) -> Sequence[PaymentOperation]:
    """Payments of bills that were begun and may still arrive."""
    return session.scalars(
        select(PaymentOperation).where(
            PaymentOperation.account_id.in_(account_ids),
            PaymentOperation.kind.in_(("checkout", "charge")),
            PaymentOperation.order_id.is_(None),
            PaymentOperation.state.in_(["sent", "indeterminate"]),
        )
    ).all()


def refunds_of(session: Session, payment_ids: Sequence[uuid.UUID]) -> Sequence[Refund]:
    """What went back of the payments, the oldest first."""
    mine = Refund.payment_id.in_(payment_ids)
    return session.scalars(select(Refund).where(mine).order_by(Refund.refunded_at)).all()


def operations_of(session: Session, payment: Payment) -> Sequence[PaymentOperation]:
    """What we asked of the processor for a payment, the newest first."""
    return session.scalars(
        select(PaymentOperation)
        .where(
            or_(
                PaymentOperation.id == payment.operation_id,
                PaymentOperation.payment_id == payment.id,
            )
        )
        .order_by(PaymentOperation.created_at.desc())
    ).all()


#: What the desk's list may be sorted by.
SORTS = Sorts(Payment.id, {"captured": Payment.captured_at, "amount": Payment.amount_minor})
NEWEST = Place("-captured")


def listing(
    session: Session, *, words: str = "", place: Place = NEWEST, limit: int = 50
) -> list[tuple[Payment, Account]]:
    """Payments with who paid, from a place on; ``words`` is looked for in number, name and id."""
    query = select(Payment, Account).join(Account, Account.id == Payment.account_id)
    if words:
        query = query.where(
            or_(
                Payment.number == words,
                Payment.gateway_id == words,
                called(words),
            )
        )
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(payment, account) for payment, account in rows]


def in_trouble(session: Session, limit: int = 20) -> Sequence[PaymentOperation]:
    """Operations that were refused, not answered or not what we asked for, the newest first.

    A card on file that was declined is no trouble of ours: its payer is told.
    """
    return session.scalars(
        select(PaymentOperation)
        .where(
            or_(
                PaymentOperation.state == "indeterminate",
                (PaymentOperation.state == "failed") & (PaymentOperation.kind != "charge"),
                PaymentOperation.failure.in_(OUR_TROUBLES),
                PaymentOperation.state.in_(["sent", "succeeded"])
                & PaymentOperation.last_error.is_not(None),
            )
        )
        .order_by(PaymentOperation.created_at.desc())
        .limit(limit)
    ).all()
