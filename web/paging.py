"""Pages by cursor: a date or time and a key, in the address."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

from core.kernel.errors import NotFound


def write(moment: date | datetime, key: uuid.UUID) -> str:
    """Where the next page begins."""
    return f"{moment.isoformat()}_{key.hex}"


def read_day(text: str | None) -> tuple[date, uuid.UUID] | None:
    """A cursor of dates; NotFound for what is none."""
    if not text:
        return None
    day, _, key = text.rpartition("_")
    try:
        return date.fromisoformat(day), uuid.UUID(key)
    except ValueError:
        raise NotFound("page") from None


def read_moment(text: str | None) -> tuple[datetime, uuid.UUID] | None:
    """A cursor of times; NotFound for what is none."""
    if not text:
        return None
    moment, _, key = text.rpartition("_")
    try:
        found = datetime.fromisoformat(moment.replace(" ", "+"))
        return (found.astimezone(UTC), uuid.UUID(key)) if found.tzinfo else None
    except (ValueError, OverflowError):
        raise NotFound("page") from None


def links(path: str, name: str, following: str | None, first: bool) -> dict[str, Any]:
    """What the pager shows: on to the next page, and back to the first."""
    joint = "&" if "?" in path else "?"
    return {
        "next_href": f"{path}{joint}{name}={following.replace('+', '%2B')}" if following else None,
        "prev_href": None if first else path,
        "said": "",
    }
