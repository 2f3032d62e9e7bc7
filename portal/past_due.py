"""What is past due of one account: the bills, what comes of it, and a promise to pay by a day."""

from datetime import date
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.parties.models import Account
from flows import chase, rest_case
from flows.chase import Late
from flows.rest_case import Wish
from payments.dunning import cases
from payments.dunning.cases import PromiseRefused
from payments.dunning.models import DunningCase
from portal import owing
from web import limits
from web.access import Who, allow
from web.context import house
from web.filters import date_words
from web.flashes import say
from web.login import own_accounts, payable_accounts, person
from web.pages import page

past_due = Blueprint("past_due", __name__, url_prefix="/account", template_folder="templates")
#: So many bills stand on the page.
_MOST = 50


@past_due.get("/past-due/<public_id>")
@allow(Who.CUSTOMER)
def show(public_id: str) -> str:
    """The bills that are late, and a day to promise."""
    return _page(*_case(public_id))


@past_due.post("/past-due/<public_id>/promise")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def promise(public_id: str) -> str | Response | tuple[str, int]:
    """Promise a day. Nothing happens until then."""
    case, account = _case(public_id)
    who = person()
    assert who is not None
    if account.id not in payable_accounts():
        raise NotFound("case")
    typed = request.form.get("until", "").strip()
    try:
        wish = Wish(date.fromisoformat(typed), f"user:{who.key}", by_customer=True)
        case = rest_case.promise(house(), account.id, wish)
    except ValueError:
        return _page(case, account, typed=typed, error="Choose a day."), 422
    except PromiseRefused as error:
        return _page(case, account, typed=typed, error=_words(error, account)), 422
    assert case.promise_until is not None
    say(f"Thank you. We wait until {date_words(case.promise_until)}.")
    return redirect("/account", 303)


def _words(error: PromiseRefused, account: Account) -> str:
    if error.reason != "too_far":
        return str(error)
    today = local_date(house().clock.now(), account.time_zone)
    latest = cases.latest_promise(house().rules.dunning, today)
    return f"Choose a day up to {date_words(latest)}. For a later one, please call us."


def _case(public_id: str) -> tuple[DunningCase, Account]:
    """An open case of an account that they may see. NotFound for anybody else."""
    mine = {row.id: row for row in own_accounts()}
    with house().db.reading() as session:
        case = cases.by_public_id(session, public_id)
    if case.account_id not in mine:
        raise NotFound("case")
    return case, mine[case.account_id]


def _page(case: DunningCase, account: Account, *, typed: str = "", error: str = "") -> str:
    with house().db.snapshot() as session:
        late = chase.look(session, account, house().clock.now())
    plan = house().rules.dunning
    may = account.id in payable_accounts() and cases.may_promise(case, plan)
    return page(
        "portal/past_due.html",
        late=_shown(late),
        words=owing.words(case, has_services=True) if late.bills else "",
        may_promise=may,
        action=f"/account/past-due/{case.public_id}/promise",
        typed=typed,
        error=error,
        earliest=date.fromordinal(late.today.toordinal() + 1),
        latest=cases.latest_promise(plan, late.today),
    )


def _shown(late: Late) -> dict[str, Any]:
    return {
        "amount": late.amount,
        "since": late.due_on,
        "days": (late.today - late.due_on).days if late.due_on is not None else 0,
        "bills": [
            {
                "number": item.number,
                "due": item.due_date or item.effective_date,
                "open": item.uncontested,
            }
            for item in late.bills[:_MOST]
        ],
        "more": max(len(late.bills) - _MOST, 0),
    }
