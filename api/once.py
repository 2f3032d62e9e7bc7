"""Requests that are done once for each Idempotency-Key, and answered the same again.

The key is claimed in a commit of its own. It is kept with the answer only when the work was done: a refusal
changed nothing and leaves the key free, and so does a machine outside that does not answer.
"""

import hashlib
from collections.abc import Callable

from flask import g
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api import reading
from api.answers import Json
from core.kernel import crash, idempotency
from core.kernel.idempotency import KeyInFlight
from web.context import house


def once(
    scope: str,
    asked: BaseModel,
    work: Callable[[], tuple[int, Json]],
) -> tuple[int, Json]:
    """Status and body of ``work``, or of the first time that it was asked under this key in ``scope``.

    Raises KeyMissing, KeyReused, KeyInFlight.
    """
    key, digest = reading.idempotency_key(), _digest(asked)

    def claim(session: Session) -> idempotency.Replay | None:
        return idempotency.begin(session, scope, key, digest, house().clock.now())

    try:
        replay = house().db.run_tx(claim)
    except KeyInFlight:
        g.retry_after = 1
        raise
    if replay is not None:
        return replay.status, replay.body
    try:
        status, body = work()
    except Exception:
        house().db.run_tx(lambda session: idempotency.forget(session, scope, key))
        raise
    crash.point("once.before_answer_is_kept")
    house().db.run_tx(lambda session: idempotency.finish(session, scope, key, status, body))
    return status, body


def _digest(asked: BaseModel) -> str:
    """The same for the same wish, however its JSON is written."""
    return hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
