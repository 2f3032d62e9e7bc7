"""What every list of the desk has: words to look for, filters, tabs, sorts, pages, and the same rows as CSV.

A list is told once, as a ``Listing``; its view hands what ``asked()`` read and how rows are read to
``page()``, its download hands the same to ``csv()``. The room that has the rows names its sorts.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Response, request, send_file
from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.errors import NotFound
from core.kernel.money import Money, total
from core.kernel.sheet import Cell
from core.kernel.sorting import Place, Sorts
from web import paging
from web.context import house, today

PAGE_SIZE = 50
LONGEST_WORDS = 100
#: So many rows are read at a time for a file.
CHUNK = 500


@dataclass(frozen=True)
class Choice:
    """A filter: its name in the address, what it is called, and (value, text) of what can be chosen."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    #: What stands for no choice.
    all: str = "all"
    #: It has tabs in place of a field.
    is_tabs: bool = False


@dataclass(frozen=True)
class Asked:
    """What the address asks of a list."""

    words: str
    chosen: dict[str, str]
    place: Place
    is_sorted: bool
    choices: Sequence[Choice]
    #: What was asked for and does not exist, as the page tells it.
    left_out: Sequence[str]

    def __getitem__(self, name: str) -> str:
        """What is chosen of a filter; empty: nothing."""
        return self.chosen[name]


Read = Callable[[Session, Asked, Place, int], Sequence[Any]]
Cells = Callable[[Session, Sequence[Any]], Iterable[Sequence[Cell]]]


@dataclass(frozen=True)
class Listing:
    """One list of the desk. Its rows are of the table that is sorted by, or have one of them as a part."""

    path: str
    noun: str
    sorts: Sorts
    #: How it is sorted unless somebody wants it otherwise.
    by: str
    choices: Sequence[Choice] = field(default=())
    #: Free texts beside the words: dates, an actor.
    texts: Sequence[str] = field(default=())
    #: The columns of its file, and where that is had when not at the list's address with ``.csv``.
    head: Sequence[str] = field(default=())
    file: str = ""
    #: What the file is called, when not by the noun.
    file_name: str = ""

    def asked(self, *more: Choice, by: str = "") -> Asked:
        """Read the address; what does not exist counts as nothing. NotFound for a page that is none.

        ``more`` are choices that are known at the time alone, ``by`` is another sort than the usual.
        """
        choices, left_out = (*self.choices, *more), []

        def pick(name: str, label: str, allowed: Sequence[str]) -> str:
            value = chosen(name, allowed)
            if not value and request.args.get(name, "").strip():
                left_out.append(f"{label} “{request.args[name].strip()[:40]}”")
            return value

        sort = pick("sort", "Order", self.sorts.names())
        picked = {
            one.name: pick(one.name, one.label, [value for value, _ in one.options])
            for one in choices
        }
        picked |= {name: request.args.get(name, "").strip()[:LONGEST_WORDS] for name in self.texts}
        place = self.sorts.read(sort or by or self.by, request.args.get("before"))
        return Asked(words(), picked, place, bool(sort), choices, left_out)

    def page(
        self, session: Session, asked: Asked, read: Read
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        """The rows of this page, and what its template is given."""
        found = read(session, asked, asked.place, PAGE_SIZE + 1)
        rows, following = found[:PAGE_SIZE], None
        if len(found) > PAGE_SIZE:
            following = self.sorts.write(self.sorts.behind(asked.place, rows[-1]))
        kept = self.kept(asked)
        context = shown(self.path, following, len(rows), self.noun, **kept)
        fields = [one for one in asked.choices if not one.is_tabs]
        context["choices"] = [
            {
                "name": one.name,
                "label": one.label,
                "value": asked[one.name],
                "options": [("", one.all), *one.options],
            }
            for one in fields
        ]
        for name in (*(one.name for one in fields), *self.texts):
            context["keep"].pop(name, None)
        context["left_out"] = " and ".join(asked.left_out)
        unsorted = address(self.path, **{**kept, "sort": ""})
        context |= {
            "sort": asked.place.sort,
            "sort_href": f"{unsorted}{'&' if '?' in unsorted else '?'}sort={{}}",
            "export_href": address(self.file or f"{self.path}.csv", **kept),
        }
        return rows, context

    def kept(self, asked: Asked) -> dict[str, str]:
        """What links to this list as it is chosen carry."""
        return {
            "q": asked.words,
            **asked.chosen,
            "sort": asked.place.sort if asked.is_sorted else "",
        }

    def tabs(
        self, name: str, asked: Asked, counts: Mapping[str, int] | None, *, overlap: bool = False
    ) -> dict[str, Any]:
        """A filter as tabs, with how many stand under each; ``overlap``: some stand under several."""
        (choice,) = [one for one in asked.choices if one.name == name]
        every = None
        if counts is not None and not overlap:
            every = counts.get("", sum(counts.values()))
        tabs = [(choice.all[:1].upper() + choice.all[1:], self.path, every)]
        for value, text in choice.options:
            count = counts.get(value, 0) if counts is not None else None
            tabs.append((text, address(self.path, **{name: value}), count))
        return {"tabs_": tabs, "current_tab": address(self.path, **{name: asked[name]})}

    def csv(self, asked: Asked, read: Read, cells: Cells) -> Response:
        """All rows as they are chosen and sorted, as of one snapshot; memory does not grow with them.

        NotFound when the address chooses what does not exist: a file could not tell that it is left out.
        """
        if asked.left_out:
            raise NotFound(f"list by {' and '.join(asked.left_out)}")

        def lines(session: Session) -> Iterator[Sequence[Cell]]:
            place = Place(asked.place.sort)
            while True:
                found = read(session, asked, place, CHUNK)
                yield from cells(session, found)
                if len(found) < CHUNK:
                    return
                place = self.sorts.behind(place, found[-1])
                session.expunge_all()

        with contextlib.ExitStack() as at_fault:
            file = at_fault.enter_context(tempfile.TemporaryFile())
            with house().db.snapshot(large=True) as session:
                for piece in sheet.pieces(self.head, lines(session)):
                    file.write(piece)
            file.seek(0)
            at_fault.pop_all()  # from here on Flask closes it, when the last byte went out
        called = self.file_name or _several(self.noun).replace(" ", "-")
        name = f"{called}-{today().isoformat()}.csv"
        answer = send_file(
            file, mimetype="text/csv", as_attachment=True, download_name=name, etag=False
        )
        answer.headers["Cache-Control"] = "private, no-store"
        return answer


def _several(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def words() -> str:
    """What is looked for."""
    return request.args.get("q", "").strip()[:LONGEST_WORDS]


def chosen(name: str, allowed: Sequence[str]) -> str:
    """A choice from the address; anything else counts as none."""
    value = request.args.get(name, "")
    return value if value in allowed else ""


def sums(rows: Sequence[Mapping[str, Any]], *names: str) -> tuple[Money, ...] | None:
    """What columns of a page come to; None when its rows are of several currencies, or there are none."""
    currencies = {row[names[0]].currency for row in rows}
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    return tuple(total((row[name] for row in rows), currency) for name in names)


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
    found = f"{count} {noun if count == 1 else _several(noun)}{' on this page' if more else ''}"
    return {
        "search": kept.get("q", ""),
        "choices": [],
        "keep": {name: value for name, value in kept.items() if name != "q"},
        "clear_href": path if any(kept.values()) else "",
        "found": found,
        "page": page,
        "export_href": "",
    }
