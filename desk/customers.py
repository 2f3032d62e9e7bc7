"""Customers at the desk: the list and its file, one page with everything, opening and changing one."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from cart import address
from core.kernel import sheet
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.kernel.sheet import Cell
from core.ledger import balances
from core.parties import accounts, listing
from core.parties.models import Account
from core.parties.roles import Role
from desk import customer_words, files, lists
from desk.customer_forms import CustomerForm, filled
from desk.money import actor
from flows import keep_customer, see_customer
from web import paging
from web.access import Who, allow
from web.context import channel, house, today
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/customers"
customers = Blueprint("desk_customers", __name__, url_prefix=BASE, template_folder="templates")
_SEE = (Role.SALES, Role.BILLING, Role.SUPPORT)
_ACT = (Role.SALES, Role.SUPPORT)
_KINDS = {"person": "People", "organisation": "Organisations"}
_HEAD = ("number", "name", "kind", "email", "since", "currency", "external_ref")
Answer = str | AnyResponse | tuple[str, int]


@customers.get("")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """Customers, the newest first or as chosen."""
    words, kind, sort = lists.words(), lists.chosen("kind", list(_KINDS)), _sort()
    with house().db.snapshot() as session:
        found = listing.page(
            session,
            words=words,
            kind=kind,
            sort=sort,
            after=_after(request.args.get("before"), sort),
            limit=lists.PAGE_SIZE + 1,
        )
        rows = found[: lists.PAGE_SIZE]
        owed = balances.owed_by_each(session, [row.id for row in rows])
        counts = listing.counts(session)
    following = _cursor(rows[-1], sort) if len(found) > len(rows) else None
    kept = {"kind": kind, "sort": sort if sort != "-created" else "", "q": words}
    drawn = lists.shown(BASE, following, len(rows), "customer", **kept)
    drawn["keep"] = {"kind": kind, "sort": kept["sort"]}
    drawn["export_href"] = lists.address(f"{BASE}/export.csv", kind=kind, q=words)
    return page(
        "desk/customers.html",
        customers=[_row(row, owed.get(row.id)) for row in rows],
        sort=sort,
        sort_href=lists.address(BASE, kind=kind, q=words)
        + ("&" if kind or words else "?")
        + "sort={}",
        tabs_=[("All", BASE, sum(counts.values()))]
        + [(name, f"{BASE}?kind={key}", counts.get(key, 0)) for key, name in _KINDS.items()],
        current_tab=lists.address(BASE, kind=kind),
        **drawn,
    )


def _sort() -> str:
    asked = request.args.get("sort", "")
    return asked if asked.removeprefix("-") in listing.SORTS else "-created"


def _after(text: str | None, sort: str) -> listing.Cursor | None:
    if not text:
        return None
    if sort.endswith("created"):
        return paging.read_moment(text)
    value, _, key = text.rpartition("_")
    try:
        return value[:200], uuid.UUID(key)
    except ValueError:
        raise NotFound("page") from None


def _cursor(account: Account, sort: str) -> str:
    value, key = listing.cursor_of(account, sort)
    return paging.write(value, key) if isinstance(value, datetime) else f"{value}_{key.hex}"


def _row(account: Account, owed: Money | None) -> dict[str, Any]:
    return {
        "number": account.number,
        "href": f"{BASE}/{account.public_id}",
        "name": account.name,
        "email": account.email or "",
        "since": account.created_at,
        "kind": "Organisation" if account.kind == "organisation" else "Person",
        "owed": owed or Money.zero(account.currency),
    }


@customers.get("/export.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The list as it is chosen, all of it, by number."""
    words, kind = lists.words(), lists.chosen("kind", list(_KINDS))

    def rows() -> Iterator[tuple[Cell, ...]]:
        with house().db.snapshot(large=True) as session:
            for row in listing.every(session, words=words, kind=kind):
                yield (
                    sheet.code(row.number),
                    sheet.words(row.name),
                    sheet.code(row.kind),
                    sheet.words(row.email or ""),
                    sheet.day(row.created_at.date()),
                    sheet.code(row.currency),
                    sheet.words(row.external_ref or ""),
                )

    return files.csv("customers", _HEAD, rows)


# --- one ------------------------------------------------------------------------------------------


@customers.get("/<public_id>")
@allow(Who.STAFF, roles=_SEE)
def one(public_id: str) -> str:
    """Everything about one."""
    now = house().clock.now()
    with house().db.snapshot() as session:
        account = accounts.by_public_id(session, public_id)
        found = see_customer.see(session, account, today(), now)
    return page(
        "desk/customer.html",
        customer={
            "number": account.number,
            "name": account.name,
            "kind": "Organisation" if account.kind == "organisation" else "Person",
            "email": account.email or "",
            "since": account.created_at,
            "address": address.lines(account.billing_address),
            "phone": (account.billing_address or {}).get("phone", ""),
            "vat_id": account.vat_id or "",
            "currency": account.currency,
            "bill_day": account.bill_day,
        },
        acts=customer_words.acts(account),
        members=customer_words.members(found),
        addresses=[address.lines(row.address) for row in found.addresses],
        balance=customer_words.balance(found),
        sections=customer_words.sections(found, today(), now),
        history=customer_words.history(found),
    )


@customers.get("/new")
@allow(Who.STAFF, roles=_ACT)
def ask() -> str:
    """Who the new customer is."""
    entity = channel()[1]
    form = CustomerForm(data={"once": new_public_id(), "country": entity.country})
    return page("desk/customer_edit.html", form=form, customer=None)


@customers.post("/new")
@allow(Who.STAFF, roles=_ACT)
def make() -> Answer:
    """Open an account for them."""
    form = CustomerForm(request.form)
    once = (form.once.data or new_public_id())[:60]
    try:
        account = keep_customer.open_one(house(), form.details(), actor(), once)
    except Invalid as error:
        show_errors(form, error)
        return page("desk/customer_edit.html", form=form, customer=None), 422
    say(f"{account.name} has account {account.number} now.")
    return redirect(f"{BASE}/{account.public_id}", 303)


@customers.get("/<public_id>/edit")
@allow(Who.STAFF, roles=_ACT)
def edit(public_id: str) -> str:
    """Other words for them."""
    account = _account(public_id)
    form = CustomerForm(data=filled(account) | {"seen": keep_customer.mark(account)})
    return page("desk/customer_edit.html", form=form, customer=account)


@customers.post("/<public_id>/edit")
@allow(Who.STAFF, roles=_ACT)
def change(public_id: str) -> Answer:
    """Keep them."""
    form, account = CustomerForm(request.form), _account(public_id)
    try:
        keep_customer.change(house(), public_id, form.details(), actor(), form.seen.data or None)
    except Invalid as error:
        show_errors(form, error)
        return page("desk/customer_edit.html", form=form, customer=account), 422
    except StaleState:
        say("Somebody changed this customer meanwhile. Look at it once more.", "warn")
        return redirect(f"{BASE}/{public_id}/edit", 303)
    say("Kept. What was billed already keeps the old words.")
    return redirect(f"{BASE}/{public_id}", 303)


def _account(public_id: str) -> Account:
    with house().db.reading() as session:
        return accounts.by_public_id(session, public_id)
