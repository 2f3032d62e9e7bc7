"""Asking for a quote, of a cart or of one product, and the quote by its link: whoever holds the token."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import FieldList, Form, FormField, HiddenField, StringField, TextAreaField

from cart import lines
from cart.quotes import drafting, reading
from cart.quotes.models import MOST_PIECES
from cart.quotes.reading import Told
from cart.quotes.refusals import NothingToQuote
from core.catalog import products
from core.catalog.products import UnknownSku
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.ids import new_public_id, same_token
from flows import ask_quote, taxing
from flows.ask_quote import Contact
from web import carts, limits, places, quote_answers, quotes
from web.access import Guard, Who, allow
from web.context import channel, house
from web.flashes import say
from web.login import person
from web.pages import page
from web.places import PlaceForm
from web.quotes import Door

quote = Blueprint("quote", __name__, template_folder="templates")
#: So many places are asked for on the shop's form; staff can add more.
MOST_PLACES = 8


class AskForm(Form):
    """Who asks, for which places, and in their own words."""

    name = StringField("Your name")
    email = StringField("E-mail")
    company = StringField("Company")
    phone = StringField("Phone")
    vat_id = StringField("VAT id")
    message = TextAreaField("What should we know?")
    sites = FieldList(FormField(PlaceForm), max_entries=MOST_PLACES)
    sku = HiddenField()
    quantity = HiddenField()
    once = HiddenField()


@quote.get("/quote")
@allow(Who.EVERYBODY)
def ask() -> str | AnyResponse:
    """The form, for the cart or for the product that the address names."""
    who = person()
    known = {"name": who.name, "email": who.email} if who is not None else {}
    asked = {name: request.args.get(name, "")[:60] for name in ("sku", "quantity")}
    form = AskForm(data={**known, **asked, "once": new_public_id(), "sites": [{}]})
    return _form(form)


def _form(form: AskForm, problem: str = "") -> str | AnyResponse:
    wanted = _wanted(form)
    if not wanted:
        say("There is nothing to quote yet: put something in your cart first.", "warn")
        return redirect("/cart", 303)
    for entry in form.sites:
        places.offer(entry.form)
    if not taxing.asks_vat_id(channel()[1].country) and "vat_id" in form:
        del form.vat_id
    return page(
        "storefront/quote_ask.html",
        form=form,
        wanted=wanted,
        problem=problem,
        may_add=len(form.sites) < MOST_PLACES,
    )


def _wanted(form: AskForm) -> list[tuple[str, int]]:
    """What is asked for, as name and number; nothing when there is no such thing."""
    with house().db.reading() as session:
        if form.sku.data:
            try:
                variant = products.variant(session, form.sku.data)
            except UnknownSku:
                return []
            return [(variant.name, _quantity(form))]
        mine = carts.find(session)
        if mine is None:
            return []
        return [
            (variant.name, line.quantity)
            for line, variant, _ in lines.contents(session, mine)
            if variant.kind != "gift_card"
        ]


def _quantity(form: AskForm) -> int:
    text = form.quantity.data or "1"
    return min(max(int(text), 1), MOST_PIECES) if text.isdecimal() and len(text) < 6 else 1


@quote.post("/quote")
@allow(Who.EVERYBODY)
@limits.limit("mail", exempt_when=lambda: "more" in request.form)
def send() -> str | AnyResponse | tuple[str | AnyResponse, int]:
    """Ask; or, with the other button, show room for another place."""
    form = AskForm(request.form)
    if "more" in request.form:
        form.sites.append_entry({})
        return _form(form)
    sites = _sites(form)
    if sites is None:
        return _form(form), 422
    try:
        public_id = _ask(form, replace(_contact(form), sites=sites))
    except Invalid as error:
        _show(form, error)
        return _form(form), 422
    except NothingToQuote:
        return _form(form)
    except NotFound:
        return _form(form)
    except ShopError as error:
        return _form(form, str(error)), 409
    say("Thank you. We have your request, and answer by mail.")
    return redirect(f"/q/{public_id}/{house().links.quote_token(public_id)}", 303)


def _sites(form: AskForm) -> tuple[dict[str, str], ...] | None:
    """The places that were typed; None when one is wrong, which then stands with its field."""
    found, right = [], True
    for entry in form.sites:
        places.offer(entry.form)
        site = places.read(entry.form)
        if site is None:
            continue
        problems = ask_quote.site_problems(site)
        places.wrong(entry.form, problems)
        right = right and not problems
        found.append(site)
    return tuple(found) if right else None


def _contact(form: AskForm) -> Contact:
    who = person()
    return Contact(
        name=form.name.data or "",
        email=form.email.data or "",
        company=form.company.data or "",
        phone=form.phone.data or "",
        message=form.message.data or "",
        vat_id=(form.vat_id.data if "vat_id" in form else "") or "",
        user_id=who.key if who is not None else None,
    )


def _ask(form: AskForm, contact: Contact) -> str:
    named = form.once.data or ""
    if form.sku.data:
        return ask_quote.of_product(house(), form.sku.data, _quantity(form), contact, named)
    return ask_quote.of_cart(house(), _cart_id(), contact, named)


def _cart_id() -> str:
    with house().db.reading() as session:
        mine = carts.find(session)
    return mine.public_id if mine is not None else ""


def _show(form: AskForm, error: Invalid) -> None:
    for name, text in error.fields_.items():
        field: Any = form[name if name in form else "message"]
        field.errors = [*field.errors, text]


# --- by its link ----------------------------------------------------------------------------------


def _open(public_id: str, token: str) -> tuple[Door, Told]:
    """The quote, for the one who holds its token. NotFound for anybody else."""
    if not same_token(token, house().links.quote_token(public_id)):
        raise NotFound("quote")
    with house().db.snapshot() as session:
        found = reading.told(session, drafting.by_public_id(session, public_id))
    return Door(f"/q/{public_id}/{token}", is_guest=True, name=found.quote.name), found


@quote.get("/q/<public_id>/<token>")
@allow(Who.EVERYBODY)
def show(public_id: str, token: str) -> str:
    """The quote and what can be done with it."""
    return quotes.show(*_open(public_id, token))


@quote.get("/q/<public_id>/<token>/<int:number>.pdf")
@allow(Who.EVERYBODY, Guard.NONE)
def pdf(public_id: str, token: str, number: int) -> Response:
    """A version as it was stored."""
    return quotes.pdf(_open(public_id, token)[1], number)


@quote.get("/q/<public_id>/<token>/compare")
@allow(Who.EVERYBODY, Guard.NONE)
def compare(public_id: str, token: str) -> str:
    """Two versions side by side."""
    return quotes.compare(*_open(public_id, token))


@quote.get("/q/<public_id>/<token>/accept")
@allow(Who.EVERYBODY)
def accepting(public_id: str, token: str) -> str | AnyResponse:
    """The form to accept: opening it changes nothing."""
    return quote_answers.accepting(*_open(public_id, token))


@quote.post("/q/<public_id>/<token>/accept")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def accept(public_id: str, token: str) -> str | AnyResponse | tuple[str | AnyResponse, int]:
    """Accept a version."""
    return quote_answers.accept(*_open(public_id, token))


@quote.get("/q/<public_id>/<token>/decline")
@allow(Who.EVERYBODY)
def declining(public_id: str, token: str) -> str | AnyResponse:
    """The form to decline."""
    return quote_answers.declining(*_open(public_id, token))


@quote.post("/q/<public_id>/<token>/decline")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def decline(public_id: str, token: str) -> str | AnyResponse | tuple[str | AnyResponse, int]:
    """Say no."""
    return quote_answers.decline(*_open(public_id, token))


@quote.post("/q/<public_id>/<token>/messages")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def write(public_id: str, token: str) -> str | AnyResponse | tuple[str, int]:
    """Ask back."""
    return quote_answers.write(*_open(public_id, token))
