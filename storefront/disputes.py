"""Disputing a line of an order's bill by the order's link, for who has no account; whoever has one logs in.

The link shows the disputes of this order's bills and no other. It takes words, no pictures.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid, NotFound
from core.ledger import items
from core.notices import addressing
from core.parties.models import Account
from flows import open_dispute, talk_about_dispute
from flows.follow_order import Followed
from flows.open_dispute import Author
from invoices.disputes import opening, reading
from invoices.disputes.reading import Told
from invoices.disputes.refusals import AnsweredBefore, DisputeOver, DisputeRefused
from invoices.models import Invoice
from storefront.order_link import document_of, followed
from web import dispute_form, limits
from web import disputes as words
from web.access import Guard, Who, allow
from web.context import house
from web.dispute_form import DisputeForm, Found
from web.disputes import MessageForm
from web.flashes import say
from web.pages import page, show_errors

order_disputes = Blueprint(
    "order_disputes", __name__, url_prefix="/o/<public_id>/<token>", template_folder="templates"
)


def _account(order: Followed) -> Account:
    """Whose bills they are. NotFound where somebody can log in to see to them."""
    with house().db.reading() as session:
        account = session.get_one(Account, order.order.payer_account_id)
        if addressing.has_members(session, account.id):
            raise NotFound("dispute")
    return account


def _author(account: Account) -> Author:
    return Author("customer", account.name, "guest")


# --- opening --------------------------------------------------------------------------------------


def _line(order: Followed, invoice_id: str, number: int) -> Found:
    _account(order)
    invoice = document_of(order, invoice_id)
    with house().db.snapshot() as session:
        line = dispute_form.one_of(opening.disputable(session, invoice), number)
        return invoice, line, items.of_sources(session, [invoice.id]).get(invoice.id)


def _asking(base: str, found: Found, form: DisputeForm, problems: Sequence[str] = ()) -> str:
    href = f"{base}/bills/{found[0].public_id}"
    return dispute_form.shown(
        "storefront/dispute_new.html", found, form, href, problems, most_files=0
    )


@order_disputes.get("/bills/<invoice_id>/lines/<int:number>/dispute")
@allow(Who.EVERYBODY)
def asking(public_id: str, token: str, invoice_id: str, number: int) -> str:
    """What is wrong with this line?"""
    found = _line(followed(public_id, token), invoice_id, number)
    return _asking(f"/o/{public_id}/{token}", found, dispute_form.fresh(found))


@order_disputes.post("/bills/<invoice_id>/lines/<int:number>/dispute")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def dispute(
    public_id: str, token: str, invoice_id: str, number: int
) -> str | Response | tuple[str, int]:
    """Open it, and show where it stands."""
    order, base = followed(public_id, token), f"/o/{public_id}/{token}"
    account, found = _account(order), _line(order, invoice_id, number)
    form = DisputeForm(request.form)
    try:
        asked = form.asked(found, with_files=False)
        opened = open_dispute.open_one(house(), asked, _author(account), [account.id])
    except AnsweredBefore as error:
        say(str(error), "warn")
        return redirect(f"{base}/disputes/{error.public_id}", 303)
    except (Invalid, DisputeRefused) as error:
        return _asking(base, found, form, form.explain(error)), 422
    say("We have it, and look at it. A mail is on its way to you.")
    return redirect(f"{base}/disputes/{opened}", 303)


# --- one ------------------------------------------------------------------------------------------


def _told(order: Followed, account: Account, dispute_id: str) -> Told:
    """A dispute of this order's bills. NotFound for any other."""
    with house().db.snapshot() as session:
        found = reading.one(session, dispute_id, [account.id])
        if found.invoice_id not in _bills(order):
            raise NotFound("dispute")
        return reading.told(session, found)


def _bills(order: Followed) -> set[uuid.UUID]:
    return {invoice.id for invoice in order.invoices}


def _page(base: str, found: Told, form: MessageForm | None = None) -> str:
    here = f"{base}/disputes/{found.dispute.public_id}"
    return page(
        "storefront/dispute.html",
        base=here,
        messages=words.talk(found, here, with_pictures=False),
        **words.facts(found, f"{base}/bills", form),
    )


@order_disputes.get("/disputes/<dispute_id>")
@allow(Who.EVERYBODY, Guard.NONE)
def show(public_id: str, token: str, dispute_id: str) -> str:
    """Where it stands, and what was said."""
    order = followed(public_id, token)
    return _page(f"/o/{public_id}/{token}", _told(order, _account(order), dispute_id))


@order_disputes.post("/disputes/<dispute_id>/messages")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def write(public_id: str, token: str, dispute_id: str) -> str | Response | tuple[str, int]:
    """Add something."""
    order, base = followed(public_id, token), f"/o/{public_id}/{token}"
    account, form = _account(order), MessageForm(request.form)
    found = _told(order, account, dispute_id)
    text, named = form.text.data or "", form.once.data or ""
    try:
        talk_about_dispute.write(
            house(), dispute_id, _author(account), text, [account.id], named=named
        )
    except Invalid as error:
        show_errors(form, error)
        return _page(base, found, form), 422
    say("Your message is with us. We answer by mail.")
    return redirect(f"{base}/disputes/{dispute_id}#messages", 303)


@order_disputes.post("/disputes/<dispute_id>/withdraw")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def withdraw(public_id: str, token: str, dispute_id: str) -> Response:
    """Take it back."""
    order = followed(public_id, token)
    account = _account(order)
    _told(order, account, dispute_id)
    try:
        talk_about_dispute.withdraw(house(), dispute_id, "guest", [account.id])
        say("You took it back. The bill is as it was.")
    except DisputeOver as error:
        say(str(error), "warn")
    return redirect(f"/o/{public_id}/{token}/disputes/{dispute_id}", 303)


def leads(order: Followed, base: str, invoice: Invoice) -> dict[int, dict[str, Any]]:
    """What leads from each line of a bill: to dispute it, or to its dispute; by a log-in where one can."""
    with house().db.snapshot() as session:
        has_members = addressing.has_members(session, order.order.payer_account_id)
        numbers, known = reading.on_lines(session, invoice)
    if has_members:
        return words.lines_of_bill(numbers, known, f"/account/bills/{invoice.public_id}")
    href = f"{base}/bills/{invoice.public_id}"
    return words.lines_of_bill(numbers, known, href, f"{base}/disputes")
