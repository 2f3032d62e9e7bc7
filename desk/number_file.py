"""Numbers as a file at the desk: looked at line by line before they are added."""

import uuid
from typing import Any

from flask import Blueprint, redirect, request

from core.kernel.errors import Invalid
from core.kernel.ids import new_public_id
from core.stock import picking
from desk.money import actor
from desk.numbers import ACT, BASE, Answer, pool_words
from desk.stock_file import SheetForm
from flows import keep_numbers
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors

number_file = Blueprint(
    "desk_number_file", __name__, url_prefix="/desk/stock", template_folder="templates"
)


@number_file.get("/numbers/<uuid:pool_id>/import")
@allow(Who.STAFF, roles=ACT)
def choose(pool_id: uuid.UUID) -> str:
    """Which file?"""
    return _file(pool_id, SheetForm())


def _file(pool_id: uuid.UUID, form: SheetForm, looked: Any = None, text: str = "") -> str:
    with house().db.snapshot() as session:
        row = picking.one_pool(session, pool_id, house().clock.now())
    return page(
        "desk/number_file.html",
        pool=pool_words(row),
        form=form,
        looked=looked,
        text=text,
        once=form.once.data or new_public_id(),
    )


@number_file.post("/numbers/<uuid:pool_id>/import")
@allow(Who.STAFF, roles=ACT)
def look(pool_id: uuid.UUID) -> Answer:
    """What it would add; nothing is changed."""
    form = SheetForm(request.form)
    try:
        text = form.content()
    except Invalid as error:
        show_errors(form, error)
        return _file(pool_id, form), 422
    looked = keep_numbers.look(house(), pool_id, text)
    return _file(pool_id, form, looked, text), 200 if looked.is_sound else 422


@number_file.post("/numbers/<uuid:pool_id>/import/apply")
@allow(Who.STAFF, roles=ACT)
def apply(pool_id: uuid.UUID) -> Answer:
    """Add what was looked at."""
    form = SheetForm(request.form)
    try:
        text = form.content()
        once = str(form.once.data or new_public_id())
        done = keep_numbers.apply(house(), pool_id, text, form.mark.data or None, actor(), once)
    except Invalid as error:
        show_errors(form, error)
        return _file(pool_id, form), 422
    say(f"{done} more {'is' if done == 1 else 'are'} free.")
    return redirect(f"{BASE}/{pool_id}", 303)
