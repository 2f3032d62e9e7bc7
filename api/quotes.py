"""A customer's quotes, by a token of their own: asking, reading, writing, accepting, declining."""

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, callers, cursors, quote_answers, reading
from api.answers import Json
from api.callers import customer
from api.once import once
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from api.quote_shapes import QuoteAccept, QuoteAsk, QuoteDecline, QuoteQuery, QuoteWrite
from cart import address as addresses
from cart.checkout import CheckoutIncomplete
from cart.quotes import reading as quotes_
from cart.quotes.models import Quote
from core.kernel.errors import Forbidden, Invalid
from core.parties import accounts
from core.parties.models import User
from flows import accept_quote, ask_quote, talk_about_quote
from flows.accept_quote import Answer
from flows.ask_quote import Contact
from web.access import Guard, Who, allow
from web.context import house, web_settings

quotes = Blueprint("api_quotes", __name__, url_prefix="/api/v1/account/quotes")
quotes.after_request(add_headers)


def _one(session: Session, quote_id: str) -> Quote:
    wanted = reading.public_id(quote_id, "quote")
    mine = [row.id for row, _ in callers.own_accounts(session)]
    return quotes_.one_of_accounts(session, wanted, mine, callers.caller().user_id)


def _answerable(quote_id: str) -> str:
    """A quote that whoever asks may answer; its public id. Raises NotFound, Forbidden."""
    with house().db.reading() as session:
        found = _one(session, quote_id)
        who = callers.caller().user_id
        if found.account_id is not None and not accounts.may_buy(session, who, found.account_id):
            raise Forbidden
        return found.public_id


def _told(public_id: str) -> Json:
    with house().db.snapshot() as session:
        found = quotes_.told(session, _one(session, public_id))
        lines = quotes_.lines_of(session, found.versions)
        return quote_answers.quote(found, lines, house().clock.now())


@quotes.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("quotes:read")
def listed() -> Response:
    """All quotes of theirs, the newest first."""
    query, now = reading.query(QuoteQuery), house().clock.now()
    before = cursors.read_moment(web_settings().secret_key, query.cursor)
    with house().db.reading() as session:
        mine = [row.id for row, _ in callers.own_accounts(session)]
        found = quotes_.of_accounts(
            session, mine, callers.caller().user_id, before=before, limit=query.page_size + 1
        )
    rows = found[: query.page_size]
    following = None
    if len(found) > len(rows):
        last = rows[-1]
        secret = web_settings().secret_key
        following = cursors.write_moment(secret, last.requested_at, last.id)
    return answers.respond(
        {
            "quotes": [quote_answers.summary(row, now) for row in rows],
            "next_cursor": following,
        }
    )


@quotes.get("/<quote_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("quotes:read")
def show(quote_id: str) -> Response:
    """One quote with its versions and messages."""
    return answers.respond(_told(quote_id))


@quotes.post("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("mail")
@customer("quotes:write")
def ask() -> Response:
    """Ask for a quote: of a cart, or of so many of one thing."""
    wish = reading.body(QuoteAsk)
    if (wish.cart_id is None) == (wish.sku is None):
        text = "Name a cart or an SKU, one of the two."
        raise InvalidRequest([field_error("cart_id", "one_of_two", text)])
    caller = callers.caller()
    with house().db.reading() as session:
        who = session.get_one(User, caller.user_id)
    contact = Contact(
        who.name,
        who.email,
        message=wish.message,
        sites=[addresses.clean(site.model_dump()) for site in wish.sites],
        user_id=caller.user_id,
    )

    def work() -> tuple[int, Json]:
        try:
            if wish.cart_id is not None:
                public_id = ask_quote.of_cart(house(), wish.cart_id, contact)
            else:
                public_id = ask_quote.of_product(house(), wish.sku or "", wish.quantity, contact)
        except Invalid as error:
            raise reading.refused(error) from None
        return 201, _told(public_id)

    status, body = once(f"ask-quote:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status, f"/api/v1/account/quotes/{body['id']}")


@quotes.post("/<quote_id>/accept")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("quotes:write")
def accept(quote_id: str) -> Response:
    """Accept a version: it becomes one order at exactly those prices."""
    wish, public_id = reading.body(QuoteAccept), _answerable(quote_id)
    answer = Answer(
        public_id,
        wish.version,
        wish.name,
        wish.role,
        wish.agrees,
        wish.payment,
        request.remote_addr or "",
        callers.caller().user_id,
        " ".join(wish.purchase_order.split()),
    )

    def work() -> tuple[int, Json]:
        try:
            placed = accept_quote.accept(house(), answer)
        except CheckoutIncomplete as error:
            raise reading.incomplete(error) from None
        return 201, {"order_id": placed.public_id, "redirect_url": placed.redirect_url}

    scope = f"accept-quote:{public_id}:{callers.caller().token_id.hex}"
    status, body = once(scope, wish, work)
    order_id = body["order_id"]
    token = house().links.order_token(order_id)
    return answers.respond({**body, "token": token}, status, f"/api/v1/orders/{order_id}")


@quotes.post("/<quote_id>/decline")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("quotes:write")
def decline(quote_id: str) -> Response:
    """Say no."""
    wish, public_id = reading.body(QuoteDecline), _answerable(quote_id)
    who = callers.caller().user_id

    def work() -> tuple[int, Json]:
        accept_quote.decline(
            house(), public_id, wish.version, wish.reason, wish.note, "", user_id=who
        )
        return 200, _told(public_id)

    scope = f"decline-quote:{public_id}:{callers.caller().token_id.hex}"
    status, body = once(scope, wish, work)
    return answers.respond(body, status)


@quotes.post("/<quote_id>/messages")
@allow(Who.PROGRAM, Guard.NONE)
@limit("mail")
@customer("quotes:write")
def write(quote_id: str) -> Response:
    """Ask back."""
    wish, public_id = reading.body(QuoteWrite), _answerable(quote_id)
    who = callers.caller().user_id
    with house().db.reading() as session:
        author = session.get_one(User, who).name

    def work() -> tuple[int, Json]:
        talk_about_quote.write(
            house(), public_id, "customer", wish.text, author=author, user_id=who
        )
        return 201, _told(public_id)

    scope = f"write-quote:{public_id}:{callers.caller().token_id.hex}"
    status, body = once(scope, wish, work)
    return answers.respond(body, status)
