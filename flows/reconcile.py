"""The reconciler: finds what no webhook and no return page told us, every few minutes.

It looks at operations that are due (unanswered calls, visits past their time), at refunds that were begun,
and reads the processor's own list of events from where it stopped, with some overlap.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.kernel.db import insert_once
from core.kernel.errors import ShopError
from core.ledger import tenders
from flows import charge_on_file, refund, set_up_method, settle_payment
from flows.abandon_payment import release_bills
from flows.cancel_order import cancel
from flows.house import House
from payments import inbox, method_operations, operations
from payments.gateway import (
    GatewayError,
    Indeterminate,
    InvalidRequest,
    Misconfigured,
    RateLimited,
    WebhookEvent,
)
from payments.models import PaymentOperation, ReconcileCursor

_CURSOR = "events"
#: Events may show up late in the list.
OVERLAP = timedelta(minutes=10)
#: How far back the first run looks.
FIRST_LOOK = timedelta(days=3)
#: A visit that the processor never heard of is given up so long after it was to end.
UNKNOWN_AFTER = timedelta(minutes=5)
#: What could not be brought to its end is looked at again so much later.
LATER = timedelta(minutes=5)
#: After so many questions in a row without an answer the rest waits for the next round.
PATIENCE = 3


@dataclass(frozen=True)
class Report:
    """What one run did."""

    looked_at: int
    settled: int
    events: int
    problems: tuple[str, ...]


def run(house: House) -> Report:
    """One round. A problem with one thing does not keep the others waiting."""
    events, settled, silent = 0, 0, 0
    problems = []
    try:
        events = read_events(house)
    except GatewayError as error:
        problems.append(f"the list of events: {error}")
    waiting = _waiting(house)
    for name, bring_to_its_end in waiting:
        if silent == PATIENCE:
            problems.append("the processor does not answer: the rest waits for the next round")
            break
        try:
            settled += bring_to_its_end()
            silent = 0
        except ShopError as error:
            problems.append(f"{name}: {error}")
            unanswered = isinstance(error, Indeterminate | RateLimited | Misconfigured)
            silent = silent + 1 if unanswered else 0
    return Report(len(waiting), settled, events, tuple(problems))


def _waiting(house: House) -> list[tuple[str, Callable[[], bool]]]:
    """What is to be brought to its end: each with a name, and what says whether it is there."""
    with house.db.reading() as session:
        due = operations.due(session, house.clock.now())
        charges = method_operations.due_charges(session, house.clock.now())
        refunds = refund.waiting(session)
        unsettled = refund.unsettled(session, house)
    return [
        *((str(operation_id), partial(_look, house, operation_id)) for operation_id in due),
        *((f"charge {key}", partial(_charge, house, key)) for key in charges),
        *(
            (f"refund {operation_id}", partial(_refund, house, operation_id))
            for operation_id in refunds
        ),
        *((f"refund {key}", partial(refund.hear_of_refund, house, key)) for key in unsettled),
    ]


def _refund(house: House, operation_id: uuid.UUID) -> bool:
    refund.go(house, operation_id)
    return True


def _charge(house: House, operation_id: uuid.UUID) -> bool:
    """Ask again, or for the end of it; False when it is still open. What goes wrong is noted with it."""
    try:
        state = charge_on_file.go(house, operation_id)
    except ShopError as error:
        words, later = str(error), house.clock.now() + LATER
        house.db.run_tx(
            lambda session: operations.note_trouble(session, operation_id, words, later)
        )
        raise
    return state not in operations.OPEN_STATES


def _look(house: House, operation_id: uuid.UUID) -> bool:
    """Bring a visit to its end; False when it is still open. What goes wrong is noted with it."""
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    now = house.clock.now()
    try:
        is_known, state = _settled(house, operation)
    except ShopError as error:
        words = str(error)
        house.db.run_tx(
            lambda session: operations.note_trouble(session, operation_id, words, now + LATER)
        )
        raise
    if state == "failed":
        house.db.run_tx(lambda session: _refused(session, house, operation))
        return True
    ended = operation.expires_at is not None and operation.expires_at + UNKNOWN_AFTER < now
    if not is_known and ended:
        house.db.run_tx(lambda session: _never_opened(session, house, operation))
        return True
    if state in operations.OPEN_STATES:
        house.db.run_tx(lambda session: _look_later(session, operation, now))
    return state in ("succeeded", "expired")


def _settled(house: House, operation: PaymentOperation) -> tuple[bool, str]:
    """Does the processor know of a visit, and the operation's state now."""
    try:
        by_kind = set_up_method if operation.kind == "setup" else settle_payment
        state = by_kind.settle(house, operation.id)
    except InvalidRequest as error:
        if not error.is_missing:
            raise
        return False, operation.state
    return state not in ("pending", "indeterminate"), state


def _refused(session: Session, house: House, operation: PaymentOperation) -> None:
    """The processor refused to open a visit and nobody came back: what it was for is given back."""
    locked = operations.lock(session, operation.id)
    if locked.state == "failed":
        operations.settle(session, locked, "failed", house.clock.now())
        tenders.release(session, operation_id=operation.id)
        if operation.order_id is not None:
            cancel(session, house, operation.order_id, "payment_refused")


def _never_opened(session: Session, house: House, operation: PaymentOperation) -> None:
    """The visit was never opened, or the processor has forgotten it, and its time is over."""
    if operation.order_id is not None:
        cancel(session, house, operation.order_id, "payment_never_began")
    else:
        release_bills(session, house, operation.id)


def _look_later(session: Session, operation: PaymentOperation, now: datetime) -> None:
    session.execute(
        update(PaymentOperation)
        .where(PaymentOperation.id == operation.id)
        .values(next_at=now + LATER)
    )
    # It was looked at without trouble; that the processor did not answer us at first still stands.
    session.execute(
        update(PaymentOperation)
        .where(PaymentOperation.id == operation.id, PaymentOperation.state == "sent")
        .values(last_error=None)
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
    if not insert_once(session, ReconcileCursor, name=_CURSOR, position=now):
        session.execute(
            update(ReconcileCursor)
            .where(ReconcileCursor.name == _CURSOR, ReconcileCursor.position < now)
            .values(position=now)
        )
