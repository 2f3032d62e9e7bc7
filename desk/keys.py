"""The desk's keys: what the merchant's own programs come in with, each with its scopes."""

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel.errors import Invalid
from core.parties import tokens
from core.parties.roles import Role
from core.parties.tokens import STAFF, TooManyTokens
from desk import lists
from desk.taxes import actor
from web import paging
from web.access import Who, after_a_code, allow
from web.context import house, today
from web.flashes import say
from web.login import person
from web.pages import page, show_errors
from web.tokens import TokenForm, form_for, row

keys = Blueprint("desk_keys", __name__, url_prefix="/desk", template_folder="templates")
_HERE = "/desk/keys"


@keys.get("/keys")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def listed() -> str:
    """Everybody's keys, the newest first, and a form for another."""
    return _page(form_for(STAFF))


@keys.post("/keys")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def make() -> str | tuple[str, int]:
    """Make one; its secret is shown on this answer alone."""
    who, form = person(), form_for(STAFF, request.form)
    assert who is not None

    def write(session: Session) -> str:
        wanted = form.wanted(STAFF)
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
    return _page(form_for(STAFF), secret), 201


@keys.get("/keys/<public_id>/revoke")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def ask(public_id: str) -> str:
    """Whether it is really to be ended."""
    with house().db.reading() as session:
        found = tokens.one(session, STAFF, public_id)
    return page("desk/key_revoke.html", name=found.name, action=f"{_HERE}/{public_id}/revoke")


@keys.post("/keys/<public_id>/revoke")
@allow(Who.STAFF, roles=(Role.ADMIN,))
@after_a_code
def revoke(public_id: str) -> Response:
    """End one at once."""
    who, now = actor(), house().clock.now()
    ended = house().db.run_tx(
        lambda session: tokens.revoke(session, STAFF, public_id, who, now).name
    )
    say(f"“{ended}” opens nothing any more.")
    return redirect(_HERE, 303)


def _page(form: TokenForm, secret: str = "") -> str:
    before = paging.read_moment(request.args.get("before"))
    with house().db.reading() as session:
        found = tokens.listing(session, STAFF, before=before, limit=lists.PAGE_SIZE + 1)
    rows = found[: lists.PAGE_SIZE]
    last = rows[-1][0] if len(found) > lists.PAGE_SIZE else None
    following = paging.write(last.created_at, last.id) if last is not None else None
    return page(
        "desk/keys.html",
        form=form,
        secret=secret,
        tokens=[row(token, user, _HERE, today()) for token, user in rows],
        page=paging.links(_HERE, "before", following, before is None),
    )
