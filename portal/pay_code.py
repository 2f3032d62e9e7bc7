"""The code with which others pay an account's bills without logging in: what it is, and making another."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from flows import guest_pay
from portal import choosing
from web import limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import person
from web.pages import page

BASE = "/account/pay-code"
pay_code = Blueprint("own_pay_code", __name__, url_prefix=BASE, template_folder="templates")


@pay_code.get("")
@allow(Who.CUSTOMER)
def show() -> str:
    """The code, and what a new one ends. It is shown to whoever may pay."""
    account = choosing.account()
    if account is None:
        return page("portal/no_account.html")
    shown = choosing.shown(account, BASE)
    code = house().links.pay_code(account) if shown["may_pay"] else ""
    return page("portal/own_pay_code.html", **shown, code=code, where=house().links.pay_by_code())


@pay_code.post("")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def make_anew() -> Response:
    """Make another."""
    account, who = choosing.payer(), person()
    assert who is not None
    guest_pay.new_code(house(), account.id, f"user:{who.key}")
    say("There is a new pay code. The old one does not work any more.")
    return redirect(f"{BASE}?account={account.number}", 303)
