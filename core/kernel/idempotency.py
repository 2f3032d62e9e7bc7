"""Idempotency keys: one request, one effect, the same answer again.

``begin`` and ``finish``, or ``keep`` alone, stand in the caller's transactions; a claim left by a crash
lapses after a lease.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import Executable, String, bindparam, delete, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base, changed, insert_once, table
from core.kernel.errors import ShopError

#: A claim that was not finished by then was left by a crash and may be taken again.
LEASE = timedelta(seconds=60)
#: Answers are kept this long.
KEPT = timedelta(days=7)


class IdempotencyKey(Base):
    """One key within its scope, the request it stood for and the answer that was given."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(String(120), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[dict[str, Any] | None]
    claimed_at: Mapped[datetime]


@dataclass(frozen=True)
class Replay:
    """The answer given the first time."""

    status: int
    body: dict[str, Any]


@dataclass(eq=False)
class KeyInFlight(ShopError):
    code: ClassVar[str] = "idempotency_key_in_flight"
    text: ClassVar[str] = "A request with this Idempotency-Key is still being worked on."
    key: str


@dataclass(eq=False)
class KeyReused(ShopError):
    code: ClassVar[str] = "idempotency_key_reused"
    text: ClassVar[str] = "This Idempotency-Key was used with another request."
    key: str


def begin(
    session: Session, scope: str, key: str, request_hash: str, now: datetime
) -> Replay | None:
    """Claim ``key``, or answer what was answered before.

    Raises KeyReused for another request under the key, KeyInFlight while the first is under way.
    """
    row = None
    while row is None:
        # Whoever had the key may give it back between the two questions: then it is ours.
        if insert_once(
            session, IdempotencyKey, scope=scope, key=key, request_hash=request_hash, claimed_at=now
        ):
            return None
        row = session.get(IdempotencyKey, (scope, key), with_for_update=True)
    replay = _told(row, request_hash, now)
    if replay is None:
        row.claimed_at = now
        session.flush()
    return replay


def look(session: Session, scope: str, key: str, request_hash: str, now: datetime) -> Replay | None:
    """What was answered before under ``key``, or is worked on: as ``begin``, but claims nothing."""
    row = session.get(IdempotencyKey, (scope, key), with_for_update=True)
    return _told(row, request_hash, now) if row is not None else None


def _told(row: IdempotencyKey, request_hash: str, now: datetime) -> Replay | None:
    """None of a claim that a crash has left."""
    if row.request_hash != request_hash:
        raise KeyReused(row.key)
    if row.status is not None:
        return Replay(row.status, row.body or {})
    if now - row.claimed_at < LEASE:
        raise KeyInFlight(row.key)
    return None


def keep(
    session: Session,
    scope: str,
    key: str,
    request_hash: str,
    status: int,
    body: dict[str, Any],
    now: datetime,
) -> Replay | None:
    """``begin`` and ``finish`` in one statement, behind the work: for who holds a lock meanwhile without
    which nobody else does this work. What was answered before is answered, or raised, as by ``begin``; then
    the caller rolls back."""
    answer = {"status": status, "body": body}
    whose = {"scope": scope, "key": key, "request_hash": request_hash, "claimed_at": now}
    while not insert_once(session, IdempotencyKey, **whose, **answer):
        row = session.get(IdempotencyKey, (scope, key), with_for_update=True)
        if row is None:
            continue  # whoever had the key gave it back between the two questions
        replay = _told(row, request_hash, now)
        if replay is None:
            finish(session, scope, key, status, body)
        return replay
    return None


def finish(session: Session, scope: str, key: str, status: int, body: dict[str, Any]) -> None:
    """Store the answer for replays."""
    values = {"in_scope": scope, "of_key": key, "status": status, "body": body}
    session.execute(_finished(), values)


@cache
def _finished() -> Executable:
    row = table(IdempotencyKey)
    return (
        update(row)
        .where(row.c.scope == bindparam("in_scope"), row.c.key == bindparam("of_key"))
        .values(status=bindparam("status"), body=bindparam("body"))
    )


def forget(session: Session, scope: str, key: str) -> None:
    """Give an unfinished claim back, after a failure that changed nothing."""
    session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.scope == scope,
            IdempotencyKey.key == key,
            IdempotencyKey.status.is_(None),
        )
    )


def expire(session: Session, now: datetime) -> int:
    """Drop answers past their time; says how many."""
    return changed(
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.claimed_at < now - KEPT))
    )
