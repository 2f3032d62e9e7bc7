"""The account's quotes: the list, and one to read, compare, ask about, accept or decline."""

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from cart.quotes import reading
from cart.quotes.reading import Told
from core.parties import accounts
from web import limits, paging, quote_answers
from web import quotes as pages
from web.access import Who, allow
from web.context import house
from web.login import own_accounts, person
from web.pages import page
from web.quotes import Door

quotes = Blueprint(
    "portal_quotes", __name__, url_prefix="/account/quotes", template_folder="templates"
)
PAGE_SIZE = 25


@quotes.get("")
@allow(Who.CUSTOMER)
def listed() -> str:
    """All quotes of theirs, the newest first."""
    who = person()
    assert who is not None
    before = paging.read_moment(request.args.get("before"))
    mine = [account.id for account in own_accounts()]
    with house().db.reading() as session:
        found = reading.of_accounts(session, mine, who.key, before=before, limit=PAGE_SIZE + 1)
    rows = found[:PAGE_SIZE]
    more = len(found) > PAGE_SIZE
    following = paging.write(rows[-1].requested_at, rows[-1].id) if more else None
    return page(
        "portal/quotes.html",
        quotes=pages.rows(rows, "/account/quotes"),
        page=paging.links("/account/quotes", "before", following, before is None),
    )


def _open(public_id: str) -> tuple[Door, Told]:
    """One of their quotes. NotFound for somebody else's. A mere viewer or payer may not answer."""
    who = person()
    assert who is not None
    mine = [account.id for account in own_accounts()]
    with house().db.snapshot() as session:
        quote = reading.one_of_accounts(session, public_id, mine, who.key)
        found = reading.told(session, quote)
        answers = quote.account_id is None or accounts.may_buy(session, who.key, quote.account_id)
    base = f"/account/quotes/{public_id}"
    return Door(base, is_guest=False, user_id=who.key, name=who.name, may_answer=answers), found


@quotes.get("/<public_id>")
@allow(Who.CUSTOMER)
def show(public_id: str) -> str:
    """The quote and what can be done with it."""
    return pages.show(*_open(public_id))


@quotes.get("/<public_id>/<int:number>.pdf")
@allow(Who.CUSTOMER)
def pdf(public_id: str, number: int) -> Response:
    """A version as it was stored."""
    return pages.pdf(_open(public_id)[1], number)


@quotes.get("/<public_id>/compare")
@allow(Who.CUSTOMER)
def compare(public_id: str) -> str:
    """Two versions side by side."""
    return pages.compare(*_open(public_id))


@quotes.get("/<public_id>/accept")
@allow(Who.CUSTOMER)
def accepting(public_id: str) -> str | AnyResponse:
    """The form to accept."""
    return quote_answers.accepting(*_open(public_id))


@quotes.post("/<public_id>/accept")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def accept(public_id: str) -> str | AnyResponse | tuple[str | AnyResponse, int]:
    """Accept a version."""
    return quote_answers.accept(*_open(public_id))


@quotes.get("/<public_id>/decline")
@allow(Who.CUSTOMER)
def declining(public_id: str) -> str | AnyResponse:
    """The form to decline."""
    return quote_answers.declining(*_open(public_id))


@quotes.post("/<public_id>/decline")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def decline(public_id: str) -> str | AnyResponse | tuple[str | AnyResponse, int]:
    """Say no."""
    return quote_answers.decline(*_open(public_id))


@quotes.post("/<public_id>/messages")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def write(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Ask back."""
    return quote_answers.write(*_open(public_id))
