"""Who is past due: the list and its file, one account's case with its history, and what staff do about it."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Form

from core.kernel import sheet
from core.kernel.errors import Invalid, ShopError
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import Account, User
from core.parties.roles import Role
from desk import lists
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from desk.past_due_forms import RestForm, WaiveForm
from desk.past_due_words import ACTS, STEPS, step_words
from flows import charge_late_fee, chase, rest_case
from flows.rest_case import Wish
from invoices import reading as invoices
from payments.dunning import cases, reading
from payments.dunning.models import DunningAct, DunningCase
from payments.dunning.reading import Listed
from web import paging
from web.access import Who, allow
from web.context import house, today
from web.documents import State
from web.filters import date_full, sign
from web.flashes import say
from web.pages import page, show_errors

past_due = Blueprint("desk_past_due", __name__, url_prefix="/desk", template_folder="templates")
BASE = "/desk/past-due"
_EVERY = (Role.BILLING, Role.SUPPORT)
_STATES = [
    ("locked", "services locked"),
    ("promised", "promised to pay"),
    ("held", "held by us"),
    ("closed", "over"),
]
_AGES = [
    ("14", "more than 14 days"),
    ("30", "more than 30 days"),
    ("60", "60 and more"),
]
LISTED = Listing(
    BASE,
    "account",
    reading.SORTS,
    "since",
    (Choice("state", "State", _STATES, "open"), Choice("age", "Age", _AGES, "any")),
    head=(
        "account",
        "name",
        "past_due",
        "currency",
        "since",
        "days",
        "state",
        "next_step",
        "next_on",
    ),
    file_name="past-due",
)


def _found(
    session: Session, asked: Asked, place: Place, limit: int
) -> list[tuple[DunningCase, Account]]:
    older = None
    if asked["age"]:
        older = today() - timedelta(days=int(asked["age"]))
    return reading.listing(
        session,
        shown=asked["state"] or "open",
        words=asked.words,
        older_than=older,
        place=place,
        limit=limit,
    )


@past_due.get("/past-due")
@allow(Who.STAFF, roles=_EVERY)
def listed() -> str:
    """Accounts with something past due, the longest first; or those where it is over."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        found, context = LISTED.page(session, asked, _found)
        rows = reading.past_due_of(session, found, today())
    return page("desk/past_due.html", rows=[_row(one) for one in rows], **context)


def _row(one: Listed) -> dict[str, Any]:
    case = one.case
    return {
        "href": f"{BASE}/{case.public_id}",
        "customer": one.account.name,
        "number": one.account.number,
        "amounts": one.amounts if case.state == "open" else (),
        "since": case.due_on,
        "days": (today() - case.due_on).days,
        "state": _state(case),
        "next": step_words(case),
        "next_on": case.next_on,
    }


def _state(case: DunningCase) -> State:
    if case.state == "closed":
        return State("go", "Over")
    if case.locked_at is not None:
        return State("bad", "Services locked")
    if case.next_step == "payment" and case.next_on is not None:
        return State("wait", f"Paid by card on {date_full(case.next_on)}")
    if case.promise_until is not None:
        return State("wait", f"Promised by {date_full(case.promise_until)}")
    if case.hold_until is not None:
        return State("wait", f"Held until {date_full(case.hold_until)}")
    return State("bad", "Past due")


