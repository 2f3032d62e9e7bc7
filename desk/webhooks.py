"""The desk's webhooks: whom the shop tells of what, and how each telling went."""

import json

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.hooks import deliveries, endpoints
from core.hooks.endpoints import TooManyEndpoints
from core.hooks.models import HookMessage
from core.kernel.errors import Invalid
from core.parties.models import Channel
from core.parties.roles import Role
from desk import hook_forms, lists
from desk.hook_forms import EndpointForm
from desk.taxes import actor
from flows.deliver_hook import sealer
from web import paging
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors

webhooks = Blueprint("desk_webhooks", __name__, url_prefix="/desk", template_folder="templates")
HERE = "/desk/webhooks"


@webhooks.get("/webhooks")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def listed() -> str:
    """Every endpoint, the newest first, and a form for another."""
    with house().db.reading() as session:
        return _list(session, hook_forms.form_for(session))


def _list(session: Session, form: EndpointForm) -> str:
    before = paging.read_moment(request.args.get("before"))
    found = endpoints.listing(session, before=before, limit=lists.PAGE_SIZE + 1)
    rows, following = found[: lists.PAGE_SIZE], None
    if len(found) > len(rows):
        following = paging.write(rows[-1].created_at, rows[-1].id)
    counts = deliveries.counts(session, [row.id for row in rows])
    return page(
        "desk/webhooks.html",
        form=form,
        hooks=[hook_forms.endpoint(row, counts[row.id]) for row in rows],
        page=paging.links(HERE, "before", following, before is None),
    )


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
    chosen = lists.chosen("state", list(hook_forms.TABS))
    before = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        row = endpoints.one(session, public_id)
        counts = deliveries.counts(session, [row.id])[row.id]
        found = deliveries.listing(
            session, row.id, state=chosen, before=before, limit=lists.PAGE_SIZE + 1
        )
        channel = session.get_one(Channel, row.channel_id).name if row.channel_id else "every"
    rows, following, here = found[: lists.PAGE_SIZE], None, f"{HERE}/{public_id}"
    if len(found) > len(rows):
        following = paging.write(rows[-1].row.created_at, rows[-1].row.id)
    tabs = [("All", here, sum(counts.values()))]
    tabs += [
        (words, lists.address(here, state=key), counts.get(key, 0))
        for key, words in hook_forms.TABS.items()
    ]
    return page(
        "desk/webhook.html",
        hook={**hook_forms.endpoint(row, counts), "channel": channel},
        here=here,
        secret=secret,
        tabs_=tabs,
        current_tab=lists.address(here, state=chosen),
        deliveries=[hook_forms.delivery(one, here) for one in rows],
        **lists.shown(here, following, len(rows), "delivery", state=chosen),
    )


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
