"""Ways, zones and times for staff: all of them, ended ones too, and who is visited."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.delivery_models import DeliveryMethod, DeliveryZone, SlotHold, VisitSlot
from core.orders.models import Order
from core.stock.models import Location


def ways(
    session: Session, channel_id: uuid.UUID
) -> Sequence[tuple[DeliveryMethod, DeliveryZone | None, Location | None]]:
    """Every way of a channel with its zone and place, in the order in which they are offered."""
    rows = session.execute(
        select(DeliveryMethod, DeliveryZone, Location)
        .outerjoin(DeliveryZone, DeliveryZone.id == DeliveryMethod.zone_id)
        .outerjoin(Location, Location.id == DeliveryMethod.location_id)
        .where(DeliveryMethod.channel_id == channel_id)
        .order_by(DeliveryMethod.country, DeliveryMethod.position, DeliveryMethod.code)
    )
    return [(method, zone, location) for method, zone, location in rows]


def zones(session: Session, channel_id: uuid.UUID) -> Sequence[DeliveryZone]:
    """Every zone of a channel."""
    return session.scalars(
        select(DeliveryZone)
        .where(DeliveryZone.channel_id == channel_id)
        .order_by(DeliveryZone.code)
    ).all()


def times(
    session: Session, channel_id: uuid.UUID, since: datetime, until: datetime
) -> Sequence[tuple[VisitSlot, DeliveryZone | None]]:
    """Times for visits that begin between two moments."""
    rows = session.execute(
        select(VisitSlot, DeliveryZone)
        .outerjoin(DeliveryZone, DeliveryZone.id == VisitSlot.zone_id)
        .where(
            VisitSlot.channel_id == channel_id,
            VisitSlot.starts_at >= since,
            VisitSlot.starts_at < until,
        )
        .order_by(VisitSlot.starts_at, VisitSlot.id)
    )
    return [(slot, zone) for slot, zone in rows]


def visited(session: Session, slot_id: uuid.UUID) -> Sequence[Order]:
    """The orders whose visit is booked at a time."""
    return session.scalars(
        select(Order)
        .join(SlotHold, SlotHold.owner_id == Order.id)
        .where(
            SlotHold.slot_id == slot_id, SlotHold.owner_kind == "order", SlotHold.state == "booked"
        )
        .order_by(Order.number)
    ).all()
