"""Payments on a date: plan one, change it, cancel it, and what became of them."""

import hashlib
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.money import Money
from core.parties.models import Account
from flows import charge_terms, schedule_payment, see_cards
from flows.schedule_payment import Wish
from invoices import reading as invoices
from payments import methods, scheduled
from payments.automatic_models import ScheduledPayment
from portal import choosing
from portal.card_forms import ScheduleForm
from web import limits, paging
from web import wallet as shown
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import own_accounts, person
from web.pages import page, show_errors

BASE = "/account/scheduled"
scheduled_ = Blueprint("scheduled", __name__, url_prefix=BASE, template_folder="templates")
PAGE_SIZE = 25
Answer = str | Response | tuple[str, int]


@scheduled_.get("")
@allow(Who.CUSTOMER)
def listed() -> str:
    """Every payment that was planned, retried or made by AutoPay, the newest first."""
    account = choosing.account()
    if account is None:
        return page("portal/no_account.html")
    before = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        rows = scheduled.listing(session, [account.id], before=before, limit=PAGE_SIZE + 1)
        seen = see_cards.planned(session, house(), account, rows[:PAGE_SIZE])
    last = rows[PAGE_SIZE - 1] if len(rows) > PAGE_SIZE else None
    following = paging.write(last.created_at, last.id) if last is not None else None
    path = f"{BASE}?account={account.number}"
    return page(
        "portal/scheduled.html",
        **choosing.shown(account, BASE),
        payments=[shown.payment(one) for one in seen],
        page=paging.links(path, "before", following, before is None),
    )


@scheduled_.get("/new")
@allow(Who.CUSTOMER)
def new() -> Answer:
    """What, when and with which card."""
    return _new()


@scheduled_.post("/new")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def plan() -> Answer:
    """What that means, then agreeing to it."""
    return _new()


def _new() -> Answer:
    account = choosing.account()
    if account is None:
        return page("portal/no_account.html")
    return _plan(account, None)


@scheduled_.get("/<public_id>/change")
@allow(Who.CUSTOMER)
def replan(public_id: str) -> Answer:
    """The same for one that is planned."""
    return _change(public_id)


@scheduled_.post("/<public_id>/change")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def change(public_id: str) -> Answer:
    """What the change means, then agreeing to it."""
    return _change(public_id)


def _change(public_id: str) -> Answer:
    row = _row(public_id)
    account = next(one for one in own_accounts() if one.id == row.account_id)
    if row.state != "planned" or row.origin != "customer":
        return redirect(f"{BASE}/{public_id}", 302 if request.method == "GET" else 303)
    return _plan(account, row)


def _plan(account: Account, row: ScheduledPayment | None) -> Answer:
    posted = request.method == "POST"
    form = ScheduleForm(request.form if posted else None, data=_known(account, row))
    with house().db.snapshot() as session:
        seen = see_cards.wallet(session, house(), account)
        owed = charge_terms.of_account(session, house(), account.id, account.currency)
        names = {
            one.id: one.public_id
            for one in invoices.some(session, [item.source_id for item, _ in owed])
        }
    form.offer(seen.usable)
    chosen = request.form.getlist("bill") if posted else request.args.getlist("bill")
    if row is not None and not posted:
        chosen = [
            names[item.source_id] for item, _ in owed if str(item.source_id) in row.invoice_ids
        ]
    facts: dict[str, Any] = {
        **choosing.shown(account, f"{BASE}/new"),
        "form": form,
        "bills": [
            {
                "id": names.get(item.source_id, ""),
                "number": item.number,
                "due": charge_terms.due_on(item),
                "open": amount,
                "chosen": names.get(item.source_id) in chosen,
            }
            for item, amount in owed
        ],
        "has_cards": bool(seen.usable),
        "here": f"{BASE}/{row.public_id}" if row is not None else BASE,
        "action": f"{BASE}/{row.public_id}/change" if row is not None else f"{BASE}/new",
        "first_day": seen.today + timedelta(days=1),
        "changing": row is not None,
        "foreseen": None,
    }
    if not posted or request.form.get("step") == "back":
        return page("portal/schedule.html", **facts)
    choosing.may_pay(account.id)
    try:
        if not form.validate():
            return page("portal/schedule.html", **facts), 422
        keys = {public: key for key, public in names.items()}
        wish = _wish(account, form, [keys[one] for one in chosen if one in keys])
        with house().db.snapshot() as session:
            found = schedule_payment.foresee(session, house(), wish)
        shown_ = same(found.text)
        if request.form.get("step") != "agree" or request.form.get("shown") != shown_:
            facts["foreseen"] = {
                "total": found.total,
                "text": found.text,
                "shown": shown_,
                "parts": [(item.number, amount) for item, amount in found.parts],
                "card": methods.label(found.method),
                "on": found.on,
            }
            facts["chosen"] = chosen
            return page("portal/schedule.html", **facts)
        made = (
            schedule_payment.plan(house(), wish)
            if row is None
            else schedule_payment.change(house(), row.public_id, wish)
        )
    except Invalid as error:
        show_errors(form, error)
        return page("portal/schedule.html", **facts), 422
    except NotFound:
        form.card.errors = ["Choose one of these cards."]
        return page("portal/schedule.html", **facts), 422
    except ShopError as error:
        say(str(error), "warn")
        return redirect(facts["here"], 303)
    say("Your payment is planned. We have sent you a mail with what you agreed to.")
    return redirect(f"{BASE}/{made.public_id}", 303)


