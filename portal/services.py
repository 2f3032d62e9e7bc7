"""Services: what an account has, what it used, what comes next; and changing, pausing and ending it."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from core.subscriptions import reading
from flows import hold_service, see_services
from flows.hold_service import Asked
from web import paging, service_acts
from web import services as shown
from web.access import Who, allow
from web.context import house
from web.login import changeable_accounts, person
from web.pages import page
from web.service_acts import Answer, Face
from web.service_forms import ServiceForm

BASE = "/account/services"
services = Blueprint("services", __name__, url_prefix=BASE, template_folder="templates")
PAGE_SIZE = 25


def _asked(public_id: str, revision: int | None = None) -> Asked:
    who = person()
    assert who is not None
    return Asked(public_id, f"user:{who.key}", changeable_accounts(), revision)


_FACE = Face(BASE, "portal/service_{}.html", _asked)


@services.get("")
@allow(Who.CUSTOMER)
def listed() -> str:
    """What these accounts have or pay for, the last ordered first."""
    before, mine = paging.read_moment(request.args.get("before")), list(changeable_accounts())
    with house().db.snapshot() as session:
        found = reading.of_members(session, mine, before=before, limit=PAGE_SIZE + 1)
        seen = see_services.seen(session, found[:PAGE_SIZE], house().clock.now())
    last = seen[-1].row if len(found) > PAGE_SIZE else None
    following = paging.write(last.ordered_at, last.id) if last is not None else None
    return page(
        "portal/services.html",
        services=[
            {**shown.row(one, BASE), "is_mine": one.service_account.id in mine} for one in seen
        ],
        page=paging.links(BASE, "before", following, before is None),
    )


@services.get("/<public_id>")
@allow(Who.CUSTOMER)
def one(public_id: str) -> str:
    """Everything about one."""
    asked = _asked(public_id)
    with house().db.snapshot() as session:
        row = hold_service.find(session, asked)
        told = see_services.told(session, row, house().clock.now())
    return page(
        "portal/service.html",
        service=shown.page_of(told, BASE),
        may_change=hold_service.may_change(row, asked),
        here=f"{BASE}/{public_id}",
    )


@services.route("/<public_id>/change", methods=["GET", "POST"])
@allow(Who.CUSTOMER)
def change(public_id: str) -> Answer:
    """Another plan or quantity: what can be had, what it would cost, and agreeing to it."""
    return service_acts.change(_FACE, public_id)


@services.route("/<public_id>/pause", methods=["GET", "POST"])
@allow(Who.CUSTOMER)
def pause(public_id: str) -> Answer:
    """Days of rest."""
    return service_acts.pause(_FACE, public_id)


@services.route("/<public_id>/resume", methods=["GET", "POST"])
@allow(Who.CUSTOMER)
def resume(public_id: str) -> Answer:
    """It runs again."""
    return service_acts.resume(_FACE, public_id)


@services.route("/<public_id>/end", methods=["GET", "POST"])
@allow(Who.CUSTOMER)
def end(public_id: str) -> Answer:
    """Cancel it, today or with the period."""
    return service_acts.end(_FACE, public_id)


@services.post("/<public_id>/keep")
@allow(Who.CUSTOMER)
def keep(public_id: str) -> Response:
    """Take back what lies ahead."""
    return service_acts.keep(_FACE, public_id, ServiceForm(request.form).seen_revision)
