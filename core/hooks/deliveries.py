"""What is told: a message once, a delivery for each endpoint, each try in a row of its own.

``tell`` is called within the transaction of a handler; ``flows.deliver_hook`` makes the tries.
"""

import json
import random
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from core.hooks import endpoints
from core.hooks.endpoints import EndpointOff
from core.hooks.kinds import TEST, VERSION
from core.hooks.models import HookAttempt, HookDelivery, HookEndpoint, HookMessage
from core.hooks.reaching import Answer
from core.kernel import audit, jobs
from core.kernel.db import insert_once
from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.kernel.sorting import Place, Sorts

HANDLER = "deliver_hook"
#: Waits between tries, until nobody tries any more: two days and a bit in all.
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000)
)
#: An endpoint that has taken nothing for so long is switched off.
PATIENCE = timedelta(days=5)
#: After so many failures in a row an endpoint rests between tries, whatever happens meanwhile.
_RESTS_AFTER = 5
_LONGEST_REST = timedelta(hours=1)
#: Messages and tries are forgotten after so long.
KEPT = timedelta(days=30)
#: So many are sent again at a time.
MOST_AGAIN = 500
_LONGEST_SAID = 500


@dataclass(frozen=True)
class News:
    """Something to tell: ``key`` names it, ``data`` is thin."""

    kind: str
    key: str
    channel_id: uuid.UUID | None
    at: datetime
    data: Mapping[str, Any]


def tell(session: Session, news: News, now: datetime) -> int:
    """Write it down for whoever listens; says for how many. The same key a second time is no change."""
    listening = endpoints.listening(session, news.kind, news.channel_id)
    if not listening:
        return 0
    message_id = _write(session, news, now)
    if message_id is None:
        return 0
    for row in listening:
        _deliver(session, message_id, row.id, now)
    return len(listening)


def test(session: Session, endpoint: HookEndpoint, actor: str, now: datetime) -> HookDelivery:
    """A message that says that it is a test, to this endpoint alone. EndpointOff."""
    if endpoint.state != "on":
        raise EndpointOff
    data = {"webhook": endpoint.public_id, "says": "If you can read this, all is well."}
    key = f"{TEST}:{secrets.token_hex(8)}"
    message_id = _write(session, News(TEST, key, None, now, data), now)
    if message_id is None:
        raise RuntimeError("a random key came twice")
    audit.write(session, now, actor, "webhook.tested", ("webhook", endpoint.public_id))
    return _deliver(session, message_id, endpoint.id, now)


def _write(session: Session, news: News, now: datetime) -> uuid.UUID | None:
    content = {
        "type": news.kind,
        "version": VERSION,
        "timestamp": news.at.isoformat().replace("+00:00", "Z"),
        "data": news.data,
    }
    key = new_id()
    new = insert_once(
        session,
        HookMessage,
        id=key,
        public_id=f"msg_{secrets.token_hex(16)}",
        key=news.key,
        kind=news.kind,
        body=json.dumps(content, separators=(",", ":"), ensure_ascii=False),
        made_at=now,
    )
    return key if new else None


def _deliver(
    session: Session, message_id: uuid.UUID, endpoint_id: uuid.UUID, now: datetime, turn: int = 1
) -> HookDelivery:
    row = HookDelivery(
        message_id=message_id, endpoint_id=endpoint_id, round=turn, next_at=now, created_at=now
    )
    session.add(row)
    session.flush()
    _ask(session, row, now, now)
    return row


def _ask(session: Session, row: HookDelivery, at: datetime, now: datetime) -> None:
    """Have the worker try at ``at``. Behind people's mails: a program can wait."""
    key = f"hook:{row.id}:{row.attempts}:{at.isoformat()}"
    jobs.enqueue(
        session, HANDLER, {"delivery_id": str(row.id)}, now, key=key, priority=7, run_at=at
    )


