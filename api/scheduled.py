"""A customer's payments on a date, AutoPay's and declined ones, by a token of their own."""

from dataclasses import replace

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, callers, card_answers, cursors, reading
from api.answers import Json
from api.callers import customer
from api.card_shapes import AgreedPlan, PlanWish, ScheduledQuery
from api.cards import READ, WRITE, account_of, check
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.kernel.errors import Forbidden, Invalid
from core.kernel.money import Money
from core.parties.models import Account
from flows import manage_cards, schedule_payment, see_cards
from flows.schedule_payment import Wish
from invoices import reading as invoices
from payments import scheduled
from payments.automatic_models import ScheduledPayment
from web.access import Guard, Who, allow
from web.context import house, web_settings

scheduled_payments = Blueprint("api_scheduled_payments", __name__, url_prefix="/api/v1/account")
scheduled_payments.after_request(add_headers)


def _payment(session: Session, payment_id: str, *, to_pay: bool = False) -> ScheduledPayment:
    mine = {row.id: may for row, may in callers.own_accounts(session)}
    row = scheduled.one(session, reading.public_id(payment_id, "payment"), mine)
    if to_pay and not mine[row.account_id]:
        raise Forbidden
    return row


@scheduled_payments.get("/scheduled-payments")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer(READ)
def payments() -> Response:
    """What is planned, was made by AutoPay, or was declined, the newest first."""
    query = reading.query(ScheduledQuery)
    with house().db.reading() as session:
        account = account_of(session, query.account)
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


@scheduled_payments.get("/scheduled-payments/<payment_id>")
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
        wish = _wish(session, account_of(session, number, to_pay=True), asked)
        try:
            return wish, schedule_payment.foresee(session, house(), wish)
        except Invalid as error:
            raise reading.refused(error) from None


@scheduled_payments.post("/scheduled-payments/preview")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer(READ)
def preview() -> Response:
    """What a plan would take, and what is agreed by it; nothing changes."""
    asked = reading.body(PlanWish)
    return answers.respond(card_answers.foreseen(_foreseen(asked, asked.account)[1]))


@scheduled_payments.post("/scheduled-payments")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer(WRITE)
def plan() -> Response:
    """Plan a payment under the words that the preview showed."""
    asked, caller = reading.body(AgreedPlan), callers.caller()

    def work() -> tuple[int, Json]:
        wish, found = _foreseen(asked, asked.account)
        check(asked.shown, found.text)
        made = schedule_payment.plan(house(), replace(wish, revision=None))
        return 201, _detail(made.public_id)

    status, body = once(f"plan-payment:{caller.token_id.hex}", asked, work)
    return answers.respond(body, status, f"/api/v1/account/scheduled-payments/{body['id']}")


@scheduled_payments.post("/scheduled-payments/<payment_id>/change")
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
        check(asked.shown, found.text)
        schedule_payment.change(house(), row.public_id, wish)
        return 200, _detail(row.public_id)

    status, body = once(f"replan:{payment_id}:{caller.token_id.hex}", asked, work)
    return answers.respond(body, status)


@scheduled_payments.post("/scheduled-payments/<payment_id>/cancel")
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


@scheduled_payments.post("/scheduled-payments/<payment_id>/try-again")
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
