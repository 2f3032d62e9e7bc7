"""Services at the desk: the list, one with everything about it, and all that staff do with it."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from core.kernel import audit, sheet
from core.kernel.audit import AuditEntry
from core.kernel.errors import NotFound, StaleState
from core.kernel.money import extend
from core.kernel.sorting import Place
from core.orders.fulfilling import OrderHeld
from core.parties import users
from core.parties.roles import Role
from core.prices import plans
from core.subscriptions import reading
from core.subscriptions.errors import NotTaken, ServiceRefused
from core.subscriptions.models import Subscription
from desk import lists
from desk.lists import Choice, Listing
from desk.money import actor
from desk.service_forms import ActivateForm, LockForm, PayerForm, UsageForm
from flows import (
    activate_service,
    change_service,
    hold_service,
    lock_service,
    record_usage,
    see_services,
)
from flows.add_goods import AwaitsPayment
from flows.hold_service import Asked
from flows.record_usage import Told
from flows.see_services import Seen
from web import service_acts
from web import services as shown
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page
from web.service_acts import Answer, Face
from web.service_forms import ServiceForm

BASE = "/desk/services"
services = Blueprint("desk_services", __name__, url_prefix=BASE, template_folder="templates")
STATES = {"ordered": "Waiting", "active": "Running", "paused": "Resting", "ended": "Ended"}
LISTED = Listing(
    BASE,
    "service",
    reading.SORTS,
    "-ordered",
    (Choice("state", "State", list(STATES.items()), is_tabs=True),),
    head=(
        "id",
        "plan",
        "quantity",
        "state",
        "customer",
        "account",
        "paid_by_account",
        "since",
        "ends_on",
        "next_bill",
        "next_amount",
        "price",
        "interval",
        "currency",
    ),
    file=f"{BASE}/export.csv",
)


def _asked(public_id: str, revision: int | None = None) -> Asked:
    return Asked(public_id, actor(), None, revision)


_FACE = Face(BASE, "desk/service_{}.html", _asked)


@services.get("")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Services, the last ordered first."""
    with house().db.snapshot() as session:
        asked = LISTED.asked(_plans(session))
        rows, context = LISTED.page(session, asked, _found)
        seen = see_services.seen(session, rows, house().clock.now())
        counts = reading.counts(session)
    return page(
        "desk/services.html",
        services=[shown.row(one, BASE) for one in seen],
        **LISTED.tabs("state", asked, counts),
        **context,
    )


def _plans(session: Session) -> Choice:
    return Choice("plan", "Plan", plans.on_offer(session))


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> Sequence[Subscription]:
    return reading.listing(
        session,
        state=asked["state"],
        sku=asked["plan"],
        words=asked.words,
        place=place,
        limit=limit,
    )


