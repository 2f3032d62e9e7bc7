"""Events: what happened to an object, kept for a listing and handed to the webhook sender."""

import json
from typing import Any

from payments.sandbox import view
from payments.sandbox.store import Body, Tx, new_id

API_VERSION = "2026-10-28.endive"


def record(tx: Tx, type_: str, about: Body) -> None:
    """Write the event with the object as it is now, and its delivery, in the same transaction."""
    event: dict[str, Any] = {
        "id": new_id("event"),
        "object": "event",
        "api_version": API_VERSION,
        "created": tx.now,
        "data": {"object": view.told(about)},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": tx.request_id, "idempotency_key": tx.key},
        "type": type_,
    }
    tx.add(event, ref=type_)
    tx.connection.execute(
        "insert into deliveries (event, state, next_at) values (?, 'new', ?)",
        (event["id"], tx.now),
    )


def with_pending(tx: Tx, event: Body) -> Body:
    """The event with how many deliveries are still under way."""
    count = tx.connection.execute(
        "select count(*) from deliveries where event = ? and state in ('new', 'waiting', 'held')",
        (event["id"],),
    ).fetchone()[0]
    return {**event, "pending_webhooks": count}


def payload(event: Body) -> bytes:
    """The bytes that are signed and sent: the same at every try."""
    return json.dumps({**event, "pending_webhooks": 1}, indent=2).encode()