@past_due.get("/past-due.csv")
@allow(Who.STAFF, roles=_EVERY)
def export() -> Response:
    """The same rows as a file, all of them."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _cells(
    session: Session, found: Sequence[tuple[DunningCase, Account]]
) -> Iterator[list[sheet.Cell]]:
    for one in reading.past_due_of(session, found, today()):
        amounts = one.amounts or (Money.zero(one.account.currency),)
        yield from (_line(one, amount) for amount in amounts)


def _line(one: Listed, amount: Money) -> list[sheet.Cell]:
    case = one.case
    return [
        sheet.code(one.account.number),
        sheet.words(one.account.name),
        sheet.amount(amount),
        sheet.code(amount.currency),
        sheet.day(case.due_on),
        sheet.code((today() - case.due_on).days),
        sheet.words(_state(case).text),
        sheet.code(case.next_step),
        sheet.day(case.next_on),
    ]


@past_due.get("/past-due/<public_id>")
@allow(Who.STAFF, roles=_EVERY)
def one(public_id: str) -> str:
    """One case: what is open, what was done, what comes next, and what can be done."""
    return _page(public_id)


def _page(public_id: str, *, hold: RestForm | None = None, promise: RestForm | None = None) -> str:
    before = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        case = cases.by_public_id(session, public_id)
        account = session.get_one(Account, case.account_id)
        late = chase.look(session, account, house().clock.now())
        acts = reading.acts_of(session, case.id, before=before, limit=lists.PAGE_SIZE + 1)
        names = invoices.names(
            session,
            [act.document_id for act in acts if act.document_id]
            + [item.source_id for item in late.bills],
        )
        people = _people(session, acts)
        fee = reading.fee_of(session, case.id)
    shown = acts[: lists.PAGE_SIZE]
    last = shown[-1] if len(acts) > lists.PAGE_SIZE else None
    here = f"{BASE}/{public_id}"
    return page(
        "desk/past_due_case.html",
        case=_row(Listed(case, account, (late.amount,))),
        is_open=case.state == "open",
        is_resting=case.hold_until is not None or case.promise_until is not None,
        facts=_facts(case, account, late.amount),
        bills=[
            {
                "number": item.number,
                "href": f"/desk/invoices/{names[item.source_id][1]}"
                if item.source_id in names
                else "",
                "due": item.due_date or item.effective_date,
                "open": item.open,
                "contested": item.contested,
            }
            for item in late.bills[: lists.PAGE_SIZE]
        ],
        more=max(len(late.bills) - lists.PAGE_SIZE, 0),
        events=[_event(act, names, people) for act in shown],
        account_href=f"/desk/ledger/accounts/{account.public_id}",
        here=here,
        fee=fee is not None,
        hold_form=hold or RestForm(prefix="hold-"),
        promise_form=promise or RestForm(prefix="promise-"),
        page=paging.links(
            here,
            "before",
            paging.write(last.at, last.id) if last is not None else None,
            before is None,
        ),
    )


def _facts(case: DunningCase, account: Account, amount: Money) -> list[tuple[str, str]]:
    facts = [
        ("Account", f"{account.name}, {account.number}"),
        ("Past due", sign(amount)),
        ("Since", date_full(case.due_on)),
        ("Next", step_words(case)),
    ]
    if case.lock_on is not None:
        facts.append(("Lock, as told", date_full(case.lock_on)))
    facts.append(("Promises by the customer", str(case.promises)))
    phone = str((account.billing_address or {}).get("phone") or "")
    return [*facts, ("Phone", phone or "not told"), ("E-mail", account.email or "none")]


def _people(session: Any, acts: Sequence[DunningAct]) -> dict[str, str]:
    keys = {act.actor for act in acts if act.actor.startswith("user:")}
    if not keys:
        return {}
    ids = [uuid.UUID(key.removeprefix("user:")) for key in keys]
    rows = session.scalars(select(User).where(User.id.in_(ids)))
    return {f"user:{row.id}": row.name for row in rows}


def _event(act: DunningAct, names: dict[Any, tuple[str, str]], people: dict[str, str]) -> Any:
    said = [people.get(act.actor, "") or ("" if act.actor == "system" else act.actor)]
    if act.amount_minor is not None and act.currency is not None:
        said.append(sign(Money(act.amount_minor, act.currency)))
    if act.document_id in names:
        said.append(names[act.document_id][0])
    if act.until is not None:
        said.append(f"until {date_full(act.until)}" if act.kind != "reminded" else "")
        if act.kind == "reminded":
            said.append(f"tells of a lock on {date_full(act.until)}")
    if act.kind not in ("locked", "unlocked"):
        said.append(act.note)
    title = ACTS[act.kind]
    if act.step in STEPS and act.kind != "fee":
        title = STEPS[act.step] if act.kind == "reminded" else f"{title}: {STEPS[act.step]}"
    bad = act.kind in ("locked", "promise_broken")
    return {
        "title": title,
        "text": ", ".join(part for part in said if part),
        "at": act.at,
        "state": "bad" if bad else "done",
    }


@past_due.post("/past-due/<public_id>/hold")
@allow(Who.STAFF, roles=_EVERY)
def hold(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Nothing happens until the end of a day."""
    form = RestForm(request.form, prefix="hold-")
    if not form.validate() or form.until.data is None:
        return _page(public_id, hold=form), 422
    wish = Wish(form.until.data, actor(), note=form.note.data or "")
    try:
        rest_case.hold(house(), public_id, wish)
    except Invalid as error:
        show_errors(form, error)
        return _page(public_id, hold=form), 422
    say(f"Held until {date_full(wish.until)}.")
    return redirect(f"{BASE}/{public_id}", 303)


