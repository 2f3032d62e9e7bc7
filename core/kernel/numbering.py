"""Gapless number series: one counter row per legal entity and series, taken in the business transaction.

The row is hot: take the number last, just before the commit.
"""

import functools
import uuid
from typing import Any

from sqlalchemy import ForeignKey, String, bindparam, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base, insert_once, table


class NumberSeries(Base):
    """The next number of one series of one legal entity."""

    __tablename__ = "number_series"

    legal_entity_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("legal_entity.id"), primary_key=True
    )
    series: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_number: Mapped[int] = mapped_column(default=1)


def take(session: Session, legal_entity_id: uuid.UUID, series: str, count: int = 1) -> int:
    """The first of ``count`` numbers in a row. A rollback gives them back, so no gap remains."""
    connection = session.connection()
    asked = {"whose": legal_entity_id, "name": series, "many": count}
    following: int | None = connection.execute(_bump(), asked).scalar()
    if following is None:
        # Two may begin a series at once: the second waits here and then takes the number after.
        insert_once(
            session, NumberSeries, legal_entity_id=legal_entity_id, series=series, next_number=1
        )
        following = connection.execute(_bump(), asked).scalar_one()
    assert following is not None
    return following - count


@functools.cache
def _bump() -> Any:
    series = table(NumberSeries)
    columns = series.c
    return (
        update(series)
        .where(columns.legal_entity_id == bindparam("whose"), columns.series == bindparam("name"))
        .values(next_number=columns.next_number + bindparam("many"))
        .returning(columns.next_number)
    )


def last_taken(session: Session, legal_entity_id: uuid.UUID, series: str) -> int:
    """The highest number given out so far; 0 when none was."""
    found = session.scalar(
        select(NumberSeries.next_number).where(
            NumberSeries.legal_entity_id == legal_entity_id, NumberSeries.series == series
        )
    )
    return 0 if found is None else found - 1
