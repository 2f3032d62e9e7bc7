"""What every list of the desk has: words to look for, tabs, pages, sums."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request

from web import paging

PAGE_SIZE = 50
LONGEST_WORDS = 100


def words() -> str:
    """What is looked for."""
    return request.args.get("q", "").strip()[:LONGEST_WORDS]


def chosen(name: str, allowed: Sequence[str]) -> str:
    """A choice from the address; anything else counts as none."""
    value = request.args.get(name, "")
    return value if value in allowed else ""


def address(path: str, **values: str) -> str:
    """A path with what is set of the values."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def shown(path: str, following: str | None, count: int, noun: str, **kept: str) -> dict[str, Any]:
    """What ``macros/tables.html`` and the pager are given."""
    here = address(path, **kept)
    first = "before" not in request.args
    page = paging.links(here, "before", following, first)
    more = following is not None or not first
    found = f"{count} {noun}{'s' if count != 1 else ''}{' on this page' if more else ''}"
    return {
        "search": kept.get("q", ""),
        "choices": [],
        "keep": {name: value for name, value in kept.items() if name != "q"},
        "clear_href": path if any(kept.values()) else "",
        "found": found,
        "page": page,
        "export_href": "",
    }
