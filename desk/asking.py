"""What pages of the books are asked by their address: whose, until when, which entries; and their files."""

import contextlib
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from flask import Response, request, send_file
from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.ledger import book
from core.ledger.book import Entry, Wanted
from core.ledger.cuts import Cut
from core.ledger.movements import Place
from core.parties import accounts
from core.parties.models import LegalEntity
from desk import lists
from flows import export
from flows.export import Asked, Source
from web import paging
from web.context import channel, house

#: All entries.
EVERYTHING = Wanted()
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)
_LABELS = {"as_of": "As of", "from": "From", "to": "To"}


class Field(NamedTuple):
    """A day to be chosen."""

    name: str
    label: str
    value: str
    error: str


class Choice(NamedTuple):
    """A list to choose from."""

    name: str
    label: str
    value: str
    options: list[tuple[str, str]]


@dataclass(frozen=True)
class Asking:
    """What was asked: a legal entity, a last day and perhaps a first one."""

    entity: LegalEntity
    entities: Sequence[LegalEntity]
    day: date
    first: date | None
    #: What is wrong with a field of the form, by its name.
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def cut(self) -> Cut:
        """The books until that day."""
        return Cut(self.entity.id, as_of=self.day)

    def address(self, path: str, *names: str) -> str:
        """``path`` with what was asked of these names, and the legal entity where it is not ours."""
        given = {name: request.args.get(name, "") for name in names if name not in self.errors}
        if "to" in names and "as_of" in request.args:
            given["to"] = self.day.isoformat()
        whose = "" if self.entity.id == channel()[1].id else self.entity.code
        return lists.address(path, entity=whose, **given)

    def shown(self, path: str, days: Sequence[str]) -> dict[str, Any]:
        """What the form and the head of the page are given."""
        values = {"as_of": self.day.isoformat(), "to": request.args.get("to", "")}
        values["from"] = request.args.get("from", "")
        choice = Choice(
            *("entity", "Books of", self.entity.code),
            [(each.code, each.name) for each in self.entities],
        )
        return {
            "current_tab": path,
            "entity": self.entity,
            "day": self.day,
            "days": [
                Field(name, _LABELS[name], values[name], self.errors.get(name, "")) for name in days
            ],
            "whose": choice if len(self.entities) > 1 else None,
            "clear_href": path if request.args else "",
        }


def read(session: Session, legal_entity_id: uuid.UUID | None = None) -> Asking:
    """What the address asks; a day that cannot be read is told and left out.

    ``legal_entity_id`` is given where the address does not choose whose books.
    """
    entities = accounts.legal_entities(session)
    code = request.args.get("entity", "") if legal_entity_id is None else ""
    ours = legal_entity_id or channel()[1].id
    found = [one for one in entities if (one.code == code if code else one.id == ours)]
    if not found:
        raise NotFound("legal entity")
    errors: dict[str, str] = {}
    days = {name: _day(name, errors) for name in _LABELS}
    day = days["as_of"] or days["to"] or local_date(house().clock.now(), found[0].time_zone)
    return Asking(found[0], entities, day, days["from"], errors)


def _day(name: str, errors: dict[str, str]) -> date | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        errors[name] = "Write a day like 2026-11-30."
        return None
    if not _FIRST <= day <= _LAST:
        errors[name] = "No books are that far away."
        return None
    return day


def wanted(session: Session, asked: Asking) -> Wanted:
    """Which entries; none, and told, for a customer's number that is none."""
    number = request.args.get("customer", "").strip()[: lists.LONGEST_WORDS]
    account = None
    if number:
        try:
            account = accounts.by_number(session, number).id
        except NotFound:
            account = uuid.UUID(int=0)
            asked.errors["customer"] = "No account has this number."
    kind, code = request.args.get("kind", ""), request.args.get("account", "")
    return Wanted(asked.first, kind[:40], code[:40], account)


def choices(session: Session, asked: Asking) -> list[Choice]:
    """The journal's filters."""
    kinds = [(kind, words(kind)) for kind in book.kinds(session, asked.entity.id)]
    chart = book.chart(session, asked.entity.id)
    return [
        Choice("kind", "Kind", request.args.get("kind", ""), [("", "any"), *kinds]),
        Choice("account", "Account", request.args.get("account", ""), [("", "any"), *chart]),
    ]


def words(kind: str) -> str:
    """``invoice issued``."""
    return kind.replace("_", " ")


def after() -> tuple[str, str] | None:
    """The cursor of accounts: number and currency. NotFound for what is none."""
    text = request.args.get("after", "")
    if not text:
        return None
    number, _, currency = text.rpartition("_")
    if not (number.isdigit() and currency.isalpha() and len(text) < 20):
        raise NotFound("page")
    return number, currency


def before_number() -> int | None:
    """The cursor of postings. NotFound for what is none."""
    text = request.args.get("before", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 16):
        raise NotFound("page")
    return int(text) if text else None


def place(text: str) -> Place:
    """The cursor of an account's movements: day, posting, currency. NotFound for what is none."""
    parts = text.split("_")
    try:
        day, number, currency = date.fromisoformat(parts[0]), int(parts[1]), parts[2]
    except (ValueError, IndexError):
        raise NotFound("page") from None
    if len(parts) > 3 or len(currency) != 3 or not 0 < number < 10**15:
        raise NotFound("page")
    return Place(day, number, currency)


def pages(path: str, following: str | None, name: str = "after") -> dict[str, Any]:
    """What the pager is given."""
    return paging.links(path, name, following, name not in request.args)


def entry(one: Entry, sources: Mapping[uuid.UUID, Source]) -> dict[str, Any]:
    """A journal entry as its page shows it."""
    source = sources.get(one.source_id)
    return {
        "number": one.number,
        "on": one.on,
        "what": words(one.kind),
        "source": source,
        "href": href(source),
        "rows": [
            (
                *(line.name, line.account_number),
                line.shown if line.shown.minor > 0 else None,
                -line.shown if line.shown.minor < 0 else None,
            )
            for line in one.lines
        ],
    }


def href(source: Source | None) -> str:
    """The page of a document or payment."""
    if source is None:
        return ""
    return f"/desk/{source.kind}s/{source.public_id}"


def download(
    asked: Asking, what: str, wanted: Wanted, account: tuple[uuid.UUID, str] | None = None
) -> Response:
    """The file, written whole before its first byte goes out: a slow reader holds nothing open."""
    query = Asked(
        what,
        *(asked.first, asked.day, asked.entity.id),
        wanted=replace(wanted, first=asked.first),
        account=account,
    )
    with contextlib.ExitStack() as at_fault:
        file = at_fault.enter_context(tempfile.TemporaryFile())
        export.write(house().db, query, house().clock.now(), file, lambda code, done, whole: None)
        file.seek(0)
        at_fault.pop_all()  # from here on Flask closes it, when the last byte went out
    begins = f"{asked.first.isoformat()}-to-" if asked.first else ""
    name = (
        f"{what}-{account[1] if account else asked.entity.code}-{begins}{asked.day.isoformat()}.csv"
    )
    answer = send_file(
        file, mimetype="text/csv", as_attachment=True, download_name=name, etag=False
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
