"""Orders that are held, by a key of the desk: let go, and which are."""

from flask import Blueprint, Response

from api import answers, order_answers, reading
from api import order_shapes as shapes
from api.callers import caller, staff
from api.desk_orders import done
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from api.shapes import Nothing
from core.kernel.errors import Invalid
from core.orders.screening import Rules
from core.parties.models import Channel
from flows import approve_order, screen_order
from web.access import Guard, Who, allow
from web.context import channel, house

desk_checks = Blueprint("api_desk_checks", __name__, url_prefix="/api/v1/desk")
desk_checks.after_request(add_headers)


@desk_checks.post("/orders/<order_id>/approve")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:approve")
def approve(order_id: str) -> Response:
    """Let a held order go."""
    wish = reading.body(Nothing, optional=True)
    return done(
        "approve",
        order_id,
        wish,
        lambda key, name: approve_order.approve(house(), key, caller().actor),
    )


@desk_checks.get("/order-checks")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:read")
def rules() -> Response:
    """Which orders are held."""
    return answers.respond(_rules())


def _rules() -> answers.Json:
    with house().db.reading() as session:
        here = session.get_one(Channel, channel()[0].id)
        return order_answers.check_rules(Rules.of(here.screening), here.currency)


@desk_checks.put("/order-checks")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:approve")
def set_rules() -> Response:
    """Set which."""
    wish, here = reading.body(shapes.CheckRules), channel()[0]
    amounts: dict[str, int | None] = {}
    for name in ("amount_from", "first_from"):
        money = getattr(wish, name)
        if money is not None and money.currency != here.currency:
            raise InvalidRequest([field_error(name, "invalid", f"In {here.currency}.")])
        amounts[name] = money.amount if money is not None else None
    rules = Rules(**amounts, other_country=wish.other_country, most_a_day=wish.most_a_day)
    try:
        screen_order.set_rules(house(), here.id, rules, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None
    return answers.respond(_rules())