# --- a try ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Due:
    """A delivery whose time has come."""

    delivery: HookDelivery
    endpoint: HookEndpoint
    message: HookMessage


def due(session: Session, delivery_id: uuid.UUID, now: datetime) -> Due | None:
    """What to send now; None when it is done, forgotten, given up, or not yet to be tried.

    What is not to be tried yet, as the endpoint rests, is asked for again at the end of the rest.
    """
    row = session.execute(
        select(HookDelivery, HookEndpoint, HookMessage)
        .join(HookEndpoint, HookEndpoint.id == HookDelivery.endpoint_id)
        .join(HookMessage, HookMessage.id == HookDelivery.message_id)
        .where(HookDelivery.id == delivery_id)
    ).first()
    if row is None or row[0].state != "waiting":
        return None
    delivery, endpoint, message = row
    if endpoint.state != "on":
        delivery.state, delivery.finished_at, delivery.next_at = "dropped", now, None
        return None
    if delivery.next_at is not None and delivery.next_at > now:
        return None  # an older job of it; a younger one comes
    if endpoint.held_until is not None and endpoint.held_until > now:
        delivery.next_at = endpoint.held_until + timedelta(seconds=random.uniform(0, 20))
        _ask(session, delivery, delivery.next_at, now)
        return None
    return Due(delivery, endpoint, message)


def settle(session: Session, delivery_id: uuid.UUID, answer: Answer, now: datetime) -> bool:
    """Write down how a try went, and what follows. True when the endpoint has failed for too long."""
    row = session.get(HookDelivery, delivery_id, with_for_update=True)
    if row is None or row.state != "waiting":
        return False
    endpoint = session.get_one(HookEndpoint, row.endpoint_id, with_for_update=True)
    row.attempts += 1
    session.add(
        HookAttempt(
            delivery_id=row.id,
            number=row.attempts,
            at=now,
            took_ms=answer.took_ms,
            status=answer.status,
            trouble=answer.trouble[:200],
            said=_plain(answer.said),
        )
    )
    if answer.taken:
        row.state, row.finished_at, row.next_at = "delivered", now, None
        endpoint.failing_since, endpoint.failures, endpoint.held_until = None, 0, None
        return False
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    if endpoint.failures >= _RESTS_AFTER:
        rest = timedelta(seconds=10 * 2 ** min(endpoint.failures - _RESTS_AFTER, 12))
        endpoint.held_until = now + min(rest, _LONGEST_REST)
    if row.attempts > len(WAITS) or answer.status == 410:
        row.state, row.finished_at, row.next_at = "failed", now, None
    else:
        wait = WAITS[row.attempts - 1] * random.uniform(1.0, 1.1)
        row.next_at = now + wait
        _ask(session, row, row.next_at, now)
    return answer.status == 410 or endpoint.failing_since <= now - PATIENCE


