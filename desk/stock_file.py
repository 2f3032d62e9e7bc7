"""Stock as a file at the desk: what came, went or was counted, looked at line by line before it is done."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import FileField, Form, HiddenField, TextAreaField
from wtforms.validators import Length

from core.kernel.errors import Invalid, ShopError
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_public_id
from core.parties.roles import Role
from core.stock.sheets import Looked
from desk.money import actor
from desk.stock_forms import REASONS
from flows import import_stock
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/stock/import"
stock_file = Blueprint("desk_stock_file", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.SALES,)
_LONGEST = 400_000
Answer = str | Response | tuple[str, int]


class SheetForm(Form):
    """A file, or its text. ``mark`` is what was looked at."""

    file = FileField("A CSV file")
    text = TextAreaField("Or its lines")
    mark = HiddenField()
    once = HiddenField(validators=[Length(max=60)])

    def content(self) -> str:
        """What was sent. Invalid for what is no text, or too long."""
        sent = request.files.get("file")
        data = sent.read(_LONGEST + 1) if sent is not None and sent.filename else b""
        try:
            found = data.decode("utf-8-sig") if data else (self.text.data or "")
        except UnicodeDecodeError:
            raise Invalid({"file": "This is no text in UTF-8. Save it as CSV UTF-8."}) from None
        if len(found) > _LONGEST:
            raise Invalid({"file": f"At most {_LONGEST:,} characters at once."})
        if not found.strip():
            raise Invalid({"file": "Choose a file, or put its lines below."})
        return found


@stock_file.get("")
@allow(Who.STAFF, roles=_ROLES)
def choose() -> str:
    """Which file?"""
    return _page(SheetForm())


def _page(form: SheetForm, looked: Looked | None = None, text: str = "") -> str:
    return page(
        "desk/stock_file.html",
        form=form,
        looked=looked,
        text=text,
        once=form.once.data or new_public_id(),
        reasons=REASONS,
        base=BASE,
    )


@stock_file.post("")
@allow(Who.STAFF, roles=_ROLES)
def look() -> Answer:
    """What it would change; nothing is changed."""
    form = SheetForm(request.form)
    try:
        text = form.content()
    except Invalid as error:
        show_errors(form, error)
        return _page(form), 422
    looked = import_stock.look(house(), text)
    return _page(form, looked, text), 200 if looked.is_sound else 422


@stock_file.post("/apply")
@allow(Who.STAFF, roles=_ROLES)
def apply() -> Answer:
    """Do what was looked at."""
    form = SheetForm(request.form)
    try:
        text = form.content()
        once = str(form.once.data or new_public_id())
        done = import_stock.apply(house(), text, form.mark.data, actor(), once)
    except Invalid as error:
        show_errors(form, error)
        return _page(form), 422
    except KeyReused:
        raise
    except ShopError as error:
        form.file.errors = [*form.file.errors, str(error)]
        form.once.data = ""
        return _page(form, import_stock.look(house(), text), text), 409
    say(f"Done: {done} {'level has' if done == 1 else 'levels have'} another number now.")
    return redirect("/desk/stock", 303)
