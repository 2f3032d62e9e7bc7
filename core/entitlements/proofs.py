"""What the entitlements show of themselves: they follow their services, and their steps lead to them.

Part of the proof that what is billed is what is provided. Known for today only.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from core.entitlements import steps
from core.entitlements.models import Entitlement
from core.kernel import proof
from core.kernel.proof import Part
from core.prices import plans
from core.subscriptions import reading
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import Timeline

#: So many services are looked at in one go: memory does not grow with the books.
CHUNK = 500
DAY = timedelta(days=1)


def they_follow_their_services(session: Session, today: date) -> Part:
    """What runs gives what its plan gives, locked or not; what ended gives nothing; what rests is locked.

    A day's grace for zones and for the night: what began or ended yesterday or today may be either way.
    """
    words: list[str] = []
    seen = 0
    for chunk in _chunks(session, _services):
        timelines = reading.timelines(session, Subscription.id.in_(chunk))
        seen += len(timelines)
        words += _wrong(session, timelines, today)
        if len(words) > proof.SHOWN:
            break
    return Part(f"{seen:,} services provided as agreed", proof.first_few(words))


def _wrong(session: Session, timelines: Sequence[Timeline], today: date) -> list[str]:
    rows: dict[uuid.UUID, list[Entitlement]] = {}
    keys = [one.id for one in timelines]
    for row in session.scalars(select(Entitlement).where(Entitlement.subscription_id.in_(keys))):
        rows.setdefault(row.subscription_id, []).append(row)
    variants = {phase.variant_id for one in timelines for phase in one.phases}
    known = {
        key: set(map(str, plan.features))
        for key, plan in plans.of_variants(session, variants).items()
    }
    return [
        f"service {one.public_id[:8]}: {said}"
        for one in timelines
        for said in _of_one(one, rows.get(one.id, []), known, today)
    ]


def _of_one(
    timeline: Timeline,
    rows: Sequence[Entitlement],
    known: dict[uuid.UUID, set[str]],
    today: date,
) -> Iterator[str]:
    given = {row.feature for row in rows if row.state != "revoked"}
    if timeline.state == "ended":
        for feature in sorted(given):
            yield f"it has ended, and still gives {feature}"
        return
    days = (today + DAY, today, today - DAY)
    phases = [phase for phase in map(timeline.phase_on, days) if phase is not None]
    wanted = [known.get(phase.variant_id, set()) for phase in phases]
    if wanted and given not in wanted:
        yield f"it gives {_said(given)}, and its plan {_said(wanted[0])}"
    for row in rows:
        if timeline.state == "paused" and row.state == "granted":
            yield f"it rests, and {row.feature} is open"
        if timeline.state == "active" and row.lock_reason == "paused":
            yield f"it runs, and {row.feature} is locked as if it rested"


def _said(features: set[str]) -> str:
    return ", ".join(sorted(features)) or "nothing"


def their_steps_lead_to_them(session: Session) -> Part:
    """Each is in the state, and locked for the reason, that its events lead to."""
    words: list[str] = []
    seen = 0
    for chunk in _chunks(session, _entitlements):
        rows = session.scalars(select(Entitlement).where(Entitlement.id.in_(chunk))).all()
        events = steps.history(session, chunk)
        seen += len(rows)
        words += [
            f"{row.feature} of account {row.account_id}: its steps lead elsewhere"
            for row in rows
            if steps.led_to(events.get(row.id, ())) != (row.state, row.lock_reason)
        ]
        if len(words) > proof.SHOWN:
            break
    return Part(f"{seen:,} entitlements led to by their steps", proof.first_few(words))


def _chunks(
    session: Session, keys: Callable[[bool], Select[uuid.UUID]]
) -> Iterator[list[uuid.UUID]]:
    """Keys in their order, some at a time."""
    found = list(session.scalars(keys(False)))
    while found:
        yield found
        if len(found) < CHUNK:
            return
        found = list(session.scalars(keys(True), {"after": found[-1]}))


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _services(further: bool) -> Select[uuid.UUID]:
    return _chunk(select(Subscription.id).where(Subscription.state != "ordered"), further)


@cache
def _entitlements(further: bool) -> Select[uuid.UUID]:
    return _chunk(select(Entitlement.id), further)


def _chunk(query: Select[uuid.UUID], further: bool) -> Select[uuid.UUID]:
    """The first keys, or those after one."""
    (column,) = query.selected_columns
    chunk = query.order_by(column).limit(CHUNK)
    return chunk.where(column > bindparam("after")) if further else chunk
