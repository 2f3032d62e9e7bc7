"""The reconciler: finds what no webhook and no return page told us, every few minutes.

It looks at operations that are due (unanswered calls, visits past their time), at refunds that were begun,
and reads the processor's own list of events from where it stopped, with some overlap.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from flows import refund, settle_payment
from flows.abandon_payment import release_bills
from flows.cancel_order import cancel
from flows.house import House
from payments import inbox, operations
from payments.gateway import GatewayError, WebhookEvent
from payments.models import PaymentOperation, ReconcileCursor

_CURSOR = "events"
#: Events may show up late in the list.
OVERLAP = timedelta(minutes=10)
#: How far back the first run looks.
FIRST_LOOK = timedelta(days=3)
#: A visit that the processor never heard of is given up so long after it was to end.
UNKNOWN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Report:
    """What one run did."""

    looked_at: int
    settled: int
    events: int
    problems: tuple[str, ...]


def run(house: House) -> Report:
    """One round. A problem with one operation does not keep the others waiting."""
    events = read_events(house)
    settled, problems = 0, []
    with house.db.reading() as session:
        due = operations.due(session, house.clock.now())
        refunds = refund.waiting(session)
    for operation_id in due:
        try:
            settled += _look(house, operation_id) in ("succeeded", "expired")
        except ShopError as error:
            problems.append(f"{operation_id}: {error}")
    for payment_id, amount, reason in refunds:
        try:
            refund.refund(house, payment_id, amount, reason)
            settled += 1
        except GatewayError as error:
            problems.append(f"refund of {payment_id}: {error}")
    return Report(len(due) + len(refunds), settled, events, tuple(problems))


def _look(house: House, operation_id: uuid.UUID) -> str:
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    state = settle_payment.settle(house, operation.id)
    now = house.clock.now()
    ended = operation.expires_at is not None and operation.expires_at + UNKNOWN_AFTER < now
    if state in ("pending", "indeterminate") and ended:
        return house.db.run_tx(lambda session: _never_opened(session, house, operation))
    if state in operations.OPEN_STATES:
        house.db.run_tx(lambda session: _look_later(session, operation, now))
    return state


def _never_opened(session: Session, house: House, operation: PaymentOperation) -> str:
    """The visit was never opened and its time is over."""
    if operation.order_id is not None:
        cancel(session, house, operation.order_id, "payment_never_began")
    else:
        release_bills(session, house, operation.id)
    return "expired"


def _look_later(session: Session, operation: PaymentOperation, now: datetime) -> None:
    session.execute(
        update(PaymentOperation)
        .where(PaymentOperation.id == operation.id)
        .values(next_at=now + timedelta(minutes=5))
    )


def read_events(house: House) -> int:
    """Put the processor's recent events into the inbox; says how many were new to us."""
    now = house.clock.now()
    with house.db.reading() as session:
        cursor = session.get(ReconcileCursor, _CURSOR)
    since = (cursor.position if cursor else now - FIRST_LOOK) - OVERLAP
    fresh, after = 0, None
    while True:
        page = house.gateway.list_events(after=after, created_gte=since)
        fresh += house.db.run_tx(partial(_receive, page.items, now))
        after = page.cursor
        if not page.has_more:
            break
    house.db.run_tx(lambda session: _advance(session, now))
    return fresh


def _receive(events: Sequence[WebhookEvent], now: datetime, session: Session) -> int:
    return sum(inbox.receive(session, event, now) for event in events)


def _advance(session: Session, now: datetime) -> None:
    row = session.get(ReconcileCursor, _CURSOR)
    if row is None:
        session.add(ReconcileCursor(name=_CURSOR, position=now))
    else:
        row.position = now
