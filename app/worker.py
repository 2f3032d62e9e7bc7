"""The worker: claims jobs under a lease, runs their handlers, ends them with their effect."""

import os
import socket
import threading
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from app import logs
from app.handlers import HANDLERS, ROUTES, SCHEDULES, Within
from core import events
from core.kernel import crash, jobs
from core.kernel.ids import new_public_id
from core.kernel.jobs import Claimed
from flows.house import House

_log = structlog.get_logger("worker")
#: So many jobs are claimed at a time.
BATCH = 8
_SHORTEST_NAP = 0.05
_LONGEST_NAP = 0.5
_TICK_EVERY = timedelta(seconds=5)


class LeaseLost(Exception):
    """The job took longer than its lease and is somebody else's now: our effect is rolled back."""


def run(house: House, stop: threading.Event) -> None:
    """Work until ``stop`` is set; the job in hand is finished first."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{new_public_id()[:8]}"
    nap, next_tick = _SHORTEST_NAP, house.clock.now()
    while not stop.is_set():
        try:
            if house.clock.now() >= next_tick:
                tick(house)
                next_tick = house.clock.now() + _TICK_EVERY
            busy = work(house, owner, stop)
        except Exception:
            # The database may be away for a moment; the worker stays.
            _log.exception("worker.trouble")
            busy = False
            stop.wait(1.0)
        nap = _SHORTEST_NAP if busy else min(nap * 2, _LONGEST_NAP)
        if not busy:
            stop.wait(nap)


def tick(house: House) -> int:
    """Enqueue what is due by the clock."""
    return house.db.run_tx(lambda session: jobs.tick(session, SCHEDULES, house.clock.now()))


def work(house: House, owner: str, stop: threading.Event | None = None) -> bool:
    """Claim one batch and run it; False when nothing was due."""
    if not _anything_due(house):
        return False
    claimed_at = house.clock.now()
    batch = house.db.run_tx(
        lambda session: jobs.claim(session, owner, claimed_at, ROUTES, limit=BATCH)
    )
    for job in batch:
        if stop is not None and stop.is_set():
            house.db.run_tx(lambda session, job=job: jobs.give_back(session, job))  # type: ignore[misc]  # bound now
        elif _still_ours(house, job, claimed_at):
            run_job(house, job)
    return bool(batch)


def _still_ours(house: House, job: Claimed, claimed_at: datetime) -> bool:
    """A job that waited behind slow ones gets its whole lease again; False when it lost it."""
    now = house.clock.now()
    if now - claimed_at < jobs.LEASE / 3:
        return True
    return house.db.run_tx(lambda session: jobs.renew(session, job, now))


def _anything_due(house: House) -> bool:
    with house.db.reading() as session:
        return jobs.any_due(session, house.clock.now())


def run_job(house: House, job: Claimed) -> bool:
    """Run one claimed job to its end; False when it failed and goes back."""
    try:
        _run(house, job)
    except Exception as error:
        words = _told(error)
        dead = house.db.run_tx(lambda session: jobs.fail(session, job, words, house.clock.now()))
        _log.error(
            "job.failed", job=job.id, handler=job.handler, dead=dead, error=type(error).__name__
        )
        return False
    _log.info("job.done", job=job.id, handler=job.handler)
    return True


def _run(house: House, job: Claimed) -> None:
    handler = HANDLERS[job.handler]
    subject = (
        job.payload
        if job.name == job.handler
        else events.load(job.name, job.payload_version, job.payload)
    )
    if isinstance(handler, Within):

        def effect(session: Session) -> None:
            handler.run(session, house, subject)
            if not jobs.finish(session, job, house.clock.now()):
                raise LeaseLost
            crash.point("job.before_commit")

        house.db.run_tx(effect)
        return
    handler.run(house, subject)
    crash.point("job.before_finish")
    house.db.run_tx(lambda session: jobs.finish(session, job, house.clock.now()))


def _told(error: Exception) -> str:
    return logs.mask(f"{type(error).__name__}: {error}")


def drain(house: House, owner: str = "drain") -> int:
    """Run every job that is due until none is left; says how many. For the seed and for tests."""
    count = 0
    while True:
        batch = house.db.run_tx(
            lambda session: jobs.claim(session, owner, house.clock.now(), ROUTES, limit=BATCH)
        )
        if not batch and not _anything_due(house):
            return count
        count += sum(run_job(house, job) for job in batch)
