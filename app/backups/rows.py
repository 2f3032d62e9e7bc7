"""How a row is written down: as PostgreSQL's COPY writes text, in UTC, whichever database it comes from.

A line a row, a tab between values, ``\\N`` for none. PostgreSQL takes and gives it as it stands; for
SQLite each value is turned by the kind of its column.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import types

#: Rows of these are of the moment: who is logged in, who guessed how often. They stay behind.
EPHEMERAL = frozenset({"user_session", "rate_counter"})

_ESCAPES = {
    "\\": "\\\\",
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}
_MEANT = {
    "t": "\t",
    "n": "\n",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
}
_TO_ESCAPE = re.compile(r"[\\\t\n\r\x08\x0c\x0b]")
_ESCAPED = re.compile(r"\\(.)")


def kind(column: types.TypeEngine[Any]) -> str:
    """What a column holds, in words that both databases share. ``column`` is a reflected type."""
    if isinstance(column, types.Uuid) or (isinstance(column, types.CHAR) and column.length == 32):
        return "uuid"
    for words, kinds in (
        ("bool", types.Boolean),
        ("time", types.DateTime),
        ("date", types.Date),
        ("json", types.JSON),
        ("bytes", types.LargeBinary),
        ("int", types.Integer),
        ("text", types.String),
    ):
        if isinstance(column, kinds):
            return words
    raise TypeError(f"a column of {column!r} is not known to backups")


def _text(value: Any) -> str:
    return _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], str(value))


def _uuid(value: str) -> str:
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _moment(value: str) -> str:
    """SQLite's “2026-11-17 19:11:00.500000” is known to be UTC."""
    return f"{value}+00"


def _from_moment(value: str) -> str:
    bare = value.removesuffix("+00")
    whole, _, part = bare.partition(".")
    return f"{whole}.{part:0<6}"


_WRITE: dict[str, Callable[[Any], str]] = {
    "uuid": _uuid,
    "bool": lambda value: "t" if value else "f",
    "time": _moment,
    "date": str,
    "json": _text,
    "bytes": lambda value: "\\\\x" + value.hex(),
    "int": str,
    "text": _text,
}
_READ: dict[str, Callable[[str], Any]] = {
    "uuid": lambda value: value.replace("-", ""),
    "bool": lambda value: 1 if value == "t" else 0,
    "time": _from_moment,
    "date": str,
    "json": str,
    "bytes": lambda value: bytes.fromhex(value.removeprefix("\\x")),
    "int": int,
    "text": str,
}


def write(kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """SQLite's rows as lines."""
    turn = [_WRITE[one] for one in kinds]
    lines = (
        "\t".join(
            "\\N" if value is None else to(value) for to, value in zip(turn, row, strict=True)
        )
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines).encode()


def read(kinds: Sequence[str], lines: bytes) -> Iterator[tuple[Any, ...]]:
    """Lines as SQLite's rows."""
    turn = [_READ[one] for one in kinds]
    for line in lines.decode().split("\n")[:-1]:
        values = line.split("\t")
        yield tuple(
            None if value == "\\N" else of(_plain(value))
            for of, value in zip(turn, values, strict=True)
        )


def _plain(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), value)
