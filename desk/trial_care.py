"""Caring for trials: who is to be called today, and how the offers are set."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, SelectField, StringField
from wtforms.fields import SelectChoice

from core.kernel import sheet
from core.kernel.clock import local_date
from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.parties.roles import Role
from core.subscriptions import trial_desk, trial_reading
from core.subscriptions.trial_reading import Due
from desk import lists
from desk.lists import Listing
from desk.money import actor
from desk.trials import BASE, TABS
from web import trials as words_of
from web.access import Who, allow
from web.context import house, today
from web.flashes import say
from web.pages import page, show_errors

trial_care = Blueprint("desk_trial_care", __name__, url_prefix=BASE, template_folder="templates")


CALLS = Listing(
    f"{BASE}/follow-ups",
    "call",
    trial_reading.CALL_SORTS,
    "due",
    head=("due", "name", "phone", "email", "plan", "account"),
)


class CallForm(Form):
    """How a call went."""

    outcome = SelectField(
        "How it went",
        choices=[
            SelectChoice("", "Choose"),
            *(SelectChoice(key, text) for key, text in words_of.OUTCOMES.items()),
        ],
        validate_choice=False,
    )
    note = StringField("Note")


# --- calls ----------------------------------------------------------------------------------------


@trial_care.get("/follow-ups")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def calls() -> str:
    """Who is to be called by today, the longest waiting first."""
    return _calls(CallForm(), "")


@trial_care.post("/follow-ups/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def called(public_id: str) -> str | Response | tuple[str, int]:
    """A call was made."""
    form = CallForm(request.form)

    def write(session: Session) -> None:
        row = trial_reading.follow_up(session, public_id)
        outcome, note = form.outcome.data or "", form.note.data or ""
        trial_desk.done(session, row, outcome, note, actor(), house().clock.now())

    try:
        house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
        return _calls(form, public_id), 422
    except trial_desk.DoneAlready as error:
        say(str(error), "warn")
    else:
        say("Noted.")
    return redirect(f"{BASE}/follow-ups", 303)


def _calls(form: CallForm, of: str) -> str:
    with house().db.snapshot() as session:
        rows, context = CALLS.page(session, CALLS.asked(), _found)
        if of and all(one.follow_up.public_id != of for one in rows):  # it stands further down
            rows = [*trial_reading.follow_ups_due(session, today(), only=of, limit=1), *rows]
        going_on = trial_reading.going_on(session, [one.listed for one in rows])
    return page(
        "desk/trial_calls.html",
        tabs_=TABS,
        current_tab=f"{BASE}/follow-ups",
        calls=[
            _call(one, going_on, form if one.follow_up.public_id == of else CallForm())
            for one in rows
        ],
        bad=of,
        **context,
    )


@trial_care.get("/follow-ups.csv")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def export_calls() -> FileResponse:
    """Who is to be called, all of them."""
    return CALLS.csv(CALLS.asked(), _found, _cells)


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> list[Due]:
    return trial_reading.follow_ups_due(
        session, today(), words=asked.words, place=place, limit=limit
    )


def _cells(session: Session, rows: Sequence[Due]) -> Iterator[list[sheet.Cell]]:
    going_on = trial_reading.going_on(session, [one.listed for one in rows])
    for one in rows:
        drawn = _call(one, going_on, CallForm())
        yield [
            sheet.day(drawn["due_on"]),
            sheet.words(drawn["name"]),
            sheet.words(drawn["phone"]),
            sheet.words(drawn["email"]),
            sheet.words(drawn["plan"]),
            sheet.code(one.listed.account.number),
        ]


def _call(one: Due, going_on: frozenset[Any], form: CallForm) -> dict[str, Any]:
    account, key = one.listed.account, one.follow_up.public_id
    form.outcome.id, form.note.id = f"outcome-{key}", f"note-{key}"
    form.outcome.label.field_id, form.note.label.field_id = form.outcome.id, form.note.id
    zone = local_date(house().clock.now(), account.time_zone)
    return words_of.row(one.listed, going_on, zone) | {
        "name": one.user.name,
        "email": one.listed.trial.email,
        "phone": str((account.billing_address or {}).get("phone") or ""),
        "due_on": one.follow_up.due_on,
        "href": f"{BASE}/{one.listed.trial.public_id}",
        "action": f"{BASE}/follow-ups/{key}",
        "form": form,
    }
