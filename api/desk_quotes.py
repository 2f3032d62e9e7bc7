"""Everybody's quotes, by a key of the desk: beginning, writing, approving, sending and taking back."""

from collections.abc import Callable
from decimal import Decimal

from flask import Blueprint, Response
from pydantic import BaseModel

from api import answers, callers, cursors, quote_answers, reading
from api.answers import Json
from api.callers import staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.quote_shapes import (
    ApprovalWish,
    Decision,
    DeskQuoteQuery,
    DraftLine,
    DraftWish,
    OfRevision,
    QuoteBegin,
    QuoteWrite,
    Withdrawal,
)
from api.shapes import Nothing
from cart import address as addresses
from cart.quotes import drafting
from cart.quotes import reading as quotes_
from cart.quotes.offer import Discount, Offer
from cart.quotes.reading import Filter
from cart.quotes.wanting import Wanted
from core.kernel.errors import Invalid
from core.kernel.money import MICROS
from core.kernel.sorting import Place
from core.parties.models import User
from flows import ask_quote, draft_quote, send_quote, talk_about_quote
from flows.ask_quote import Contact
from flows.draft_quote import Draft
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_quotes = Blueprint("api_desk_quotes", __name__, url_prefix="/api/v1/desk/quotes")
desk_quotes.after_request(add_headers)

#: Parts per million in a percent.
_PER_CENT = 10_000


def _told(public_id: str) -> Json:
    with house().db.snapshot() as session:
        found = quotes_.for_desk(session, drafting.by_public_id(session, public_id))
        making = [found.making] if found.making is not None else []
        lines = quotes_.lines_of(session, [*found.told.versions, *making])
        now = house().clock.now()
        return quote_answers.quote(found.told, lines, now, found.making, is_desk=True)


def _done(verb: str, quote_id: str, wish: BaseModel, work: Callable[[str, str], None]) -> Response:
    """Do it once for its Idempotency-Key, with the quote's id and who acts; answers the quote then."""
    public_id, actor = reading.public_id(quote_id, "quote"), callers.caller().actor

    def run() -> tuple[int, Json]:
        try:
            work(public_id, actor)
        except Invalid as error:
            raise reading.refused(error) from None
        return 200, _told(public_id)

    scope = f"{verb}:{public_id}:{callers.caller().token_id.hex}"
    status, body = once(scope, wish, run)
    return answers.respond(body, status)


@desk_quotes.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:read")
def listed() -> Response:
    """Everybody's quotes, the last asked for first."""
    query, now = reading.query(DeskQuoteQuery), house().clock.now()
    secret = web_settings().secret_key
    after = cursors.read_moment(secret, query.cursor)
    with house().db.reading() as session:
        found = quotes_.listing(
            session,
            Filter(tab=query.state or ""),
            now,
            place=Place("-asked", after),
            limit=query.page_size + 1,
        )
    rows = [quote for quote, _ in found[: query.page_size]]
    following = None
    if len(found) > len(rows):
        following = cursors.write_moment(secret, rows[-1].requested_at, rows[-1].id)
    content = [quote_answers.summary(row, now) for row in rows]
    return answers.respond({"quotes": content, "next_cursor": following})


@desk_quotes.get("/<quote_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:read")
def show(quote_id: str) -> Response:
    """One quote, with the version in the making."""
    return answers.respond(_told(reading.public_id(quote_id, "quote")))


