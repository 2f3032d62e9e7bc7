"""How a list is sorted and where its next page begins: by a column, then by the key, so that no row is shown
twice or left out while others come in. A room names the columns; a face keeps the rest in the address.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_
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
class Sorts:
    """What a list may be sorted by: columns of one table that are never empty, each beside the key."""

    key: Column
    columns: Mapping[str, Column]

    def names(self) -> tuple[str, ...]:
        """Every sort, up and down."""
        return tuple(sign + name for name in self.columns for sign in ("-", ""))

    def apply(self, query: Query, place: Place, limit: int | None) -> Query:
        """The query in order, from the place on."""
        column = self.columns[place.name]
        ends = [column] if column is self.key else [column, self.key]
        if place.after is not None:
            here, there = tuple_(*ends), tuple_(*place.after[-len(ends) :])
            query = query.where(here < there if place.is_down else here > there)
        query = query.order_by(*(end.desc() if place.is_down else end for end in ends))
        return query.limit(limit) if limit is not None else query

    def behind(self, place: Place, row: Any) -> Place:
        """The place behind a row, which is one of the table's."""
        value = getattr(row, self.columns[place.name].key)
        return Place(place.sort, (value, getattr(row, self.key.key)))

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
            column = self.columns[sort.removeprefix("-")]
            return Place(sort, (_read(column, value), _read(self.key, key)))
        except (ValueError, OverflowError):
            raise NotFound("page") from None


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
    return text
