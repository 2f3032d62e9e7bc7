"""How Fernway delivers: by parcel, picked up at the depot, and by visits at times of the next weeks."""

import uuid
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import slots
from cart.delivery_models import DeliveryMethod, DeliveryZone
from core.parties.models import Channel
from core.stock.models import Location

#: Around Tarnbrook: who lives there may fetch things, and is visited.
_AREAS = [["US", "OH", "430"], ["US", "OH", "431"]]
_HOURS = ((time(8), time(12)), (time(13), time(17)))
_DAYS, _FITTERS = 21, 2


def offer(session: Session, channel_id: uuid.UUID) -> None:
    """The ways of delivery, and the zone around the depot."""
    zone = DeliveryZone(channel_id=channel_id, code="tarnbrook", name="Tarnbrook", areas=_AREAS)
    session.add(zone)
    session.flush()
    spot = session.scalars(select(Location).where(Location.code == "depot")).one()
    spot.address, spot.hours = "1 Ferry Street, Tarnbrook", "Monday to Saturday, 8 to 18"
    depot = spot.id
    session.add_all(
        [
            DeliveryMethod(
                channel_id=channel_id,
                country="US",
                code="standard",
                name="Standard",
                description="At your door in two to three working days",
                price_minor=690,
                free_from_minor=5000,
                position=1,
            ),
            DeliveryMethod(
                channel_id=channel_id,
                country="US",
                code="morning",
                name="Next morning",
                description="Eight to twelve on the next working day, when you order by four",
                price_minor=980,
                weight_to_g=20_000,
                position=2,
            ),
            DeliveryMethod(
                channel_id=channel_id,
                country="US",
                code="pick-up",
                name="Pick it up",
                description="At the depot, 1 Ferry Street, from the next working day on",
                price_minor=0,
                kind="pickup",
                location_id=depot,
                zone_id=zone.id,
                position=3,
            ),
        ]
    )


def offer_times(session: Session, channel: Channel, opens: datetime) -> None:
    """Visits on the working days of the next weeks, in the morning and in the afternoon."""
    here = ZoneInfo(channel.time_zone)
    first = opens.astimezone(here).date() + timedelta(days=1)
    days = [first + timedelta(days=number) for number in range(_DAYS)]
    times = [
        (datetime.combine(day, begins, here), datetime.combine(day, ends, here))
        for day in days
        if day.weekday() < 5
        for begins, ends in _HOURS
    ]
    slots.add(session, channel.id, None, times, _FITTERS)
