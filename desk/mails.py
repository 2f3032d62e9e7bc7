"""Every mail of the shop, to be looked at: the page that it is, and its plain-text twin."""

from flask import Blueprint, Response, make_response

from core.parties.roles import Role
from flows import show_mails
from flows.show_mails import Sample
from web.access import Who, allow
from web.context import channel, house
from web.headers import may_frame, of_a_mail
from web.pages import page

HERE = "/desk/content/mails"
mails = Blueprint("desk_mails", __name__, url_prefix=HERE, template_folder="templates")
_SEE = (Role.CONTENT,)


@mails.get("")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """All of them by kind."""
    return page("desk/mails.html", mails=show_mails.every(*channel()), here=HERE)


@mails.get("/<name>")
@allow(Who.STAFF, roles=_SEE)
def one(name: str) -> Response:
    """One, both ways."""
    drawn = page("desk/mail.html", mail=_sample(name), here=f"{HERE}/{name}")
    return may_frame(make_response(drawn))


@mails.get("/<name>/preview-mail")
@allow(Who.STAFF, roles=_SEE)
def preview(name: str) -> Response:
    """The mail alone. It runs nothing and asks for nothing."""
    return of_a_mail(make_response(_sample(name).html))


def _sample(name: str) -> Sample:
    return show_mails.one(house(), *channel(), name)
