"""A customer's cards and AutoPay, by a token of their own."""

from collections.abc import Callable

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, callers, card_answers, reading
from api.answers import Json
from api.callers import customer
from api.card_shapes import (
    AccountQuery,
    AutoPayWish,
    CardWish,
    InsteadWish,
    OfAccount,
)
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.errors import Forbidden, NotFound
from core.parties.models import Account
from flows import (
    card_words,
    manage_cards,
    run_autopay,
    see_cards,
    set_up_method,
)
from flows.card_uses import uses
from flows.set_up_method import SetUpWish
from flows.start_trial import WordsChanged
from payments import methods
from payments.models import PaymentMethod
from web.access import Guard, Who, allow
from web.context import house

cards = Blueprint("api_cards", __name__, url_prefix="/api/v1/account")
cards.after_request(add_headers)
READ, WRITE = "payments:read", "payments:write"


def account_of(session: Session, number: str | None, *, to_pay: bool = False) -> Account:
    """One of theirs. Raises NotFound, and Forbidden for a viewer who wants to change something."""
    mine = callers.own_accounts(session)
    if number is None:
        found = next((pair for pair in mine if pair[1]), mine[0] if mine else None)
    else:
        found = next((pair for pair in mine if pair[0].number == number), None)
    if found is None:
        raise NotFound("account")
    if to_pay and not found[1]:
        raise Forbidden
    return found[0]


def _card(session: Session, card_id: str) -> PaymentMethod:
    """A card of an account that they may pay for."""
    mine = [row.id for row, may in callers.own_accounts(session) if may]
    return methods.one(session, reading.public_id(card_id, "card"), mine)


def check(shown: str, text: str) -> None:
    """Raises WordsChanged when other words were read than hold now."""
    if shown != card_answers.digest(text):
        raise WordsChanged


# --- cards ----------------------------------------------------------------------------------------


@cards.get("/cards")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer(READ)
def listed() -> Response:
    """The cards on file of an account."""
    query = reading.query(AccountQuery)
    with house().db.snapshot() as session:
        account = account_of(session, query.account)
        seen = see_cards.wallet(session, house(), account)
        keeping = card_words.on_file(session, account)
    content = {
        "account": account.number,
        "cards": card_answers.cards(seen),
        "keeping": card_answers.terms(keeping),
    }
    return answers.respond(content)


@cards.post("/cards")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def add() -> Response:
    """Where a card is put on file; nothing is charged there."""
    wish, caller = reading.body(CardWish), callers.caller()

    def work() -> tuple[int, Json]:
        with house().db.reading() as session:
            account = account_of(session, wish.account, to_pay=True)
            check(wish.shown, card_words.on_file(session, account))
            made = manage_cards.card_to_keep(
                session, account, caller.user_id, request.remote_addr or "", "/account/cards"
            )
        return 201, {"redirect_url": set_up_method.begin(house(), made)}

    status, body = once(f"add-card:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status)


def _one_card(public_id: str) -> Json:
    with house().db.snapshot() as session:
        method = _card(session, public_id)
        found = uses(session, [method])[method.id]
        first = methods.default(session, method.account_id)
    is_first = first is not None and first.id == method.id
    return card_answers.card(method, found, is_first=is_first)


@cards.post("/cards/<card_id>/default")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def first(card_id: str) -> Response:
    """This card is offered first."""
    return _with_card(card_id, manage_cards.make_default)


@cards.post("/cards/<card_id>/remove")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def remove(card_id: str) -> Response:
    """Off file; 409 `card_needed` while something is charged to it."""
    return _with_card(card_id, manage_cards.remove)


def _with_card(card_id: str, act: Callable[..., PaymentMethod]) -> Response:
    reading.body(Nothing, optional=True)
    with house().db.reading() as session:
        method = _card(session, card_id)
    act(house(), method.public_id, [method.account_id], callers.caller().actor)
    return answers.respond(_one_card(method.public_id))


@cards.post("/cards/<card_id>/instead")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def instead(card_id: str) -> Response:
    """Another card takes its place, and what was declined is tried at once."""
    wish, caller = reading.body(InsteadWish), callers.caller()

    def work() -> tuple[int, Json]:
        address = request.remote_addr or ""
        with house().db.reading() as session:
            method = _card(session, card_id)
            consent = manage_cards.consent_instead(session, method, None, caller.user_id, address)
        if wish.card is None:
            going = SetUpWish(method.account_id, consent, "/account/cards", "/account/cards")
            return 200, {"redirect_url": set_up_method.begin(house(), going)}
        mine = [method.account_id]
        manage_cards.instead(house(), method.public_id, wish.card, mine, caller.user_id, address)
        return 200, {"redirect_url": None}

    status, body = once(f"instead:{card_id}:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status)


# --- AutoPay --------------------------------------------------------------------------------------


def _autopay(number: str | None) -> Json:
    with house().db.snapshot() as session:
        account = account_of(session, number)
        seen = see_cards.wallet(session, house(), account)
        found = [
            {"card": one.public_id}
            | card_answers.terms(card_words.autopay(session, house(), account, one))
            for one in seen.usable
        ]
    rule = seen.rule
    current = next((one for one in seen.cards if rule and one.id == rule.payment_method_id), None)
    return {
        "account": account.number,
        "on": rule is not None,
        "card": current.public_id if current is not None else None,
        "since": answers.moment(rule.started_at) if rule is not None else None,
        "agreed": seen.agreed.text if seen.agreed is not None else None,
        "notice_days": house().rules.cards.notice_days,
        "terms": found,
    }


@cards.get("/autopay")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer(READ)
def show_autopay() -> Response:
    """Is it on, and what it would mean with each card."""
    return answers.respond(_autopay(reading.query(AccountQuery).account))


@cards.post("/autopay")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def start_autopay() -> Response:
    """Turn it on, or go over to another card."""
    wish, caller = reading.body(AutoPayWish), callers.caller()

    def work() -> tuple[int, Json]:
        with house().db.reading() as session:
            account = account_of(session, wish.account, to_pay=True)
            method = methods.one(session, wish.card, [account.id])
            check(wish.shown, card_words.autopay(session, house(), account, method))
        run_autopay.start(house(), method.id, caller.user_id, request.remote_addr or "")
        return 200, _autopay(account.number)

    status, body = once(f"autopay:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status)


@cards.post("/autopay/stop")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def stop_autopay() -> Response:
    """Turn it off; once more is no change."""
    wish = reading.body(OfAccount, optional=True)
    with house().db.reading() as session:
        account = account_of(session, wish.account, to_pay=True)
    run_autopay.stop(house(), account.id, callers.caller().actor)
    return answers.respond(_autopay(account.number))
