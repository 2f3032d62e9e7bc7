"""Reading jobs for people: the list, and how many are in each state."""

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from core.kernel.jobs import Job
from core.kernel.sorting import Place, Sorts

#: What the desk's list may be sorted by.
SORTS = Sorts(Job.id, {"made": Job.id})
NEWEST = Place("-made")


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
