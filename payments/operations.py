"""The operation log: what we ask of the processor, committed before it is asked.

An operation's request is frozen in its row; every attempt is rebuilt from there and sent under the same
key. ``send`` calls the processor and is the only function here that owns commits.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.clock import Clock
from core.kernel.db import Database, changed
from core.kernel.errors import NotFound
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from payments import models
from payments.gateway import (
    CheckoutLine,
    CheckoutRequest,
    CheckoutSession,
    Gateway,
    GatewayError,
    Indeterminate,
    Misconfigured,
    RateLimited,
)
from payments.method_operations import setup_request
from payments.models import PaymentOperation

#: Not settled yet.
OPEN_STATES = models.OPEN_STATES
#: The processor forgets a key after about a day; from then on an operation is looked up instead.
KEY_LIFE = timedelta(hours=20)
#: An answer that was stored as a failure comes again under the same key: after so many attempts
#: somebody who tries again gets a new operation.
PATIENCE = 3
#: Somebody who comes back to a visit that is open has at least this long to pay on it.
ENOUGH_TIME = timedelta(minutes=5)


@dataclass(frozen=True)
class NewCheckout:
    """A visit to the processor's page to be prepared.

    ``return_url`` and ``cancel_url`` may hold ``{operation}``, the operation's public id.
    """

    account_id: uuid.UUID
    order_id: uuid.UUID | None
    lines: Sequence[CheckoutLine]
    total: Money
    email: str | None
    return_url: str
    cancel_url: str
    expires_at: datetime
    metadata: Mapping[str, str]


def prepare(session: Session, new: NewCheckout, now: datetime) -> PaymentOperation:
    """Write the operation's row. Nothing is asked of the processor until this is committed."""
    public_id = new_public_id()
    operation = PaymentOperation(
        id=new_id(),
        public_id=public_id,
        op_key=f"checkout-{public_id}",
        kind="checkout",
        account_id=new.account_id,
        order_id=new.order_id,
        amount_minor=new.total.minor,
        currency=new.total.currency,
        request={
            "lines": [[line.name, line.amount.minor, line.quantity] for line in new.lines],
            "email": new.email,
            "return_url": new.return_url.replace("{operation}", public_id),
            "cancel_url": new.cancel_url.replace("{operation}", public_id),
            "expires_at": new.expires_at.isoformat(),
            "metadata": dict(new.metadata),
        },
        state="pending",
        attempts=0,
        next_at=now + timedelta(minutes=1),
        created_at=now,
        expires_at=new.expires_at,
    )
    session.add(operation)
    session.flush()
    return operation


def request_of(operation: PaymentOperation) -> CheckoutRequest:
    """The frozen request, as it is sent each time."""
    frozen: dict[str, Any] = operation.request
    return CheckoutRequest(
        op_key=operation.op_key,
        operation_id=operation.public_id,
        lines=tuple(
            CheckoutLine(name, Money(minor, operation.currency), quantity)
            for name, minor, quantity in frozen["lines"]
        ),
        total=Money(operation.amount_minor, operation.currency),
        success_url=frozen["return_url"],
        cancel_url=frozen["cancel_url"],
        expires_at=datetime.fromisoformat(frozen["expires_at"]),
        customer_email=frozen["email"],
        metadata=frozen["metadata"],
    )


def send(db: Database, gateway: Gateway, operation_id: uuid.UUID, clock: Clock) -> str:
    """Open the visit and answer the address of the processor's page; twice gives the same.

    Raises Indeterminate, RateLimited or Misconfigured (ask again later, nothing is lost), or another
    GatewayError when the processor refused for good; the row says so.
    """
    operation = db.run_tx(lambda session: begin_attempt(session, operation_id, clock.now()))
    if operation.redirect_url is not None and operation.state == "sent":
        return operation.redirect_url
    if operation.state not in OPEN_STATES:
        raise NotFound("payment that can still be made")
    crash.point("send.before_call")
    try:
        checkout = _open_visit(gateway, operation)
    except (Indeterminate, RateLimited, Misconfigured) as error:
        note(db, operation_id, "indeterminate", str(error))
        raise
    except GatewayError as error:
        note(db, operation_id, "failed", str(error))
        raise
    crash.point("send.after_call")
    if not db.run_tx(lambda session: note_sent(session, operation_id, checkout)):
        # Given up while we were asking: nobody may pay on this page any more.
        gateway.expire_checkout(checkout.id, f"{operation.op_key}-expire")
        raise NotFound("payment that can still be made")
    crash.point("send.after_commit")
    return checkout.url or ""


