"""The desk's keys: what the merchant's own programs come in with, each with its scopes."""

from collections.abc import Sequence

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.parties import tokens
from core.parties.models import User
from core.parties.roles import Role
from core.parties.token_models import ApiToken
from core.parties.tokens import STAFF, TooManyTokens
from desk.lists import Asked, Listing
from desk.taxes import actor
from web.access import Who, after_a_code, allow
from web.context import house, today
from web.flashes import say
from web.login import person
from web.pages import page, show_errors
from web.tokens import TokenForm, form_for, row

keys = Blueprint("desk_keys", __name__, url_prefix="/desk", template_folder="templates")
_HERE = "/desk/keys"
LISTED = Listing(
    _HERE,
    "key",
    tokens.SORTS,
    "-made",
    head=("name", "begins_with", "scopes", "made_by", "made", "last_used", "ends", "state"),
)


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
    with house().db.reading() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _found)
    return page(
        "desk/keys.html",
        form=form,
        secret=secret,
        tokens=[row(token, user, _HERE, today()) for token, user in rows],
        **context,
    )


@keys.get("/keys.csv")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def export() -> FileResponse:
    """The list as it is chosen, all of it; of a secret there is its beginning alone."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_cells(*one) for one in rows))


def _found(
    session: Session, asked: Asked, place: Place, limit: int
) -> Sequence[tuple[ApiToken, User]]:
    return tokens.listing(session, STAFF, words=asked.words, place=place, limit=limit)


def _cells(token: ApiToken, maker: User) -> list[sheet.Cell]:
    drawn = row(token, maker, _HERE, today())
    return [
        sheet.words(token.name),
        sheet.words(token.beginning),
        sheet.code(" ".join(token.scopes)),
        sheet.words(maker.name),
        sheet.moment(token.created_at),
        sheet.day(token.last_used_on),
        sheet.day(token.expires_on),
        sheet.words(drawn["state"].text),
    ]
