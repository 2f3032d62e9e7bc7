"""The one writer of entitlements: each step is an event, and the row is where the events lead."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.entitlements.models import STATES, Entitlement, EntitlementEvent
from core.kernel.db import changed
from core.kernel.errors import StaleState

#: Why something is locked, the strongest first: the first one that holds is what the account is told.
REASONS = ("desk", "past_due", "paused")


def of_subscription(session: Session, subscription_id: uuid.UUID) -> Sequence[Entitlement]:
    """Everything that a service gives or gave, by feature."""
    return session.scalars(
        select(Entitlement)
        .where(Entitlement.subscription_id == subscription_id)
        .order_by(Entitlement.feature)
        .execution_options(populate_existing=True)
    ).all()


def of_account(session: Session, account_id: uuid.UUID) -> Sequence[Entitlement]:
    """Everything that an account may use or might, by service and feature."""
    return session.scalars(
        select(Entitlement)
        .where(Entitlement.account_id == account_id)
        .order_by(Entitlement.subscription_id, Entitlement.feature)
        .execution_options(populate_existing=True)
    ).all()


def history(
    session: Session, entitlement_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, list[EntitlementEvent]]:
    """The steps of some entitlements, the earliest first."""
    found: dict[uuid.UUID, list[EntitlementEvent]] = {}
    for row in session.scalars(
        select(EntitlementEvent)
        .where(EntitlementEvent.entitlement_id.in_(list(entitlement_ids)))
        .order_by(EntitlementEvent.at, EntitlementEvent.id)
    ):
        found.setdefault(row.entitlement_id, []).append(row)
    return found


def led_to(events: Iterable[EntitlementEvent]) -> tuple[str, str]:
    """The state and the lock's reason that steps lead to; ``revoked`` before the first. Pure.

    Several reasons may hold at once; each is locked and unlocked by itself, and none is forgotten while
    another one holds. What is granted anew begins without any.
    """
    is_granted, reasons = False, set[str]()
    for event in events:
        if event.kind in ("grant", "revoke"):
            is_granted, reasons = event.kind == "grant", set()
        elif event.kind == "lock":
            reasons.add(event.reason)
        else:
            reasons.discard(event.reason)
    if not is_granted:
        return "revoked", ""
    strongest = next((reason for reason in REASONS if reason in reasons), "")
    return ("locked", strongest) if strongest else ("granted", "")


def held(events: Iterable[EntitlementEvent]) -> set[str]:
    """Every reason for which it is locked now."""
    reasons = set[str]()
    for event in events:
        if event.kind == "lock":
            reasons.add(event.reason)
        elif event.kind == "unlock":
            reasons.discard(event.reason)
        else:
            reasons.clear()
    return reasons


def step(
    session: Session,
    row: Entitlement,
    kind: str,
    reason: str,
    actor: str,
    now: datetime,
    before: Sequence[EntitlementEvent],
) -> list[EntitlementEvent]:
    """Write a step behind those ``before`` and move the row with it; answers all of them.

    StaleState when somebody was faster.
    """
    made = EntitlementEvent(entitlement_id=row.id, kind=kind, reason=reason, actor=actor, at=now)
    events = [*before, made]
    state, lock_reason = led_to(events)
    session.add(made)
    session.flush()
    _move(session, row, state, lock_reason, now)
    return events


def _move(session: Session, row: Entitlement, state: str, reason: str, now: datetime) -> None:
    origins = [row.state] if row.state == state or state in STATES[row.state] else []
    result = session.execute(
        update(Entitlement)
        .where(
            Entitlement.id == row.id,
            Entitlement.state.in_(origins),
            Entitlement.lock_reason == row.lock_reason,
        )
        .values(state=state, lock_reason=reason, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("entitlement", state)
    for name, value in (("state", state), ("lock_reason", reason), ("changed_at", now)):
        set_committed_value(row, name, value)