def _open_visit(gateway: Gateway, operation: PaymentOperation) -> CheckoutSession:
    if operation.kind == "setup":
        return gateway.start_setup(setup_request(operation))
    return gateway.start_checkout(request_of(operation))


def begin_attempt(session: Session, operation_id: uuid.UUID, now: datetime) -> PaymentOperation:
    """Count a call that is about to be made; answers the row as it stands."""
    operation = session.get_one(PaymentOperation, operation_id, with_for_update=True)
    if operation.state in ("pending", "indeterminate"):
        operation.attempts += 1
        operation.next_at = now + timedelta(seconds=min(30 * 2**operation.attempts, 3600))
        session.flush()
    return operation


def note(db: Database, operation_id: uuid.UUID, state: str, error: str) -> None:
    """Write down that the processor did not do it: ``indeterminate`` or ``failed``."""

    def write(session: Session) -> None:
        session.execute(
            update(PaymentOperation)
            .where(
                PaymentOperation.id == operation_id,
                PaymentOperation.state.in_(["pending", "indeterminate"]),
            )
            .values(state=state, last_error=error[:2000])
        )

    db.run_tx(write)


def note_trouble(
    session: Session, operation_id: uuid.UUID, error: str, next_at: datetime | None
) -> bool:
    """Write down what went wrong, for the desk to see; its state stays. False when it stood there."""
    same = PaymentOperation.last_error.is_not_distinct_from(error[:2000])
    known = session.scalar(select(same).where(PaymentOperation.id == operation_id))
    session.execute(
        update(PaymentOperation)
        .where(PaymentOperation.id == operation_id)
        .values(last_error=error[:2000], next_at=next_at)
    )
    return not known


def note_sent(session: Session, operation_id: uuid.UUID, checkout: CheckoutSession) -> bool:
    """Write down the open visit; False when the operation was given up meanwhile."""
    result = session.execute(
        update(PaymentOperation)
        .where(PaymentOperation.id == operation_id, PaymentOperation.state.in_(OPEN_STATES))
        .values(
            state="sent",
            gateway_id=checkout.id,
            redirect_url=checkout.url,
            next_at=checkout.expires_at + timedelta(minutes=1),
            last_error=None,
        )
    )
    if changed(result) == 1:
        return True
    # Settled already, by a webhook that overtook the answer: that is fine too.
    state = session.scalar(
        select(PaymentOperation.state).where(PaymentOperation.id == operation_id)
    )
    return state == "succeeded"


def lock(session: Session, operation_id: uuid.UUID) -> PaymentOperation:
    """The operation, locked and read again."""
    return session.get_one(
        PaymentOperation, operation_id, with_for_update=True, populate_existing=True
    )


def by_public_id(session: Session, public_id: str) -> PaymentOperation:
    """The operation that a return page or the processor names. NotFound when there is none."""
    found = session.scalar(select(PaymentOperation).where(PaymentOperation.public_id == public_id))
    if found is None:
        raise NotFound("payment")
    return found


def of_order(session: Session, order_id: uuid.UUID) -> PaymentOperation | None:
    """The newest checkout of an order."""
    return session.scalar(
        select(PaymentOperation)
        .where(PaymentOperation.order_id == order_id, PaymentOperation.kind == "checkout")
        .order_by(PaymentOperation.created_at.desc(), PaymentOperation.id.desc())
        .limit(1)
    )


