"""A form that is sent twice, by a second press or the back button, does its work once.

For acts whose repetition would be another act of the same kind: the page draws a name, and what was sent
under it is part of it, so that a changed form is another wish.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from core.kernel import idempotency


def once(
    session: Session, name: str, asked: tuple[object, ...], now: datetime, work: Callable[[], str]
) -> str:
    """Do the work and answer what it says; sent again, what it said. Always the work without a ``name``."""
    if not name:
        return work()
    digest = _digest(asked)
    scope, key = "form", f"{name[:64]}:{digest}"
    known = idempotency.begin(session, scope, key, digest, now)
    if known is not None:
        return str(known.body["said"])
    said = work()
    idempotency.finish(session, scope, key, 200, {"said": said})
    return said


def same(session: Session, scope: str, name: str, asked: tuple[object, ...], now: datetime) -> None:
    """What is asked under a name is what was asked under it before, if something was; for acts that know by
    their own rows, those of a ``scope``, what they have done. Raises KeyReused. The caller holds what the
    act locks."""
    idempotency.keep(session, scope, name, _digest(asked), 200, {}, now)


def _digest(asked: tuple[object, ...]) -> str:
    return hashlib.sha256(repr([str(part) for part in asked]).encode()).hexdigest()
