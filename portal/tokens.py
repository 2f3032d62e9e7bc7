"""A customer's tokens: what their own programs come in with."""

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.parties import tokens
from core.parties.tokens import USER, TooManyTokens
from web import limits, paging
from web.access import Who, allow
from web.context import house, today
from web.flashes import say
from web.login import person
from web.pages import page, show_errors
from web.tokens import TokenForm, form_for, row

tokens_ = Blueprint("portal_tokens", __name__, url_prefix="/account", template_folder="templates")
PAGE_SIZE = 25
_HERE = "/account/tokens"


@tokens_.get("/tokens")
@allow(Who.CUSTOMER)
def listed() -> str:
    """The tokens of whoever is logged in, the newest first, and a form for another."""
    return _page(form_for(USER))


@tokens_.post("/tokens")
@allow(Who.CUSTOMER)
@limits.limit("mail")
def make() -> str | tuple[str, int]:
    """Make one; its secret is shown on this answer alone."""
    who, form = person(), form_for(USER, request.form)
    assert who is not None

    def write(session: Session) -> str:
        wanted = form.wanted(USER)
        return tokens.make(session, who.key, wanted, today(), house().clock.now())[1]

    if not form.validate():
        return _page(form), 422
    try:
        secret = house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
        return _page(form), 422
    except TooManyTokens as error:
        show_errors(form, Invalid({"name": str(error)}))
        return _page(form), 422
    return _page(form_for(USER), secret), 201


@tokens_.get("/tokens/<public_id>/revoke")
@allow(Who.CUSTOMER)
def ask(public_id: str) -> str:
    """Whether it is really to be ended."""
    who = person()
    assert who is not None
    with house().db.reading() as session:
        found = tokens.one(session, USER, public_id, who.key)
    return page("portal/token_revoke.html", name=found.name, action=f"{_HERE}/{public_id}/revoke")


@tokens_.post("/tokens/<public_id>/revoke")
@allow(Who.CUSTOMER)
def revoke(public_id: str) -> Response:
    """End one at once."""
    who = person()
    assert who is not None
    actor, now = f"user:{who.key}", house().clock.now()
    ended = house().db.run_tx(
        lambda session: tokens.revoke(session, USER, public_id, actor, now, who.key).name
    )
    say(f"“{ended}” opens nothing any more.")
    return redirect(_HERE, 303)


def _page(form: TokenForm, secret: str = "") -> str:
    who, before = person(), paging.read_moment(request.args.get("before"))
    assert who is not None
    with house().db.reading() as session:
        found = tokens.listing(
            session, USER, who.key, place=Place("-made", before), limit=PAGE_SIZE + 1
        )
    rows = found[:PAGE_SIZE]
    last = rows[-1][0] if len(found) > PAGE_SIZE else None
    following = paging.write(last.created_at, last.id) if last is not None else None
    return page(
        "portal/tokens.html",
        form=form,
        secret=secret,
        tokens=[row(token, user, _HERE, today()) for token, user in rows],
        page=paging.links(_HERE, "before", following, before is None),
    )
