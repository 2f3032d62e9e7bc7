"""A customer's cards, AutoPay and payments on a date, by a token of their own."""

from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, callers, card_answers, cursors, reading
from api.answers import Json
from api.callers import customer
from api.card_shapes import (
    AccountQuery,
    AgreedPlan,
    AutoPayWish,
    CardWish,
    InsteadWish,
    OfAccount,
    PlanWish,
    ScheduledQuery,
)
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.errors import Forbidden, Invalid, NotFound
from core.kernel.money import Money
from core.parties.models import Account
from flows import (
    card_words,
    manage_cards,
    run_autopay,
    schedule_payment,
    see_cards,
    set_up_method,
)
from flows.card_uses import uses
from flows.schedule_payment import Wish
from flows.set_up_method import SetUpWish
from flows.start_trial import WordsChanged
from invoices import reading as invoices
from payments import methods, scheduled
from payments.automatic_models import ScheduledPayment
from payments.models import PaymentMethod
from web.access import Guard, Who, allow
from web.context import house, web_settings

cards = Blueprint("api_cards", __name__, url_prefix="/api/v1/account")
cards.after_request(add_headers)
READ, WRITE = "payments:read", "payments:write"


def _account(session: Session, number: str | None, *, to_pay: bool = False) -> Account:
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


def _payment(session: Session, payment_id: str, *, to_pay: bool = False) -> ScheduledPayment:
    mine = {row.id: may for row, may in callers.own_accounts(session)}
    row = scheduled.one(session, reading.public_id(payment_id, "payment"), mine)
    if to_pay and not mine[row.account_id]:
        raise Forbidden
    return row


def _check(shown: str, text: str) -> None:
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
        account = _account(session, query.account)
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
            account = _account(session, wish.account, to_pay=True)
            _check(wish.shown, card_words.on_file(session, account))
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
        account = _account(session, number)
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
            account = _account(session, wish.account, to_pay=True)
            method = methods.one(session, wish.card, [account.id])
            _check(wish.shown, card_words.autopay(session, house(), account, method))
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
        account = _account(session, wish.account, to_pay=True)
    run_autopay.stop(house(), account.id, callers.caller().actor)
    return answers.respond(_autopay(account.number))


# --- payments on a date ---------------------------------------------------------------------------


@cards.get("/scheduled-payments")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer(READ)
def payments() -> Response:
    """What is planned, was made by AutoPay, or was declined, the newest first."""
    query = reading.query(ScheduledQuery)
    with house().db.reading() as session:
        account = _account(session, query.account)
    return answers.respond(page(account, query))


def page(account: Account, query: ScheduledQuery) -> Json:
    """A page of an account's payments."""
    secret = web_settings().secret_key
    before = cursors.read_moment(secret, query.cursor)
    with house().db.snapshot() as session:
        rows = scheduled.listing(
            session,
            [account.id],
            states=[query.state] if query.state else (),
            before=before,
            limit=query.page_size + 1,
        )
        seen = see_cards.planned(session, house(), account, rows[: query.page_size])
    following = None
    if len(rows) > query.page_size:
        last = rows[query.page_size - 1]
        following = cursors.write_moment(secret, last.created_at, last.id)
    return {
        "payments": [card_answers.payment(account, one) for one in seen],
        "next_cursor": following,
    }


def _detail(payment_id: str) -> Json:
    with house().db.snapshot() as session:
        row = _payment(session, payment_id)
        account = session.get_one(Account, row.account_id)
        told = see_cards.told(session, house(), account, row)
    return card_answers.detail(account, told)


@cards.get("/scheduled-payments/<payment_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer(READ)
def payment(payment_id: str) -> Response:
    """One payment, what was agreed, and every try."""
    return answers.respond(_detail(payment_id))


def _wish(session: Session, account: Account, asked: PlanWish) -> Wish:
    keys = [invoices.one(session, bill, [account.id]).id for bill in asked.bills]
    amount = Money(asked.amount.amount, asked.amount.currency) if asked.amount else None
    return Wish(
        account.id,
        callers.caller().user_id,
        asked.card,
        asked.kind,
        asked.on,
        request.remote_addr or "",
        amount,
        keys,
        asked.revision if isinstance(asked, AgreedPlan) else None,
    )


def _foreseen(asked: PlanWish, number: str | None) -> tuple[Wish, schedule_payment.Foreseen]:
    with house().db.snapshot() as session:
        wish = _wish(session, _account(session, number, to_pay=True), asked)
        try:
            return wish, schedule_payment.foresee(session, house(), wish)
        except Invalid as error:
            raise reading.refused(error) from None


@cards.post("/scheduled-payments/preview")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer(READ)
def preview() -> Response:
    """What a plan would take, and what is agreed by it; nothing changes."""
    asked = reading.body(PlanWish)
    return answers.respond(card_answers.foreseen(_foreseen(asked, asked.account)[1]))


@cards.post("/scheduled-payments")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def plan() -> Response:
    """Plan a payment under the words that the preview showed."""
    asked, caller = reading.body(AgreedPlan), callers.caller()

    def work() -> tuple[int, Json]:
        wish, found = _foreseen(asked, asked.account)
        _check(asked.shown, found.text)
        made = schedule_payment.plan(house(), replace(wish, revision=None))
        return 201, _detail(made.public_id)

    status, body = once(f"plan-payment:{caller.token_id.hex}", asked, work)
    return answers.respond(body, status, f"/api/v1/account/scheduled-payments/{body['id']}")


@cards.post("/scheduled-payments/<payment_id>/change")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def change(payment_id: str) -> Response:
    """Another day, amount or card, while it is planned."""
    asked, caller = reading.body(AgreedPlan), callers.caller()

    def work() -> tuple[int, Json]:
        with house().db.reading() as session:
            row = _payment(session, payment_id, to_pay=True)
            number = session.get_one(Account, row.account_id).number
        wish, found = _foreseen(asked, number)
        _check(asked.shown, found.text)
        schedule_payment.change(house(), row.public_id, wish)
        return 200, _detail(row.public_id)

    status, body = once(f"replan:{payment_id}:{caller.token_id.hex}", asked, work)
    return answers.respond(body, status)


@cards.post("/scheduled-payments/<payment_id>/cancel")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def cancel(payment_id: str) -> Response:
    """It is not made; once more is no change."""
    reading.body(Nothing, optional=True)
    with house().db.reading() as session:
        row = _payment(session, payment_id, to_pay=True)
    actor = callers.caller().actor
    schedule_payment.cancel(house(), row.public_id, [row.account_id], actor)
    return answers.respond(_detail(row.public_id))


@cards.post("/scheduled-payments/<payment_id>/try-again")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def try_again(payment_id: str) -> Response:
    """Try one that was declined again now, with the same card."""
    reading.body(Nothing, optional=True)
    with house().db.reading() as session:
        row = _payment(session, payment_id, to_pay=True)
    actor = callers.caller().actor
    manage_cards.try_again(house(), row.public_id, [row.account_id], actor)
    return answers.respond(_detail(row.public_id))