@desk_quotes.post("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:write")
def begin() -> Response:
    """Begin a quote for an account or a new contact."""
    wish, caller = reading.body(QuoteBegin), callers.caller()
    contact = Contact(
        wish.name,
        wish.email,
        wish.company,
        wish.phone,
        vat_id=wish.vat_id,
        sites=[addresses.clean(site.model_dump()) for site in wish.sites],
    )

    def work() -> tuple[int, Json]:
        try:
            public_id = ask_quote.by_staff(house(), contact, wish.account or "", caller.user_id)
        except Invalid as error:
            raise reading.refused(error) from None
        return 201, _told(public_id)

    status, body = once(f"begin-quote:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status, f"/api/v1/desk/quotes/{body['id']}")


@desk_quotes.post("/<quote_id>/draft")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:write")
def draft(quote_id: str) -> Response:
    """Write the version in the making anew."""
    wish = reading.body(DraftWish)

    def work(public_id: str, actor: str) -> None:
        draft_quote.change(house(), public_id, _draft(wish), wish.revision, actor)

    return _done("draft-quote", quote_id, wish, work)


def _draft(wish: DraftWish) -> Draft:
    discount = Discount(
        ppm=int(Decimal(wish.discount_percent or 0) * _PER_CENT),
        minor=wish.discount_amount or 0,
        reason=wish.discount_reason,
    )
    offer = Offer(
        sites=tuple(addresses.clean(site.model_dump()) for site in wish.sites),
        discount=discount,
        valid_through=wish.valid_through,
        delivery_method=wish.delivery_method,
        delivery_minor=wish.delivery_amount,
        payment=wish.payment,
        note=wish.note,
    )
    return Draft([_wanted(line) for line in wish.lines], offer)


def _wanted(line: DraftLine) -> Wanted:
    return Wanted(
        sku=line.sku or "",
        name=line.name,
        quantity=line.quantity,
        price_micros=_micros(line.unit_price),
        term_months=line.term_months,
        cost_micros=_micros(line.unit_cost),
        tax_category=line.tax_category,
        site=line.site,
        numbers=tuple(line.numbers),
    )


def _micros(price: str | None) -> int | None:
    return None if price is None else int(Decimal(price) * MICROS)


@desk_quotes.post("/<quote_id>/versions")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:write")
def another(quote_id: str) -> Response:
    """Begin the next version, as the last one was."""
    wish = reading.body(Nothing, optional=True)
    return _done(
        "version-quote", quote_id, wish, lambda key, actor: draft_quote.another(house(), key, actor)
    )


@desk_quotes.post("/<quote_id>/approval")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:write")
def ask_approval(quote_id: str) -> Response:
    """Ask for a second person's word."""
    wish = reading.body(ApprovalWish)

    def work(public_id: str, actor: str) -> None:
        send_quote.ask_approval(house(), public_id, wish.revision, wish.note, actor)

    return _done("approval-quote", quote_id, wish, work)


@desk_quotes.post("/<quote_id>/decision")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:write")
def decide(quote_id: str) -> Response:
    """The second person's word; a key's maker is who gives it."""
    wish = reading.body(Decision)

    def work(public_id: str, actor: str) -> None:
        send_quote.decide(
            house(),
            public_id,
            wish.revision,
            approved=wish.approved,
            answer=wish.answer,
            actor=actor,
        )

    return _done("decide-quote", quote_id, wish, work)


@desk_quotes.post("/<quote_id>/send")
@allow(Who.PROGRAM, Guard.NONE)
@limit("mail")
@staff("quotes:write")
def send(quote_id: str) -> Response:
    """Freeze the version in the making, hold its stock, and mail it."""
    wish = reading.body(OfRevision)
    return _done(
        "send-quote",
        quote_id,
        wish,
        lambda key, actor: send_quote.send(house(), key, wish.revision, actor),
    )


@desk_quotes.post("/<quote_id>/withdraw")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("quotes:write")
def withdraw(quote_id: str) -> Response:
    """Take it back."""
    wish = reading.body(Withdrawal)
    return _done(
        "withdraw-quote",
        quote_id,
        wish,
        lambda key, actor: send_quote.withdraw(house(), key, wish.reason, wish.note, actor),
    )


@desk_quotes.post("/<quote_id>/messages")
@allow(Who.PROGRAM, Guard.NONE)
@limit("mail")
@staff("quotes:write")
def write(quote_id: str) -> Response:
    """Write to the customer."""
    wish, who = reading.body(QuoteWrite), callers.caller().user_id
    with house().db.reading() as session:
        author = session.get_one(User, who).name

    def work(public_id: str, _: str) -> None:
        talk_about_quote.write(house(), public_id, "staff", wish.text, author=author, user_id=who)

    return _done("write-quote", quote_id, wish, work)
