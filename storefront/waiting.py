"""Telling shoppers when something is back: asking for it, and the page that the mails' links open.

Links open, buttons change: nobody signs up anybody else, and a mail scanner changes nothing.
"""

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, StringField

from core.kernel.errors import Invalid, ShopError
from flows import wait_for_stock
from flows.wait_for_stock import Standing
from web import carts, limits
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page, show_errors

waiting = Blueprint("waiting", __name__, template_folder="templates")
_SENT = "Look into your mail: if this address is new to us for this, one link there puts you on the list."


class WaitForm(Form):
    """Where to write."""

    email = StringField("E-mail")


@waiting.get("/back-in-stock/<sku>")
@allow(Who.EVERYBODY)
def ask(sku: str) -> str:
    """Where shall we write?"""
    return _asking(sku, WaitForm())


def _asking(sku: str, form: WaitForm) -> str:
    with house().db.reading() as session:
        variant, product = wait_for_stock.wanted(session, sku)
    return page("storefront/wait.html", variant=variant, product=product, form=form)


@waiting.post("/back-in-stock/<sku>")
@allow(Who.EVERYBODY)
@limits.limit("mail")
def put(sku: str) -> str | Response | tuple[str, int]:
    """The same answer for every address."""
    form = WaitForm(request.form)
    try:
        wait_for_stock.ask(house(), channel()[0], sku, (form.email.data or "").strip())
    except Invalid as error:
        show_errors(form, error)
        return _asking(sku, form), 422
    say(_SENT)
    return redirect(f"/back-in-stock/{sku}", 303)


@waiting.get("/w/<public_id>/<token>")
@allow(Who.EVERYBODY)
def show(public_id: str, token: str) -> str:
    """Somebody's place in the line, and its buttons."""
    found = _standing(public_id, token)
    now, wait = house().clock.now(), found.wait
    kept = wait.state == "offered" and wait.offered_until is not None and wait.offered_until > now
    over = wait.state == "let_go" or (wait.state == "offered" and not kept)
    return page(
        "storefront/wait_one.html",
        found=found,
        state="kept" if kept else "over" if over else wait.state,
        here=f"/w/{public_id}/{token}",
    )


def _standing(public_id: str, token: str) -> Standing:
    with house().db.reading() as session:
        return wait_for_stock.look(session, house(), public_id, token)


@waiting.post("/w/<public_id>/<token>/confirm")
@allow(Who.EVERYBODY)
def confirm(public_id: str, token: str) -> Response:
    """It was they."""
    _standing(public_id, token)
    wait_for_stock.confirm(house(), public_id)
    return redirect(f"/w/{public_id}/{token}", 303)


@waiting.post("/w/<public_id>/<token>/leave")
@allow(Who.EVERYBODY)
def leave(public_id: str, token: str) -> Response:
    """They want to hear no more."""
    _standing(public_id, token)
    wait_for_stock.leave(house(), public_id)
    return redirect(f"/w/{public_id}/{token}", 303)


@waiting.post("/w/<public_id>/<token>/take")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def take(public_id: str, token: str) -> Response:
    """Into this browser's cart with what is kept for them."""
    _standing(public_id, token)

    def work(session: Session) -> None:
        cart = carts.ready_to_fill(session)
        wait_for_stock.take(session, house(), cart, public_id, house().clock.now())

    try:
        house().db.run_tx(work)
    except ShopError as error:
        say(str(error), "warn")
        return redirect(f"/w/{public_id}/{token}", 303)
    return redirect("/cart", 303)
