"""Locks: what is granted cannot be used for a while, for one or several reasons.

Reasons hold side by side: a service that rests and whose payer is late stays locked until both are over.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.entitlements import steps
from core.entitlements.models import Entitlement
from core.subscriptions.models import Subscription


def lock(
    session: Session,
    whose: Subscription | uuid.UUID,
    reason: str,
    actor: str,
    now: datetime,
    *,
    features: Collection[str] | None = None,
) -> int:
    """Lock what a service gives, or all of an account (its id); says how many features it met.

    ``reason`` is one of ``steps.REASONS``; ``features`` None: all. Locked for it already: nothing happens.
    """
    return _write(session, whose, "lock", reason, actor, now, features)


def unlock(
    session: Session,
    whose: Subscription | uuid.UUID,
    reason: str,
    actor: str,
    now: datetime,
    *,
    features: Collection[str] | None = None,
) -> int:
    """Take one reason away; what is locked for another one stays locked. Says how many it met."""
    return _write(session, whose, "unlock", reason, actor, now, features)


def _write(
    session: Session,
    whose: Subscription | uuid.UUID,
    kind: str,
    reason: str,
    actor: str,
    now: datetime,
    features: Collection[str] | None,
) -> int:
    if reason not in steps.REASONS:
        raise ValueError(f"no reason to lock: {reason!r}")
    rows = [
        row
        for row in _rows(session, whose)
        if row.state != "revoked" and (features is None or row.feature in features)
    ]
    events = steps.history(session, [row.id for row in rows])
    met = 0
    for row in rows:
        before = events.get(row.id, [])
        if (reason in steps.held(before)) != (kind == "lock"):
            steps.step(session, row, kind, reason, actor, now, before)
            met += 1
    return met


def _rows(session: Session, whose: Subscription | uuid.UUID) -> Sequence[Entitlement]:
    if isinstance(whose, Subscription):
        return steps.of_subscription(session, whose.id)
    return steps.of_account(session, whose)
