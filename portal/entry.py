"""Logging in and out, and registering."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from cart.checkout import email_problem
from core.kernel.errors import Invalid
from core.parties.users import WrongLogin
from flows import enter
from portal.forms import RegisterForm
from web import carts, limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.forms import LoginForm, onward
from web.login import log_in, log_out, person
from web.pages import page, show_errors

entry = Blueprint("entry", __name__, url_prefix="/account", template_folder="templates")


@entry.get("/login")
@allow(Who.EVERYBODY)
def door() -> str | Response:
    """The log-in form."""
    if person() is not None:
        return redirect(onward(request.args.get("next"), "/account"))
    return _door(LoginForm(request.args))


@entry.post("/login")
@allow(Who.EVERYBODY)
@limits.limit("login")
def come_in() -> str | Response | tuple[str, int]:
    """Log in, under a new session."""
    form = LoginForm(request.form)
    if not form.validate():
        return _door(form), 422
    try:
        user = enter.log_in(house(), form.email.data, form.password.data)
    except WrongLogin as error:
        return _door(form, [str(error)]), 401
    log_in(user)
    carts.bring(user)
    return redirect(onward(form.next.data, "/account"), 303)


def _door(form: LoginForm, problems: list[str] | None = None) -> str:
    return page(
        "portal/login.html",
        form=form,
        problems=problems or [],
        action="/account/login",
        button_text="Log in",
        register_open=True,
    )


@entry.post("/logout")
@allow(Who.EVERYBODY)
def leave() -> Response:
    """Log out."""
    log_out()
    say("You are logged out.")
    return redirect("/account/login", 303)


@entry.get("/register")
@allow(Who.EVERYBODY)
def register() -> str:
    """The form for a new account."""
    return _register(RegisterForm(request.args))


@entry.post("/register")
@allow(Who.EVERYBODY)
@limits.limit("mail")
def registered() -> str | Response | tuple[str, int]:
    """Make the account and go in."""
    form = RegisterForm(request.form)
    valid = form.validate()
    if problem := email_problem(form.email.data or ""):
        show_errors(form, Invalid({"email": problem}))
        valid = False
    if not valid:
        return _register(form), 422
    try:
        user = enter.register(house(), form.email.data, form.name.data, form.password.data)
    except Invalid as error:
        show_errors(form, error)
        return _register(form), 422
    log_in(user)
    carts.bring(user)
    say("Welcome. We have sent you a mail; its link confirms your address.")
    return redirect(onward(form.next.data, "/account"), 303)


def _register(form: RegisterForm) -> str:
    return page(
        "portal/register.html",
        form=form,
        action="/account/register",
        button_text="Make my account",
        from_order="",
        picture="door",
    )
