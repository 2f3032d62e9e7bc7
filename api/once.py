"""Requests that are done once for each Idempotency-Key, and answered the same again.

Where a machine outside is asked on the way the key is claimed in a commit of its own (``once``). Work that
is one transaction and holds a lock of its own keeps the key with the answer there, in one statement
(``once_within``): whoever asks at the same time waits and is answered the same, and a crash leaves nothing
behind. Either way it is kept only when the work was done: a refusal changed nothing and leaves the key free,
and so does a machine outside that does not answer.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

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


class Answered(Exception):
    """This request was answered before: leave the transaction, nothing was done in it."""

    def __init__(self, replay: idempotency.Replay) -> None:
        super().__init__("answered before")
        self.replay = replay


@dataclass(frozen=True)
class Claim:
    """One key in the transaction of the work that it stands for."""

    scope: str
    key: str
    digest: str

    def look(self, session: Session) -> None:
        """When the work seems to be done already. Raises Answered, KeyReused; KeyInFlight where ``once`` has
        it in hand."""
        now = house().clock.now()
        self._leave(idempotency.look(session, self.scope, self.key, self.digest, now))

    def keep(self, session: Session, status: int, body: Json) -> None:
        """Last of all, the answer. Raises as ``look`` does, and then nothing was done."""
        crash.point("once.before_answer_is_kept")
        now = house().clock.now()
        whose = (session, self.scope, self.key, self.digest)
        self._leave(idempotency.keep(*whose, status, body, now))

    def _leave(self, replay: idempotency.Replay | None) -> None:
        if replay is not None:
            raise Answered(replay)


def once_within(
    scope: str, asked: BaseModel, work: Callable[[Claim], tuple[int, Json]]
) -> tuple[int, Json]:
    """As ``once``, for ``work`` that is one transaction: it locks what it is about, looks at the claim when
    that is done already, and keeps it at its end."""
    try:
        return work(Claim(scope, reading.idempotency_key(), _digest(asked)))
    except Answered as before:
        return before.replay.status, before.replay.body
    except KeyInFlight:
        g.retry_after = 1
        raise


def _digest(asked: BaseModel) -> str:
    """The same for the same wish, however its JSON is written."""
    return hashlib.sha256(asked.model_dump_json().encode()).hexdigest()
