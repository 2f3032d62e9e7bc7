"""What somebody agreed to without having to, such as news by mail: how it stands, and taking it back."""

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from cart import agreed
from cart.agreed import Agreed
from core.parties import accounts
from flows import withdraw_consent
from web import limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import person
from web.pages import page

consents = Blueprint(
    "portal_consents", __name__, url_prefix="/account", template_folder="templates"
)
_HERE = "/account/consents"


@consents.get("/consents")
@allow(Who.CUSTOMER)
def show() -> str:
    """Of each account that whoever is logged in owns."""
    who = person()
    assert who is not None
    with house().db.snapshot() as session:
        owned = accounts.owned_by(session, who.key)
        mine = [row for row in accounts.of_user(session, who.key) if row.id in owned]
        found = agreed.of_accounts(session, owned)
    return page(
        "portal/consents.html",
        accounts=[
            {
                "name": row.name,
                "number": row.number,
                "rows": [_row(one) for one in found if one.account_id == row.id],
            }
            for row in mine
        ],
        action=f"{_HERE}/withdraw",
    )


def _row(one: Agreed) -> dict[str, Any]:
    return {
        "code": one.code,
        "version": one.version,
        "text": one.text,
        "href": one.href,
        "given_at": one.given_at,
        "order": one.order_number,
        "withdrawn_at": one.withdrawn_at,
    }


@consents.post("/consents/withdraw")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def withdraw() -> Response:
    """Take one back."""
    who = person()
    assert who is not None
    number, code = request.form.get("account", "")[:20], request.form.get("code", "")[:40]
    withdraw_consent.withdraw(house(), who.key, number, code, request.remote_addr or "")
    say("Taken back. It holds from now on; what was agreed to before stays written down.")
    return redirect(_HERE, 303)
