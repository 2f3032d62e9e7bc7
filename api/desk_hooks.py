"""Webhooks by a key of the desk: adding, changing, turning the secret, sending again."""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, callers, cursors, reading
from api.answers import Json, moment
from api.callers import staff
from api.hook_shapes import DeliveryQuery, HookQuery, HookRotation, HookSwitch, HookWish
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from core.hooks import deliveries, endpoints
from core.hooks.endpoints import Wish
from core.hooks.models import HookAttempt, HookDelivery, HookEndpoint, HookMessage
from core.kernel.errors import Invalid
from core.kernel.sorting import Place
from core.parties.models import Channel
from flows.deliver_hook import sealer
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_hooks = Blueprint("api_desk_hooks", __name__, url_prefix="/api/v1/desk/webhooks")
desk_hooks.after_request(add_headers)


def _told(session: Session, row: HookEndpoint, secret: str = "") -> Json:
    channel = session.get_one(Channel, row.channel_id).code if row.channel_id else ""
    return {
        "id": row.public_id,
        "url": row.url,
        "name": row.name,
        "kinds": list(row.kinds),
        "channel": channel,
        "state": row.state,
        "off_because": row.off_because,
        "failing_since": moment(row.failing_since),
        "created_at": moment(row.created_at),
        **({"secret": secret} if secret else {}),
    }


def _summary(row: HookDelivery, message: HookMessage) -> Json:
    return {
        "id": row.public_id,
        "message": message.public_id,
        "kind": message.kind,
        "state": row.state,
        "attempts": row.attempts,
        "created_at": moment(row.created_at),
        "next_at": moment(row.next_at),
        "finished_at": moment(row.finished_at),
    }


def _whole(session: Session, row: HookDelivery) -> Json:
    message = session.get_one(HookMessage, row.message_id)
    tries = [_try(one) for one in deliveries.tries(session, row)]
    return {**_summary(row, message), "body": message.body, "tries": tries}


def _try(one: HookAttempt) -> Json:
    return {
        "number": one.number,
        "at": moment(one.at),
        "took_ms": one.took_ms,
        "status": one.status,
        "trouble": one.trouble,
        "said": one.said,
    }


def _write(work: Callable[[Session, str], Json]) -> Json:
    """Do it in a transaction, as whoever made the key; what is wrong is told by field."""
    actor = callers.caller().actor
    try:
        return house().db.run_tx(lambda session: work(session, actor))
    except Invalid as error:
        raise reading.refused(error) from None


def _wish(wish: HookWish) -> Wish:
    return Wish(wish.url, wish.name, tuple(wish.kinds), wish.channel)


def _id(text: str) -> str:
    return reading.public_id(text, "webhook")


@desk_hooks.get("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:read")
def listed() -> Response:
    """Endpoints, the newest first."""
    query, secret = reading.query(HookQuery), web_settings().secret_key
    before = cursors.read_moment(secret, query.cursor)
    with house().db.reading() as session:
        found = endpoints.listing(session, place=Place("-added", before), limit=query.page_size + 1)
        rows, following = found[: query.page_size], None
        content = [_told(session, row) for row in rows]
    if len(found) > len(rows):
        following = cursors.write_moment(secret, rows[-1].created_at, rows[-1].id)
    return answers.respond({"webhooks": content, "next_cursor": following})


@desk_hooks.post("")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:write")
def add() -> Response:
    """Add one."""
    wish, now = reading.body(HookWish), house().clock.now()

    def work(session: Session, actor: str) -> Json:
        row, secret = endpoints.add(
            session, _wish(wish), house().poster, sealer(house()), actor, now
        )
        return _told(session, row, secret)

    body = _write(work)
    return answers.respond(body, 201, f"/api/v1/desk/webhooks/{body['id']}")


@desk_hooks.get("/<webhook_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:read")
def show(webhook_id: str) -> Response:
    """One endpoint."""
    with house().db.reading() as session:
        return answers.respond(_told(session, endpoints.one(session, _id(webhook_id))))


