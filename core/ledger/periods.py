"""Periods that close: what is dated in one stays as it is, and what comes late goes onto the first open day.

The database refuses an entry in a closed period. Closing waits for postings that are under way, because it
takes the same row as they do: the legal entity's posting series.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel import numbering
from core.kernel.clock import local_date
from core.kernel.db import Base, changed
from core.kernel.errors import ShopError, StaleState
from core.kernel.ids import new_id
from core.ledger.journal import POSTING_SERIES
from core.parties.models import LegalEntity


class PeriodClose(Base):
    """Everything up to and including ``through_date`` is closed, until it is reopened."""

    __tablename__ = "period_close"
    __table_args__ = (
        CheckConstraint("(reopened_at IS NULL) = (reopened_by IS NULL)", name="reopened"),
        Index(
            "uq_period_close_open",
            "legal_entity_id",
            "through_date",
            unique=True,
            sqlite_where=text("reopened_at IS NULL"),
            postgresql_where=text("reopened_at IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    through_date: Mapped[date]
    closed_at: Mapped[datetime]
    #: ``user:ID`` or ``system``, as in the audit log.
    closed_by: Mapped[str] = mapped_column(String(80))
    reopened_at: Mapped[datetime | None]
    reopened_by: Mapped[str | None] = mapped_column(String(80))


@dataclass(eq=False)
class NotYetOver(ShopError):
    """A day that is not over cannot be closed: today's money must have a day to stand on."""

    code: ClassVar[str] = "period_not_over"
    text: ClassVar[str] = "{day} is not over yet. The last day that can be closed is {latest}."
    day: date
    latest: date


@dataclass(eq=False)
class ClosedAlready(ShopError):
    """The books are closed as far as that, or further."""

    code: ClassVar[str] = "period_closed_already"
    text: ClassVar[str] = "The books are closed through {through} already."
    through: date


def closed_through(session: Session, legal_entity_id: uuid.UUID) -> date | None:
    """The last closed day; None when nothing is closed."""
    return session.scalar(
        select(func.max(PeriodClose.through_date)).where(
            PeriodClose.legal_entity_id == legal_entity_id, PeriodClose.reopened_at.is_(None)
        )
    )


def open_day(session: Session, legal_entity_id: uuid.UUID, day: date) -> date:
    """``day``, or the first open one after it: for facts from outside, which come when they come."""
    through = closed_through(session, legal_entity_id)
    return day if through is None or day > through else through + timedelta(days=1)


def close(
    session: Session, entity: LegalEntity, through: date, by: str, now: datetime
) -> uuid.UUID:
    """Close everything up to ``through``. Raises NotYetOver and ClosedAlready."""
    latest = local_date(now, entity.time_zone) - timedelta(days=1)
    if through > latest:
        raise NotYetOver(through, latest)
    numbering.take(session, entity.id, POSTING_SERIES, 0)  # whoever posts is through, or waits
    before = closed_through(session, entity.id)
    if before is not None and through <= before:
        raise ClosedAlready(before)
    row = PeriodClose(
        id=new_id(),
        legal_entity_id=entity.id,
        through_date=through,
        closed_at=now,
        closed_by=by,
    )
    session.add(row)
    session.flush()
    return row.id


def reopen(session: Session, close_id: uuid.UUID, by: str, now: datetime) -> PeriodClose:
    """Take the last close back: open is what it closed beyond the one before it.

    StaleState when it is not the last one, or was reopened meanwhile.
    """
    row = session.get(PeriodClose, close_id)
    if row is None or closed_through(session, row.legal_entity_id) != row.through_date:
        raise StaleState("period", "closed")
    result = session.execute(
        update(PeriodClose)
        .where(PeriodClose.id == close_id, PeriodClose.reopened_at.is_(None))
        .values(reopened_at=now, reopened_by=by)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("period", "closed")
    return row


def history(session: Session, legal_entity_id: uuid.UUID, limit: int = 100) -> list[PeriodClose]:
    """What was closed and reopened, the newest first."""
    return list(
        session.scalars(
            select(PeriodClose)
            .where(PeriodClose.legal_entity_id == legal_entity_id)
            .order_by(PeriodClose.closed_at.desc(), PeriodClose.id.desc())
            .limit(limit)
        )
    )
