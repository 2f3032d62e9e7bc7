"""Staff log in, by a password and, where they have a second step or need one, a code; and out."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel import audit
from core.parties.models import User
from core.parties.roles import ANY_ROLE
from core.parties.second_step import TooManyWrongCodes, WrongCode
from core.parties.users import WrongLogin
from desk.code_forms import CodeForm, drawn
from flows import enter, second_step
from flows.second_step import Stand
from web import half_in, limits
from web.access import Who, allow
from web.context import house
from web.forms import LoginForm, onward
from web.half_in import HalfIn
from web.login import at_desk, enter_desk, log_out, person
from web.pages import page, shopfront

entry = Blueprint("desk_entry", __name__, url_prefix="/desk", template_folder="templates")
Answer = str | Response | tuple[str, int]


@entry.get("/login")
@allow(Who.EVERYBODY)
def door() -> str | Response:
    """The log-in form."""
    who = person()
    if who is not None and who.is_staff and at_desk():
        return redirect(onward(request.args.get("next"), "/desk"))
    return page("desk/login.html", form=LoginForm(request.args), problems=[])


@entry.post("/login")
@allow(Who.EVERYBODY)
@limits.limit("login")
def come_in() -> Answer:
    """The password; customers are told no more than strangers."""
    form = LoginForm(request.form)
    if not form.validate():
        return page("desk/login.html", form=form, problems=[]), 422
    try:
        user = _staff(form)
    except WrongLogin as error:
        return page("desk/login.html", form=form, problems=[str(error)]), 401
    target, stand = onward(form.next.data, "/desk"), second_step.stand(house(), user.id)
    if stand == Stand.NOTHING:
        _enter(user, "none")
        return redirect(target, 303)
    half_in.remember(user, target)
    if stand == Stand.CODE:
        return redirect("/desk/login/code", 303)
    second_step.begin(house(), user.id)
    return redirect("/desk/login/set-up", 303)


def _staff(form: LoginForm) -> User:
    user = enter.log_in(house(), form.email.data, form.password.data)
    if not user.is_staff:
        raise WrongLogin
    return user


@entry.get("/login/code")
@allow(Who.EVERYBODY)
def ask_code() -> str | Response:
    """The second step: a code from their telephone."""
    return _code_page(CodeForm()) if half_in.found() else redirect("/desk/login")


@entry.post("/login/code")
@allow(Who.EVERYBODY)
@limits.limit("code", key_func=half_in.whose_code)
def give_code() -> Answer:
    """Take it, once."""
    who, form = half_in.found(), CodeForm(request.form)
    if who is None:
        return redirect("/desk/login", 303)
    if not form.validate():
        return _code_page(form), 422
    try:
        how = second_step.check(house(), who.user, form.code.data)
    except (WrongCode, TooManyWrongCodes) as error:
        form.code.errors = [str(error)]
        return _code_page(form), 401
    _enter(who.user, how)
    return redirect(who.onward, 303)


def _code_page(form: CodeForm) -> str:
    return page("desk/login_code.html", form=form)


@entry.get("/login/set-up")
@allow(Who.EVERYBODY)
def set_up() -> Answer:
    """The first time: a secret for their telephone, and its first code."""
    who = half_in.found()
    return _set_up_page(who, CodeForm()) if who else redirect("/desk/login")


@entry.post("/login/set-up")
@allow(Who.EVERYBODY)
@limits.limit("code", key_func=half_in.whose_code)
def is_set_up() -> Answer:
    """The first code is right: they are in, and see their recovery codes once."""
    who, form = half_in.found(), CodeForm(request.form)
    if who is None:
        return redirect("/desk/login", 303)
    if not form.validate():
        return _set_up_page(who, form, 422)
    try:
        codes = second_step.confirm(house(), who.user, form.code.data)
    except (WrongCode, TooManyWrongCodes) as error:
        form.code.errors = [str(error)]
        return _set_up_page(who, form, 401)
    _enter(who.user, "set_up")
    return page("desk/recovery_codes.html", codes=codes, onward=who.onward)


def _set_up_page(who: HalfIn, form: CodeForm, status: int = 200) -> Answer:
    shown = second_step.shown(house(), who.user, shopfront().name)
    if shown is None:
        return redirect("/desk/login/code")
    return page("desk/login_set_up.html", form=form, **drawn(shown)), status


def _enter(user: User, how: str) -> None:
    """Let them in; ``how`` tells the second step: ``code``, ``recovery``, ``set_up`` or ``none``."""
    now = house().clock.now()
    enter_desk(user, now if how != "none" else None)
    subject = ("user", user.public_id)
    house().db.run_tx(
        lambda session: audit.write(
            session, now, f"user:{user.id}", "desk.entered", subject, second_step=how
        )
    )


@entry.post("/logout")
@allow(Who.STAFF, roles=ANY_ROLE)
def leave() -> Response:
    """Log out."""
    log_out()
    return redirect("/desk/login", 303)