@past_due.post("/past-due/<public_id>/promise")
@allow(Who.STAFF, roles=_EVERY)
def promise(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """The customer said by when they pay."""
    form = RestForm(request.form, prefix="promise-")
    if not form.validate() or form.until.data is None:
        return _page(public_id, promise=form), 422
    with house().db.reading() as session:
        account_id = cases.by_public_id(session, public_id).account_id
    wish = Wish(form.until.data, actor(), note=form.note.data or "")
    try:
        rest_case.promise(house(), account_id, wish)
    except cases.PromiseRefused as error:
        form.until.errors = [str(error)]
        return _page(public_id, promise=form), 422
    say(f"Noted. We wait until {date_full(wish.until)}, and have written so.")
    return redirect(f"{BASE}/{public_id}", 303)


@past_due.post("/past-due/<public_id>/go-on")
@allow(Who.STAFF, roles=_EVERY)
def go_on(public_id: str) -> AnyResponse:
    """A hold or a promise ends now."""
    rest_case.go_on(house(), public_id, actor())
    say("It goes on with the next day’s round.")
    return redirect(f"{BASE}/{public_id}", 303)


@past_due.post("/past-due/<public_id>/remind")
@allow(Who.STAFF, roles=_EVERY)
def remind(public_id: str) -> AnyResponse:
    """Write now."""
    if rest_case.remind_now(house(), public_id, actor()):
        say("The reminder is on its way.")
    else:
        say("One was sent by hand today already, or nothing has to be asked for now.", "warn")
    return redirect(f"{BASE}/{public_id}", 303)


@past_due.get("/past-due/<public_id>/waive")
@allow(Who.STAFF, roles=(Role.BILLING,))
def ask_waive(public_id: str) -> str:
    """Take the late fee back? It says what will be written."""
    return _waive(public_id, WaiveForm())


@past_due.post("/past-due/<public_id>/waive")
@allow(Who.STAFF, roles=(Role.BILLING,))
def waive(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Take it back."""
    form = WaiveForm(request.form)
    if not form.validate():
        return _waive(public_id, form), 422
    try:
        memo = charge_late_fee.waive(house(), public_id, actor(), form.note.data or "")
    except ShopError as error:
        say(str(error), "warn")
    else:
        say(f"Taken back with credit memo {memo.number}.")
    return redirect(f"{BASE}/{public_id}", 303)


def _waive(public_id: str, form: Form) -> str:
    with house().db.reading() as session:
        case = cases.by_public_id(session, public_id)
        account = session.get_one(Account, case.account_id)
        fee = reading.fee_of(session, case.id)
    amount = Money(fee.amount_minor or 0, account.currency) if fee is not None else None
    return page(
        "desk/past_due_waive.html",
        form=form,
        customer=account.name,
        amount=amount,
        here=f"{BASE}/{public_id}",
    )
