"""One's own log-in at the desk: roles, the second step, recovery codes; and a code before dangerous acts."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import Forbidden
from core.parties import second_step as steps
from core.parties.models import User
from core.parties.roles import ANY_ROLE, WORDS, Role
from core.parties.second_step import TooManyWrongCodes, WrongCode
from desk.code_forms import CodeForm, drawn
from flows import second_step
from web import half_in, limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.forms import onward
from web.login import code_was_given, person
from web.pages import page, shopfront

me = Blueprint("desk_me", __name__, url_prefix="/desk", template_folder="templates")
Answer = str | Response | tuple[str, int]


def _user() -> User:
    who = person()
    assert who is not None
    return who.user


@me.get("/me")
@allow(Who.STAFF, roles=ANY_ROLE)
def show() -> str:
    """Who one is here, and how one comes in."""
    return _page()


def _page(renew: CodeForm | None = None, stop: CodeForm | None = None) -> str:
    user = _user()
    with house().db.snapshot() as session:
        is_set_up = steps.is_set_up(session, user.id)
        left = steps.recovery_codes_left(session, user.id)
    return page(
        "desk/me.html",
        who=user,
        roles=[(role.value.capitalize(), WORDS[role]) for role in Role if role in user.roles],
        is_set_up=is_set_up,
        codes_left=left,
        required=house().rules.staff_need_second_step,
        renew=renew or CodeForm(prefix="renew-"),
        stop=stop or CodeForm(prefix="stop-"),
    )


@me.post("/me/second-step/begin")
@allow(Who.STAFF, roles=ANY_ROLE)
def begin() -> Response:
    """Make a secret for a telephone."""
    second_step.begin(house(), _user().id)
    return redirect("/desk/me/second-step", 303)


@me.get("/me/second-step")
@allow(Who.STAFF, roles=ANY_ROLE)
def set_up() -> Answer:
    """The secret, and a field for its first code."""
    return _set_up_page(CodeForm())


@me.post("/me/second-step")
@allow(Who.STAFF, roles=ANY_ROLE)
@limits.limit("code", key_func=half_in.whose_code)
def confirm() -> Answer:
    """The first code is right: here are the recovery codes, once."""
    form, user = CodeForm(request.form), _user()
    if not form.validate():
        return _set_up_page(form, 422)
    try:
        codes = second_step.confirm(house(), user, form.code.data)
    except (WrongCode, TooManyWrongCodes) as error:
        form.code.errors = [str(error)]
        return _set_up_page(form, 422)
    code_was_given()
    return page("desk/recovery_codes.html", codes=codes, onward="/desk/me")


def _set_up_page(form: CodeForm, status: int = 200) -> Answer:
    shown = second_step.shown(house(), _user(), shopfront().name)
    if shown is None:
        return redirect("/desk/me")
    return page("desk/second_step.html", form=form, **drawn(shown)), status


@me.post("/me/recovery-codes")
@allow(Who.STAFF, roles=ANY_ROLE)
@limits.limit("code", key_func=half_in.whose_code)
def renew() -> Answer:
    """Other recovery codes; the ones before work no longer."""
    form = CodeForm(request.form, prefix="renew-")
    if not form.validate():
        return _page(renew=form), 422
    try:
        codes = second_step.renew_codes(house(), _user(), form.code.data)
    except (WrongCode, TooManyWrongCodes) as error:
        form.code.errors = [str(error)]
        return _page(renew=form), 422
    return page("desk/recovery_codes.html", codes=codes, onward="/desk/me")


@me.post("/me/second-step/give-up")
@allow(Who.STAFF, roles=ANY_ROLE)
@limits.limit("code", key_func=half_in.whose_code)
def give_up() -> Answer:
    """Come in with the password alone again, where the shop lets one."""
    if house().rules.staff_need_second_step:
        raise Forbidden
    form = CodeForm(request.form, prefix="stop-")
    if not form.validate():
        return _page(stop=form), 422
    try:
        second_step.give_up(house(), _user(), form.code.data)
    except (WrongCode, TooManyWrongCodes) as error:
        form.code.errors = [str(error)]
        return _page(stop=form), 422
    code_was_given(forget=True)
    say("From now on your password alone lets you in.")
    return redirect("/desk/me", 303)


@me.get("/again")
@allow(Who.STAFF, roles=ANY_ROLE)
def ask_again() -> str:
    """A code, because what comes next is dangerous and the last one was a while ago."""
    return page(
        "desk/again.html", form=CodeForm(), onward=onward(request.args.get("next"), "/desk")
    )


@me.post("/again")
@allow(Who.STAFF, roles=ANY_ROLE)
@limits.limit("code", key_func=half_in.whose_code)
def again() -> Answer:
    """Take it, and go on."""
    form, target = CodeForm(request.form), onward(request.form.get("next"), "/desk")
    if not form.validate():
        return page("desk/again.html", form=form, onward=target), 422
    try:
        second_step.check(house(), _user(), form.code.data)
    except (WrongCode, TooManyWrongCodes) as error:
        form.code.errors = [str(error)]
        return page("desk/again.html", form=form, onward=target), 422
    code_was_given()
    return redirect(target, 303)
