"""What checkout asks people to agree to: the words that stand now, those before, other words."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import Form, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from cart import consents as asks
from core.kernel.errors import Invalid
from core.parties.roles import Role
from desk.money import actor
from flows import keep_consents
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page, show_errors

BASE = "/desk/content/consents"
consents = Blueprint("desk_consents", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.CONTENT,)
MODES = {
    asks.STATED: "Stated: whoever orders agrees to it",
    asks.REQUIRED: "Has to be ticked before ordering",
    asks.OPTIONAL: "May be ticked; nobody has to",
}


class AskForm(Form):
    """Other words, or another question."""

    code = StringField("Called", description="Small letters: terms, privacy, marketing.")
    text = TextAreaField("What is agreed to")
    href = StringField("Where all of it can be read", description="/terms, say.")
    mode = RadioField("How it is agreed to", choices=[SelectChoice(*one) for one in MODES.items()])


@consents.get("")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """What is asked now, and what was."""
    return _page(AskForm(data={"mode": asks.REQUIRED}))


@consents.post("")
@allow(Who.STAFF, roles=_ROLES)
def put() -> Response | tuple[str, int]:
    """Ask this from now on."""
    form = AskForm(request.form)
    try:
        version = keep_consents.put(
            house(),
            form.code.data or "",
            form.mode.data or "",
            form.text.data or "",
            form.href.data or "",
            actor(),
        )
    except Invalid as error:
        show_errors(form, error)
        return _page(form), 422
    say(
        f"Checkout asks it in version {version} from now on. What was agreed to before stays as it was."
    )
    return redirect(BASE, 303)


@consents.post("/<code>/end")
@allow(Who.STAFF, roles=_ROLES)
def end(code: str) -> Response:
    """Ask it no more."""
    keep_consents.end(house(), code, actor())
    say("Checkout does not ask it any more.")
    return redirect(BASE, 303)


def _page(form: AskForm) -> str:
    with house().db.reading() as session:
        rows = asks.every(session, channel()[0])
    return page(
        "desk/consents.html",
        now=[row for row in rows if row.ended_at is None],
        before=[row for row in rows if row.ended_at is not None],
        modes=MODES,
        form=form,
    )
