"""Following an order with its own token."""

from flask import Blueprint, Response

from api import answers, reading
from api.pace import limit
from api.problems import TokenMissing, add_headers
from core.kernel.ids import same_token
from core.orders import placing
from flows import follow_order
from web.access import Guard, Who, allow
from web.context import house

orders = Blueprint("api_orders", __name__, url_prefix="/api/v1/orders")
orders.after_request(add_headers)


@orders.get("/<order_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
def show(order_id: str) -> Response:
    """The order as it stands. Without its token nobody learns whether there is one."""
    wanted = reading.public_id(order_id, "order")
    if not same_token(reading.bearer(), house().links.order_token(wanted)):
        raise TokenMissing
    with house().db.snapshot() as session:
        found = placing.by_public_id(session, wanted)
        content = answers.order(follow_order.follow(session, found, with_pieces=False))
    return answers.respond(content)
