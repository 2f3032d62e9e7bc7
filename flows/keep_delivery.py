"""Staff keep how things are delivered: zones, ways with their prices, times for visits; in the audit log."""

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import slots
from cart.delivery_models import DeliveryMethod, DeliveryZone
from core.kernel import audit
from core.kernel.errors import Invalid, NotFound
from core.parties import accounts
from core.parties.models import Channel
from core.stock.models import Location
from flows.house import House
from flows.keep_things import is_words

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_GOES_BY = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_COUNTRY = re.compile(r"[A-Z]{2}")
MOST_DAYS, MOST_VISITS, MOST_AREAS = 92, 500, 500
_HIGHEST = 10**9


@dataclass(frozen=True)
class Way:
    """A way of delivery as it is wanted; amounts in minor units, weights in grams, None: no end."""

    country: str
    code: str
    name: str
    description: str = ""
    kind: str = "ship"
    #: The codes of a zone and of a location, or empty.
    zone: str = ""
    location: str = ""
    goes_by: str = "parcel"
    price_minor: int = 0
    per_kg_minor: int = 0
    free_from_minor: int | None = None
    goods_from_minor: int | None = None
    goods_to_minor: int | None = None
    weight_to_g: int | None = None
    position: int = 0
    active: bool = True


@dataclass(frozen=True)
class Times:
    """Visits on some weekdays (0 is Monday), from a day to a day, from an hour to an hour of the shop."""

    first: date
    last: date
    weekdays: Collection[int]
    begins: time
    ends: time
    capacity: int
    zone: str = ""


def put_way(house: House, way: Way, actor: str) -> None:
    """Make a way, or change the one that has this code in its country. Raises Invalid, by field."""
    _check(way)

    def work(session: Session) -> None:
        channel = _channel(session, house)
        zone = _zone(session, channel, way.zone)
        location = _location(session, way)
        mine = (
            DeliveryMethod.channel_id == channel.id,
            DeliveryMethod.country == way.country,
            DeliveryMethod.code == way.code,
        )
        row = session.scalar(select(DeliveryMethod).where(*mine).with_for_update())
        if row is None:
            row = DeliveryMethod(channel_id=channel.id, country=way.country, code=way.code)
            session.add(row)
        for name in COLUMNS:
            setattr(row, name, getattr(way, name))
        row.zone_id, row.location_id = zone, location
        session.flush()
        subject = ("delivery_method", f"{way.country}/{way.code}")
        audit.write(session, house.clock.now(), actor, "delivery.way_put", subject)

    house.db.run_tx(work)


#: What is told and kept of a way, beside where it is offered.
COLUMNS = (
    "name",
    "description",
    "kind",
    "goes_by",
    "price_minor",
    "per_kg_minor",
    "free_from_minor",
    "goods_from_minor",
    "goods_to_minor",
    "weight_to_g",
    "position",
    "active",
)


def _check(way: Way) -> None:
    found: dict[str, str] = {}
    if not _COUNTRY.fullmatch(way.country):
        found["country"] = "Two letters, such as US."
    if not _CODE.fullmatch(way.code):
        found["code"] = "Small letters, digits and hyphens, such as next-morning."
    if not is_words(way.name, 120):
        found["name"] = "Say what it is called."
    if len(way.description) > 200 or not way.description.isprintable():
        found["description"] = "At most 200 characters."
    if way.kind not in ("ship", "pickup"):
        found["kind"] = "Choose one of these."
    if way.kind == "pickup" and not way.location:
        found["location"] = "Say where it is picked up."
    if not _GOES_BY.fullmatch(way.goes_by):
        found["goes_by"] = "Small letters, digits and hyphens, such as parcel."
    for name in COLUMNS[4:10]:
        value = getattr(way, name)
        if value is not None and not 0 <= value <= _HIGHEST:
            found[name] = "Not below nothing."
    low, high = way.goods_from_minor, way.goods_to_minor
    if low is not None and high is not None and high < low and "goods_to_minor" not in found:
        found["goods_to_minor"] = "Not below where it begins."
    if found:
        raise Invalid(found)


