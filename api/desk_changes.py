"""Changes of placed orders by a key of the desk: what one would come to, and doing it as it was seen; and
giving money instead of an exchange."""

from flask import Blueprint, Response

from api import answers, reading
from api import change_shapes as shapes
from api.callers import caller, staff
from api.change_shapes import ChangeEdits
from api.desk_orders import done, return_of
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from api.shapes import Nothing
from cart import address
from core.kernel.errors import Invalid
from core.orders.models import Order
from flows import change_order, take_back
from flows.change_order import ChangeWish
from flows.edits import Added, Edits
from flows.plan_change import Plan
from web.access import Guard, Who, allow
from web.context import house

desk_changes = Blueprint("api_desk_changes", __name__, url_prefix="/api/v1/desk")
desk_changes.after_request(add_headers)


@desk_changes.post("/orders/<order_id>/changes/preview")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:read")
def preview(order_id: str) -> Response:
    """What a change would come to. Nothing is written."""
    wish = reading.body(shapes.ChangeEdits)
    try:
        found = change_order.preview(house(), reading.public_id(order_id, "order"), _edits(wish))
    except Invalid as error:
        raise reading.refused(error) from None
    return answers.respond(_told(*found))


@desk_changes.post("/orders/<order_id>/changes")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def change(order_id: str) -> Response:
    """Change an order as it was seen."""
    wish = reading.body(shapes.ChangeWish)
    edits = _edits(wish)

    def work(key: str, name: str) -> object:
        more = (wish.reason, wish.refund_to, caller().actor, name, wish.note)
        try:
            return change_order.change(house(), ChangeWish(key, edits, wish.token, *more))
        except Invalid as error:
            raise reading.refused(error) from None

    return done("change", order_id, wish, work)


@desk_changes.post("/returns/<return_id>/money")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def money(return_id: str) -> Response:
    """Nothing goes out instead of a return: its money goes back."""
    wish = reading.body(Nothing, optional=True)
    change_id, order_id, _ = return_of(return_id)
    return done(
        f"money:{change_id}",
        order_id,
        wish,
        lambda key, name: take_back.money_instead(house(), change_id, caller().actor),
    )


def _edits(wish: ChangeEdits) -> Edits:
    numbers = [one.line for one in wish.quantities] + [one.line for one in wish.swaps]
    twice = sorted({one for one in numbers if numbers.count(one) > 1})
    if twice:
        told = field_error("quantities", "invalid", f"Line {twice[0]} is named twice.")
        raise InvalidRequest([told])
    to = wish.shipping_address
    return Edits(
        {one.line: one.quantity for one in wish.quantities},
        {one.line: one.sku for one in wish.swaps},
        [Added(one.sku, one.quantity, one.place) for one in wish.added],
        address.clean(to.model_dump()) if to is not None else None,
        wish.shipping_method,
        wish.place,
    )


def _told(order: Order, plan: Plan) -> answers.Json:
    return {
        "token": plan.token,
        "lines": [
            {
                "line": row.line or None,
                "sku": row.sku,
                "name": row.name,
                "quantity_before": row.before,
                "quantity_after": row.after,
                "total_before": answers.money(row.was),
                "total_after": answers.money(row.will),
            }
            for row in plan.rows
        ],
        "credited": answers.money(plan.back),
        "billed": answers.money(plan.more),
        "tax": answers.money(plan.tax),
        "difference": answers.money(plan.difference),
        "recurring": [answers.recurring(one) for one in plan.recurring],
    }
