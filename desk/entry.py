"""Staff log in and out."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel import audit
from core.parties.models import User
from core.parties.roles import ANY_ROLE
from core.parties.users import WrongLogin
from flows import enter
from web import limits
from web.access import Who, allow
from web.context import house
from web.forms import LoginForm, onward
from web.login import log_in, log_out, person
from web.pages import page

entry = Blueprint("desk_entry", __name__, url_prefix="/desk", template_folder="templates")


@entry.get("/login")
@allow(Who.EVERYBODY)
def door() -> str | Response:
    """The log-in form."""
    who = person()
    if who is not None and who.is_staff:
        return redirect(onward(request.args.get("next"), "/desk"))
    return page("desk/login.html", form=LoginForm(request.args), problems=[])


@entry.post("/login")
@allow(Who.EVERYBODY)
@limits.limit("login")
def come_in() -> str | Response | tuple[str, int]:
    """Log in; customers are told no more than strangers."""
    form = LoginForm(request.form)
    if not form.validate():
        return page("desk/login.html", form=form, problems=[]), 422
    try:
        user = _staff(form)
    except WrongLogin as error:
        return page("desk/login.html", form=form, problems=[str(error)]), 401
    log_in(user)
    house().db.run_tx(
        lambda session: audit.write(
            session,
            house().clock.now(),
            f"user:{user.id}",
            "desk.entered",
            ("user", user.public_id),
        )
    )
    return redirect(onward(form.next.data, "/desk"), 303)


def _staff(form: LoginForm) -> User:
    user = enter.log_in(house(), form.email.data, form.password.data)
    if not user.is_staff:
        raise WrongLogin
    return user


@entry.post("/logout")
@allow(Who.STAFF, roles=ANY_ROLE)
def leave() -> Response:
    """Log out."""
    log_out()
    return redirect("/desk/login", 303)
