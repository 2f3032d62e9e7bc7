"""Reading jobs for people: the list, and how many are in each state."""

from datetime import datetime

from sqlalchemy import Boolean, Select, func, literal_column, or_, select
from sqlalchemy.orm import Session

from core.kernel.jobs import Job
from core.kernel.sorting import Place, Sorts

#: What the desk's list may be sorted by.
SORTS = Sorts(Job.id, {"made": Job.id})
NEWEST = Place("-made")
#: The partial index is found by these very words, as in ``core.kernel.jobs``.
_LIVE = literal_column("state IN ('ready', 'running')", Boolean)


def listing(
    *, state: str = "", words: str = "", place: Place = NEWEST, limit: int | None = None
) -> Select[Job]:
    """Jobs from a place on, the newest first; of one state, or whose name or key begins with ``words``."""
    query = SORTS.apply(select(Job), place, limit)
    if state:
        query = query.where(Job.state == state)
    if words:
        query = query.where(
            or_(
                Job.name.istartswith(words, autoescape=True),
                Job.handler.istartswith(words, autoescape=True),
                Job.key.istartswith(words, autoescape=True),
            )
        )
    return query


def counts(session: Session) -> dict[str, int]:
    """How many jobs are in each state."""
    rows = session.execute(select(Job.state, func.count()).group_by(Job.state))
    return {state: int(count) for state, count in rows}


def waiting_since(session: Session, now: datetime) -> datetime | None:
    """When the oldest job that is due and that nobody works on should have run; None when none waits."""
    query = select(func.min(Job.run_at)).where(_LIVE, Job.state == "ready", Job.run_at <= now)
    return session.scalar(query)
