"""What is past due: of a customer's own accounts, with promising a day; and of all, by a key of the desk."""

from datetime import date

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, callers, cursors, reading
from api.answers import Json, moment, money
from api.callers import customer, staff
from api.once import once
from api.pace import limit
from api.past_due_shapes import CaseQuery, PromiseWish
from api.problems import add_headers
from core.kernel.clock import local_date
from core.kernel.errors import Forbidden, NotFound
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import Account
from flows import chase, rest_case
from flows.rest_case import Wish
from payments.dunning import cases
from payments.dunning import reading as dunning
from payments.dunning.models import DunningAct, DunningCase
from web.access import Guard, Who, allow
from web.context import house, today, web_settings

past_due = Blueprint("api_past_due", __name__, url_prefix="/api/v1/account")
past_due.after_request(add_headers)
desk_past_due = Blueprint("api_desk_past_due", __name__, url_prefix="/api/v1/desk")
desk_past_due.after_request(add_headers)
#: So many bills are told of one account.
_MOST = 100


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _case(case: DunningCase) -> Json:
    return {
        "id": case.public_id,
        "state": case.state,
        "since": case.due_on.isoformat(),
        "locked": case.locked_at is not None,
        "lock_on": _day(case.lock_on),
        "promised_until": _day(case.promise_until),
        "held_until": _day(case.hold_until),
        "next_step": case.next_step or None,
        "next_on": _day(case.next_on),
    }


def _own(session: Session, account: Account, *, may_pay: bool) -> Json | None:
    late = chase.look(session, account, house().clock.now())
    if late.due_on is None:
        return None
    case, plan = cases.open_case(session, account.id), house().rules.dunning
    may_promise = may_pay and case is not None and cases.may_promise(case, plan)
    latest = cases.latest_promise(plan, late.today)
    return {
        "account": account.number,
        "amount": money(late.amount),
        "since": late.due_on.isoformat(),
        "bills": [
            {
                "number": item.number,
                "due_on": (item.due_date or item.effective_date).isoformat(),
                "open": money(item.open),
                "contested": money(item.contested),
            }
            for item in late.bills[:_MOST]
        ],
        "case": _case(case) if case is not None else None,
        "promise_until": latest.isoformat() if may_promise else None,
    }


@past_due.get("/past-due")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("billing:read")
def show() -> Response:
    """What is past due on each of their accounts, and what comes of it."""
    with house().db.snapshot() as session:
        found = [_own(session, row, may_pay=may) for row, may in callers.own_accounts(session)]
    return answers.respond({"past_due": [one for one in found if one is not None]})


@past_due.post("/past-due/<case_id>/promise")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("billing:write")
def promise(case_id: str) -> Response:
    """Promise to pay all of it by a day: nothing happens until then."""
    wish, wanted = reading.body(PromiseWish), reading.public_id(case_id, "case")
    caller = callers.caller()
    with house().db.reading() as session:
        mine = {row.id: may for row, may in callers.own_accounts(session)}
        case = cases.by_public_id(session, wanted)
    if case.account_id not in mine:
        raise NotFound("case")
    if not mine[case.account_id]:
        raise Forbidden

    def work() -> tuple[int, Json]:
        asked = Wish(wish.until, caller.actor, by_customer=True)
        return 200, _case(rest_case.promise(house(), case.account_id, asked))

    status, body = once(f"promise:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status)


@desk_past_due.get("/past-due")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("billing:read")
def listed() -> Response:
    """Cases, the longest past due first."""
    query, secret = reading.query(CaseQuery), web_settings().secret_key
    after = cursors.read_day(secret, query.cursor)
    with house().db.snapshot() as session:
        found = dunning.listing(
            session, shown=query.state, place=Place("since", after), limit=query.page_size + 1
        )
        rows = dunning.past_due_of(session, found[: query.page_size], today())
    following = None
    if len(found) > len(rows):
        following = cursors.write_day(secret, rows[-1].case.due_on, rows[-1].case.id)
    content = [
        {
            **_case(one.case),
            "account": one.account.number,
            "amounts": [money(amount) for amount in one.amounts],
        }
        for one in rows
    ]
    return answers.respond({"cases": content, "next_cursor": following})


@desk_past_due.get("/past-due/<case_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("billing:read")
def one(case_id: str) -> Response:
    """One case with what was done last."""
    wanted = reading.public_id(case_id, "case")
    with house().db.snapshot() as session:
        case = cases.by_public_id(session, wanted)
        account = session.get_one(Account, case.account_id)
        found = dunning.past_due_of(session, [(case, account)], _today(account))
        acts = dunning.acts_of(session, case.id, limit=_MOST)
    content = {
        **_case(case),
        "account": account.number,
        "amounts": [money(amount) for amount in found[0].amounts],
        "acts": [_act(act) for act in acts],
    }
    return answers.respond(content)


def _today(account: Account) -> date:
    return local_date(house().clock.now(), account.time_zone)


def _act(act: DunningAct) -> Json:
    amount = None
    if act.amount_minor is not None and act.currency is not None:
        amount = money(Money(act.amount_minor, act.currency))
    return {
        "kind": act.kind,
        "step": act.step or None,
        "at": moment(act.at),
        "until": _day(act.until),
        "amount": amount,
        "note": act.note,
    }
