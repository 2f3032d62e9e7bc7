"""Counters of rate limits: one row per key and window, committed on their own."""

from datetime import datetime

from sqlalchemy import String, case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base, changed


class RateCounter(Base):
    """How often something happened within a window that ends at ``ends_at``."""

    __tablename__ = "rate_counter"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)


def count(session: Session, key: str, now: datetime, ends_at: datetime, amount: int = 1) -> int:
    """Add ``amount`` and answer the new count; a window that has ended begins anew."""
    build = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    table = RateCounter.__table__
    fresh = build.insert(table).values(key=key, count=amount, ends_at=ends_at)

    ended = RateCounter.ends_at <= now
    statement = fresh.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((ended, amount), else_=RateCounter.count + amount),
            "ends_at": case((ended, ends_at), else_=RateCounter.ends_at),
        },
    ).returning(table.c.count)
    return int(session.execute(statement).scalar_one())


def sweep(session: Session, now: datetime) -> int:
    """Drop the windows that have ended; says how many."""
    return changed(session.execute(delete(RateCounter).where(RateCounter.ends_at <= now)))
