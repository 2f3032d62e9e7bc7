"""The desk's webhooks: whom the shop tells of what, and how each telling went."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.hooks import deliveries, endpoints
from core.hooks.deliveries import Listed
from core.hooks.endpoints import TooManyEndpoints
from core.hooks.models import HookEndpoint, HookMessage
from core.kernel import sheet
from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.parties.models import Channel
from core.parties.roles import Role
from desk import hook_forms
from desk.hook_forms import EndpointForm
from desk.lists import Asked, Choice, Listing, Read
from desk.taxes import actor
from flows.deliver_hook import sealer
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors

webhooks = Blueprint("desk_webhooks", __name__, url_prefix="/desk", template_folder="templates")
HERE = "/desk/webhooks"
LISTED = Listing(
    HERE,
    "webhook",
    endpoints.SORTS,
    "-added",
    head=("name", "address", "told_of", "state", "waiting", "taken", "not_taken", "added"),
)
#: What was sent to one; its address is the endpoint's.
SENT = Listing(
    HERE,
    "delivery",
    deliveries.SORTS,
    "-made",
    (Choice("state", "State", list(hook_forms.TABS.items()), is_tabs=True),),
    head=("message", "what", "made", "state", "tries", "last_try"),
)


@webhooks.get("/webhooks")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def listed() -> str:
    """Every endpoint, the newest first, and a form for another."""
    with house().db.reading() as session:
        return _list(session, hook_forms.form_for(session))


def _list(session: Session, form: EndpointForm) -> str:
    rows, context = LISTED.page(session, LISTED.asked(), _found)
    return page("desk/webhooks.html", form=form, hooks=_drawn(session, rows), **context)


@webhooks.get("/webhooks.csv")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[HookEndpoint]:
    return endpoints.listing(session, words=asked.words, place=place, limit=limit)


def _drawn(session: Session, rows: Sequence[HookEndpoint]) -> list[dict[str, Any]]:
    counts = deliveries.counts(session, [row.id for row in rows])
    return [hook_forms.endpoint(row, counts[row.id]) for row in rows]


def _cells(session: Session, rows: Sequence[HookEndpoint]) -> Iterator[list[sheet.Cell]]:
    for one in _drawn(session, rows):
        yield [
            sheet.words(one["name"]),
            sheet.words(one["url"]),
            sheet.words(one["kinds"]),
            sheet.words(one["state"].text),
            *(sheet.code(one[name]) for name in ("waiting", "taken", "failed")),
            sheet.moment(one["created_at"]),
        ]


@webhooks.post("/webhooks")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def add() -> str | tuple[str, int]:
    """Enter one; its secret is on this answer, and an admin may look at it again."""
    with house().db.reading() as session:
        form = hook_forms.form_for(session, request.form)
    who, now = actor(), house().clock.now()

    def write(session: Session) -> tuple[str, str]:
        row, secret = endpoints.add(
            session, form.wanted(), house().poster, sealer(house()), who, now
        )
        return row.public_id, secret

    try:
        public_id, secret = house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
    except TooManyEndpoints as error:
        show_errors(form, Invalid({"name": str(error)}))
    else:
        return shown(public_id, secret), 201
    with house().db.reading() as session:
        return _list(session, form), 422


@webhooks.get("/webhooks/<public_id>")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def one(public_id: str) -> str:
    """One endpoint with what was sent to it."""
    return shown(public_id)


def shown(public_id: str, secret: str = "") -> str:
    """The page of an endpoint, with its secret when that is to be seen."""
    here = f"{HERE}/{public_id}"
    listing = _sent_to(public_id)
    asked = listing.asked()
    with house().db.snapshot() as session:
        row = endpoints.one(session, public_id)
        counts = deliveries.counts(session, [row.id])[row.id]
        rows, context = listing.page(session, asked, _deliveries(row))
        channel = session.get_one(Channel, row.channel_id).name if row.channel_id else "every"
    return page(
        "desk/webhook.html",
        hook={**hook_forms.endpoint(row, counts), "channel": channel},
        here=here,
        secret=secret,
        deliveries=[hook_forms.delivery(one, here) for one in rows],
        **listing.tabs("state", asked, counts),
        **context,
    )


@webhooks.get("/webhooks/<public_id>/sent.csv")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def export_sent(public_id: str) -> FileResponse:
    """What was sent to one, as it is chosen, all of it."""
    with house().db.reading() as session:
        row = endpoints.one(session, public_id)
    listing = _sent_to(public_id)
    return listing.csv(listing.asked(), _deliveries(row), lambda _, rows: map(_sent_cells, rows))


def _sent_to(public_id: str) -> Listing:
    here = f"{HERE}/{public_id}"
    return replace(SENT, path=here, file=f"{here}/sent.csv")


def _deliveries(to: HookEndpoint) -> Read:
    def read(session: Session, asked: Asked, place: Place, limit: int) -> list[Listed]:
        return deliveries.listing(session, to.id, state=asked["state"], place=place, limit=limit)

    return read


def _sent_cells(found: Listed) -> list[sheet.Cell]:
    drawn = hook_forms.delivery(found, HERE)
    return [
        sheet.code(found.message.public_id),
        sheet.code(found.message.kind),
        sheet.moment(found.row.created_at),
        sheet.words(drawn["state"].text),
        sheet.code(found.row.attempts),
        sheet.words(drawn["said"]),
    ]


@webhooks.get("/webhooks/<public_id>/edit")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def edit(public_id: str) -> str:
    """The form of one."""
    with house().db.reading() as session:
        row = endpoints.one(session, public_id)
        form = hook_forms.form_for(session, row=row)
    return page("desk/webhook_edit.html", form=form, name=row.name, here=f"{HERE}/{public_id}")


@webhooks.post("/webhooks/<public_id>/edit")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def change(public_id: str) -> Response | tuple[str, int]:
    """Another address, name or choice."""
    with house().db.reading() as session:
        name = endpoints.one(session, public_id).name
        form = hook_forms.form_for(session, request.form)
    who, now = actor(), house().clock.now()
    try:
        house().db.run_tx(
            lambda session: endpoints.change(
                session, public_id, form.wanted(), house().poster, who, now
            )
        )
    except Invalid as error:
        show_errors(form, error)
        here = f"{HERE}/{public_id}"
        return page("desk/webhook_edit.html", form=form, name=name, here=here), 422
    say("From now on it is told like that.")
    return redirect(f"{HERE}/{public_id}", 303)


@webhooks.get("/webhooks/<public_id>/sent/<sent_id>")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def delivery(public_id: str, sent_id: str) -> str:
    """What was sent, and how each try went."""
    with house().db.snapshot() as session:
        endpoint = endpoints.one(session, public_id)
        row = deliveries.one(session, endpoint, sent_id)
        message = session.get_one(HookMessage, row.message_id)
        tries = deliveries.tries(session, row)
    return page(
        "desk/webhook_delivery.html",
        name=endpoint.name,
        here=f"{HERE}/{public_id}",
        delivery={
            "kind": message.kind,
            "message": message.public_id,
            "state": hook_forms.DELIVERY[row.state],
            "created_at": row.created_at,
            "next_at": row.next_at,
            "is_again": hook_forms.is_again(row),
            "body": json.dumps(json.loads(message.body), indent=2, ensure_ascii=False),
            "again_action": f"{HERE}/{public_id}/sent/{sent_id}/again",
        },
        tries=tries,
    )
