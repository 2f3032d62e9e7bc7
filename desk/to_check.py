"""Orders that are held until somebody has checked them: the list, the rules, and letting one go."""

from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, Form, IntegerField, StringField
from wtforms.validators import Optional

from core.kernel import sheet
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.orders import held
from core.orders.fulfilling import OrderNotHeld, OrderNotOpen
from core.orders.models import Order
from core.orders.screening import REASONS, Rules
from core.parties import users
from core.parties.models import Account, Channel
from core.parties.roles import Role
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from flows import approve_order, screen_order
from web.access import Who, allow
from web.context import channel, house
from web.documents import State
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/to-check"
to_check = Blueprint("desk_to_check", __name__, url_prefix="/desk", template_folder="templates")
_SEE = (Role.SALES, Role.BILLING, Role.SUPPORT)
_DECIDE = (Role.SALES, Role.BILLING)
TABS = {"waiting": "To check", "approved": "Approved", "cancelled": "Cancelled"}
LISTED = Listing(
    BASE,
    "order",
    held.SORTS,
    "held",
    (
        Choice("state", "State", list(TABS.items()), is_tabs=True),
        Choice("reason", "Why", list(REASONS.items()), "any"),
    ),
    head=(
        "order",
        "state",
        "held",
        "why",
        "customer",
        "account",
        "email",
        "currency",
        "due_now",
        "decided",
    ),
)
Answer = str | AnyResponse | tuple[str, int]


class RulesForm(Form):
    """Which orders are held; what is empty or not ticked holds none."""

    amount_from = StringField("Orders from this amount on")
    first_from = StringField("An account’s first order, from this amount on")
    other_country = BooleanField("Orders that are billed to one country and sent to another")
    most_a_day = IntegerField("So many orders by one e-mail address within a day", [Optional()])

    @classmethod
    def of(cls, rules: Rules, currency: str) -> "RulesForm":
        """The form with what holds now."""
        amounts = {
            name: Money(minor, currency).decimal()
            for name in ("amount_from", "first_from")
            if (minor := getattr(rules, name)) is not None
        }
        more = {"other_country": rules.other_country, "most_a_day": rules.most_a_day}
        return cls(data=amounts | more)

    def wanted(self, currency: str) -> Rules:
        """As it was typed. Raises Invalid by field."""
        amounts: dict[str, int | None] = {}
        for name in ("amount_from", "first_from"):
            text = (self[name].data or "").strip().replace(",", "")
            try:
                amounts[name] = Money.parse(text, currency).minor if text else None
            except ValueError:
                raise Invalid({name: "An amount like 500 or 120.50, or empty."}) from None
        return Rules(
            **amounts,
            other_country=bool(self.other_country.data),
            most_a_day=self.most_a_day.data,
        )


# --- the list -------------------------------------------------------------------------------------


@to_check.get("/to-check")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """What is held, the longest held first; and what was decided."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/to_check.html",
        rows=[_row(order, account) for order, account in rows],
        **LISTED.tabs("state", asked, None),
        **context,
    )


@to_check.get("/to-check.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_cells(*row) for row in rows))


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[tuple[Order, Account]]:
    return held.listing(
        session,
        state=asked["state"],
        reason=asked["reason"],
        words=asked.words,
        place=place,
        limit=limit,
    )


def state_of(order: Order) -> State:
    """What became of an order that is or was held."""
    if order.is_held:
        return State("wait", "To check")
    if order.lifecycle == "cancelled":
        return State("bad", "Cancelled")
    return State("go", "Approved")


def why(order: Order) -> list[str]:
    """Why it is or was held, in words."""
    return [REASONS.get(code, code) for code in order.reasons]


def _row(order: Order, account: Account) -> dict[str, Any]:
    return {
        "number": order.number,
        "href": f"/desk/orders/{order.public_id}",
        "customer": account.name,
        "customer_href": f"/desk/customers/{account.public_id}",
        "email": order.email,
        "state": state_of(order),
        "why": why(order),
        "held_at": order.held_at,
        "due_now": Money(order.due_now_minor, order.currency),
    }


def _cells(order: Order, account: Account) -> list[sheet.Cell]:
    return [
        sheet.code(order.number or ""),
        sheet.words(state_of(order).text),
        sheet.moment(order.held_at) if order.held_at is not None else sheet.EMPTY,
        sheet.words("; ".join(why(order))),
        sheet.words(account.name),
        sheet.code(account.number),
        sheet.words(order.email),
        sheet.code(order.currency),
        sheet.amount(Money(order.due_now_minor, order.currency)),
        sheet.moment(order.decided_at) if order.decided_at is not None else sheet.EMPTY,
    ]


def about(session: Session, order: Order) -> dict[str, Any] | None:
    """For an order's page: why it is or was held, and who decided; none of one that never was."""
    if order.held_at is None:
        return None
    by = order.decided_by or ""
    return {
        "is_held": order.is_held,
        "state": state_of(order),
        "why": why(order),
        "at": order.held_at,
        "decided_at": order.decided_at,
        "decided_by": users.names(session, [by]).get(by, by) if by else "",
    }


@to_check.post("/orders/<public_id>/approve")
@allow(Who.STAFF, roles=_DECIDE)
def approve(public_id: str) -> AnyResponse:
    """Let it go."""
    try:
        approve_order.approve(house(), public_id, actor())
    except (OrderNotHeld, OrderNotOpen) as error:
        say(str(error), "warn")
    else:
        say("Approved. It can be sent now, and the customer is told.")
    return redirect(f"/desk/orders/{public_id}", 303)


# --- the rules ------------------------------------------------------------------------------------


@to_check.get("/to-check/rules")
@allow(Who.STAFF, roles=_DECIDE)
def rules() -> str:
    """Which orders are held."""
    with house().db.reading() as session:
        found = Rules.of(session.get_one(Channel, channel()[0].id).screening)
    return _rules(RulesForm.of(found, channel()[0].currency))


def _rules(form: RulesForm) -> str:
    return page("desk/to_check_rules.html", form=form, currency=channel()[0].currency)


@to_check.post("/to-check/rules")
@allow(Who.STAFF, roles=_DECIDE)
def set_rules() -> Answer:
    """Set them."""
    form, here = RulesForm(request.form), channel()[0]
    try:
        if not form.validate():
            return _rules(form), 422
        screen_order.set_rules(house(), here.id, form.wanted(here.currency), actor())
    except Invalid as error:
        show_errors(form, error)
        return _rules(form), 422
    say("Kept. They count for orders that are placed from now on.")
    return redirect(f"{BASE}/rules", 303)