def _plain(said: str) -> str:
    """The beginning of an answer without what no database takes."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in said)[
        :_LONGEST_SAID
    ]


# --- once more --------------------------------------------------------------------------------


def again(
    session: Session, endpoint: HookEndpoint, public_id: str, actor: str, now: datetime
) -> HookDelivery:
    """The same message once more, under its own id. EndpointOff, NotFound."""
    if endpoint.state != "on":
        raise EndpointOff
    row = one(session, endpoint, public_id)
    turn = session.scalar(
        select(func.max(HookDelivery.round)).where(
            HookDelivery.message_id == row.message_id, HookDelivery.endpoint_id == endpoint.id
        )
    )
    audit.write(session, now, actor, "webhook.told_again", ("webhook", endpoint.public_id), count=1)
    return _deliver(session, row.message_id, endpoint.id, now, (turn or 0) + 1)


def all_again(session: Session, endpoint: HookEndpoint, actor: str, now: datetime) -> int:
    """What an endpoint never took, once more, the oldest first; says how many. EndpointOff."""
    if endpoint.state != "on":
        raise EndpointOff
    newest = (
        select(HookDelivery.message_id, func.max(HookDelivery.round).label("round"))
        .where(HookDelivery.endpoint_id == endpoint.id)
        .group_by(HookDelivery.message_id)
        .subquery()
    )
    taken = exists().where(
        HookDelivery.message_id == newest.c.message_id,
        HookDelivery.endpoint_id == endpoint.id,
        HookDelivery.state.in_(["delivered", "waiting"]),
    )
    found = session.execute(
        select(newest.c.message_id, newest.c.round)
        .join(HookMessage, HookMessage.id == newest.c.message_id)
        .where(~taken)
        .order_by(HookMessage.made_at, HookMessage.id)
        .limit(MOST_AGAIN)
    ).all()
    for message_id, turn in found:
        _deliver(session, message_id, endpoint.id, now, turn + 1)
    subject = ("webhook", endpoint.public_id)
    audit.write(session, now, actor, "webhook.told_again", subject, count=len(found))
    return len(found)


# --- looking ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listed:
    """A delivery in a list, with what it tells of and how its last try went."""

    row: HookDelivery
    message: HookMessage
    last: HookAttempt | None


#: What lists of them may be sorted by.
SORTS = Sorts(HookDelivery.id, {"made": HookDelivery.created_at})
NEWEST = Place("-made")


def listing(
    session: Session,
    endpoint_id: uuid.UUID,
    *,
    state: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> list[Listed]:
    """Deliveries to an endpoint, from a place on."""
    query = (
        select(HookDelivery, HookMessage, HookAttempt)
        .join(HookMessage, HookMessage.id == HookDelivery.message_id)
        .outerjoin(
            HookAttempt,
            (HookAttempt.delivery_id == HookDelivery.id)
            & (HookAttempt.number == HookDelivery.attempts),
        )
        .where(HookDelivery.endpoint_id == endpoint_id)
    )
    if state:
        query = query.where(HookDelivery.state == state)
    found = session.execute(SORTS.apply(query, place, limit))
    return [Listed(row, message, last) for row, message, last in found]


def one(session: Session, endpoint: HookEndpoint, public_id: str) -> HookDelivery:
    """A delivery to this endpoint. NotFound."""
    row = session.scalar(
        select(HookDelivery).where(
            HookDelivery.public_id == public_id, HookDelivery.endpoint_id == endpoint.id
        )
    )
    if row is None:
        raise NotFound("delivery")
    return row


def tries(session: Session, row: HookDelivery) -> Sequence[HookAttempt]:
    """How each try of a delivery went, the last first."""
    return session.scalars(
        select(HookAttempt)
        .where(HookAttempt.delivery_id == row.id)
        .order_by(HookAttempt.number.desc())
    ).all()


def counts(session: Session, endpoint_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    """How many deliveries of each state each endpoint has."""
    found: dict[uuid.UUID, dict[str, int]] = {key: {} for key in endpoint_ids}
    query = (
        select(HookDelivery.endpoint_id, HookDelivery.state, func.count())
        .where(HookDelivery.endpoint_id.in_(endpoint_ids))
        .group_by(HookDelivery.endpoint_id, HookDelivery.state)
    )
    for key, state, count in session.execute(query):
        found[key][state] = count
    return found


def forget(session: Session, before: datetime) -> int:
    """Forget what is older and over: tries, deliveries, then messages that nothing hangs on any more."""
    old = select(HookDelivery.id).where(
        HookDelivery.created_at < before, HookDelivery.state != "waiting"
    )
    session.execute(delete(HookAttempt).where(HookAttempt.delivery_id.in_(old)))
    gone = session.execute(delete(HookDelivery).where(HookDelivery.id.in_(old)))
    kept = exists().where(HookDelivery.message_id == HookMessage.id)
    session.execute(delete(HookMessage).where(HookMessage.made_at < before, ~kept))
    return int(getattr(gone, "rowcount", 0))
