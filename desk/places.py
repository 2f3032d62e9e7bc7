"""The places that pieces come from, and where each stands: the list, another one, and changing one."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid
from core.parties.roles import Role
from core.stock import places as rooms
from desk.money import actor
from desk.stock_forms import PlaceForm
from flows import keep_places
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/stock/places"
places = Blueprint("desk_places", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.SALES,)
Answer = str | Response | tuple[str, int]


@places.get("")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """All of them, the first to be taken from first."""
    return _listed(PlaceForm(data={"releases_back_orders": True}))


def _listed(form: PlaceForm) -> str:
    with house().db.reading() as session:
        rows = rooms.every(session)
    return page("desk/places.html", rows=rows, form=form, base=BASE)


@places.post("")
@allow(Who.STAFF, roles=_ROLES)
def open_one() -> Answer:
    """Have another."""
    form = PlaceForm(request.form)
    try:
        if not form.validate():
            return _listed(form), 422
        keep_places.open_place(house(), (form.code.data or "").strip(), form.stands(), actor())
    except Invalid as error:
        show_errors(form, error)
        return _listed(form), 422
    say("The place is there, with nothing in it yet.")
    return redirect(BASE, 303)


@places.get("/<code>")
@allow(Who.STAFF, roles=_ROLES)
def one(code: str) -> str:
    """One of them."""
    with house().db.reading() as session:
        row = rooms.by_code(session, code)
    return page("desk/place.html", place=row, form=PlaceForm(obj=row), base=BASE)


@places.post("/<code>")
@allow(Who.STAFF, roles=_ROLES)
def change(code: str) -> Answer:
    """Another name, or it stands somewhere else."""
    with house().db.reading() as session:
        row = rooms.by_code(session, code)
    form = PlaceForm(request.form)
    try:
        if not form.validate():
            return page("desk/place.html", place=row, form=form, base=BASE), 422
        keep_places.change_place(house(), code, form.stands(), actor())
    except Invalid as error:
        show_errors(form, error)
        return page("desk/place.html", place=row, form=form, base=BASE), 422
    say("Kept. It counts for what is put into carts from now on.")
    return redirect(BASE, 303)
