"""Paying without logging in: by the signed link of a mail, or by account number and pay code.

The page shows what is needed to pay and no more: a masked name, the numbers and amounts of open bills. What
is typed is answered the same whatever of it is wrong, and only so often, by address and by account.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.kernel.money import total
from core.parties import pay_codes
from core.parties.models import Account
from flows import guest_pay as flow
from flows import pay_amount
from flows.guest_pay import PayCodeUnknown
from flows.pay_amount import AllocationChanged, AmountWish
from payments.gateway import GatewayError
from portal import amounts
from portal.amounts import Typed
from web import limits
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.pages import page

guest_pay = Blueprint("guest_pay", __name__, template_folder="templates")
_NO_ANSWER = "Our payment partner does not answer. Nothing was charged. Try again in a minute."


class CodeForm(Form):
    """What a printed bill says."""

    account = StringField(
        "Account number",
        [InputRequired("It has nine digits and stands on each bill."), Length(max=20)],
    )
    code = StringField(
        "Pay code", [InputRequired("It stands beside the account number."), Length(max=20)]
    )


def _typed_account() -> str:
    """By whom tries are counted: the account number as it was typed, whether there is one or not."""
    return "".join(sign for sign in request.form.get("account", "") if sign.isdigit())[:20]


@guest_pay.get("/pay-a-bill")
@allow(Who.EVERYBODY)
def ask() -> str:
    """Account number and pay code."""
    return page("portal/pay_code.html", form=CodeForm(), problem="")


@guest_pay.post("/pay-a-bill")
@allow(Who.EVERYBODY)
@limits.limit("pay_code")
@limits.limit("pay_code_account", key_func=_typed_account)
def find() -> Response | tuple[str, int]:
    """On to the page that pays, when the two belong together."""
    form = CodeForm(request.form)
    if not form.validate():
        return page("portal/pay_code.html", form=form, problem=""), 422
    try:
        with house().db.reading() as session:
            account = flow.by_code(session, house(), form.account.data or "", form.code.data or "")
    except PayCodeUnknown as error:
        return page("portal/pay_code.html", form=form, problem=str(error)), 422
    return redirect(house().links.pay_page(account), 303)


@guest_pay.get("/due/<public_id>/<token>")
@allow(Who.EVERYBODY)
def show(public_id: str, token: str) -> str:
    """What is open, and the button."""
    return _page(_account(public_id, token))


@guest_pay.post("/due/<public_id>/<token>")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def go(public_id: str, token: str) -> str | Response | tuple[str, int]:
    """Pay all of it, or another amount whose allocation was shown."""
    account = _account(public_id, token)
    typed = amounts.read(account.id, account.currency, ())
    if typed.error:
        return _page(account, typed), 422
    if request.form.get("step") != "pay" or (typed.text and not typed.is_shown):
        changed = bool(typed.shown) and request.form.get("step") == "pay"
        problems = [str(AllocationChanged())] if changed else []
        return _page(account, typed, problems=problems), 409 if changed else 200
    try:
        url = _begin(account, typed)
    except GatewayError:
        return _page(account, typed, problems=[_NO_ANSWER]), 503
    except ShopError as error:
        return _page(account, typed, problems=[str(error)]), 409
    return redirect(url or house().links.pay_page(account), 303)


def _begin(account: Account, typed: Typed) -> str | None:
    back = ("pay_page", pay_codes.subject(account.public_id, account.pay_code_series))
    if typed.amount is not None and typed.plan is not None:
        wish = AmountWish(account.id, typed.amount, "guest", typed.shown, back=back)
        return pay_amount.pay(house(), wish)
    expected = request.form.get("expected_total", "")
    return flow.pay_all(house(), account.id, expected, back)


def _account(public_id: str, token: str) -> Account:
    """The account, for the one who holds its token. NotFound for anybody else."""
    with house().db.reading() as session:
        return flow.by_token(session, house(), public_id, token)


def _page(account: Account, typed: Typed | None = None, problems: Sequence[str] = ()) -> str:
    with house().db.snapshot() as session:
        owed = pay_amount.open_bills(session, house(), account.id, account.currency)
        fresh = flow.paid_lately(session, account.id, house().clock.now())
    here = local_date(house().clock.now(), account.time_zone)
    return page(
        "portal/guest_pay.html",
        name=flow.masked(account.name),
        ending=account.number[-3:],
        bills=[_bill(one, here) for one in owed[:50]],
        more=max(len(owed) - 50, 0),
        total=total((one.open for one in owed), account.currency),
        expected_total=str(sum(one.open.minor for one in owed)),
        another=amounts.words(typed or Typed()),
        problems=problems,
        fresh=fresh,
        action=f"/due/{account.public_id}/{house().links.pay_token(account)}",
    )


def _bill(item: Any, today: Any) -> dict[str, Any]:
    due = item.due_date or item.effective_date
    late = due < today
    return {
        "number": item.number,
        "due": due,
        "open": item.open,
        "state": State("bad", "Overdue") if late else State("wait", "Open"),
    }
