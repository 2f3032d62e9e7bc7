"""What accounts agreed to without having to: for their owner's token, and for keys of the desk."""

from flask import Blueprint, Response, request

from api import answers, reading
from api.callers import caller, customer, staff
from api.consent_shapes import WithdrawWish
from api.once import once
from api.pace import limit
from api.problems import add_headers
from cart import agreed
from cart.agreed import Agreed
from core.parties import accounts
from flows import withdraw_consent
from web.access import Guard, Who, allow
from web.context import house

consents = Blueprint("api_consents", __name__, url_prefix="/api/v1")
consents.after_request(add_headers)


@consents.get("/account/consents")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("billing:read")
def mine() -> Response:
    """Of the accounts that the token's owner owns."""
    return answers.respond(_mine())


def _mine() -> answers.Json:
    user_id = caller().user_id
    with house().db.snapshot() as session:
        owned = accounts.owned_by(session, user_id)
        numbers = {
            row.id: row.number for row in accounts.of_user(session, user_id) if row.id in owned
        }
        found = agreed.of_accounts(session, owned)
    return {"items": [_told(one, numbers[one.account_id]) for one in found]}


@consents.post("/account/consents/withdraw")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("billing:write")
def withdraw() -> Response:
    """Take one back."""
    wish, user_id = reading.body(WithdrawWish), caller().user_id

    def run() -> tuple[int, answers.Json]:
        ip = request.remote_addr or ""
        withdraw_consent.withdraw(house(), user_id, wish.account, wish.code, ip)
        return 200, _mine()

    status, body = once(f"withdraw:{user_id.hex}", wish, run)
    return answers.respond(body, status)


@consents.get("/desk/customers/<account_number>/consents")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("customers:read")
def of_customer(account_number: str) -> Response:
    """Of one customer."""
    with house().db.snapshot() as session:
        account = accounts.by_number(session, reading.account_number(account_number))
        found = agreed.of_accounts(session, [account.id])
    return answers.respond({"items": [_told(one, account.number) for one in found]})


def _told(one: Agreed, number: str) -> answers.Json:
    return {
        "account": number,
        "code": one.code,
        "version": one.version,
        "text": one.text,
        "given_at": answers.moment(one.given_at),
        "withdrawn_at": answers.moment(one.withdrawn_at) if one.withdrawn_at else None,
    }
