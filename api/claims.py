"""A guest's order into one's own account, by a customer's token and the order's."""

from flask import Blueprint, Response

from api import answers, reading
from api.callers import caller, customer
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import ClaimWish
from flows import claim_order
from web.access import Guard, Who, allow
from web.context import house

claims = Blueprint("api_claims", __name__, url_prefix="/api/v1/account")
claims.after_request(add_headers)


@claims.post("/orders/claim")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("billing:write")
def claim() -> Response:
    """Put it in the account; the address of both has to be the same, and confirmed."""
    asked, user_id = reading.body(ClaimWish), caller().user_id

    def run() -> tuple[int, answers.Json]:
        number = claim_order.claim(house(), user_id, asked.order, asked.token)
        return 200, {"order": asked.order, "number": number}

    status, body = once(f"claim:{user_id.hex}", asked, run)
    return answers.respond(body, status)
