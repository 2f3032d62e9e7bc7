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
from payments import inbox, method_operations, operations, rounds
from payments.gateway import (
    GatewayError,
    Indeterminate,
    InvalidRequest,
    Misconfigured,
    RateLimited,
    WebhookEvent,
)
from payments.models import PaymentOperation, ReconcileCursor
from payments.rounds import Finding, Round

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
    #: Of the row that the desk reads it from.
    public_id: str = ""


@dataclass(frozen=True)
class _Waiting:
    """Something to be brought to its end, and what says whether it is there."""

    kind: str
    key: uuid.UUID | str
    bring: Callable[[], bool]

    @property
    def name(self) -> str:
        """As problems are told."""
        return str(self.key) if self.kind in ("checkout", "setup") else f"{self.kind} {self.key}"

    def came_to(self, outcome: str, words: str = "") -> Finding:
        """What the desk is told of it."""
        return Finding(
            self.kind, outcome, words, self.key if isinstance(self.key, uuid.UUID) else None
        )


def run(house: House, actor: str = "system") -> Report:
    """One round, which the desk can read afterwards. A problem with one thing does not keep the others
    waiting."""
    began, settled, silent = house.clock.now(), 0, 0
    problems: list[str] = []
    findings: list[Finding] = []
    fresh: list[WebhookEvent] = []
    try:
        fresh = _read_events(house)
    except GatewayError as error:
        problems.append(f"the list of events: {error}")
        findings.append(Finding("events", "problem", str(error)))
    waiting = _waiting(house)
    for one in waiting:
        if silent == PATIENCE:
            words = "the processor does not answer: the rest waits for the next round"
            problems.append(words)
            findings.append(Finding("events", "problem", words))
            break
        try:
            is_there = one.bring()
            settled, silent = settled + is_there, 0
            findings.append(one.came_to("mended" if is_there else "open"))
        except ShopError as error:
            problems.append(f"{one.name}: {error}")
            findings.append(one.came_to("problem", str(error)))
            unanswered = isinstance(error, Indeterminate | RateLimited | Misconfigured)
            silent = silent + 1 if unanswered else 0

    def write(session: Session) -> str:
        done = Round(
            actor, began, len(waiting), len(fresh), settled, _told(session, fresh, findings)
        )
        return rounds.write(session, done, house.clock.now()).public_id

    key = house.db.run_tx(write)
    return Report(len(waiting), settled, len(fresh), tuple(problems), key)


def _told(
    session: Session, fresh: Sequence[WebhookEvent], findings: Sequence[Finding]
) -> list[Finding]:
    """The events that nobody had told us, each with its operation where we know it, then the rest."""
    known = rounds.operations_by_gateway_id(session, [event.object_id for event in fresh])
    found = [
        Finding(
            "event",
            "mended",
            f"{event.type}, {event.object_id}",
            known[event.object_id].id if event.object_id in known else None,
        )
        for event in fresh
    ]
    return [*found, *findings]


def _waiting(house: House) -> list[_Waiting]:
    """What is to be brought to its end."""
    with house.db.reading() as session:
        due = operations.due(session, house.clock.now())
        charges = method_operations.due_charges(session, house.clock.now())
        refunds = refund.waiting(session)
        unsettled = refund.unsettled(session, house)
        visits = {key: session.get_one(PaymentOperation, key).kind for key in due}
    return [
        *(_Waiting(kind, key, partial(_look, house, key)) for key, kind in visits.items()),
        *(_Waiting("charge", key, partial(_charge, house, key)) for key in charges),
        *(_Waiting("refund", key, partial(_refund, house, key)) for key in refunds),
        *(_Waiting("refund", key, partial(refund.hear_of_refund, house, key)) for key in unsettled),
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
    return len(_read_events(house))


def _read_events(house: House) -> list[WebhookEvent]:
    now = house.clock.now()
    with house.db.reading() as session:
        cursor = session.get(ReconcileCursor, _CURSOR)
    since = (cursor.position if cursor else now - FIRST_LOOK) - OVERLAP
    fresh: list[WebhookEvent] = []
    after = None
    while True:
        page = house.gateway.list_events(after=after, created_gte=since)
        fresh += house.db.run_tx(partial(_receive, page.items, now))
        after = page.cursor
        if not page.has_more:
            break
    house.db.run_tx(lambda session: _advance(session, now))
    return fresh


def _receive(events: Sequence[WebhookEvent], now: datetime, session: Session) -> list[WebhookEvent]:
    return [event for event in events if inbox.receive(session, event, now)]


def _advance(session: Session, now: datetime) -> None:
    if not insert_once(session, ReconcileCursor, name=_CURSOR, position=now):
        session.execute(
            update(ReconcileCursor)
            .where(ReconcileCursor.name == _CURSOR, ReconcileCursor.position < now)
            .values(position=now)
        )
