"""``./shop jobs``: what the worker has to do, has done and could not do."""

import argparse
from collections.abc import Sequence
from typing import TextIO

from sqlalchemy import func, select

from app.commands.table import ruled
from app.settings import Settings
from core.kernel import audit, job_reading, jobs
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.kernel.jobs import Job

PAGE_SIZE = 25
_ERROR_LENGTH = 60
_COLUMNS = ("id", "state", "name", "handler", "tries", "runs at (UTC)", "last error")


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0, or NotFound when there is no job to be retried under that number."""
    asked = _parser().parse_args(argv)
    if asked.act == "retry":
        _retry(db, clock, asked.id)
        print(f"Job {asked.id} runs again, from its first try.", file=out)
        return 0
    with db.reading() as session:
        listing = job_reading.listing(state="dead" if asked.dead else "")
        count = session.scalar(select(func.count()).select_from(listing.order_by(None).subquery()))
        last = max(1, -(-(count or 0) // PAGE_SIZE))
        page = min(asked.page, last)
        rows = session.scalars(listing.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    if not rows:
        print("No job is dead." if asked.dead else "There are no jobs.", file=out)
        return 0
    for line in ruled([_COLUMNS, *map(_row, rows)]):
        print(line, file=out)
    print(f"\nPage {page} of {last}, {count} in all.", file=out)
    return 0


def _retry(db: Database, clock: Clock, job_id: int) -> None:
    now = clock.now()
    with db.transaction() as session:
        jobs.retry(session, job_id, now)
        audit.write(session, now, "system", "job.retried", ("job", str(job_id)), by="command")


def _row(job: Job) -> tuple[str, ...]:
    error = " ".join((job.last_error or "").split())
    short = error if len(error) <= _ERROR_LENGTH else f"{error[: _ERROR_LENGTH - 1]}…"
    when = f"{job.run_at:%Y-%m-%d %H:%M:%S}"
    return (str(job.id), job.state, job.name, job.handler or "", str(job.attempts), when, short)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop jobs", description="List jobs, the newest first, or retry one."
    )
    parser.add_argument("--dead", action="store_true", help="only those that were given up")
    parser.add_argument("--page", type=_page, default=1, metavar="N", help="25 on a page")
    acts = parser.add_subparsers(dest="act", metavar="retry ID")
    retry = acts.add_parser("retry", help="run a dead or waiting job again, at once")
    retry.add_argument("id", type=int, metavar="ID")
    return parser


def _page(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("a page is a number from 1 on")
    return int(text)