def underway(
    session: Session,
    account_id: uuid.UUID,
    lines: Sequence[CheckoutLine] | None,
    metadata: Mapping[str, str],
    now: datetime,
) -> PaymentOperation | None:
    """A checkout without an order that asks for exactly this and can still be paid on for a while.

    Without ``lines`` the metadata alone says what is asked for.
    """
    rows = session.scalars(
        select(PaymentOperation)
        .where(
            PaymentOperation.account_id == account_id,
            PaymentOperation.kind == "checkout",
            PaymentOperation.order_id.is_(None),
            PaymentOperation.state.in_(OPEN_STATES),
            PaymentOperation.expires_at > now + ENOUGH_TIME,
        )
        .order_by(PaymentOperation.created_at.desc())
    )
    wanted = [[line.name, line.amount.minor, line.quantity] for line in lines or ()]
    for row in rows:
        stuck = row.state != "sent" and row.attempts >= PATIENCE
        same = lines is None or row.request["lines"] == wanted
        if same and row.request["metadata"] == metadata and not stuck:
            return row
    return None


def can_be_paid(operation: PaymentOperation, now: datetime) -> bool:
    """Is it worth going on with: open, not past its time, and not refusing to be opened?"""
    weary = operation.state == "indeterminate" and operation.attempts >= PATIENCE
    past = operation.expires_at is not None and operation.expires_at <= now
    return operation.state in OPEN_STATES and not weary and not past


def settle(session: Session, operation: PaymentOperation, state: str, now: datetime) -> None:
    """Close an operation that is locked."""
    operation.state, operation.settled_at, operation.next_at = state, now, None
    if state == "succeeded":
        operation.last_error = None
    session.flush()


def due(session: Session, now: datetime, limit: int = 50) -> Sequence[uuid.UUID]:
    """Visits that somebody has to look at: unanswered ones, and those past their time.

    A refused one waits until its time is over as well: the shopper may still begin it anew.
    """
    return session.scalars(
        select(PaymentOperation.id)
        .where(
            PaymentOperation.kind.in_(("checkout", "setup")),
            or_(
                PaymentOperation.state.in_(OPEN_STATES)
                & or_(PaymentOperation.next_at.is_(None), PaymentOperation.next_at <= now),
                (PaymentOperation.state == "failed")
                & PaymentOperation.next_at.is_not(None)
                & (PaymentOperation.expires_at <= now),
            ),
        )
        .order_by(PaymentOperation.next_at)
        .limit(limit)
    ).all()


def prepare_refund(
    session: Session,
    account_id: uuid.UUID,
    order_id: uuid.UUID | None,
    payment_id: uuid.UUID,
    amount: Money,
    reason: str,
    now: datetime,
    once_for: str = "",
) -> PaymentOperation:
    """Write a refund's row; a second time for the same payment and reason answers the first.

    ``once_for`` stands in the key where one reason may call for several refunds.
    """
    found = refund_under(session, payment_id, once_for or reason)
    if found is not None:
        return found
    operation = PaymentOperation(
        id=new_id(),
        public_id=new_public_id(),
        op_key=_refund_key(payment_id, once_for or reason),
        kind="refund",
        account_id=account_id,
        order_id=order_id,
        payment_id=payment_id,
        amount_minor=amount.minor,
        currency=amount.currency,
        request={"reason": reason},
        state="pending",
        attempts=0,
        next_at=now + timedelta(minutes=1),
        created_at=now,
    )
    session.add(operation)
    session.flush()
    return operation


def refund_under(session: Session, payment_id: uuid.UUID, name: str) -> PaymentOperation | None:
    """The refund of a payment that was written down under this reason or key."""
    key = _refund_key(payment_id, name)
    return session.scalar(select(PaymentOperation).where(PaymentOperation.op_key == key))


def _refund_key(payment_id: uuid.UUID, name: str) -> str:
    return f"refund-{payment_id.hex}-{name}"