@services.get("/export.csv")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it, for a spreadsheet."""
    now = house().clock.now()
    with house().db.reading() as session:
        asked = LISTED.asked(_plans(session))
    return LISTED.csv(
        asked,
        _found,
        lambda session, rows: map(_cells, see_services.seen(session, rows, now)),
    )


def _cells(seen: Seen) -> tuple[sheet.Cell, ...]:
    phase, timeline = seen.phase, seen.timeline
    price = extend(phase.unit_price_micros, phase.quantity, timeline.currency)
    return (
        sheet.code(seen.row.public_id),
        sheet.words(phase.name),
        sheet.code(phase.quantity),
        sheet.code(timeline.state),
        sheet.words(seen.service_account.name),
        sheet.code(seen.service_account.number),
        sheet.code(seen.payer.number),
        sheet.day(timeline.activated_on),
        sheet.day(timeline.ended_on),
        sheet.day(seen.next_on),
        sheet.amount(seen.next_amount) if seen.next_amount is not None else sheet.EMPTY,
        sheet.amount(price),
        sheet.code(phase.interval),
        sheet.code(timeline.currency),
    )


@services.get("/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """Everything about one, and what can be done with it."""
    return _show(public_id)


def _show(public_id: str, **forms: ServiceForm) -> str:
    """The page; ``forms`` are those that were sent and could not be taken."""
    now = house().clock.now()
    with house().db.snapshot() as session:
        row = hold_service.find(session, _asked(public_id))
        told = see_services.told(session, row, now)
        acts = audit.about(session, ("service", public_id))
        names = users.names(session, [entry.actor for entry in acts])
    drawn = shown.page_of(told, BASE)
    blank = {
        "activate": ActivateForm(data={"on_date": told.seen.today}),
        "payer_form": PayerForm(),
        "usage": UsageForm(data={"used_date": told.seen.today}),
        "lock": LockForm(),
    }
    usage, lock = forms.get("usage", blank["usage"]), forms.get("lock", blank["lock"])
    usage.meter.choices = [
        SelectChoice(meter.code, f"{meter.name}, {meter.unit}") for meter in told.meters
    ]
    lock.feature.choices = [SelectChoice(one["code"], one["name"]) for one in drawn["features"]]
    for form in (*blank.values(), *forms.values()):
        form.revision.data = str(row.revision)
    return page(
        "desk/service.html",
        service=drawn,
        here=f"{BASE}/{public_id}",
        acts=[_act(entry, names) for entry in acts],
        counts=bool(told.meters),
        **{**blank, **forms},
    )


def _act(entry: AuditEntry, names: dict[str, str]) -> dict[str, Any]:
    """A line of the audit log."""
    word = entry.act.partition(".")[2].replace("_", " ").capitalize()
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in entry.detail.items())
    return {"what": word, "facts": facts, "by": names.get(entry.actor, entry.actor), "at": entry.at}


# --- what the portal has, too ----------------------------------------------------------------------


@services.route("/<public_id>/change", methods=["GET", "POST"])
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def change(public_id: str) -> Answer:
    """Another plan or quantity: what can be had, what it would cost, and agreeing to it."""
    return service_acts.change(_FACE, public_id)


@services.route("/<public_id>/pause", methods=["GET", "POST"])
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def pause(public_id: str) -> Answer:
    """Days of rest."""
    return service_acts.pause(_FACE, public_id)


@services.route("/<public_id>/resume", methods=["GET", "POST"])
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def resume(public_id: str) -> Answer:
    """It runs again."""
    return service_acts.resume(_FACE, public_id)


@services.route("/<public_id>/end", methods=["GET", "POST"])
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def end(public_id: str) -> Answer:
    """End it, today or with the period."""
    return service_acts.end(_FACE, public_id)


@services.post("/<public_id>/keep")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def keep(public_id: str) -> Response:
    """Take back what lies ahead."""
    return service_acts.keep(_FACE, public_id, ServiceForm(request.form).seen_revision)


# --- what staff alone do ---------------------------------------------------------------------------


@services.post("/<public_id>/activate")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def activate(public_id: str) -> Answer:
    """It works since a day."""
    form = ActivateForm(request.form)
    if not form.validate():
        return _show(public_id, activate=form), 422
    asked = _asked(public_id, form.seen_revision)
    try:
        activate_service.activate(house(), asked, form.on_date.data)
    except NotTaken as error:
        form.on_date.errors = [service_acts.said(error)]
        return _show(public_id, activate=form), 422
    except (ServiceRefused, StaleState) as error:
        return _refused(public_id, error)
    except (OrderHeld, AwaitsPayment) as error:
        say(str(error), "warn")
        return redirect(f"{BASE}/{public_id}", 303)
    say("It runs. Its periods are billed from that day on.")
    return redirect(f"{BASE}/{public_id}", 303)


@services.post("/<public_id>/payer")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def set_payer(public_id: str) -> Answer:
    """Somebody else pays."""
    form = PayerForm(request.form)
    if not form.validate():
        return _show(public_id, payer_form=form), 422
    asked = _asked(public_id, form.seen_revision)
    try:
        change_service.set_payer(house(), asked, form.account.data or "")
    except (NotTaken, ServiceRefused) as error:
        form.account.errors = [service_acts.said(error)]
        return _show(public_id, payer_form=form), 422
    except NotFound:
        form.account.errors = ["There is no account with this number."]
        return _show(public_id, payer_form=form), 422
    except StaleState as error:
        return _refused(public_id, error)
    say("From the next bill on that account pays.")
    return redirect(f"{BASE}/{public_id}", 303)


@services.post("/<public_id>/usage")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def tell_usage(public_id: str) -> Answer:
    """So much was used, or in place of what was told before."""
    form = UsageForm(request.form)
    with house().db.snapshot() as session:
        zone = _offer_meters(session, public_id, form)
    if not form.validate():
        return _show(public_id, usage=form), 422
    used_at = form.used_at(zone, house().clock.now())
    told = Told(
        public_id,
        form.meter.data,
        (form.key.data or "").strip(),
        form.amount(),
        used_at,
        (form.corrects.data or "").strip() or None,
    )
    try:
        record_usage.record(house(), told, actor())
    except (NotTaken, ServiceRefused) as error:
        form.key.errors = [service_acts.said(error)]
        return _show(public_id, usage=form), 422
    say("That is written down. It is billed with its period.")
    return redirect(f"{BASE}/{public_id}", 303)


def _offer_meters(session: Session, public_id: str, form: UsageForm) -> str:
    """What this service counts; answers the zone that it is used in."""
    row = hold_service.find(session, _asked(public_id))
    told = see_services.told(session, row, house().clock.now())
    form.meter.choices = [SelectChoice(meter.code, meter.name) for meter in told.meters]
    return told.seen.service_account.time_zone


@services.post("/<public_id>/lock")
@allow(Who.STAFF, roles=(Role.SALES, Role.SUPPORT))
def lock(public_id: str) -> Answer:
    """What it gives cannot be used for now, or can again."""
    form = LockForm(request.form)
    with house().db.snapshot() as session:
        row = hold_service.find(session, _asked(public_id))
        told = see_services.told(session, row, house().clock.now())
    form.feature.choices = [SelectChoice(one.feature, one.feature) for one in told.entitlements]
    if not form.validate():
        return _show(public_id, lock=form), 422
    do = lock_service.unlock if "unlock" in request.form else lock_service.lock
    try:
        do(house(), _asked(public_id), form.feature.data, (form.note.data or "").strip())
    except NotFound:
        form.feature.errors = ["It is like that already."]
        return _show(public_id, lock=form), 422
    say("That is written down, and holds from now on.")
    return redirect(f"{BASE}/{public_id}", 303)


def _refused(public_id: str, error: StaleState | ServiceRefused) -> Response:
    say(service_acts.said(error), "warn")
    return redirect(f"{BASE}/{public_id}", 303)
