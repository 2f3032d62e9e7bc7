"""Short words for tests of the jobs table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import func, select

from core.kernel import jobs
from core.kernel.db import Database
from core.kernel.jobs import Claimed, Job


@dataclass(frozen=True)
class Rang:
    """Somebody rang the bell."""

    NAME: ClassVar[str] = "Rang"
    VERSION: ClassVar[int] = 3
    door: str


ROUTES = {"Rang": ("house.open", "dog.bark", "log.note")}
SECOND = timedelta(seconds=1)


def claim(db: Database, now: datetime, owner: str = "w1", limit: int = 1) -> list[Claimed]:
    return db.run_tx(lambda s: jobs.claim(s, owner, now, ROUTES, limit=limit))


def enqueue(db: Database, now: datetime, handler: str = "mail.send", **more) -> bool:
    return db.run_tx(lambda s: jobs.enqueue(s, handler, {"to": "riley"}, now, **more))


def job(db: Database) -> Job:
    with db.reading() as session:
        return session.scalars(select(Job)).one()


def count(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count(Job.id))) or 0
