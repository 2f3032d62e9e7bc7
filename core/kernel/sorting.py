"""How a list is sorted and where its next page begins: by a column, then by the key, so that no row is shown
twice or left out while others come in. A room names the columns; a face keeps the rest in the address.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from core.kernel.errors import NotFound

Column = InstrumentedAttribute[Any]
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])
_LARGEST = 2**63


@dataclass(frozen=True)
class Place:
    """A sort by its name (``-placed``: the last placed first), and the row behind which a page begins."""

    sort: str
    after: tuple[Any, Any] | None = None

    @property
    def name(self) -> str:
        """The sort without its direction."""
        return self.sort.removeprefix("-")

    @property
    def is_down(self) -> bool:
        """Does the largest come first?"""
        return self.sort.startswith("-")


@dataclass(frozen=True)
class By:
    """A column that is sorted by otherwise than it stands: for capitals, or because it may be empty."""

    column: Column
    ignores_case: bool = False
    #: What stands for nothing.
    empty: Any = None

    def as_sorted(self, value: Any) -> Any:
        """The column, or a value of it, as the list compares them: by the database in both cases."""
        if self.empty is not None and value is self.column:
            value = func.coalesce(value, self.empty)
        return func.lower(value) if self.ignores_case else value

    def of(self, row: Any) -> Any:
        """What a row has of it."""
        value = getattr(_part(row, self.column), self.column.key)
        return self.empty if value is None else value


@dataclass(frozen=True)
class Sorts:
    """What a list may be sorted by, each beside the key: columns that are never empty, or a ``By``."""

    key: Column
    columns: Mapping[str, Column | By]

    def names(self) -> tuple[str, ...]:
        """Every sort, up and down."""
        return tuple(sign + name for name in self.columns for sign in ("-", ""))

    def apply(self, query: Query, place: Place, limit: int | None) -> Query:
        """The query in order, from the place on."""
        by, ends = self._by(place.name), [By(self.key)]
        if by.column is not self.key:
            ends.insert(0, by)
        columns: list[ColumnElement[Any]] = [end.as_sorted(end.column) for end in ends]
        if place.after is not None:
            values = zip(ends, place.after[-len(ends) :], strict=True)
            here = tuple_(*columns)
            there = tuple_(*(end.as_sorted(value) for end, value in values))
            query = query.where(here < there if place.is_down else here > there)
        query = query.order_by(*(end.desc() if place.is_down else end for end in columns))
        return query.limit(limit) if limit is not None else query

    def behind(self, place: Place, row: Any) -> Place:
        """The place behind a row: one of the table's, or what a list shows with it beside others'."""
        return Place(place.sort, (self._by(place.name).of(row), By(self.key).of(row)))

    def write(self, place: Place) -> str:
        """The row of a place as an address carries it."""
        assert place.after is not None
        value, key = place.after
        told = value.isoformat() if isinstance(value, date) else str(value)
        return f"{told}_{key.hex if isinstance(key, uuid.UUID) else key}"

    def read(self, sort: str, text: str | None) -> Place:
        """What ``write`` wrote. Raises NotFound for anything else."""
        if not text:
            return Place(sort)
        value, _, key = text.rpartition("_")
        try:
            column = self._by(sort.removeprefix("-")).column
            return Place(sort, (_read(column, value), _read(self.key, key)))
        except (ValueError, OverflowError):
            raise NotFound("page") from None

    def _by(self, name: str) -> By:
        found = self.columns[name]
        return found if isinstance(found, By) else By(found)


def _part(row: Any, column: Column) -> Any:
    """The part of a list's row that has a column: itself, or one of what it is made of."""
    table: Any = column.class_
    if isinstance(row, table):
        return row
    parts = row if isinstance(row, tuple) else vars(row).values()
    return next(part for part in parts if isinstance(part, table))


def _read(column: Column, text: str) -> Any:
    kind = column.type.python_type
    if kind is datetime:
        found = datetime.fromisoformat(text.replace(" ", "+"))
        if found.tzinfo is None:
            raise ValueError("a time without a zone")
        return found.astimezone(UTC)
    if kind is int:
        number = int(text) if text.isascii() and len(text) < 20 else _LARGEST
        if not -_LARGEST < number < _LARGEST:
            raise ValueError("larger than a database counts")
        return number
    if kind is date:
        return date.fromisoformat(text)
    if kind is uuid.UUID:
        return uuid.UUID(text)
    if kind is not str:
        raise TypeError(f"a list cannot be sorted by {column.key}")
    if "\0" in text:
        raise ValueError("no text that a database keeps")
    return text
