"""What is done with a service on a page: another plan, a pause, an end, and taking those back.

The portal and the desk have pages of their own around it: a ``Face`` says where they are and who asks.
A form is looked at before it is agreed to; what was seen is what is agreed, or it is shown once more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import Forbidden, ShopError, StaleState
from core.kernel.money import Money
from core.prices.resolve import NoPrice
from core.subscriptions.errors import NotTaken, ServiceRefused, TermRuns
from flows import change_service, hold_service, see_services, wish_service
from flows.change_service import BillMoved, Foreseen, NotBillable
from flows.hold_service import Asked
from flows.see_services import Seen
from flows.wish_service import Choice
from web import services as shown
from web.context import house
from web.filters import date_full, sign
from web.flashes import say
from web.pages import page
from web.service_forms import LATER, NOW, ChangeForm, EndForm, PauseForm, ServiceForm

Answer = str | Response | tuple[str, int]
#: Refusals that a page tells in its own place.
_TOLD = (NotTaken, ServiceRefused, NoPrice, NotBillable)
_MOVED = "This comes to another amount than the one you saw. Nothing was changed: look once more."


@dataclass(frozen=True)
class Face:
    """Where the pages are: ``base`` is the list, ``template`` has a place for the page's name."""

    base: str
    template: str
    asked: Callable[[str, int | None], Asked]

    def here(self, public_id: str) -> str:
        """One service's page."""
        return f"{self.base}/{public_id}"

    def draw(self, name: str, seen: Seen, form: ServiceForm, **more: Any) -> str:
        """A page with a form about a service."""
        drawn = shown.row(seen, self.base)
        here = self.here(seen.row.public_id)
        return page(self.template.format(name), service=drawn, form=form, here=here, **more)


def said(error: ShopError) -> str:
    """The sentence of a refusal, its days in words."""
    facts = {
        name: date_full(fact) if isinstance(fact, date) else fact
        for name, fact in error.facts().items()
    }
    return error.text.format(**facts)


def _look(face: Face, public_id: str, *, choose: bool = False) -> tuple[Seen, list[Choice]]:
    """The service, and what can be had in its place, for whoever may change it."""
    asked, now = face.asked(public_id, None), house().clock.now()
    with house().db.snapshot() as session:
        row = hold_service.find(session, asked)
        if not hold_service.may_change(row, asked):
            raise Forbidden
        (seen,) = see_services.seen(session, [row], now)
        if not choose:
            return seen, []
        return seen, wish_service.choices(session, row, seen.timeline, seen.today, now)


def _stale(face: Face, public_id: str) -> Response:
    say("This service has changed in the meantime. This is how it is now.", "warn")
    return redirect(face.here(public_id), 303)


# --- another plan ----------------------------------------------------------------------------------


def change(face: Face, public_id: str) -> Answer:
    """The form, the preview, and agreeing to it."""
    seen, choices = _look(face, public_id, choose=True)
    form = _change_form(seen, choices)
    more = {"choices": _asides(choices), "preview": None, "problem": ""}
    if request.method == "GET":
        return face.draw("change", seen, form, **more)
    if not form.validate():
        return face.draw("change", seen, form, **more), 422
    asked = face.asked(public_id, form.seen_revision)
    expected = form.total(seen.row.currency)
    try:
        if "look" not in request.form and expected is not None:
            done = change_service.change(house(), asked, form.wanted(), expected)
            say(_agreed(done.timeline.phases[-1].starts_on, seen.today))
            return redirect(face.here(public_id), 303)
        return _previewed(face, seen, form, more, asked)
    except BillMoved:
        more["problem"] = _MOVED
        return _previewed(face, seen, form, more, asked), 409
    except StaleState:
        return _stale(face, public_id)
    except _TOLD as error:
        more["problem"] = said(error)
        return face.draw("change", seen, form, **more), 422


def _change_form(seen: Seen, choices: list[Choice]) -> ChangeForm:
    if request.method == "GET":
        sku, quantity = seen.phase.sku, seen.phase.quantity
        form = ChangeForm(data={"plan": sku, "quantity": quantity, "when": LATER})
    else:
        form = ChangeForm(request.form)
    later = date_full(seen.next_period) if seen.next_period else ""
    on_trial = seen.phase.kind == "trial"
    form.offer([(one.sku, one.name) for one in choices], later, on_trial=on_trial)
    if request.method == "GET":
        form.revision.data = str(seen.row.revision)
    return form


def _asides(choices: list[Choice]) -> dict[str, str]:
    return {one.sku: f"{sign(one.price.unit_price)} a {one.price.interval}" for one in choices}


def _previewed(face: Face, seen: Seen, form: ChangeForm, more: dict[str, Any], asked: Asked) -> str:
    foreseen = change_service.preview_change(house(), asked, form.wanted())
    more["preview"] = shown.preview(foreseen)
    form.expected.data = more["preview"]["expected"]
    form.revision.data = str(foreseen.row.revision)
    return face.draw("change", seen, form, **more)


