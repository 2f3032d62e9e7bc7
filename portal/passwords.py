"""Links from mails: a forgotten password, an invitation, a confirmation. Opening one changes nothing."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid
from flows import enter
from portal.forms import ForgotForm, PasswordForm
from web import carts, limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import log_in
from web.pages import page, show_errors

passwords = Blueprint("passwords", __name__, url_prefix="/account", template_folder="templates")


@passwords.get("/forgot")
@allow(Who.EVERYBODY)
def forgot() -> str:
    """Ask for a link."""
    return _forgot(ForgotForm(request.args))


@passwords.post("/forgot")
@allow(Who.EVERYBODY)
@limits.limit("mail")
def asked() -> str | tuple[str, int]:
    """Send it; the answer is the same whether the address is known or not."""
    form = ForgotForm(request.form)
    if not form.validate():
        return _forgot(form), 422
    enter.ask_reset(house(), form.email.data)
    return page(
        "portal/said.html",
        title="Look into your mail",
        text="If there is an account with this address, a link is on its way. It works for two hours.",
        links=[("Back to log-in", "/account/login")],
        picture="mail",
    )


def _forgot(form: ForgotForm) -> str:
    return page("portal/forgot.html", form=form, action="/account/forgot")


@passwords.get("/reset/<token>")
@allow(Who.EVERYBODY)
def reset(token: str) -> str:
    """Choose another password."""
    return _choose("reset", token, PasswordForm())


@passwords.post("/reset/<token>")
@allow(Who.EVERYBODY)
@limits.limit("login")
def reset_done(token: str) -> str | Response | tuple[str, int]:
    """Set it and go in."""
    return _chosen("reset", token)


@passwords.get("/invite/<token>")
@allow(Who.EVERYBODY)
def invite(token: str) -> str:
    """Choose the first password."""
    return _choose("invite", token, PasswordForm())


@passwords.post("/invite/<token>")
@allow(Who.EVERYBODY)
@limits.limit("login")
def invite_done(token: str) -> str | Response | tuple[str, int]:
    """Set it and go in."""
    return _chosen("invite", token)


def _choose(purpose: str, token: str, form: PasswordForm) -> str:
    owner = enter.who_asked(house(), purpose, token)
    return page(
        "portal/reset.html",
        form=form,
        action=f"/account/{purpose}/{token}",
        email=owner.email,
        invited=purpose == "invite",
    )


def _chosen(purpose: str, token: str) -> str | Response | tuple[str, int]:
    form = PasswordForm(request.form)
    if not form.validate():
        return _choose(purpose, token, form), 422
    try:
        user = enter.choose_password(house(), purpose, token, form.password.data)
    except Invalid as error:
        show_errors(form, error)
        return _choose(purpose, token, form), 422
    if user.is_staff:  # the desk has a door of its own, with a second step
        say("Your password is set. Log in with it.")
        return redirect("/desk/login", 303)
    log_in(user)
    carts.bring(user)
    say("Your password is set.")
    return redirect("/account", 303)


@passwords.get("/verify/<token>")
@allow(Who.EVERYBODY)
def verify(token: str) -> str:
    """A button that confirms the address."""
    owner = enter.who_asked(house(), "verify", token)
    return page(
        "portal/post.html",
        title="Is this your address?",
        text=f"Press the button, and we know that mails to {owner.email} reach you.",
        button_text="Yes, it is mine",
        action=f"/account/verify/{token}",
    )


@passwords.post("/verify/<token>")
@allow(Who.EVERYBODY)
@limits.limit("login")
def verified(token: str) -> str:
    """Confirm it."""
    enter.verify_email(house(), token)
    return page(
        "portal/said.html",
        title="Thank you",
        text="Your address is confirmed.",
        links=[("To my account", "/account")],
        picture="mail",
    )
