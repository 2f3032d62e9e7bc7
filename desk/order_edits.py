"""A placed order becomes another: what it would come to, and doing it as it was shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from cart import delivery as deliveries
from core.catalog.products import UnknownSku
from core.kernel.errors import Invalid, ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.orders import places, placing
from core.orders.fulfilling import TooManyPieces
from core.orders.models import Order, OrderLine
from core.orders.places import Place
from core.parties.roles import Role
from desk import order_edit_forms as forms
from desk.money import actor
from desk.order_edit_forms import EditForm
from flows import change_order
from flows.change_order import ChangeWish, PreviewStale
from flows.edits import Edits
from flows.plan_change import Plan
from web import order_words
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors

order_edits = Blueprint(
    "desk_order_edits", __name__, url_prefix="/desk", template_folder="templates"
)
_ROLES = (Role.SALES, Role.SUPPORT)
Answer = str | Response | tuple[str, int]


@dataclass(frozen=True)
class _Seen:
    """An order as the page shows it, and the ways of delivery that there are."""

    order: Order
    lines: Sequence[OrderLine]
    ways: Sequence[tuple[str, str]]

    @property
    def spots(self) -> list[Place]:
        """The places to choose from."""
        return [one for one in places.of(self.order, self.lines) if one.stands]


@order_edits.get("/orders/<public_id>/change")
@allow(Who.STAFF, roles=_ROLES)
def ask(public_id: str) -> str:
    """What of it is to be another."""
    seen = _order(public_id)
    form = EditForm(data={"once": new_public_id(), **forms.blank(seen.order, seen.spots)})
    return _page(seen, form)


@order_edits.post("/orders/<public_id>/change")
@allow(Who.STAFF, roles=_ROLES)
def change(public_id: str) -> Answer:
    """See what it comes to; then do it, as it was seen."""
    seen = _order(public_id)
    form = EditForm(request.form)
    wrong: dict[str, str] = {}
    also: list[str] = []
    edits, plan = forms.edits(seen.order, seen.spots, seen.lines, form, wrong), None
    if form.validate() and not wrong:
        try:
            if request.form.get("step") == "do" and form.token.data:
                stale = _do(_wish(seen.order, edits, form))
                if not stale:
                    return redirect(f"/desk/orders/{public_id}", 303)
                also.append(stale)
            _, plan = change_order.preview(house(), public_id, edits)
            # What is done is named by what was seen: going back and doing another change is another one.
            form.once.data = new_public_id()
        except TooManyPieces as error:
            wrong[f"quantity-{error.line}"] = f"{error.possible} can still be given up."
        except UnknownSku as error:
            wrong[forms.field_of(str(error.facts().get("sku")))] = str(error)
        except Invalid as error:
            show_errors(form, error)
        except KeyReused:
            raise
        except ShopError as error:
            also.append(str(error))
    answer = _page(seen, form, wrong, plan, also)
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
        forms.typed(),
    )


def _order(public_id: str) -> _Seen:
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        lines = placing.lines_of(session, order.id)
        return _Seen(order, lines, deliveries.named(session, order.channel_id))


def _page(
    seen: _Seen,
    form: EditForm,
    wrong: Mapping[str, str] | None = None,
    plan: Plan | None = None,
    also: Sequence[str] = (),
) -> str:
    order, found = seen.order, wrong or {}
    form.fit(order, seen.spots, seen.lines, seen.ways)
    return page(
        "desk/order_change.html",
        order=order,
        is_open=order.lifecycle in ("confirmed", "completed") and not order.is_held,
        rows=[forms.row(one, found) for one in forms.changeable(seen.lines)],
        more=forms.more(seen.spots, found),
        form=form,
        also=[*also, *([] if not found else ["Look at what stands beside the lines."])],
        plan=plan,
        again=[(one.amount, one.interval, one.name) for one in plan.recurring] if plan else [],
        place_words=order_words.place,
    )
