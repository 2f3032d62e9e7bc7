"""Everybody's services, by a key of the desk: activating and changing them, and what they used."""

from decimal import Decimal

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, callers, reading, service_asking
from api.callers import staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.service_shapes import (
    ActivateWish,
    EndWish,
    PauseWish,
    ServiceChange,
    ServiceChangeWish,
    UsageBatch,
)
from api.shapes import Nothing
from core.entitlements import asking
from core.parties import accounts
from core.subscriptions import reading as subscriptions
from flows import activate_service, change_service, record_usage
from flows.hold_service import Asked
from flows.record_usage import Told
from web.access import Guard, Who, allow
from web.context import house

desk_services = Blueprint("api_desk_services", __name__, url_prefix="/api/v1/desk")
desk_services.after_request(add_headers)


def _asked(service_id: str, revision: int | None = None) -> Asked:
    return service_asking.asked(service_id, None, revision)


@desk_services.get("/services")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:read")
def listed() -> Response:
    """Everybody's services, the newest first."""
    return answers.respond(service_asking.listed(None))


@desk_services.get("/services/<service_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:read")
def show(service_id: str) -> Response:
    """One service."""
    return answers.respond(service_asking.shown(_asked(service_id)))


@desk_services.get("/services/<service_id>/usage")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:read")
def used(service_id: str) -> Response:
    """What it used, by period."""
    return answers.respond(service_asking.used(_asked(service_id)))


@desk_services.post("/services/<service_id>/activate")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def activate(service_id: str) -> Response:
    """It works: it is billed from that day on."""
    wish, which = reading.body(ActivateWish), _asked(service_id)

    def run() -> tuple[int, answers.Json]:
        row = activate_service.activate(house(), which, wish.on)
        with house().db.reading() as session:
            timeline = subscriptions.timeline(session, row.id)
            return 200, service_asking.told(session, row, timeline)

    scope = f"activate:{which.public_id}:{callers.caller().token_id.hex}"
    status, body = once(scope, wish, run)
    return answers.respond(body, status)


@desk_services.post("/services/<service_id>/preview")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:read")
def preview(service_id: str) -> Response:
    """What another plan or quantity would bring; nothing changes."""
    wish = reading.body(ServiceChange)
    return answers.respond(service_asking.foreseen(_asked(service_id), wish))


@desk_services.post("/services/<service_id>/change")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def change(service_id: str) -> Response:
    """Change the plan or its quantity."""
    wish = reading.body(ServiceChangeWish)
    which = _asked(service_id, wish.revision)
    return service_asking.done("change", which, wish, lambda: service_asking.changed(which, wish))


@desk_services.post("/services/<service_id>/pause")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def pause(service_id: str) -> Response:
    """Rest from today on."""
    wish, which = reading.body(PauseWish), _asked(service_id)
    return service_asking.done("pause", which, wish, lambda: service_asking.paused(which, wish))


@desk_services.post("/services/<service_id>/resume")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def resume(service_id: str) -> Response:
    """Service again from today on."""
    wish, which = reading.body(Nothing, optional=True), _asked(service_id)
    return service_asking.done("resume", which, wish, lambda: change_service.resume(house(), which))


@desk_services.post("/services/<service_id>/end")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def end(service_id: str) -> Response:
    """End it, today or with its period."""
    wish, which = reading.body(EndWish), _asked(service_id)
    return service_asking.done("end", which, wish, lambda: service_asking.ended(which, wish))


@desk_services.post("/services/<service_id>/keep")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:write")
def keep(service_id: str) -> Response:
    """Take back the end or the change that lies ahead."""
    wish, which = reading.body(Nothing, optional=True), _asked(service_id)
    return service_asking.done("keep", which, wish, lambda: change_service.keep(house(), which))


@desk_services.post("/usage")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("usage:write")
def use() -> Response:
    """Take records of usage, all of them or none; told again they stand once."""
    batch, source = reading.body(UsageBatch), f"key:{callers.caller().name}"[:80]
    records = [
        Told(one.service_id, one.meter, one.key, Decimal(one.quantity), one.used_at, one.corrects)
        for one in batch.records
    ]

    def write(session: Session) -> int:
        for told in records:
            record_usage.record_within(session, house(), told, source)
        return len(records)

    return answers.respond({"taken": house().db.run_tx(write)})


@desk_services.get("/accounts/<account_number>/may-use/<feature>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("subscriptions:read")
def may_use(account_number: str, feature: str) -> Response:
    """May this account use this?"""
    with house().db.snapshot() as session:
        account = accounts.by_number(session, reading.account_number(account_number))
        found = asking.may_use(session, account.id, reading.feature(feature))
    return answers.respond(answers.entitlement(feature, found))
