"""Following an order with its own token, and asking to return something of it."""

from flask import Blueprint, Response

from api import answers, order_answers, reading
from api.once import once
from api.order_shapes import ReturnAsk
from api.pace import limit
from api.problems import TokenMissing, add_headers
from core.kernel.ids import same_token, token_hash
from core.orders import placing
from flows import ask_return as returning
from flows import follow_order
from flows.take_back import Asked
from web.access import Guard, Who, allow
from web.context import house

orders = Blueprint("api_orders", __name__, url_prefix="/api/v1/orders")
orders.after_request(add_headers)


@orders.get("/<order_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
def show(order_id: str) -> Response:
    """The order as it stands. Without its token nobody learns whether there is one."""
    wanted = _wanted(order_id)
    with house().db.snapshot() as session:
        found = placing.by_public_id(session, wanted)
        content = answers.order(follow_order.follow(session, found, with_pieces=False))
    return answers.respond(content)


@orders.post("/<order_id>/returns")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
def ask_return(order_id: str) -> Response:
    """Ask to return goods; staff answer, and the customer is told by mail."""
    key, wish = _wanted(order_id), reading.body(ReturnAsk)
    scope = f"ask-return:{key}"
    name = token_hash(f"{scope}:{reading.idempotency_key()}")[:48]
    pieces = {one.line: one.quantity for one in wish.lines}
    instead = {one.line: one.sku for one in wish.instead}
    asked = Asked(key, pieces, wish.reason, "usual", "guest", name, wish.note, instead)

    def work() -> tuple[int, answers.Json]:
        change = returning.ask(house(), asked)
        with house().db.snapshot() as session:
            found = follow_order.follow(session, placing.by_public_id(session, key))
        return 201, order_answers.asked(found, change.id)

    status, body = once(scope, wish, work)
    return answers.respond(body, status)


def _wanted(order_id: str) -> str:
    """The order that the address names, for who has its token. Raises TokenMissing."""
    wanted = reading.public_id(order_id, "order")
    if not same_token(reading.bearer(), house().links.order_token(wanted)):
        raise TokenMissing
    return wanted
