"""Everybody's cards, AutoPay and planned payments, by a key of the desk. Reads only."""

from flask import Blueprint, Response

from api import answers, card_answers, reading
from api.callers import staff
from api.card_shapes import ScheduledQuery
from api.pace import limit
from api.problems import add_headers
from api.scheduled import page
from core.parties import accounts
from core.parties.models import Account
from flows import see_cards
from web.access import Guard, Who, allow
from web.context import house

desk_cards = Blueprint("api_desk_cards", __name__, url_prefix="/api/v1/desk/accounts")
desk_cards.after_request(add_headers)


def _account(number: str) -> Account:
    with house().db.reading() as session:
        return accounts.by_number(session, reading.account_number(number))


@desk_cards.get("/<account_number>/cards")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("payments:read")
def wallet(account_number: str) -> Response:
    """The cards of an account, the AutoPay rule, and the payments that wait or were declined."""
    account = _account(account_number)
    with house().db.snapshot() as session:
        seen = see_cards.wallet(session, house(), account)
        rule = seen.rule
        paying = next((c for c in seen.cards if rule and c.id == rule.payment_method_id), None)
    content = {
        "account": account.number,
        "cards": card_answers.cards(seen),
        "autopay_card": paying.public_id if paying is not None else None,
        "waiting": [card_answers.payment(account, one) for one in seen.waiting],
    }
    return answers.respond(content)


@desk_cards.get("/<account_number>/scheduled-payments")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("payments:read")
def payments(account_number: str) -> Response:
    """Everything that was planned, made by AutoPay or declined for an account, the newest first."""
    query = reading.query(ScheduledQuery)
    return answers.respond(page(_account(account_number), query))
