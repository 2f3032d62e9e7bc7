"""A customer's services, by a token of their own: what they have, what it used, and changing it."""

import uuid

from flask import Blueprint, Response

from api import answers, callers, reading, service_asking
from api.callers import customer
from api.pace import limit
from api.problems import add_headers
from api.service_shapes import EndWish, PauseWish, ServiceChange, ServiceChangeWish
from api.shapes import Nothing
from core.entitlements import asking
from core.kernel.errors import NotFound
from flows import change_service
from flows.hold_service import Asked
from web.access import Guard, Who, allow
from web.context import house

services = Blueprint("api_services", __name__, url_prefix="/api/v1/account")
services.after_request(add_headers)


def _mine() -> dict[uuid.UUID, bool]:
    with house().db.reading() as session:
        return {row.id: may for row, may in callers.own_accounts(session)}


def _asked(service_id: str, revision: int | None = None) -> Asked:
    return service_asking.asked(service_id, _mine(), revision)


@services.get("/services")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def listed() -> Response:
    """The services of the accounts that whoever asks may see, the newest first."""
    return answers.respond(service_asking.listed(list(_mine())))


@services.get("/services/<service_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def show(service_id: str) -> Response:
    """One service."""
    return answers.respond(service_asking.shown(_asked(service_id)))


@services.get("/services/<service_id>/usage")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def used(service_id: str) -> Response:
    """What it used, by period."""
    return answers.respond(service_asking.used(_asked(service_id)))


@services.post("/services/<service_id>/preview")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def preview(service_id: str) -> Response:
    """What another plan or quantity would bring; nothing changes."""
    wish = reading.body(ServiceChange)
    return answers.respond(service_asking.foreseen(_asked(service_id), wish))


@services.post("/services/<service_id>/change")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def change(service_id: str) -> Response:
    """Agree to it."""
    wish = reading.body(ServiceChangeWish)
    which = _asked(service_id, wish.revision)
    return service_asking.done("change", which, wish, lambda: service_asking.changed(which, wish))


@services.post("/services/<service_id>/pause")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def pause(service_id: str) -> Response:
    """Rest from today on."""
    wish, which = reading.body(PauseWish), _asked(service_id)
    return service_asking.done("pause", which, wish, lambda: service_asking.paused(which, wish))


@services.post("/services/<service_id>/resume")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def resume(service_id: str) -> Response:
    """Service again from today on."""
    wish, which = reading.body(Nothing, optional=True), _asked(service_id)
    return service_asking.done("resume", which, wish, lambda: change_service.resume(house(), which))


@services.post("/services/<service_id>/end")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def end(service_id: str) -> Response:
    """End it, today or with its period."""
    wish, which = reading.body(EndWish), _asked(service_id)
    return service_asking.done("end", which, wish, lambda: service_asking.ended(which, wish))


@services.post("/services/<service_id>/keep")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def keep(service_id: str) -> Response:
    """Take back the end or the change that lies ahead."""
    wish, which = reading.body(Nothing, optional=True), _asked(service_id)
    return service_asking.done("keep", which, wish, lambda: change_service.keep(house(), which))


@services.get("/<account_number>/may-use/<feature>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def may_use(account_number: str, feature: str) -> Response:
    """May this account use this?"""
    with house().db.snapshot() as session:
        own = {row.number: row.id for row, _ in callers.own_accounts(session)}
        if account_number not in own:
            raise NotFound("account")
        found = asking.may_use(session, own[account_number], reading.feature(feature))
    return answers.respond(answers.entitlement(feature, found))
