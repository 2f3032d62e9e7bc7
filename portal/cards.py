"""Cards on file: add one, choose the first, take one off, and let another one take its place."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import ShopError
from core.parties.models import Account
from flows import card_words, manage_cards, see_cards, set_up_method
from flows.card_uses import uses
from flows.manage_cards import CardNeeded, may_try_again
from flows.set_up_method import SetUpWish
from payments import methods, scheduled
from payments.gateway import GatewayError
from payments.models import PaymentMethod
from portal import choosing
from portal.card_forms import NEW, CardForm
from web import limits
from web import wallet as shown
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.forms import onward
from web.login import own_accounts, payable_accounts, person
from web.pages import page

BASE = "/account/cards"
cards = Blueprint("cards", __name__, url_prefix=BASE, template_folder="templates")
NO_ANSWER = "Our payment partner does not answer. Nothing was saved. Try again in a minute."


@cards.get("")
@allow(Who.CUSTOMER)
def listed() -> str:
    """The cards, what each is charged for, AutoPay, and the payments that wait."""
    account = choosing.account()
    if account is None:
        return page("portal/no_account.html")
    with house().db.snapshot() as session:
        seen = see_cards.wallet(session, house(), account)
        text = card_words.on_file(session, account)
    return page(
        "portal/cards.html",
        **choosing.shown(account, BASE),
        cards=[shown.card(card, seen) for card in seen.cards],
        autopay=seen.rule is not None,
        waiting=[shown.payment(each) for each in seen.waiting[:5]],
        text=text,
    )


@cards.post("/add")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def add() -> Response:
    """Off to the processor's page, which puts a card on file; back to where it was wanted."""
    account, who = choosing.payer(), person()
    assert who is not None
    done = onward(request.form.get("next"), f"{BASE}?account={account.number}")
    with house().db.reading() as session:
        address = request.remote_addr or ""
        wish = manage_cards.card_to_keep(session, account, who.key, address, done)
    return _set_up(wish, done)


def _set_up(wish: SetUpWish, back: str) -> Response:
    try:
        return redirect(set_up_method.begin(house(), wish), 303)
    except GatewayError:
        say(NO_ANSWER, "warn")
        return redirect(back, 303)


@cards.post("/<public_id>/default")
@allow(Who.CUSTOMER)
def first(public_id: str) -> Response:
    """This card is offered first."""
    who = person()
    assert who is not None
    _card(public_id)
    try:
        card = manage_cards.make_default(house(), public_id, payable_accounts(), f"user:{who.key}")
    except ShopError as error:
        say(str(error), "warn")
    else:
        say(f"{methods.label(card)} is your first choice now.")
    return redirect(BASE, 303)


@cards.get("/<public_id>/remove")
@allow(Who.CUSTOMER)
def ask(public_id: str) -> str:
    """Is it to be taken off file? Or what it is still needed for, and what to do about that."""
    card = _card(public_id)
    with house().db.snapshot() as session:
        needed = uses(session, [card])[card.id]
    return page(
        "portal/card_remove.html",
        name=methods.label(card),
        gone=card.state != "active",
        needed=[shown.use(each) for each in needed],
        here=f"{BASE}/{public_id}",
    )


@cards.post("/<public_id>/remove")
@allow(Who.CUSTOMER)
def remove(public_id: str) -> Response:
    """Off file."""
    who = person()
    assert who is not None
    _card(public_id)
    try:
        card = manage_cards.remove(house(), public_id, payable_accounts(), f"user:{who.key}")
    except CardNeeded:
        return redirect(f"{BASE}/{public_id}/remove", 303)
    except ShopError as error:
        say(str(error), "warn")
    else:
        say(f"{methods.label(card)} is off file. It can’t be charged any more.")
    return redirect(BASE, 303)


def _card(public_id: str) -> PaymentMethod:
    """A card of an account that they may pay for, on file or not any more."""
    with house().db.reading() as session:
        return methods.one(session, public_id, list(payable_accounts()))


def _account_of(card: PaymentMethod) -> Account:
    return next(row for row in own_accounts() if row.id == card.account_id)


# --- another card in its place --------------------------------------------------------------------


@cards.get("/<public_id>/instead")
@allow(Who.CUSTOMER)
def choose(public_id: str) -> str:
    """What was declined with it, what it is charged for, and the ways to put that right."""
    return _instead(_card(public_id), CardForm(request.args))


def _instead(card: PaymentMethod, form: CardForm) -> str:
    who = person()
    assert who is not None
    with house().db.snapshot() as session:
        seen = see_cards.wallet(session, house(), _account_of(card))
        form.offer(
            [other for other in seen.usable if other.id != card.id],
            with_new="Another card, put on file now",
        )
        chosen = next((one for one in seen.cards if one.public_id == form.card.data), None)
        consent = manage_cards.consent_instead(session, card, chosen, who.key, "")
        needed = uses(session, [card])[card.id]
    declined = [
        one
        for one in seen.waiting
        if one.row.payment_method_id == card.id
        and one.row.state in ("retrying", "waiting", "failed")
    ]
    return page(
        "portal/card_instead.html",
        form=form,
        name=methods.label(card),
        text=consent.text,
        declined=[
            shown.payment(one) | {"may_try_again": may_try_again(one.row)} for one in declined
        ],
        needed=[shown.use(each) for each in needed if each.kind != "retry"],
        here=f"{BASE}/{card.public_id}",
    )


@cards.post("/<public_id>/instead")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def instead(public_id: str) -> str | Response | tuple[str, int]:
    """Another card takes its place: one on file at once, a new one when it is on file."""
    card, form, who = _card(public_id), CardForm(request.form), person()
    assert who is not None
    address = request.remote_addr or ""
    if request.form.get("step") == "show":
        return _instead(card, form)
    if form.card.data and request.form.get("shown") != form.card.data:
        say("This is what that card means. Please read it, then agree.", "warn")
        return _instead(card, form), 409
    if form.card.data == NEW:
        with house().db.reading() as session:
            consent = manage_cards.consent_instead(session, card, None, who.key, address)
        return _set_up(
            SetUpWish(card.account_id, consent, BASE, f"{BASE}/{public_id}/instead"), BASE
        )
    try:
        mine = payable_accounts()
        manage_cards.instead(house(), public_id, form.card.data or "", mine, who.key, address)
    except ShopError:
        form.card.errors = ["Choose one of these cards."]
        return _instead(card, form), 422
    say("Done. What was declined is tried again now; you hear from us by mail.")
    return redirect(BASE, 303)


@cards.post("/<public_id>/again")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def again(public_id: str) -> Response:
    """Try a payment once more with the same card."""
    who = person()
    assert who is not None
    _card(public_id)
    key = request.form.get("payment", "")
    with house().db.reading() as session:
        scheduled.one(session, key, payable_accounts())
    try:
        manage_cards.try_again(house(), key, payable_accounts(), f"user:{who.key}")
    except ShopError as error:
        say(str(error), "warn")
    else:
        say("It is tried again now; you hear from us by mail.")
    return redirect(f"{BASE}/{public_id}/instead", 303)
