"""The jobs table: outbox and queue in one.

``record`` writes an event in the transaction of the change that it tells of. A worker claims a row under
a lease, and the row is finished in the effect's own transaction, so that after a crash at any line
nothing is lost; handlers are idempotent, because a job may run more than once.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Index,
    String,
    Text,
    delete,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel import exchange
from core.kernel.db import Base, changed, insert_once, insert_once_each
from core.kernel.errors import NotFound
from core.kernel.ids import new_public_id

#: A claim holds this long; whoever works longer renews it.
LEASE = timedelta(seconds=90)
#: After so many failures a job is dead until a person retries it.
MAX_ATTEMPTS = 10
_FIRST_BACKOFF = 2.0
_LONGEST_BACKOFF = 3600.0


class Event(Protocol):
    """What can be recorded: a frozen dataclass with a name and a payload version."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int]
    __dataclass_fields__: ClassVar[dict[str, Any]]


class Job(Base):
    """One piece of work. An event row has no handler until it is claimed and fanned out."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'running', 'done', 'dead')", name="state"),
        Index(
            "ix_job_due",
            "priority",
            "run_at",
            "id",
            sqlite_where=text("state IN ('ready', 'running')"),
            postgresql_where=text("state IN ('ready', 'running')"),
        ),
        Index("ix_job_state", "state", "finished_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    handler: Mapped[str | None] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]]
    payload_version: Mapped[int] = mapped_column(default=1)
    priority: Mapped[int] = mapped_column(default=5)
    state: Mapped[str] = mapped_column(String(10), default="ready")
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


#: The partial index is found by these very words.
_LIVE = literal_column("state IN ('ready', 'running')", Boolean)


class JobSchedule(Base):
    """A handler that runs every so many seconds."""

    __tablename__ = "job_schedule"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    every_seconds: Mapped[int]
    next_at: Mapped[datetime]


@dataclass(frozen=True)
class Claimed:
    """A job in hand: what to run, with what, and the lease that is held on it."""

    id: int
    key: str
    name: str
    handler: str
    payload: dict[str, Any]
    payload_version: int
    attempts: int
    owner: str
    created_at: datetime


def record(
    session: Session, event: Event, now: datetime, *, key: str | None = None, priority: int = 5
) -> None:
    """Write ``event`` to the outbox, in the transaction of the change it tells of.

    With a ``key``, a second event under the same key is no change.
    """
    payload = asdict(event)
    with exchange.unanswered(session.connection()):  # whether the key was new is not asked
        _insert(session, event.NAME, None, payload, event.VERSION, now, key, priority)


def record_many(
    session: Session, events: Sequence[tuple[Event, str | None]], now: datetime
) -> None:
    """``record`` for each (event, key), in a few statements."""
    ready = {"state": "ready", "attempts": 0, "run_at": now, "created_at": now, "priority": 5}
    rows = [
        {
            "key": key or new_public_id(),
            "name": event.NAME,
            "payload": asdict(event),
            "payload_version": event.VERSION,
            **ready,
        }
        for event, key in events
    ]
    insert_once_each(session, Job, rows)


def enqueue(
    session: Session,
    handler: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    key: str | None = None,
    priority: int = 5,
    run_at: datetime | None = None,
) -> bool:
    """Ask for one handler to run; says whether the key was new."""
    return _insert(session, handler, handler, dict(payload), 1, now, key, priority, run_at)


def _insert(
    session: Session,
    name: str,
    handler: str | None,
    payload: dict[str, Any],
    version: int,
    now: datetime,
    key: str | None,
    priority: int,
    run_at: datetime | None = None,
) -> bool:
    ready = {"state": "ready", "attempts": 0, "run_at": run_at or now, "created_at": now}
    what = {"name": name, "handler": handler, "payload": payload, "payload_version": version}
    key = key or new_public_id()
    return insert_once(session, Job, key=key, priority=priority, **what, **ready)


def claim(
    session: Session,
    owner: str,
    now: datetime,
    routes: Mapping[str, Sequence[str]],
    *,
    limit: int = 1,
) -> list[Claimed]:
    """Take up to ``limit`` due jobs under a lease, the most urgent (the lowest priority) first.

    ``routes`` names the handlers of each event; an event with several becomes one row each; all
    that wait of one without any are done at once. A job that took its worker with it too often is dead.
    """
    due = (
        select(Job)
        .where(*_due(now))
        .order_by(Job.priority, Job.run_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken: list[Job] = []
    while not taken and (found := session.scalars(due).all()):
        for name in {job.name for job in found if _is_unheard(job, routes)}:
            _end_unheard(session, name, now)
        for job in found:
            if _is_unheard(job, routes):
                continue
            if job.attempts >= MAX_ATTEMPTS:
                job.state, job.finished_at = "dead", now
                job.last_error = "Its worker ended in the middle of it, each time."
            else:
                if job.handler is None:
                    _fan_out(session, job, routes, now)
                job.state, job.lease_owner, job.lease_until = "running", owner, now + LEASE
                job.attempts += 1
                taken.append(job)
        session.flush()
    return [_claimed(job, owner) for job in taken]


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _LIVE,
        or_(
            (Job.state == "ready") & (Job.run_at <= now),
            (Job.state == "running") & (Job.lease_until < now),
        ),
    )


def any_due(session: Session, now: datetime) -> bool:
    """Is there anything to claim? A cheap look before a transaction is begun."""
    return session.scalar(select(Job.id).where(*_due(now)).limit(1)) is not None


def give_back(session: Session, job: Claimed) -> bool:
    """A claimed job that was not begun is for whoever comes next."""
    return _settle(session, job, state="ready", attempts=job.attempts - 1)


def _is_unheard(job: Job, routes: Mapping[str, Sequence[str]]) -> bool:
    return job.handler is None and not routes.get(job.name)


def _end_unheard(session: Session, name: str, now: datetime) -> None:
    """Events that nobody hears cost one statement, however many wait."""
    waiting = select(Job.id).where(_LIVE, Job.name == name, Job.handler.is_(None))
    session.execute(
        update(Job)
        .where(Job.id.in_(waiting.with_for_update(skip_locked=True)))
        .values(state="done", finished_at=now)
        .execution_options(synchronize_session=False)
    )


def _fan_out(
    session: Session, job: Job, routes: Mapping[str, Sequence[str]], now: datetime
) -> None:
    handlers = routes[job.name]
    for other in handlers[1:]:
        _insert(
            session,
            job.name,
            other,
            job.payload,
            job.payload_version,
            job.created_at,
            f"{job.key}:{other}",
            job.priority,
            now,
        )
    job.handler = handlers[0]


def _claimed(job: Job, owner: str) -> Claimed:
    return Claimed(
        id=job.id,
        key=job.key,
        name=job.name,
        handler=job.handler or "",
        payload=job.payload,
        payload_version=job.payload_version,
        attempts=job.attempts,
        owner=owner,
        created_at=job.created_at,
    )


def finish(session: Session, job: Claimed, now: datetime) -> bool:
    """Mark it done, in the transaction of its effect; False when the lease went to somebody else."""
    return _settle(session, job, state="done", finished_at=now, last_error=None)


def renew(session: Session, job: Claimed, now: datetime) -> bool:
    """Hold the lease longer; False when it went to somebody else."""
    return _settle(session, job, lease_until=now + LEASE)


def fail(session: Session, job: Claimed, error: str, now: datetime) -> bool:
    """Put it back for later, or among the dead after the last attempt; True when it died."""
    dead = job.attempts >= MAX_ATTEMPTS
    settled = _settle(
        session,
        job,
        state="dead" if dead else "ready",
        run_at=now + backoff(job.attempts),
        last_error=error[:4000],
        finished_at=now if dead else None,
    )
    return settled and dead


def backoff(attempts: int) -> timedelta:
    """How long to wait after the given number of failures: doubling, with jitter, an hour at most."""
    longest = min(_FIRST_BACKOFF * 2 ** (attempts - 1), _LONGEST_BACKOFF)
    return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # spreads retries


def _settle(session: Session, job: Claimed, **values: Any) -> bool:
    result = session.execute(
        update(Job)
        .where(
            Job.id == job.id,
            Job.lease_owner == job.owner,
            Job.attempts == job.attempts,
            Job.state == "running",
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return changed(result) == 1


def retry(session: Session, job_id: int, now: datetime) -> None:
    """Give a dead or waiting job a fresh start at once. NotFound when there is no such job."""
    result = session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state.in_(["dead", "ready"]))
        .values(state="ready", run_at=now, attempts=0, finished_at=None)
    )
    if changed(result) == 0:
        raise NotFound("job that could be retried")


#: How the last word on a job begins that nobody wants done any more.
DISCARDED = "Discarded: "


def discard(session: Session, job_id: int, why: str, now: datetime) -> Job:
    """Give a failed job up: it counts as done, its key stays taken, its error is kept behind ``why``.

    NotFound when there is no such job that failed.
    """
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None or job.state != "dead":
        raise NotFound("job that could be discarded")
    job.state, job.finished_at = "done", now
    job.last_error = f"{DISCARDED}{why}\n{job.last_error or ''}"
    return job


def tick(session: Session, schedules: Mapping[str, int], now: datetime) -> int:
    """Enqueue each schedule (handler name → seconds) that is due; says how many were.

    A round whose earlier one is not over is left out: slow or failing rounds never pile up.
    """
    count = 0
    for name, seconds in schedules.items():
        insert_once(session, JobSchedule, name=name, every_seconds=seconds, next_at=now)
    for row in session.scalars(
        select(JobSchedule).where(JobSchedule.next_at <= now).with_for_update(skip_locked=True)
    ):
        if row.name not in schedules:
            session.delete(row)
            continue
        every = schedules[row.name]
        if not _under_way(session, row.name):
            key = f"{row.name}@{row.next_at.isoformat()}"
            count += enqueue(session, row.name, {}, now, key=key)
        row.every_seconds, row.next_at = every, now + timedelta(seconds=every)
    return count


def _under_way(session: Session, handler: str) -> bool:
    query = select(Job.id).where(_LIVE, Job.name == handler, Job.handler == handler).limit(1)
    return session.scalar(query) is not None


def forget_done(session: Session, before: datetime) -> int:
    """Delete finished jobs older than ``before``; dead ones stay until somebody deals with them."""
    return changed(
        session.execute(delete(Job).where(Job.state == "done", Job.finished_at < before))
    )
