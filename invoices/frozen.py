"""Frozen dataclasses as plain JSON types and back, exactly: amounts and dates as strings.

A field that the data lacks takes its default, so that old rows outlive a new field.
"""

from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """A dataclass as a dict, tuples as lists, decimals, dates and enums as their text."""
    kind: Any = type(value)
    if kind is str or value is None:
        return value
    names = _names(kind)
    if names is not None:
        # Most of a document is text or nothing: those are not worth a call.
        return {
            name: one if type(one := getattr(value, name)) is str or one is None else to_plain(one)
            for name in names
        }
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | date):
        return str(value)
    return value


@lru_cache(maxsize=256)
def _names(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass, else None."""
    return tuple(f.name for f in fields(kind)) if is_dataclass(kind) else None


def from_plain(cls: type[T], data: dict[str, Any]) -> T:
    """What ``to_plain`` made of an instance of ``cls``."""
    types = _types(cast(type, cls))
    return cls(**{name: _read(types[name], data[name]) for name in types if name in data})


@lru_cache(maxsize=64)
def _types(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in fields(cls)}


def _read(kind: Any, value: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        if value is None:
            return None
        (kind,) = (each for each in get_args(kind) if each is not type(None))
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], item) for item in value)
    if is_dataclass(kind) and isinstance(kind, type):
        return from_plain(kind, value)
    if kind is date:
        return date.fromisoformat(value)
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(value)
    return value