def _agreed(starts_on: date | None, today: date) -> str:
    if starts_on is None or starts_on <= today:
        return "That is how it is from today on. The bill comes by mail where something is to pay."
    return f"That is agreed. It holds from {date_full(starts_on)}."


# --- days of rest ----------------------------------------------------------------------------------


def pause(face: Face, public_id: str) -> Answer:
    """The form with what comes back, and resting."""
    seen, _ = _look(face, public_id)
    is_new = request.method == "GET"
    form = PauseForm() if is_new else PauseForm(request.form)
    if is_new:
        form.revision.data = str(seen.row.revision)
    more: dict[str, Any] = {"preview": None, "problem": ""}
    if not is_new and not form.validate():
        return face.draw("pause", seen, form, **more), 422
    asked, until = face.asked(public_id, form.seen_revision), form.until.data
    try:
        if is_new or "look" in request.form:
            foreseen = change_service.preview_pause(house(), asked, until)
            return face.draw("pause", seen, form, preview=shown.preview(foreseen), problem="")
        note = form.note.data or ""
        change_service.pause(house(), asked, form.reason.data, note, until)
    except StaleState:
        return _stale(face, public_id)
    except _TOLD as error:
        more["problem"] = said(error)
        return face.draw("pause", seen, form, **more), 422
    say("It rests from today on.")
    return redirect(face.here(public_id), 303)


def resume(face: Face, public_id: str) -> Answer:
    """What service from today on brings to bill, and resuming it."""
    form = ServiceForm(request.form)
    asked = face.asked(public_id, form.seen_revision)
    if request.method == "POST":
        return _at_once(
            face, public_id, lambda: change_service.resume(house(), asked), "It runs again."
        )
    seen, _ = _look(face, public_id)
    form.revision.data = str(seen.row.revision)
    try:
        foreseen = change_service.preview_resume(house(), asked)
    except _TOLD as error:
        return face.draw("resume", seen, form, preview=None, problem=said(error)), 422
    return face.draw("resume", seen, form, preview=shown.preview(foreseen), problem="")


# --- the end ---------------------------------------------------------------------------------------


def end(face: Face, public_id: str) -> Answer:
    """When it can end and what that gives back; and ending it."""
    seen, _ = _look(face, public_id)
    is_new = request.method == "GET"
    form = EndForm() if is_new else EndForm(request.form)
    if is_new:
        form.revision.data = str(seen.row.revision)
    asked = face.asked(public_id, form.seen_revision)
    try:
        found = _ends(asked, seen)
    except _TOLD as error:
        return face.draw("end", seen, form, ways={}, notes={}, problem=said(error)), 422
    form.offer([(when, _when(when, one)) for when, one in found.items()])
    ways = {when: shown.preview(one) for when, one in found.items()}
    notes = {when: _gives(one) for when, one in ways.items()}
    if is_new:
        form.when.data = next(iter(ways))
        return face.draw("end", seen, form, ways=ways, notes=notes, problem="")
    if not form.validate():
        return face.draw("end", seen, form, ways=ways, notes=notes, problem=""), 422
    return _end(face, public_id, asked, form, found[form.when.data])


def _end(face: Face, public_id: str, asked: Asked, form: EndForm, chosen: Foreseen) -> Response:
    later, note = form.when.data == LATER, form.note.data or ""
    words = f"It ends. You have it up to and including {date_full(chosen.on - shown.DAY)}."
    return _at_once(
        face,
        public_id,
        lambda: change_service.end(house(), asked, form.reason.data, note, at_period_end=later),
        words if later else "It has ended.",
    )


def _ends(asked: Asked, seen: Seen) -> dict[str, Foreseen]:
    """Each way to end it, as far as there is one."""
    found = {}
    if seen.timeline.state != "ordered":
        found[LATER] = change_service.preview_end(house(), asked, at_period_end=True)
    try:
        found[NOW] = change_service.preview_end(house(), asked, at_period_end=False)
    except TermRuns:
        if not found:
            raise
    return found


def _when(when: str, foreseen: Foreseen) -> str:
    if when == NOW:
        return "Today"
    return f"At the end of the period: the last day is {date_full(foreseen.on - shown.DAY)}"


def _gives(preview: dict[str, Any]) -> str:
    """What an end brings to bill for this service alone."""
    mine: Money = preview["mine"]
    if mine.minor < 0:
        return f"{sign(-mine)} come back for days that are not used"
    if mine.minor > 0:
        return f"{sign(mine)} are still to be billed"
    return "Nothing comes back, and nothing more is billed"


def keep(face: Face, public_id: str, revision: int | None) -> Response:
    """What lies ahead does not come."""
    return _at_once(
        face,
        public_id,
        lambda: change_service.keep(house(), face.asked(public_id, revision)),
        "Taken back: it stays as it is.",
    )


def _at_once(face: Face, public_id: str, act: Callable[[], object], words: str) -> Response:
    """An act with its one sentence; a refusal is told on the service's page."""
    try:
        act()
    except StaleState:
        return _stale(face, public_id)
    except _TOLD as error:
        say(said(error), "bad")
        return redirect(face.here(public_id), 303)
    say(words)
    return redirect(face.here(public_id), 303)
