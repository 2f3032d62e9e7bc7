"""Looking on while a page is made, and reading what stands on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from sqlalchemy import event
from werkzeug.test import TestResponse

from core.kernel.db import Database

#: What begins and ends a reader's snapshot on SQLite: no question.
_FRAME = ("BEGIN", "ROLLBACK", "COMMIT")


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    """What both doors send to the database meanwhile."""
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if not statement.startswith(_FRAME):
            sent.append(statement)

    engines = (db._read, db._write)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


@contextmanager
def writes(db: Database) -> Iterator[list[str]]:
    """What happens at the writing door meanwhile, a transaction that is begun included."""
    seen: list[str] = []

    def begun(connection: Any) -> None:
        seen.append("BEGIN")

    def sent(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "begin", begun)
    event.listen(db.engine, "before_cursor_execute", sent)
    try:
        yield seen
    finally:
        event.remove(db.engine, "begin", begun)
        event.remove(db.engine, "before_cursor_execute", sent)


#: Elements that do not part the words around them.
_INLINE = {"span", "b", "i", "a", "time", "small", "sup"}


class Page(HTMLParser):
    """What stands on a page: its forms, the texts of its elements, its attributes."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__()
        #: (action, method, {name: value}) of each form
        self.forms: list[tuple[str, str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.values: list[str] = []
        self.feed(response.get_data(as_text=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self._part(tag)
        self.values += found.values()
        if tag == "form":
            self.forms.append((found.get("action", ""), found.get("method", "get"), {}))
        if tag in ("input", "button") and found.get("name") and self.forms:
            self.forms[-1][2].setdefault(found["name"], found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)

    def _part(self, tag: str) -> None:
        if tag not in _INLINE:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All that can be read on it."""
        return " ".join("".join(self.texts).split())


class Offers(HTMLParser):
    """The addresses of ours that a page offers, each with the method that it would be asked by."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self._method = "GET"
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._method = (given.get("method") or "get").upper()
            self._note(self._method, given.get("action"))
        elif tag == "a":
            self._note("GET", given.get("href"))
        elif "formaction" in given:
            self._note((given.get("formmethod") or self._method).upper(), given["formaction"])

    def _note(self, method: str, address: str | None) -> None:
        if address is not None and address.startswith("/"):
            self.found.add((method, address))
