"""AutoPay: start it with a card, see what it will charge, stop it."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import ShopError
from core.parties.models import Account
from flows import card_words, run_autopay, see_cards
from payments import methods
from portal import choosing
from portal.card_forms import CardForm
from web import limits
from web import wallet as shown
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import person
from web.pages import page

BASE = "/account/autopay"
autopay = Blueprint("autopay", __name__, url_prefix=BASE, template_folder="templates")


@autopay.get("")
@allow(Who.CUSTOMER)
def show() -> str:
    """Is it on, with which card, what comes next; or what starting it means."""
    account = choosing.account()
    if account is None:
        return page("portal/no_account.html")
    return _page(account, CardForm(request.args))


def _page(account: Account, form: CardForm) -> str:
    with house().db.snapshot() as session:
        seen = see_cards.wallet(session, house(), account)
        running = seen.rule.payment_method_id if seen.rule is not None else None
        fit = [card for card in seen.usable if card.id != running]
        form.offer(fit)
        chosen = next((card for card in fit if card.public_id == form.card.data), None)
        text = card_words.autopay(session, house(), account, chosen) if chosen is not None else ""
    current = next((card for card in seen.cards if card.id == running), None)
    return page(
        "portal/autopay.html",
        **choosing.shown(account, BASE),
        form=form,
        choices=len(fit),
        text=text,
        on=seen.rule is not None,
        card=methods.label(current) if current is not None else "",
        since=seen.rule.started_at if seen.rule is not None else None,
        agreed=seen.agreed.text if seen.agreed is not None else "",
        days=house().rules.cards.notice_days,
        coming=[shown.payment(one) for one in seen.waiting if one.row.origin == "autopay"],
    )


@autopay.post("")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def start() -> str | Response | tuple[str, int]:
    """Agree to it. Choosing another card first shows what that means."""
    account, form, who = choosing.payer(), CardForm(request.form), person()
    assert who is not None
    if request.form.get("step") == "show":
        return _page(account, form)
    if form.card.data and request.form.get("shown") != form.card.data:
        say("This is what that card means. Please read it, then agree.", "warn")
        return _page(account, form), 409
    try:
        with house().db.reading() as session:
            card = methods.one(session, form.card.data or "", [account.id])
        run_autopay.start(house(), card.id, who.key, request.remote_addr or "")
    except ShopError as error:
        form.card.errors = [str(error) if error.code == "autopay_runs" else "Choose a card."]
        return _page(account, form), 422
    say(f"AutoPay is on. {methods.label(card)} pays what is due, and we write to you before.")
    return redirect(f"{BASE}?account={account.number}", 303)


@autopay.get("/stop")
@allow(Who.CUSTOMER)
def ask() -> str:
    """Is it to be stopped?"""
    account = choosing.account()
    if account is None:
        return page("portal/no_account.html")
    with house().db.snapshot() as session:
        seen = see_cards.wallet(session, house(), account)
    return page(
        "portal/autopay_stop.html",
        **choosing.shown(account, f"{BASE}/stop"),
        on=seen.rule is not None,
        coming=[shown.payment(one) for one in seen.waiting if one.row.origin == "autopay"],
    )


@autopay.post("/stop")
@allow(Who.CUSTOMER)
def stop() -> Response:
    """Stop it."""
    account, who = choosing.payer(), person()
    assert who is not None
    if run_autopay.stop(house(), account.id, f"user:{who.key}"):
        say("AutoPay is off. Nothing more is charged by itself; please pay your bills yourself.")
    else:
        say("AutoPay was off already.", "warn")
    return redirect(f"{BASE}?account={account.number}", 303)
