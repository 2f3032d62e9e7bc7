"""Reading the audit log: by actor, act, subject and time, and whether its chain is whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.audit import AuditEntry, AuditHead
from core.kernel.sorting import Place, Sorts

#: Lines are sorted as they were written.
SORTS = Sorts(AuditEntry.id, {"written": AuditEntry.id})
NEWEST = Place("-written")


@dataclass(frozen=True)
class Filter:
    """Which lines; what is empty leaves all."""

    #: As the log calls them: ``user:ID``, ``guest``, ``system``; None: anybody.
    actors: Sequence[str] | None = None
    #: The beginning of an act: ``staff.``, ``staff.invited``.
    act: str = ""
    subject_kind: str = ""
    #: The whole id, or its beginning of eight signs or more.
    subject_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


def listing(
    session: Session, wanted: Filter, *, place: Place = NEWEST, limit: int = 50
) -> Sequence[AuditEntry]:
    """Lines, from a place on."""
    query = select(AuditEntry)
    if wanted.actors is not None:
        query = query.where(AuditEntry.actor.in_(wanted.actors))
    if wanted.act:
        query = query.where(AuditEntry.act.startswith(wanted.act, autoescape=True))
    if wanted.subject_kind:
        query = query.where(AuditEntry.subject_kind == wanted.subject_kind)
    if wanted.subject_id:
        query = query.where(AuditEntry.subject_id.startswith(wanted.subject_id, autoescape=True))
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.at < wanted.until)
    return session.scalars(SORTS.apply(query, place, limit)).all()


@dataclass(frozen=True)
class Sealed:
    """How far the chain goes, and how many lines wait to be put into it."""

    number: int
    at: datetime | None
    waiting: int


def sealed(session: Session) -> Sealed:
    """How far the log is sealed."""
    head = session.get(AuditHead, 1)
    waiting = session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.seal_number.is_(None))
    )
    return Sealed(head.seal_number if head else 0, head.sealed_at if head else None, waiting or 0)
