"""Quotes at the desk: the list, its CSV, beginning one, and what waits for approval."""

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from cart.quotes import reading
from cart.quotes.models import Quote
from cart.quotes.reading import Cursor, Filter
from core.kernel import sheet
from core.kernel.errors import Invalid, NotFound
from core.kernel.money import Money
from core.parties.models import User
from core.parties.roles import Role
from desk import lists, quote_shown
from desk.quote_forms import BeginForm
from flows import ask_quote
from flows.ask_quote import Contact
from web import paging
from web.access import Who, allow
from web.context import house
from web.login import person
from web.pages import page, show_errors

quotes = Blueprint("desk_quotes", __name__, url_prefix="/desk/quotes", template_folder="templates")
SORTS = ("-changed", "changed", "-value", "value", "asked", "-asked")
#: More than this is not put into one file: choose fewer by filters.
MOST_ROWS = 5000
_COLUMNS = (
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
)
PARTS = [
    ("Quotes", "/desk/quotes", None),
    ("Approvals", "/desk/quotes/approvals", None),
    ("Report", "/desk/quotes/report", None),
]


@quotes.get("")
@allow(Who.STAFF, roles=(Role.SALES,))
def listed() -> str:
    """Quotes by tab, owner and words, sorted as chosen."""
    sort = lists.chosen("sort", SORTS) or "-changed"
    now = house().clock.now()
    with house().db.snapshot() as session:
        owners = reading.owners(session)
        wanted = _filter([str(key) for key, _ in owners])
        found = reading.listing(
            session, wanted, now, sort=sort, after=_after(sort), limit=lists.PAGE_SIZE + 1
        )
        counts = reading.counts(session, now)
    rows = found[: lists.PAGE_SIZE]
    more = len(found) > lists.PAGE_SIZE
    following = _cursor(reading.cursor_of(rows[-1][0], sort)) if more else None
    kept = _kept()
    about = lists.shown("/desk/quotes", following, len(rows), "quote", **kept)
    about["choices"] = [_owner_choice([(str(key), name) for key, name in owners])]
    about["keep"] = {name: kept[name] for name in ("tab", "sort") if kept.get(name)}
    return page(
        "desk/quotes.html",
        quotes=[quote_shown.row(quote, owner, now) for quote, owner in rows],
        parts=PARTS,
        tabs_=_tabs(counts),
        current_tab=lists.address("/desk/quotes", tab=wanted.tab),
        sort=sort,
        sort_href=lists.address("/desk/quotes", **{**kept, "sort": ""}),
        export=lists.address("/desk/quotes/export.csv", **kept),
        **about,
    )


def _filter(owners: list[str]) -> Filter:
    owner = request.args.get("owner", "")
    return Filter(
        tab=lists.chosen("tab", reading.TABS),
        owner_id=uuid.UUID(owner) if owner in owners else None,
        unowned=owner == "none",
        words=lists.words(),
    )


def _kept() -> dict[str, str]:
    return {
        "q": lists.words(),
        "tab": lists.chosen("tab", reading.TABS),
        "owner": request.args.get("owner", "")[:36],
        "sort": lists.chosen("sort", SORTS),
    }


def _owner_choice(owners: list[tuple[str, str]]) -> dict[str, Any]:
    options = [("", "anybody"), ("none", "nobody yet"), *owners]
    return {
        "name": "owner",
        "label": "Who",
        "value": request.args.get("owner", ""),
        "options": options,
    }


def _tabs(counts: dict[str, int]) -> list[tuple[str, str, int | None]]:
    tabs: list[tuple[str, str, int | None]] = [("All", "/desk/quotes", None)]
    return tabs + [
        (text, f"/desk/quotes?tab={tab}", counts[tab]) for tab, text in quote_shown.TABS.items()
    ]


def _cursor(after: Cursor) -> str:
    value, key = after
    return f"{value}_{key.hex}" if isinstance(value, int) else paging.write(value, key)


def _after(sort: str) -> Cursor | None:
    text = request.args.get("before")
    if not sort.endswith("value"):
        return paging.read_moment(text)
    if not text:
        return None
    value, _, key = text.rpartition("_")
    try:
        if len(value) < 19:
            return int(value), uuid.UUID(key)
    except ValueError:
        pass
    raise NotFound("page")


@quotes.get("/export.csv")
@allow(Who.STAFF, roles=(Role.SALES,))
def export() -> Response:
    """The list with its filters as CSV, the newest first."""
    now = house().clock.now()
    with house().db.snapshot() as session:
        wanted = _filter([str(key) for key, _ in reading.owners(session)])
        found = reading.listing(session, wanted, now, limit=MOST_ROWS)
    data = b"".join(sheet.pieces(_COLUMNS, (_cells(*row, now) for row in found)))
    headers = {"Content-Disposition": 'attachment; filename="quotes.csv"'}
    return Response(data, mimetype="text/csv", headers=headers)


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
    after = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        found = reading.approvals_waiting(session, after=after, limit=lists.PAGE_SIZE + 1)
        names = {f"user:{key}": name for key, name in reading.owners(session)}
    rows = found[: lists.PAGE_SIZE]
    more = len(found) > lists.PAGE_SIZE
    following = paging.write(rows[-1][0].asked_at, rows[-1][0].id) if more else None
    who = person()
    assert who is not None
    return page(
        "desk/quote_approvals.html",
        rows=[
            {
                **quote_shown.approval(row, names),
                "name": f"{quote.number}/{version.number}",
                "href": f"/desk/quotes/{quote.public_id}",
                "customer": quote.company or quote.name,
                "value": Money(quote.value_minor, quote.currency),
                "mine": f"user:{who.key}" in (row.asked_by, row.drafted_by),
            }
            for row, version, quote in rows
        ],
        parts=PARTS,
        **lists.shown("/desk/quotes/approvals", following, len(rows), "version"),
    )
