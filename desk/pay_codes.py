"""An account's pay code for somebody on the phone: what it is, and making another."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from core.parties import accounts
from core.parties.models import Account
from core.parties.roles import Role
from desk.money import actor
from flows import guest_pay
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

BASE = "/desk/customers/<public_id>/pay-code"
pay_codes = Blueprint("desk_pay_codes", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.SALES, Role.SUPPORT)


def _account(public_id: str) -> Account:
    with house().db.reading() as session:
        return accounts.by_public_id(session, public_id)


@pay_codes.get("")
@allow(Who.STAFF, roles=_ROLES)
def show(public_id: str) -> str:
    """The code, and what a new one ends."""
    account = _account(public_id)
    return page("desk/pay_code.html", customer=account, code=house().links.pay_code(account))


@pay_codes.post("")
@allow(Who.STAFF, roles=_ROLES)
def make_anew(public_id: str) -> Response:
    """Make another."""
    guest_pay.new_code(house(), _account(public_id).id, actor())
    say("There is a new pay code. The old one does not work any more.")
    return redirect(f"/desk/customers/{public_id}/pay-code", 303)