def put_zone(house: House, code: str, name: str, areas: str, actor: str) -> None:
    """Make a zone or change it; an area a line: ``US``, ``US OH`` or ``US OH 431``. ``*`` is any region.

    Raises Invalid, by field.
    """
    found: dict[str, str] = {}
    if not _CODE.fullmatch(code):
        found["code"] = "Small letters, digits and hyphens, such as tarnbrook."
    if not is_words(name, 120):
        found["name"] = "Say what it is called."
    listed = [line.split() for line in areas.upper().splitlines() if line.strip()]
    if not listed or len(listed) > MOST_AREAS or not all(map(_is_area, listed)):
        found["areas"] = "An area on each line: US, or US OH, or US OH 431."
    if found:
        raise Invalid(found)
    whole = [
        [line[0], "" if line[1:2] in ([], ["*"]) else line[1], "".join(line[2:])] for line in listed
    ]

    def work(session: Session) -> None:
        channel = _channel(session, house)
        mine = (DeliveryZone.channel_id == channel.id, DeliveryZone.code == code)
        row = session.scalar(select(DeliveryZone).where(*mine).with_for_update())
        if row is None:
            row = DeliveryZone(channel_id=channel.id, code=code)
            session.add(row)
        row.name, row.areas = name, whole
        session.flush()
        now, subject = house.clock.now(), ("delivery_zone", code)
        audit.write(session, now, actor, "delivery.zone_put", subject, areas=len(whole))

    house.db.run_tx(work)


def _is_area(words: list[str]) -> bool:
    fits = _COUNTRY.fullmatch(words[0]) is not None and len(words) <= 4
    return fits and len(words[1:2] and words[1]) <= 40 and len("".join(words[2:])) <= 20


def add_times(house: House, wish: Times, actor: str) -> int:
    """Offer times for visits; those that are there stay. Says how many were added. Raises Invalid."""
    found: dict[str, str] = {}
    days = (wish.last - wish.first).days + 1
    if not 1 <= days <= MOST_DAYS:
        found["last"] = f"From the first day on, {MOST_DAYS} days at most."
    if wish.ends <= wish.begins:
        found["ends"] = "After it begins."
    if not 1 <= wish.capacity <= MOST_VISITS:
        found["capacity"] = f"From 1 to {MOST_VISITS} visits."
    if not set(wish.weekdays) & set(range(7)):
        found["weekdays"] = "Choose at least one."
    if found:
        raise Invalid(found)

    def work(session: Session) -> int:
        channel = _channel(session, house)
        zone = ZoneInfo(channel.time_zone)
        chosen = (wish.first + timedelta(days=number) for number in range(days))
        times = [
            (datetime.combine(day, wish.begins, zone), datetime.combine(day, wish.ends, zone))
            for day in chosen
            if day.weekday() in wish.weekdays
        ]
        key = _zone(session, channel, wish.zone)
        count = slots.add(session, channel.id, key, times, wish.capacity)
        now, subject = house.clock.now(), ("visit_slots", wish.first.isoformat())
        audit.write(session, now, actor, "delivery.times_added", subject, count=count)
        return count

    return house.db.run_tx(work)


def resize(house: House, public_id: str, capacity: int, actor: str) -> int:
    """Room for so many visits at a time, but never for fewer than are promised; says how many.

    Raises NotFound and Invalid.
    """
    if not 0 <= capacity <= MOST_VISITS:
        raise Invalid({"capacity": f"From 0 to {MOST_VISITS} visits."})

    def work(session: Session) -> int:
        slot, now = slots.one(session, public_id), house.clock.now()
        given = slots.resize(session, slot, capacity, now)
        subject = ("visit_slot", public_id)
        audit.write(session, now, actor, "delivery.time_resized", subject, capacity=given)
        return given

    return house.db.run_tx(work)


def _channel(session: Session, house: House) -> Channel:
    return accounts.channel_by_code(session, house.rules.channel)[0]


def _zone(session: Session, channel: Channel, code: str) -> uuid.UUID | None:
    if not code:
        return None
    mine = (DeliveryZone.channel_id == channel.id, DeliveryZone.code == code)
    key = session.scalar(select(DeliveryZone.id).where(*mine))
    if key is None:
        raise Invalid({"zone": "There is no such zone."})
    return key


def _location(session: Session, way: Way) -> uuid.UUID | None:
    if way.kind != "pickup":
        return None
    key = session.scalar(select(Location.id).where(Location.code == way.location))
    if key is None:
        raise Invalid({"location": "There is no such place."})
    return key


def one_way(session: Session, channel_id: uuid.UUID, country: str, code: str) -> DeliveryMethod:
    """A way of delivery. NotFound when there is none."""
    row = session.scalar(
        select(DeliveryMethod).where(
            DeliveryMethod.channel_id == channel_id,
            DeliveryMethod.country == country,
            DeliveryMethod.code == code,
        )
    )
    if row is None:
        raise NotFound("way of delivery")
    return row
