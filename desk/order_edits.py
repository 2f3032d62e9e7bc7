"""A placed order becomes another: what it would come to, and doing it as it was shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice

from cart import address
from cart import delivery as deliveries
from core.catalog.products import UnknownSku
from core.kernel.errors import Invalid, ShopError
from core.kernel.ids import new_public_id
from core.orders import grouping, placing
from core.orders.fulfilling import TooManyPieces
from core.orders.grouping import Standing
from core.orders.models import Order, OrderLine
from core.parties.roles import Role
from desk.money import actor
from desk.order_forms import CancelForm
from flows import change_order
from flows.change_order import ChangeWish, PreviewStale
from flows.plan_change import Edits, Plan, pieces_of
from web import place_forms
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors
from web.place_forms import PlaceForm

order_edits = Blueprint(
    "desk_order_edits", __name__, url_prefix="/desk", template_folder="templates"
)
_ROLES = (Role.SALES, Role.SUPPORT)
#: So many things can be added in one set.
_MORE = 3
_MOST = 10_000
Answer = str | Response | tuple[str, int]


class EditForm(CancelForm, PlaceForm):
    """Where it goes, why it is changed, and where money goes."""

    name = StringField("Who it is for")
    phone = StringField("Phone, for the driver")
    country = StringField("Country")
    method = SelectField("Delivery", choices=[], validate_choice=False)
    token = HiddenField()


@order_edits.get("/orders/<public_id>/change")
@allow(Who.STAFF, roles=_ROLES)
def ask(public_id: str) -> str:
    """What of it is to be another."""
    order, lines, ways = _order(public_id)
    to = order.shipping_address or {}
    form = EditForm(
        data={"once": new_public_id(), "method": order.shipping_method, **to},
    )
    return _page(order, lines, ways, form)


@order_edits.post("/orders/<public_id>/change")
@allow(Who.STAFF, roles=_ROLES)
def change(public_id: str) -> Answer:
    """See what it comes to; then do it, as it was seen."""
    order, lines, ways = _order(public_id)
    form = EditForm(request.form)
    wrong: dict[str, str] = {}
    also: list[str] = []
    edits, plan = _edits(order, lines, form, wrong), None
    if form.validate() and not wrong:
        try:
            if request.form.get("step") == "do" and form.token.data:
                stale = _do(_wish(order, edits, form))
                if not stale:
                    return redirect(f"/desk/orders/{public_id}", 303)
                also.append(stale)
            _, plan = change_order.preview(house(), public_id, edits)
            # What is done is named by what was seen: going back and doing another change is another one.
            form.once.data = new_public_id()
        except TooManyPieces as error:
            wrong[f"quantity-{error.line}"] = f"{error.possible} can still be given up."
        except UnknownSku as error:
            wrong[_field_of(str(error.facts().get("sku")))] = str(error)
        except Invalid as error:
            show_errors(form, error)
        except ShopError as error:
            also.append(str(error))
    answer = _page(order, lines, ways, form, wrong, plan, also)
    return answer if plan is not None and not also else (answer, 422)


def _do(wish: ChangeWish) -> str:
    """Change it; says why not when it is not as it was seen any more."""
    try:
        change_order.change(house(), wish)
    except PreviewStale as error:
        return str(error)
    say("Changed. The customer is told, and the documents are written.")
    return ""


def _wish(order: Order, edits: Edits, form: EditForm) -> ChangeWish:
    return ChangeWish(
        order.public_id,
        edits,
        str(form.token.data),
        str(form.reason.data),
        str(form.refund_to.data),
        actor(),
        str(form.once.data),
        " ".join((form.note.data or "").split()),
    )


def _order(public_id: str) -> tuple[Order, Sequence[OrderLine], list[tuple[str, str]]]:
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        lines = placing.lines_of(session, order.id)
        return order, lines, deliveries.named(session, order.channel_id)


def _changeable(lines: Sequence[OrderLine]) -> list[Standing]:
    return [
        one
        for one in grouping.standing(lines)
        if pieces_of(one) and all(line.kind in ("physical", "service") for line in one.counted)
    ]


# --- what was typed -------------------------------------------------------------------------------


def _edits(
    order: Order, lines: Sequence[OrderLine], form: EditForm, wrong: dict[str, str]
) -> Edits:
    quantities: dict[int, int] = {}
    swaps: dict[int, str] = {}
    for one in _changeable(lines):
        number = one.line.line_number
        swap = _typed(f"swap-{number}")
        if swap:
            swaps[number] = swap
        elif _typed(f"quantity-{number}"):
            quantities[number] = _count(f"quantity-{number}", wrong)
    added: dict[str, int] = {}
    for at in range(1, _MORE + 1):
        sku = _typed(f"sku-{at}")
        if sku:
            many = _count(f"many-{at}", wrong) if _typed(f"many-{at}") else 1
            added[sku] = added.get(sku, 0) + many
    to = address.clean({part: form[part].data for part in address.FIELDS if part in form})
    is_new = bool(order.shipping_address) and to != address.clean(order.shipping_address or {})
    return Edits(quantities, swaps, added, to if is_new else None, form.method.data or None)


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:60]


def _count(name: str, wrong: dict[str, str]) -> int:
    text = _typed(name)
    if not (text.isascii() and text.isdigit()) or len(text) > 7 or int(text) > _MOST:
        wrong[name] = "A whole number, please."
        return 0
    return int(text)


def _field_of(sku: str) -> str:
    """Where something that is not sold was typed."""
    return next(
        (name for name, text in request.form.items() if text.strip() == sku and "-" in name),
        "sku-1",
    )


# --- the page -------------------------------------------------------------------------------------


def _page(
    order: Order,
    lines: Sequence[OrderLine],
    ways: Sequence[tuple[str, str]],
    form: EditForm,
    wrong: Mapping[str, str] | None = None,
    plan: Plan | None = None,
    also: Sequence[str] = (),
) -> str:
    form.method.choices = [SelectChoice(*way) for way in _ways(order, lines, ways)]
    place_forms.fit(form, (form.country.data or "").upper())
    found = wrong or {}
    return page(
        "desk/order_change.html",
        order=order,
        is_open=order.lifecycle in ("confirmed", "completed") and not order.is_held,
        rows=[_row(one, found) for one in _changeable(lines)],
        more=[_more(at, found) for at in range(1, _MORE + 1)],
        form=form,
        also=[*also, *([] if not found else ["Look at what stands beside the lines."])],
        plan=plan,
    )


def _ways(
    order: Order, lines: Sequence[OrderLine], ways: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The ways to choose from; how the order goes is one of them, though it may not be offered any more."""
    own = order.shipping_method
    if own is None:
        return [("", "None yet"), *ways]
    if own in dict(ways):
        return list(ways)
    names = [line.name for line in lines if line.sku == f"delivery:{own}"]
    return [(own, names[0] if names else own), *ways]


def _row(one: Standing, wrong: Mapping[str, str]) -> dict[str, Any]:
    number, has = one.line.line_number, pieces_of(one)
    quantity, swap = f"quantity-{number}", f"swap-{number}"
    return {
        "number": number,
        "sku": one.line.sku,
        "name": one.line.name,
        "has": has,
        "quantity": _typed(quantity) if request.method == "POST" else str(has),
        "swap": _typed(swap),
        "can_swap": one.line.kind != "service",
        "quantity_error": wrong.get(quantity, ""),
        "swap_error": wrong.get(swap, ""),
    }


def _more(at: int, wrong: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": at,
        "sku": _typed(f"sku-{at}"),
        "many": _typed(f"many-{at}"),
        "error": wrong.get(f"sku-{at}") or wrong.get(f"many-{at}") or "",
    }