@desk_hooks.put("/<webhook_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:write")
def change(webhook_id: str) -> Response:
    """Change one."""
    wish, wanted, now = reading.body(HookWish), _id(webhook_id), house().clock.now()

    def work(session: Session, actor: str) -> Json:
        poster = house().poster
        row = endpoints.change(session, wanted, _wish(wish), poster, actor, now)
        return _told(session, row)

    return answers.respond(_write(work))


@desk_hooks.delete("/<webhook_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:write")
def remove(webhook_id: str) -> Response:
    """Remove one."""
    wanted, actor, now = _id(webhook_id), callers.caller().actor, house().clock.now()
    house().db.run_tx(lambda session: endpoints.remove(session, wanted, actor, now))
    return Response(status=204)


@desk_hooks.post("/<webhook_id>/switch")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:write")
def switch(webhook_id: str) -> Response:
    """Off or on."""
    wish, wanted, now = reading.body(HookSwitch), _id(webhook_id), house().clock.now()

    def work(session: Session, actor: str) -> Json:
        return _told(session, endpoints.switch(session, wanted, wish.on, actor, now))

    return answers.respond(_write(work))


@desk_hooks.post("/<webhook_id>/secret")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:write")
def rotate(webhook_id: str) -> Response:
    """A new secret."""
    wish, wanted = reading.body(HookRotation, optional=True), _id(webhook_id)
    now, alongside = house().clock.now(), timedelta(hours=wish.alongside_hours)

    def work(session: Session, actor: str) -> Json:
        row, secret = endpoints.rotate(session, wanted, sealer(house()), actor, now, alongside)
        return _told(session, row, secret)

    return answers.respond(_write(work))


@desk_hooks.post("/<webhook_id>/test")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:write")
def test(webhook_id: str) -> Response:
    """Send a test."""
    reading.body(Nothing, optional=True)
    wanted, now = _id(webhook_id), house().clock.now()

    def work(session: Session, actor: str) -> Json:
        row = endpoints.one(session, wanted)
        return _whole(session, deliveries.test(session, row, actor, now))

    return answers.respond(_write(work), 202)


@desk_hooks.get("/<webhook_id>/deliveries")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:read")
def told(webhook_id: str) -> Response:
    """What was sent, the last first."""
    query, secret = reading.query(DeliveryQuery), web_settings().secret_key
    before = cursors.read_moment(secret, query.cursor)
    with house().db.reading() as session:
        endpoint = endpoints.one(session, _id(webhook_id))
        found = deliveries.listing(
            session,
            endpoint.id,
            state=query.state or "",
            place=Place("-made", before),
            limit=query.page_size + 1,
        )
    rows, following = found[: query.page_size], None
    if len(found) > len(rows):
        last = rows[-1].row
        following = cursors.write_moment(secret, last.created_at, last.id)
    content = [_summary(one.row, one.message) for one in rows]
    return answers.respond({"deliveries": content, "next_cursor": following})


@desk_hooks.get("/<webhook_id>/deliveries/<delivery_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:read")
def delivery(webhook_id: str, delivery_id: str) -> Response:
    """What was sent, and each try."""
    wanted = reading.public_id(delivery_id, "delivery")
    with house().db.snapshot() as session:
        endpoint = endpoints.one(session, _id(webhook_id))
        return answers.respond(_whole(session, deliveries.one(session, endpoint, wanted)))


@desk_hooks.post("/<webhook_id>/deliveries/<delivery_id>/again")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("webhooks:write")
def again(webhook_id: str, delivery_id: str) -> Response:
    """The same message once more."""
    reading.body(Nothing, optional=True)
    hook, wanted = _id(webhook_id), reading.public_id(delivery_id, "delivery")
    now = house().clock.now()

    def work(session: Session, actor: str) -> Json:
        endpoint = endpoints.one(session, hook)
        return _whole(session, deliveries.again(session, endpoint, wanted, actor, now))

    return answers.respond(_write(work), 202)