def same(text: str) -> str:
    """What a form carries to tell which words were read."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _known(account: Account, row: ScheduledPayment | None) -> dict[str, Any]:
    if row is None:
        kind = "bills" if request.args.getlist("bill") else "balance"
        return {"kind": kind}
    with house().db.reading() as session:
        card = next(
            (
                one
                for one in methods.of_account(session, account.id)
                if one.id == row.payment_method_id
            ),
            None,
        )
    amount = str(Money(row.amount_minor, row.currency).decimal()) if row.amount_minor else ""
    return {
        "kind": row.wants,
        "amount": amount,
        "on": row.on_date,
        "card": card.public_id if card is not None else None,
        "revision": str(row.revision),
    }


def _wish(account: Account, form: ScheduleForm, bills: list[Any]) -> Wish:
    who = person()
    assert who is not None
    return Wish(
        account.id,
        who.key,
        form.card.data or "",
        form.kind.data or "",
        form.on.data,
        request.remote_addr or "",
        form.money(account.currency),
        bills,
        form.seen_revision,
    )


def _row(public_id: str) -> ScheduledPayment:
    with house().db.reading() as session:
        return scheduled.one(session, public_id, [row.id for row in own_accounts()])


@scheduled_.get("/<public_id>")
@allow(Who.CUSTOMER)
def one(public_id: str) -> str:
    """One payment: what it is for, what was agreed, every try."""
    row = _row(public_id)
    account = next(each for each in own_accounts() if each.id == row.account_id)
    with house().db.snapshot() as session:
        told = see_cards.told(session, house(), account, row)
        owed = {
            item.number: amount
            for item, amount in charge_terms.of_payment(session, house(), row)
            if row.closed_at is None
        }
    return page(
        "portal/scheduled_one.html",
        **choosing.shown(account, BASE),
        payment=shown.payment(told.planned),
        parts=list(owed.items()),
        agreed=told.agreed.text if told.agreed is not None else "",
        agreed_at=told.agreed.agreed_at if told.agreed is not None else None,
        tries=[
            shown.attempt(each) | {"amount": Money(each.amount_minor, each.currency)}
            for each in told.tries
        ],
    )


@scheduled_.get("/<public_id>/cancel")
@allow(Who.CUSTOMER)
def ask(public_id: str) -> str:
    """Is it not to be made?"""
    row = _row(public_id)
    account = next(each for each in own_accounts() if each.id == row.account_id)
    with house().db.snapshot() as session:
        (seen,) = see_cards.planned(session, house(), account, [row])
    return page(
        "portal/scheduled_cancel.html",
        **choosing.shown(account, BASE),
        payment=shown.payment(seen),
    )


@scheduled_.post("/<public_id>/cancel")
@allow(Who.CUSTOMER)
def cancel(public_id: str) -> Response:
    """It is not made."""
    row, who = _row(public_id), person()
    assert who is not None
    try:
        choosing.may_pay(row.account_id)
        schedule_payment.cancel(house(), public_id, [row.account_id], f"user:{who.key}")
    except ShopError as error:
        say(str(error), "warn")
    else:
        say("The payment is cancelled. Nothing is charged.")
    return redirect(f"{BASE}/{public_id}", 303)
