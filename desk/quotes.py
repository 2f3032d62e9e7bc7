"""Quotes at the desk: the list, its CSV, beginning one, and what waits for approval."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from cart.quotes import reading
from cart.quotes.models import Quote, QuoteApproval, QuoteVersion
from cart.quotes.reading import Filter
from core.kernel import sheet
from core.kernel.errors import Invalid, NotFound
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import User
from core.parties.roles import Role
from desk import quote_shown
from desk.lists import Asked, Choice, Listing
from desk.quote_forms import BeginForm
from flows import ask_quote
from flows.ask_quote import Contact
from web.access import Who, allow
from web.context import house
from web.login import person
from web.pages import page, show_errors

quotes = Blueprint("desk_quotes", __name__, url_prefix="/desk/quotes", template_folder="templates")
LISTED = Listing(
    "/desk/quotes",
    "quote",
    reading.SORTS,
    "-changed",
    (Choice("tab", "State", list(quote_shown.TABS.items()), is_tabs=True),),
    head=(
        "number",
        "state",
        "name",
        "company",
        "email",
        "owner",
        "currency",
        "value",
        "asked",
        "closed",
    ),
    file="/desk/quotes/export.csv",
)
WAITING = Listing(
    "/desk/quotes/approvals",
    "version",
    reading.APPROVAL_SORTS,
    "waits",
    head=("version", "customer", "currency", "value", "why", "asked_by", "asked"),
    file_name="quotes-to-approve",
)
#: The owner of a quote that nobody sees to.
_NOBODY = "none"
_Waits = tuple[QuoteApproval, QuoteVersion, Quote]
PARTS = [
    ("Quotes", "/desk/quotes", None),
    ("Approvals", "/desk/quotes/approvals", None),
    ("Report", "/desk/quotes/report", None),
]


@quotes.get("")
@allow(Who.STAFF, roles=(Role.SALES,))
def listed() -> str:
    """Quotes by tab, owner and words, sorted as chosen."""
    now = house().clock.now()
    with house().db.snapshot() as session:
        asked = LISTED.asked(_owners(session))
        rows, context = LISTED.page(session, asked, _found)
        counts = reading.counts(session, now)
    return page(
        "desk/quotes.html",
        quotes=[quote_shown.row(quote, owner, now) for quote, owner in rows],
        parts=PARTS,
        **LISTED.tabs("tab", asked, counts, overlap=True),
        **context,
    )


def _owners(session: Session) -> Choice:
    owners = [(str(key), name) for key, name in reading.owners(session)]
    return Choice("owner", "Who", [(_NOBODY, "nobody yet"), *owners], "anybody")


def _found(
    session: Session, asked: Asked, place: Place, limit: int
) -> list[tuple[Quote, User | None]]:
    owner = asked["owner"]
    wanted = Filter(
        tab=asked["tab"],
        owner_id=uuid.UUID(owner) if owner not in ("", _NOBODY) else None,
        unowned=owner == _NOBODY,
        words=asked.words,
    )
    return reading.listing(session, wanted, house().clock.now(), place=place, limit=limit)


@quotes.get("/export.csv")
@allow(Who.STAFF, roles=(Role.SALES,))
def export() -> Response:
    """The list as it is chosen, all of it."""
    now = house().clock.now()
    with house().db.reading() as session:
        asked = LISTED.asked(_owners(session))
    return LISTED.csv(
        asked, _found, lambda _, rows: (_cells(quote, owner, now) for quote, owner in rows)
    )


def _cells(quote: Quote, owner: User | None, now: datetime) -> list[sheet.Cell]:
    return [
        sheet.code(quote.number),
        sheet.code(reading.state_of(quote, now)),
        sheet.words(quote.name),
        sheet.words(quote.company),
        sheet.words(quote.email),
        sheet.words(owner.name if owner is not None else ""),
        sheet.code(quote.currency),
        sheet.amount(Money(quote.value_minor, quote.currency)),
        sheet.moment(quote.requested_at),
        sheet.moment(quote.closed_at) if quote.closed_at is not None else sheet.EMPTY,
    ]


# --- beginning one --------------------------------------------------------------------------------


@quotes.get("/new")
@allow(Who.STAFF, roles=(Role.SALES,))
def new() -> str:
    """For whom?"""
    return _new(BeginForm(request.args))


def _new(form: BeginForm) -> str:
    return page("desk/quote_new.html", form=form)


@quotes.post("/new")
@allow(Who.STAFF, roles=(Role.SALES,))
def begin() -> str | AnyResponse | tuple[str, int]:
    """Begin one for an account, or for somebody new."""
    form, who = BeginForm(request.form), person()
    assert who is not None
    if not form.validate():
        return _new(form), 422
    contact = Contact(
        name=form.name.data or "",
        email=form.email.data or "",
        company=form.company.data or "",
        phone=form.phone.data or "",
    )
    try:
        public_id = ask_quote.by_staff(house(), contact, form.account.data or "", who.key)
    except NotFound:
        form.account.errors = ["There is no account with this number."]
        return _new(form), 422
    except Invalid as error:
        show_errors(form, error)
        return _new(form), 422
    return redirect(f"/desk/quotes/{public_id}/edit", 303)


# --- approvals ------------------------------------------------------------------------------------


@quotes.get("/approvals")
@allow(Who.STAFF, roles=(Role.SALES,))
def approvals() -> str:
    """Versions that wait for a second person, the longest waiting first."""
    with house().db.snapshot() as session:
        rows, context = WAITING.page(session, WAITING.asked(), _waiting)
        drawn = _to_approve(session, rows)
    return page("desk/quote_approvals.html", rows=drawn, parts=PARTS, **context)


def _waiting(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[_Waits]:
    return reading.approvals_waiting(session, words=asked.words, place=place, limit=limit)


def _to_approve(session: Session, rows: Sequence[_Waits]) -> list[dict[str, Any]]:
    names, who = {f"user:{key}": name for key, name in reading.owners(session)}, person()
    assert who is not None
    return [
        {
            **quote_shown.approval(row, names),
            "name": f"{quote.number}/{version.number}",
            "href": f"/desk/quotes/{quote.public_id}",
            "customer": quote.company or quote.name,
            "value": Money(quote.value_minor, quote.currency),
            "mine": f"user:{who.key}" in (row.asked_by, row.drafted_by),
        }
        for row, version, quote in rows
    ]


@quotes.get("/approvals.csv")
@allow(Who.STAFF, roles=(Role.SALES,))
def export_approvals() -> Response:
    """What waits for a second person, all of it."""
    return WAITING.csv(WAITING.asked(), _waiting, _approval_cells)


def _approval_cells(session: Session, rows: Sequence[_Waits]) -> Iterator[list[sheet.Cell]]:
    for one in _to_approve(session, rows):
        yield [
            sheet.code(one["name"]),
            sheet.words(one["customer"]),
            sheet.code(one["value"].currency),
            sheet.amount(one["value"]),
            sheet.words(" ".join(one["reasons"])),
            sheet.words(one["asked_by"]),
            sheet.moment(one["asked_at"]),
        ]
