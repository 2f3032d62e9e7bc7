"""Trials: the list and its file, one with everything about it, and what came of them."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.kernel import sheet
from core.kernel.clock import local_date
from core.kernel.sorting import Place
from core.parties.models import User
from core.parties.roles import Role
from core.subscriptions import trial_reading, trial_report
from core.subscriptions.trial_models import KINDS
from core.subscriptions.trial_reading import Listed
from core.subscriptions.trial_report import Tally
from desk import lists, shown
from desk.lists import Asked, Choice, Listing
from web import trials as words_of
from web.access import Who, allow
from web.context import house, today
from web.filters import date_full, sign
from web.pages import page

trials = Blueprint("desk_trials", __name__, url_prefix="/desk", template_folder="templates")
BASE = "/desk/trials"
TABS = [
    ("All", BASE, None),
    ("To call today", f"{BASE}/follow-ups", None),
    ("What came of them", f"{BASE}/report", None),
    ("Offers", f"{BASE}/offers", None),
]
_STATES = [
    ("running", "running"),
    ("leaving", "cancelled, not over"),
    ("converted", "converted"),
    ("cancelled", "cancelled"),
    ("lapsed", "lapsed"),
    ("awaiting_card", "waits for a card"),
    ("abandoned", "never began"),
]
LISTED = Listing(
    BASE,
    "trial",
    trial_reading.SORTS,
    "-asked",
    (
        Choice("kind", "Kind", [(one, words_of.KINDS[one].lower()) for one in KINDS], "any"),
        Choice("state", "State", _STATES, "any"),
    ),
    head=(
        "trial",
        "plan",
        "kind",
        "state",
        "account",
        "name",
        "email",
        "asked_at",
        "starts_on",
        "ends_on",
        "first_bill_before_tax",
        "currency",
    ),
)
#: A report covers so many days unless others are asked for.
_DAYS = 90


@trials.get("/trials")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def listed() -> str:
    """Trials, the newest first, of a kind or in a state."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        going_on = trial_reading.going_on(session, rows)
    return page(
        "desk/trials.html",
        tabs_=TABS,
        current_tab=BASE,
        trials=[_row(one, going_on) for one in rows],
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Listed]:
    return trial_reading.listing(
        session, words=asked.words, place=place, limit=limit, **asked.chosen
    )


def _row(one: Listed, going_on: frozenset[Any]) -> dict[str, Any]:
    return words_of.row(one, going_on, local_date(house().clock.now(), one.account.time_zone)) | {
        "href": f"{BASE}/{one.trial.public_id}",
        "customer": one.account.name,
        "account_number": one.account.number,
        "email": one.trial.email,
        "asked_at": one.trial.asked_at,
    }


@trials.get("/trials.csv")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def export() -> Response:
    """The same rows as a file, all of them."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_line, rows))


def _line(one: Listed) -> list[sheet.Cell]:
    trial = one.trial
    bill = trial_report.first_bill(trial)
    return [
        sheet.code(trial.public_id),
        sheet.words(one.variant.sku),
        sheet.code(trial.kind),
        sheet.code(trial.state),
        sheet.code(one.account.number),
        sheet.words(one.account.name),
        sheet.words(trial.email),
        sheet.moment(trial.asked_at),
        sheet.day(trial.starts_on),
        sheet.day(trial.ends_on),
        sheet.amount(bill) if bill is not None else sheet.EMPTY,
        sheet.code(trial.currency),
    ]


@trials.get("/trials/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def one(public_id: str) -> str | AnyResponse:
    """One trial: how it stands, what was agreed, which calls were made."""
    with house().db.snapshot() as session:
        found = trial_reading.one(session, public_id)
        going_on = trial_reading.going_on(session, [found])
        calls = trial_reading.follow_ups_of(session, found.trial.id)
        user = session.get_one(User, found.trial.user_id)
    trial = found.trial
    bill = trial_report.first_bill(trial)
    return page(
        "desk/trial.html",
        trial=_row(found, going_on),
        facts=[
            ("Person", f"{user.name}, {trial.email}"),
            ("Account", f"{found.account.name}, {found.account.number}"),
            ("Phone", str((found.account.billing_address or {}).get("phone") or "not told")),
            ("Plan", found.variant.name),
            ("First day after it", date_full(trial.ends_on) if trial.ends_on else "none"),
            *([("First bill, before tax", sign(bill))] if bill is not None else []),
            *([("Why", trial.close_reason.replace("_", " "))] if trial.close_reason else []),
        ],
        agreed=words_of.agreed(found),
        agreed_version=trial.words_version,
        calls=[words_of.call(one) for one in calls],
        events=shown.moments(
            ("Over", trial.closed_at),
            ("Cancelled", trial.cancelled_at),
            ("Agreed", trial.asked_at),
        ),
    )


@trials.get("/trials/report")
@allow(Who.STAFF, roles=(Role.SALES,))
def report() -> str:
    """What came of the trials that began in some days, kind by kind."""
    errors: dict[str, str] = {}
    last = _day("to", today(), errors)
    first = _day("from", last - timedelta(days=_DAYS), errors)
    with house().db.snapshot() as session:
        found = trial_report.report(session, min(first, last), last)
    return page(
        "desk/trial_report.html",
        tabs_=TABS,
        current_tab=f"{BASE}/report",
        first=first,
        last=last,
        days=[
            {"name": "from", "label": "Began from", "value": first.isoformat()},
            {"name": "to", "label": "to", "value": last.isoformat()},
        ],
        errors=errors,
        rows=[_tally(one) for one in found],
    )


def _day(name: str, otherwise: date, errors: dict[str, str]) -> date:
    text = request.args.get(name, "").strip()
    if not text:
        return otherwise
    try:
        day = date.fromisoformat(text)
    except ValueError:
        errors[name] = "Write a day like 2026-11-30."
        return otherwise
    return day if date(1970, 1, 1) < day < date(2999, 1, 1) else otherwise


def _tally(one: Tally) -> dict[str, Any]:
    return {
        "kind": words_of.KINDS[one.kind],
        "href": lists.address(BASE, kind=one.kind),
        "numbers": [one.started, one.running, one.converted, one.cancelled, one.lapsed],
        "rate": f"{one.rate_percent} %" if one.rate_percent is not None else "",
        "revenue": ", ".join(sign(amount) for amount in one.revenue),
    }
