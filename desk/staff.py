"""Who works at the desk, for admins: inviting, roles, shutting out, and starting a second step anew."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import EmailField, Form, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from core.kernel import sheet
from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.parties import second_step, staff
from core.parties.models import User
from core.parties.roles import WORDS, Role
from core.parties.staff import LastAdmin
from desk import lists
from desk.lists import Listing
from desk.money import actor
from flows import keep_staff
from web.access import Who, after_a_code, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.login import person
from web.pages import page, show_errors

staff_ = Blueprint("desk_staff", __name__, url_prefix="/desk/staff", template_folder="templates")
_HERE = "/desk/staff"
LISTED = Listing(
    _HERE,
    "colleague",
    staff.SORTS,
    "email",
    head=("name", "email", "roles", "state", "second_step", "since"),
    file=f"{_HERE}/export.csv",
    file_name="staff",
)
Answer = str | Response | tuple[str, int]


class RolesForm(Form):
    """What somebody does."""

    roles = SelectMultipleField(
        "What they do",
        choices=[
            SelectChoice(role.value, f"{role.value.capitalize()}: {WORDS[role]}") for role in Role
        ],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class InviteForm(RolesForm):
    """Somebody new."""

    name = StringField(
        "Name",
        [InputRequired("Tell us what they are called."), Length(max=200, message="Shorter.")],
    )
    email = EmailField("E-mail", [InputRequired("Tell us their e-mail address.")])


@staff_.get("")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def listed() -> str:
    """Everybody who works here, and a form for somebody new."""
    return _page(InviteForm())


@staff_.post("")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def invite() -> Answer:
    """Let somebody in; they get a link by mail to choose their password."""
    form = InviteForm(request.form)
    if not form.validate():
        return _page(form), 422
    try:
        sent = keep_staff.invite(
            house(), form.email.data, form.name.data, form.roles.data or [], actor()
        )
    except Invalid as error:
        show_errors(form, error)
        return _page(form), 422
    mailed = "A link to choose a password goes to them by mail."
    kept = "They log in with the password that they have."
    say(f"{form.name.data} is at the desk now. {mailed if sent else kept}")
    return redirect(_HERE, 303)


@staff_.get("/<public_id>")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def one(public_id: str) -> str:
    """One of them, with what can be done."""
    with house().db.reading() as session:
        user = staff.one(session, public_id)
    return _one(user, RolesForm(data={"roles": user.roles}))


@staff_.post("/<public_id>/roles")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def set_roles(public_id: str) -> Answer:
    """They do this from now on."""
    form = RolesForm(request.form)
    try:
        if not form.validate():
            raise Invalid({"roles": "Choose of those that there are."})
        user = keep_staff.set_roles(house(), public_id, form.roles.data or [], actor())
    except (Invalid, LastAdmin) as error:
        form.roles.errors = [str(error)]
        with house().db.reading() as session:
            return _one(staff.one(session, public_id), form), 422
    say(f"That is what {user.name} does from now on.")
    return redirect(f"{_HERE}/{public_id}", 303)


#: What is asked before it is done: its title, what it means, and the button.
_ASKED = {
    "lock-out": (
        "Lock {name} out?",
        "They are logged out everywhere at once and cannot come back, at the desk or as a customer, until "
        "an admin lets them in again. Keys that they made stop working.",
        "Lock {name} out",
    ),
    "reset": (
        "Reset {name}’s second step?",
        "Their telephone and their recovery codes stop working, and they are logged out. At their next "
        "log-in they set it up anew. Make sure that it is really {name} who asks.",
        "Reset it",
    ),
}


@staff_.get("/<public_id>/<any('lock-out','reset'):act>")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def ask(public_id: str, act: str) -> str:
    """Whether it is really meant."""
    with house().db.reading() as session:
        name = staff.one(session, public_id).name
    title, text, button = (part.format(name=name) for part in _ASKED[act])
    return page(
        "desk/staff_ask.html",
        title=title,
        text=text,
        button_text=button,
        action=f"{_HERE}/{public_id}/{act}",
        back=f"{_HERE}/{public_id}",
    )


@staff_.post("/<public_id>/lock-out")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def lock_out(public_id: str) -> Response:
    """Nobody by that name comes in any more."""
    return _done(public_id, keep_staff.lock_out, "{name} is locked out.")


@staff_.post("/<public_id>/let-in")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def let_in(public_id: str) -> Response:
    """They may come back."""
    return _done(public_id, keep_staff.let_in, "{name} may log in again.")


@staff_.post("/<public_id>/reset")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def reset(public_id: str) -> Response:
    """Their second step begins anew."""
    return _done(public_id, keep_staff.reset_second_step, "{name} sets up a second step anew.")


def _done(public_id: str, act: Callable[..., User], text: str) -> Response:
    try:
        say(text.format(name=act(house(), public_id, actor()).name))
    except LastAdmin as error:
        say(str(error), "warn")
    return redirect(f"{_HERE}/{public_id}", 303)


def _one(user: User, form: RolesForm) -> str:
    with house().db.reading() as session:
        drawn = _row(user, second_step.is_set_up(session, user.id))
    who = person()
    return page(
        "desk/staff_one.html",
        one={**drawn, "is_me": who is not None and who.key == user.id},
        form=form,
        here=f"{_HERE}/{user.public_id}",
        acts_href=lists.address("/desk/audit", actor=user.email),
    )


def _page(form: InviteForm) -> str:
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _found)
        drawn = _drawn(session, rows)
    return page(
        "desk/staff.html",
        form=form,
        staff=drawn,
        required=house().rules.staff_need_second_step,
        **context,
    )


@staff_.get("/export.csv")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> Sequence[User]:
    return staff.listing(session, words=asked.words, place=place, limit=limit)


def _drawn(session: Session, rows: Sequence[User]) -> list[dict[str, Any]]:
    safe = second_step.set_up_by(session, [user.id for user in rows])
    return [_row(user, user.id in safe) for user in rows]


def _cells(session: Session, rows: Sequence[User]) -> Iterator[list[sheet.Cell]]:
    for one in _drawn(session, rows):
        yield [
            sheet.words(one["name"]),
            sheet.words(one["email"]),
            sheet.code(" ".join(one["roles"])),
            sheet.words(one["state"].text),
            sheet.words(one["second_step"].text),
            sheet.moment(one["since"]),
        ]


def _row(user: User, is_safe: bool) -> dict[str, Any]:
    states = {
        "out": State("bad", "Locked out"),
        "invited": State("wait", "Invited"),
        "in": State("go", "Works here"),
    }
    state = "out" if user.disabled_at else "in" if user.password_hash else "invited"
    return {
        "name": user.name,
        "email": user.email,
        "href": f"{_HERE}/{user.public_id}",
        "roles": [role.value for role in Role if role in user.roles],
        "state": states[state],
        "is_out": state == "out",
        "second_step": State("go", "Set up") if is_safe else State("", "Not yet"),
        "is_safe": is_safe,
        "since": user.created_at,
    }
