"""Customers at the desk: the list and its file, one page with everything, opening and changing one."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from cart import address
from core.kernel import sheet
from core.kernel.errors import Invalid, StaleState
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.kernel.sheet import Cell
from core.kernel.sorting import Place
from core.ledger import balances
from core.parties import accounts, listing
from core.parties.models import Account
from core.parties.roles import Role
from desk import customer_words
from desk.customer_forms import CustomerForm, filled
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from flows import keep_customer, see_customer
from web.access import Who, allow
from web.context import channel, house, today
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/customers"
customers = Blueprint("desk_customers", __name__, url_prefix=BASE, template_folder="templates")
_SEE = (Role.SALES, Role.BILLING, Role.SUPPORT)
_ACT = (Role.SALES, Role.SUPPORT)
_KINDS = {"person": "People", "organisation": "Organisations"}
LISTED = Listing(
    BASE,
    "customer",
    listing.SORTS,
    "-created",
    (Choice("kind", "Kind", list(_KINDS.items()), is_tabs=True),),
    head=("number", "name", "kind", "email", "since", "currency", "external_ref"),
    file=f"{BASE}/export.csv",
)
Answer = str | AnyResponse | tuple[str, int]


@customers.get("")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """Customers, the newest first or as chosen."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        owed = balances.owed_by_each(session, [row.id for row in rows])
        counts = listing.counts(session)
    return page(
        "desk/customers.html",
        customers=[_row(row, owed.get(row.id)) for row in rows],
        **LISTED.tabs("kind", asked, counts),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[Account]:
    return listing.page(session, words=asked.words, kind=asked["kind"], place=place, limit=limit)


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
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _cells(row: Account) -> tuple[Cell, ...]:
    return (
        sheet.code(row.number),
        sheet.words(row.name),
        sheet.code(row.kind),
        sheet.words(row.email or ""),
        sheet.day(row.created_at.date()),
        sheet.code(row.currency),
        sheet.words(row.external_ref or ""),
    )


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
            "needs_number": account.needs_purchase_order,
            "currency": account.currency,
            "bill_day": account.bill_day,
        },
        acts=customer_words.acts(account),
        members=customer_words.members(found),
        addresses=[address.lines(row.address) for row in found.addresses],
        balance=customer_words.balance(found),
        sections=customer_words.sections(found, today(), now),
        agreed=customer_words.agreed(found),
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
