"""Appointments: times with room for so many visits, held for a cart or an order until a time, then booked.

By the same means as stock: one conditional UPDATE takes a place, a CHECK forbids one too many, reading counts
only holds that still run, and whoever finds a time full ends its lapsed holds first.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cart.delivery import covers
from cart.delivery_models import DeliveryZone, SlotHold, VisitSlot
from core.kernel.db import changed, insert_rows
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_id
from core.stock.holds import Owner

#: So far ahead times are offered, and so many at most.
AHEAD, MOST_OFFERED = timedelta(days=28), 24
_OWNED = SlotHold.state.in_(("active", "booked"))


@dataclass(eq=False)
class SlotGone(ShopError):
    """Somebody else was faster, or it is not offered any more."""

    code: ClassVar[str] = "slot_gone"
    text: ClassVar[str] = "This time is taken by now. Choose another."


@dataclass(frozen=True)
class Slot:
    """A time as it is offered, or chosen."""

    public_id: str
    starts_at: datetime
    ends_at: datetime
    #: How many visits it still has room for.
    free: int


def offered(
    session: Session, channel_id: uuid.UUID, place: Mapping[str, Any] | None, now: datetime
) -> list[Slot]:
    """Times that can be chosen at a place, the earliest first."""
    rows = session.execute(
        select(VisitSlot, DeliveryZone, _running(now))
        .outerjoin(DeliveryZone, DeliveryZone.id == VisitSlot.zone_id)
        .where(
            VisitSlot.channel_id == channel_id,
            VisitSlot.starts_at > now,
            VisitSlot.starts_at <= now + AHEAD,
            VisitSlot.booked < VisitSlot.capacity,
        )
        .order_by(VisitSlot.starts_at, VisitSlot.id)
    ).all()
    found = [
        Slot(slot.public_id, slot.starts_at, slot.ends_at, slot.capacity - slot.booked - held)
        for slot, zone, held in rows
        if zone is None or covers(zone.areas, place or {})
    ]
    return [slot for slot in found if slot.free > 0][:MOST_OFFERED]


def _running(now: datetime) -> Any:
    """How many holds of a slot still run."""
    return (
        select(func.count())
        .where(
            SlotHold.slot_id == VisitSlot.id,
            SlotHold.state == "active",
            SlotHold.expires_at > now,
        )
        .correlate(VisitSlot)
        .scalar_subquery()
    )


def of(session: Session, owner: Owner, now: datetime) -> Slot | None:
    """The time that is held or booked for ``owner``; None when there is none, or its hold has lapsed."""
    row = session.execute(
        select(VisitSlot)
        .join(SlotHold, SlotHold.slot_id == VisitSlot.id)
        .where(
            SlotHold.owner_kind == owner.kind,
            SlotHold.owner_id == owner.id,
            _OWNED,
            (SlotHold.state == "booked") | (SlotHold.expires_at > now),
        )
    ).scalar_one_or_none()
    if row is None:
        return None
    return Slot(row.public_id, row.starts_at, row.ends_at, 0)


def hold(session: Session, owner: Owner, public_id: str, until: datetime, now: datetime) -> None:
    """Keep a visit at this time for ``owner`` until then, instead of the one before. Raises SlotGone."""
    slot = session.scalar(select(VisitSlot).where(VisitSlot.public_id == public_id))
    if slot is None or slot.starts_at <= now:
        raise SlotGone
    mine = _mine(session, owner)
    if mine is not None and mine.slot_id == slot.id:
        mine.expires_at = max(mine.expires_at, until)
        session.flush()
        return
    release(session, owner)
    if not _take(session, slot.id):
        lapse(session, slot.id, now)
        if not _take(session, slot.id):
            raise SlotGone
    values = {
        "id": new_id(),
        "slot_id": slot.id,
        "owner_kind": owner.kind,
        "owner_id": owner.id,
        "state": "active",
        "expires_at": until,
        "created_at": now,
    }
    insert_rows(session, SlotHold, [values])


def _take(session: Session, slot_id: uuid.UUID) -> bool:
    return _shift(session, slot_id, held=1)


def _shift(session: Session, slot_id: uuid.UUID, *, held: int = 0, booked: int = 0) -> bool:
    more = held + booked
    return (
        changed(
            session.execute(
                update(VisitSlot)
                .where(
                    VisitSlot.id == slot_id,
                    VisitSlot.held + VisitSlot.booked + more <= VisitSlot.capacity,
                )
                .values(held=VisitSlot.held + held, booked=VisitSlot.booked + booked)
                .execution_options(synchronize_session=False)
            )
        )
        == 1
    )


def _mine(session: Session, owner: Owner) -> SlotHold | None:
    return session.scalar(
        select(SlotHold)
        .where(SlotHold.owner_kind == owner.kind, SlotHold.owner_id == owner.id, _OWNED)
        .with_for_update()
    )


def _end(session: Session, row: SlotHold, state: str) -> None:
    booked = row.state == "booked"
    row.state = state
    session.flush()
    _shift(session, row.slot_id, held=0 if booked else -1, booked=-1 if booked else 0)


def release(session: Session, owner: Owner) -> None:
    """Give back what is held or booked for ``owner``."""
    row = _mine(session, owner)
    if row is not None:
        _end(session, row, "released")


def lapse(session: Session, slot_id: uuid.UUID, now: datetime) -> None:
    """End the holds of a slot whose time is over."""
    rows = session.scalars(
        select(SlotHold)
        .where(SlotHold.slot_id == slot_id, SlotHold.state == "active", SlotHold.expires_at <= now)
        .order_by(SlotHold.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _end(session, row, "lapsed")


def pass_on(
    session: Session, giver: Owner, taker: Owner, public_id: str, until: datetime, now: datetime
) -> None:
    """A cart's time becomes its order's. Raises SlotGone when its hold had lapsed and it is full."""
    release(session, giver)
    hold(session, taker, public_id, until, now)


def book(session: Session, owner: Owner, now: datetime) -> bool:
    """The time that is held for an order is booked. False when there is none any more: somebody calls."""
    row = _mine(session, owner)
    if row is None or row.state == "booked":
        return row is not None
    row.state = "booked"
    session.flush()
    _shift(session, row.slot_id, held=-1, booked=1)
    return True


# --- what staff do with them ----------------------------------------------------------------------


def add(
    session: Session,
    channel_id: uuid.UUID,
    zone_id: uuid.UUID | None,
    times: Sequence[tuple[datetime, datetime]],
    capacity: int,
) -> int:
    """Times with room for so many visits; those that are there stay. Says how many were added."""
    there = set(
        session.scalars(
            select(VisitSlot.starts_at).where(
                VisitSlot.channel_id == channel_id,
                VisitSlot.zone_id == zone_id if zone_id else VisitSlot.zone_id.is_(None),
                VisitSlot.starts_at.in_([start for start, _ in times]),
            )
        )
    )
    rows = [
        VisitSlot(
            channel_id=channel_id,
            zone_id=zone_id,
            starts_at=start,
            ends_at=end,
            capacity=capacity,
            held=0,
            booked=0,
        )
        for start, end in times
        if start not in there
    ]
    session.add_all(rows)
    session.flush()
    return len(rows)


def one(session: Session, public_id: str) -> VisitSlot:
    """A slot, locked. NotFound when there is none."""
    found = session.scalar(
        select(VisitSlot).where(VisitSlot.public_id == public_id).with_for_update()
    )
    if found is None:
        raise NotFound("time")
    return found


def seen(session: Session, public_id: str) -> VisitSlot:
    """A slot as it is. NotFound when there is none."""
    found = session.scalar(select(VisitSlot).where(VisitSlot.public_id == public_id))
    if found is None:
        raise NotFound("time")
    return found


def of_order(session: Session, order_id: uuid.UUID) -> Slot | None:
    """The time that an order's visit is at, or is to be; None: somebody calls."""
    row = session.execute(
        select(VisitSlot)
        .join(SlotHold, SlotHold.slot_id == VisitSlot.id)
        .where(SlotHold.owner_kind == "order", SlotHold.owner_id == order_id, _OWNED)
    ).scalar_one_or_none()
    return Slot(row.public_id, row.starts_at, row.ends_at, 0) if row is not None else None


def resize(session: Session, slot: VisitSlot, capacity: int, now: datetime) -> int:
    """Room for so many, but never for fewer than are promised; says how many it is."""
    lapse(session, slot.id, now)
    session.refresh(slot)
    slot.capacity = max(capacity, slot.held + slot.booked)
    session.flush()
    return slot.capacity
