"""Proofs: what rooms and core show of their own books, put together by ``flows.verify``.

A part of a proof has a figure, and names the first few rows that speak against it. All sums are made
by the database, so memory does not grow with the books. To put a statement together takes longer than to
ask it of small books: proofs do it once, and by date when they are asked as of one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Subquery, func, select
from sqlalchemy.orm import Session

from core.kernel.db import Base
from core.kernel.money import Money
from core.kernel.numbering import NumberSeries

#: How many rows that speak against a proof are named.
SHOWN = 5


@dataclass(frozen=True)
class Part:
    """A figure, and what speaks against it; nothing does when all is well."""

    figure: str
    offenders: tuple[str, ...] = ()


def offenders(
    session: Session,
    query: Select[*tuple[Any, ...]],
    say: Callable[[Row[*tuple[Any, ...]]], str],
    asked: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """The first few rows of ``query`` in words; the last word says when there are more."""
    rows = session.execute(_some(query), asked).all()
    return first_few([say(row) for row in rows])


@lru_cache(maxsize=256)  # those of statements that are kept stay, others soon leave again
def _some(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return query.limit(SHOWN + 1)


def first_few(words: Iterable[str]) -> tuple[str, ...]:
    """The first few of ``words``; reads no more of them than it needs."""
    found: list[str] = []
    for word in words:
        if len(found) == SHOWN:
            return (*found, "… and more")
        found.append(word)
    return tuple(found)


def until(column: Any, as_of: date | None) -> list[ColumnElement[bool]]:
    """The condition that ``column`` is no later than a date; none without one."""
    return [] if as_of is None else [column <= as_of]


def amount(minor: Any, currency: str) -> str:
    """A sum that the database made, for people: ``1,204.50 GBP``."""
    money = Money(int(minor or 0), currency)
    return f"{money.decimal():,} {currency}"


def amounts(session: Session, query: Select[*tuple[Any, ...]]) -> str:
    """The rows (currency, sum) of ``query``, side by side; ``nothing`` when there are none."""
    rows = session.execute(query).all()
    return ", ".join(amount(minor, currency) for currency, minor in rows) or "nothing"


def count(
    session: Session, query: Select[*tuple[Any, ...]], asked: Mapping[str, Any] | None = None
) -> int:
    """The one number that ``query`` answers."""
    return int(session.scalar(query, asked) or 0)


@cache
def every(model: type[Base]) -> Select[int]:
    """How many rows there are."""
    return select(func.count()).select_from(model)


# -- number series ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Numbered:
    """Rows that bear numbers: ``rows`` has legal_entity_id, series and position; ``ours`` says which series
    are meant. It keeps its statements."""

    rows: Subquery
    ours: ColumnElement[bool]

    @cached_property
    def taken(self) -> Select[*tuple[Any, ...]]:
        """(legal entity, series, next number) of each series."""
        series = (NumberSeries.legal_entity_id, NumberSeries.series, NumberSeries.next_number)
        return select(*series).where(self.ours)

    @cached_property
    def used(self) -> Select[*tuple[Any, ...]]:
        """(legal entity, series, rows, numbers, lowest, highest) of each series."""
        of = self.rows.c
        return select(
            of.legal_entity_id,
            of.series,
            func.count(),
            func.count(of.position.distinct()),
            func.min(of.position),
            func.max(of.position),
        ).group_by(of.legal_entity_id, of.series)


def numbers(session: Session, numbered: Numbered, shown: Callable[[int], str]) -> Part:
    """Every number that was taken is used once, and none is missing; ``shown`` is a position as people
    know it."""
    taken = {
        (entity, series): following - 1
        for entity, series, following in session.execute(numbered.taken)
    }
    used = {
        (entity, series): (total, distinct, lowest, highest)
        for entity, series, total, distinct, lowest, highest in session.execute(numbered.used)
    }
    words: list[str] = []
    for key in {**taken, **used}:
        last = taken.get(key, 0)
        total, distinct, lowest, highest = used.get(key, (0, 0, None, None))
        if (total, distinct, lowest or 1, highest or 0) != (last, last, 1, last):
            words += _wrong(session, numbered.rows, key, last, highest or 0, shown)
    return Part(f"{sum(used_by[0] for used_by in used.values()):,}", first_few(words))


def _wrong(
    session: Session,
    rows: Subquery,
    key: tuple[Any, str],
    last: int,
    highest: int,
    shown: Callable[[int], str],
) -> list[str]:
    mine = (rows.c.legal_entity_id == key[0], rows.c.series == key[1])
    before = func.coalesce(func.lag(rows.c.position).over(order_by=rows.c.position), 0)
    steps = (
        select(rows.c.position, before.label("before"))
        .where(*mine, rows.c.position.is_not(None))
        .subquery()
    )
    found = [
        f"{key[1]} {shown(position)} is there twice"
        if position == previous
        else f"{key[1]} {_span(previous + 1, position - 1, shown)} is missing"
        for position, previous in session.execute(
            select(steps.c.position, steps.c.before)
            .where(steps.c.position - steps.c.before != 1)
            .order_by(steps.c.position)
            .limit(SHOWN)
        )
    ]
    if highest < last:
        found.append(f"{key[1]} {_span(highest + 1, last, shown)} was given out and is missing")
    if highest > last:
        found.append(f"{key[1]} {shown(highest)} was never given out")
    nowhere = count(
        session, select(func.count()).select_from(rows).where(*mine, rows.c.position.is_(None))
    )
    if nowhere:
        found.append(f"{nowhere} of series {key[1]} have a number that is none of it")
    return found


def _span(first: int, last: int, shown: Callable[[int], str]) -> str:
    return shown(first) if first == last else f"{shown(first)} to {shown(last)}"
