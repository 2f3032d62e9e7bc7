"""What every list of the desk has: words to look for, filters, tabs, sorts, pages, and the same rows as CSV.

A list is told once, as a ``Listing``; its view asks for the rows of ``asked()`` and hands them to ``page()``,
its download hands the same to ``csv()``. The room that has the rows names its sorts.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request, send_file
from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.sheet import Cell
from core.kernel.sorting import Place, Sorts
from web import paging
from web.context import house, today

Row = TypeVar("Row")
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

    def __getitem__(self, name: str) -> str:
        """What is chosen of a filter; empty: nothing."""
        return self.chosen[name]


@dataclass(frozen=True)
class Listing:
    """One list of the desk."""

    path: str
    noun: str
    sorts: Sorts
    #: How it is sorted unless somebody wants it otherwise.
    by: str
    choices: Sequence[Choice] = field(default=())
    #: Free texts beside the words: dates, an actor.
    texts: Sequence[str] = field(default=())

    def asked(self, *more: Choice) -> Asked:
        """Read the address; what it may not be counts as nothing. NotFound for a page that is none.

        ``more`` are choices that are known at the time alone.
        """
        sort = chosen("sort", self.sorts.names())
        picked = {
            one.name: chosen(one.name, [value for value, _ in one.options])
            for one in (*self.choices, *more)
        }
        picked |= {name: request.args.get(name, "").strip()[:LONGEST_WORDS] for name in self.texts}
        place = self.sorts.read(sort or self.by, request.args.get("before"))
        return Asked(words(), picked, place, bool(sort))

    def page(
        self,
        asked: Asked,
        found: Sequence[Row],
        entity: Callable[[Row], Any] = lambda row: row,
        *,
        more: Sequence[Choice] = (),
        csv: str = "",
    ) -> tuple[Sequence[Row], dict[str, Any]]:
        """The rows of this page, of one more than it holds, and what its template is given.

        ``entity`` is the row of the table that is sorted by.
        """
        rows, following = found[:PAGE_SIZE], None
        if len(found) > PAGE_SIZE:
            following = self.sorts.write(self.sorts.behind(asked.place, entity(rows[-1])))
        kept = self.kept(asked)
        context = shown(self.path, following, len(rows), self.noun, **kept)
        fields = [one for one in (*self.choices, *more) if not one.is_tabs]
        context["choices"] = [
            {
                "name": one.name,
                "label": one.label,
                "value": asked[one.name],
                "options": [("", one.all), *one.options],
            }
            for one in fields
        ]
        for one in fields:
            context["keep"].pop(one.name, None)
        for name in self.texts:
            context["keep"].pop(name, None)
        unsorted = address(self.path, **{**kept, "sort": ""})
        context |= {
            "sort": asked.place.sort,
            "sort_href": f"{unsorted}{'&' if '?' in unsorted else '?'}sort={{}}",
            "export_href": address(csv or f"{self.path}.csv", **kept),
        }
        return rows, context

    def kept(self, asked: Asked) -> dict[str, str]:
        """What links to this list as it is chosen carry."""
        return {
            "q": asked.words,
            **asked.chosen,
            "sort": asked.place.sort if asked.is_sorted else "",
        }

    def tabs(self, name: str, asked: Asked, counts: dict[str, int] | None) -> dict[str, Any]:
        """A filter as tabs, with how many stand under each."""
        (choice,) = [one for one in self.choices if one.name == name]
        every = sum(counts.values()) if counts is not None else None
        tabs = [("All", self.path, every)]
        for value, text in choice.options:
            count = counts.get(value, 0) if counts is not None else None
            tabs.append((text, address(self.path, **{name: value}), count))
        return {"tabs_": tabs, "current_tab": address(self.path, **{name: asked[name]})}

    def csv(
        self,
        asked: Asked,
        head: Sequence[str],
        read: Callable[[Session, Place, int], Sequence[Row]],
        cells: Callable[[Session, Sequence[Row]], Iterable[Sequence[Cell]]],
        entity: Callable[[Row], Any] = lambda row: row,
    ) -> Response:
        """All rows as they are chosen and sorted, as of one snapshot; memory does not grow with them."""

        def lines(session: Session) -> Iterator[Sequence[Cell]]:
            place = Place(asked.place.sort)
            while True:
                found = read(session, place, CHUNK)
                yield from cells(session, found)
                if len(found) < CHUNK:
                    return
                place = self.sorts.behind(place, entity(found[-1]))
                session.expunge_all()

        with contextlib.ExitStack() as at_fault:
            file = at_fault.enter_context(tempfile.TemporaryFile())
            with house().db.snapshot(large=True) as session:
                for piece in sheet.pieces(head, lines(session)):
                    file.write(piece)
            file.seek(0)
            at_fault.pop_all()  # from here on Flask closes it, when the last byte went out
        name = f"{self.noun.replace(' ', '-')}s-{today().isoformat()}.csv"
        answer = send_file(
            file, mimetype="text/csv", as_attachment=True, download_name=name, etag=False
        )
        answer.headers["Cache-Control"] = "private, no-store"
        return answer


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
