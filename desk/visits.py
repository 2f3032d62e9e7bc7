"""Times for visits at the desk: which there are, with room for how many, and who is visited."""

from datetime import timedelta

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from cart import delivering, slots
from core.kernel.errors import Invalid
from core.parties.roles import Role
from desk.delivery_forms import RoomForm, TimesForm
from desk.money import actor
from flows import keep_delivery
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/delivery/times"
visits = Blueprint("desk_visits", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.SALES, Role.SUPPORT)
#: So far back and ahead times are listed.
_BACK, _AHEAD = timedelta(days=2), timedelta(days=56)


@visits.get("")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """The times of the next weeks."""
    return _page(TimesForm(data={"weekdays": ["0", "1", "2", "3", "4"], "capacity": "2"}))


@visits.post("")
@allow(Who.STAFF, roles=_ROLES)
def add() -> Response | tuple[str, int]:
    """Offer more of them."""
    form = TimesForm(request.form)
    if not form.validate():
        return _page(form), 422
    try:
        count = keep_delivery.add_times(house(), form.times(), actor())
    except Invalid as error:
        show_errors(form, error)
        return _page(form), 422
    say(f"{count} times are offered now that were not before.")
    return redirect(BASE, 303)


def _page(form: TimesForm) -> str:
    now, found = house().clock.now(), channel()[0]
    with house().db.reading() as session:
        rows = delivering.times(session, found.id, now - _BACK, now + _AHEAD)
        zones = delivering.zones(session, found.id)
    form.zone.choices = [
        SelectChoice("", "Wherever we deliver"),
        *(SelectChoice(one.code, one.name) for one in zones),
    ]
    return page("desk/visits.html", times=rows, form=form, base=BASE)


@visits.get("/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def one(public_id: str) -> str:
    """One time: who is visited, and room for how many."""
    return _one(public_id)


@visits.post("/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def resize(public_id: str) -> Response | tuple[str, int]:
    """Room for more or fewer."""
    form = RoomForm(request.form)
    text = (form.capacity.data or "").strip()
    try:
        wanted = int(text) if text.isdecimal() and len(text) < 5 else -1
        given = keep_delivery.resize(house(), public_id, wanted, actor())
    except Invalid as error:
        show_errors(form, error)
        return _one(public_id, form), 422
    if given == wanted:
        say("Kept.")
    else:
        say(f"{given} are promised already: it has room for just these now.", "warn")
    return redirect(f"{BASE}/{public_id}", 303)


def _one(public_id: str, form: RoomForm | None = None) -> str:
    with house().db.reading() as session:
        slot = slots.seen(session, public_id)
        orders = delivering.visited(session, slot.id)
    return page(
        "desk/visit.html",
        slot=slot,
        orders=orders,
        form=form or RoomForm(data={"capacity": str(slot.capacity)}),
        base=BASE,
    )
