"""Writing a version of a quote at the desk: lines, places, discount, validity; and whom it is for."""

from dataclasses import replace
from datetime import timedelta

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from cart.quotes import drafting
from cart.quotes.models import Quote, QuoteVersion
from core.kernel.errors import Invalid, StaleState
from core.parties.roles import Role
from core.tax import rates
from desk.quote_forms import ContactForm, OfferForm, revision_of
from desk.taxes import actor
from flows import draft_quote, price_quote
from flows.draft_quote import Who as Whom
from web.access import Who, allow
from web.context import house, today
from web.flashes import say
from web.pages import page, show_errors

quote_editor = Blueprint(
    "desk_quote_editor", __name__, url_prefix="/desk/quotes", template_folder="templates"
)


@quote_editor.get("/<public_id>/edit")
@allow(Who.STAFF, roles=(Role.SALES,))
def edit(public_id: str) -> str | AnyResponse:
    """The version in the making as a form; without one there is nothing to write."""
    with house().db.snapshot() as session:
        quote = drafting.by_public_id(session, public_id)
        version = drafting.open_version(session, quote.id)
        if version is None:
            return redirect(f"/desk/quotes/{public_id}")
        offer = drafting.offer_of(session, version)
        if offer.valid_through is None:
            usual = today() + timedelta(days=house().rules.quotes.valid_days)
            offer = replace(offer, valid_through=usual)
        form = OfferForm.of(offer, version.revision, quote.currency)
        return _form(session, quote, version, form)


def _form(session: Session, quote: Quote, version: QuoteVersion, form: OfferForm) -> str:
    form.grow()
    return _page(session, quote, version, form)


def _page(
    session: Session, quote: Quote, version: QuoteVersion, form: OfferForm, stale: str = ""
) -> str:
    form.offer(rates.categories(session), _ways(session, quote, version))
    return page(
        "desk/quote_edit.html",
        form=form,
        customer=quote.company or quote.name,
        name=f"{quote.number}/{version.number}",
        currency=quote.currency,
        here=f"/desk/quotes/{quote.public_id}",
        was_approved=version.state in ("waiting", "approved"),
        stale=stale,
    )


def _ways(session: Session, quote: Quote, version: QuoteVersion) -> list[tuple[str, str]]:
    """The ways of delivery that its places offer."""
    paper = price_quote.paper(session, house(), quote, version, None, house().clock.now())
    found = {one.code: one.name for ways in paper.priced.choices for one in ways}
    return list(found.items())


@quote_editor.post("/<public_id>/edit")
@allow(Who.STAFF, roles=(Role.SALES,))
def change(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Keep what was written; then go on writing, with room for a place more, or look at it."""
    form = OfferForm(request.form)
    with house().db.snapshot() as session:
        quote = drafting.by_public_id(session, public_id)
        version = drafting.open_version(session, quote.id)
        if version is None:
            raise StaleState("quote", "draft")
        if "place" in request.form:
            form.sites.append_entry({})
            return _page(session, quote, version, form)
        form.offer(rates.categories(session), _ways(session, quote, version))
        valid = form.validate()
        draft, kept = form.wanted(quote.currency)
        if not valid or draft is None:
            return _page(session, quote, version, form), 422
        revision = revision_of(form.revision.data)
        try:
            draft_quote.change(house(), public_id, draft, revision, actor())
        except Invalid as error:
            form.show(error.fields_, kept)
            return _page(session, quote, version, form), 422
        except StaleState:
            stale = "Somebody else changed this quote while you wrote. What you wrote is below."
            return _page(session, quote, version, form, stale), 409
    where = "" if "look" in request.form else "/edit"
    return redirect(f"/desk/quotes/{public_id}{where}", 303)


@quote_editor.get("/<public_id>/contact")
@allow(Who.STAFF, roles=(Role.SALES,))
def contact(public_id: str) -> str:
    """Whom it is written to."""
    with house().db.reading() as session:
        quote = drafting.by_public_id(session, public_id)
    form = ContactForm(
        data={
            "name": quote.name,
            "email": quote.email,
            "company": quote.company,
            "phone": quote.phone,
            "vat_id": quote.vat_id or "",
        }
    )
    return _contact(quote, form)


def _contact(quote: Quote, form: ContactForm) -> str:
    here = f"/desk/quotes/{quote.public_id}"
    return page("desk/quote_contact.html", form=form, number=quote.number, here=here)


@quote_editor.post("/<public_id>/contact")
@allow(Who.STAFF, roles=(Role.SALES,))
def set_contact(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Change it."""
    form = ContactForm(request.form)
    with house().db.reading() as session:
        quote = drafting.by_public_id(session, public_id)
    if not form.validate():
        return _contact(quote, form), 422
    whom = Whom(
        form.name.data or "",
        form.email.data or "",
        form.company.data or "",
        form.phone.data or "",
        form.vat_id.data or "",
    )
    try:
        draft_quote.set_contact(house(), public_id, whom, actor())
    except Invalid as error:
        show_errors(form, error)
        return _contact(quote, form), 422
    say("Kept. What was sent keeps what it said.")
    return redirect(f"/desk/quotes/{public_id}", 303)
