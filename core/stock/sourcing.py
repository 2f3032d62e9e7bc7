"""From which places pieces are taken: the nearest that has all of them, else split over several. What is
fetched at a place is taken there, each thing of which enough lies there.

``plan`` is pure. ``take`` locks the levels of everything that is wanted in the order of their keys, so that
two takers never wait for each other in a circle, and holds what the plan says.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from core.catalog.models import Variant
from core.kernel.db import table
from core.kernel.errors import ShopError
from core.stock import lapsing, levels
from core.stock.models import Location, StockLevel


@dataclass(eq=False)
class OutOfStock(ShopError):
    """Fewer pieces are there than were asked for."""

    code: ClassVar[str] = "out_of_stock"
    text: ClassVar[str] = "Only {available} of {sku} can be had right now; {wanted} were asked for."
    sku: str
    wanted: int
    available: int


@dataclass(frozen=True)
class Demand:
    """So many pieces of a variant for one line; ``numbered``: each is one of its own, see ``numbers``."""

    line_id: uuid.UUID
    variant_id: uuid.UUID
    quantity: int
    numbered: bool = False


@dataclass(frozen=True)
class Near:
    """Where pieces are to go, as far as it is known; ``place``: they are fetched at this one."""

    country: str = ""
    region: str = ""
    postal_code: str = ""
    place: uuid.UUID | None = None

    @classmethod
    def of(cls, address: Mapping[str, Any] | None, place: uuid.UUID | None = None) -> "Near":
        """The place of an address; None is not known yet."""
        found = address or {}
        country, region, code = (
            str(found.get(name) or "") for name in ("country", "region", "postal_code")
        )
        return cls(country, region, code, place)


NOT_KNOWN = Near()


@dataclass(frozen=True)
class Shelf:
    """One level: what lies there to be sold, and what may be promised with back-orders and pre-orders."""

    level_id: uuid.UUID
    variant_id: uuid.UUID
    place: uuid.UUID
    there: int
    possible: int
    #: Its pieces are numbers or keys, which lie nowhere.
    numbered: bool = False


#: So many pieces of a demand at a level.
Part = tuple[Demand, uuid.UUID, int]


def plan(
    needs: Mapping[uuid.UUID, int], shelves: Sequence[Shelf], fetched_at: uuid.UUID | None = None
) -> dict[uuid.UUID, int] | None:
    """How many pieces at which level; None when something falls short. ``shelves`` has the nearest first.

    One place that has everything; else, thing by thing, one that has all of it; else several, the nearest
    first. What lies there goes before what is only promised. What is numbered lies nowhere: it does not
    count for the place of the rest. Each thing that lies at the place where it is ``fetched_at`` is taken
    there, whatever becomes of the rest.
    """
    if fetched_at is not None:
        return _fetched(needs, shelves, fetched_at)
    numbered = {shelf.variant_id for shelf in shelves if shelf.numbered}
    goods = {key: wanted for key, wanted in needs.items() if key not in numbered}
    if goods and len(goods) < len(needs):
        apart = {key: wanted for key, wanted in needs.items() if key in numbered}
        found, given = plan(goods, shelves), plan(apart, shelves)
        return found | given if found is not None and given is not None else None
    places = dict.fromkeys(shelf.place for shelf in shelves)
    for place in places:
        here = [one for one in shelves if one.place == place and one.variant_id in needs]
        there = {
            shelf.variant_id: shelf for shelf in here if shelf.there >= needs[shelf.variant_id]
        }
        if there.keys() == needs.keys():
            return {shelf.level_id: needs[variant_id] for variant_id, shelf in there.items()}
    taken: dict[uuid.UUID, int] = {}
    for variant_id, wanted in needs.items():
        mine = [shelf for shelf in shelves if shelf.variant_id == variant_id]
        found = _of_one(wanted, mine)
        if found is None:
            return None
        taken |= found
    return taken


def _fetched(
    needs: Mapping[uuid.UUID, int], shelves: Sequence[Shelf], at: uuid.UUID
) -> dict[uuid.UUID, int] | None:
    """Each thing of which enough lies there is taken there; the rest as ever."""
    spot = {shelf.variant_id: shelf for shelf in shelves if shelf.place == at}
    here = {
        key: spot[key].level_id
        for key, wanted in needs.items()
        if key in spot and spot[key].there >= wanted
    }
    rest = {key: wanted for key, wanted in needs.items() if key not in here}
    found = plan(rest, shelves) if rest else {}
    if found is None:
        return None
    return found | {level_id: needs[key] for key, level_id in here.items()}


def _of_one(wanted: int, shelves: Sequence[Shelf]) -> dict[uuid.UUID, int] | None:
    for pieces in ([shelf.there for shelf in shelves], [shelf.possible for shelf in shelves]):
        pairs = list(zip(shelves, pieces, strict=True))
        for shelf, count in pairs:
            if count >= wanted:
                return {shelf.level_id: wanted}
        if sum(max(count, 0) for count in pieces) >= wanted:
            return _split(wanted, pairs)
    return None


def _split(wanted: int, pairs: Iterable[tuple[Shelf, int]]) -> dict[uuid.UUID, int]:
    taken, left = {}, wanted
    for shelf, count in pairs:
        part = min(left, max(count, 0))
        if part:
            taken[shelf.level_id] = part
            left -= part
    return taken


def deal(
    demands: Iterable[Demand], taken: Mapping[uuid.UUID, int], shelves: Iterable[Shelf]
) -> list[Part]:
    """The pieces of each level shared out to the demands, in the order of these."""
    left: dict[uuid.UUID, list[list[Any]]] = {}
    for shelf in shelves:
        if shelf.level_id in taken:
            left.setdefault(shelf.variant_id, []).append([shelf.level_id, taken[shelf.level_id]])
    parts = []
    for demand in demands:
        wanted, pile = demand.quantity, left.get(demand.variant_id, [])
        while wanted and pile:
            part = min(wanted, pile[0][1])
            parts.append((demand, pile[0][0], part))
            wanted -= part
            pile[0][1] -= part
            if not pile[0][1]:
                pile.pop(0)
    return parts


def take_at_once(
    session: Session, variant_id: uuid.UUID, quantity: int, near: Near
) -> uuid.UUID | None:
    """Hold pieces at the nearest place where all of them lie, by one statement; answers the level's key.

    None when there is no such place, or somebody was faster.
    """
    values = {"variant": variant_id, "pieces": quantity, **_named(near)}
    found: uuid.UUID | None = session.scalar(_take_at_once(), values)
    return found


def refuse_at_a_glance(session: Session, demand: Demand, now: datetime) -> None:
    """Raise OutOfStock when fewer are there, what has lapsed counted in. Nothing is locked: a thousand who
    come too late for the last piece do not wait for each other."""
    free = levels.available(session, [demand.variant_id], now).get(demand.variant_id)
    if free is not None and free < demand.quantity:
        sku = session.get_one(Variant, demand.variant_id).sku
        raise OutOfStock(sku, demand.quantity, free)


def take(
    session: Session,
    demands: Sequence[Demand],
    now: datetime,
    near: Near,
    kept: Mapping[uuid.UUID, int] | None = None,
    *,
    beyond: bool = True,
) -> list[Part] | None:
    """Hold pieces for all demands; what is neither physical nor counted needs none.

    All or nothing: raises OutOfStock for the first thing that falls short, after letting the lapsed holds of
    its levels go. Of what somebody has ``kept`` already it tells the whole, by variant. Without ``beyond``
    None when it can be had only before it is there, and then nothing is held.
    """
    needs: dict[uuid.UUID, int] = {}
    for demand in demands:
        needs[demand.variant_id] = needs.get(demand.variant_id, 0) + demand.quantity
    numbered = {demand.variant_id for demand in demands if demand.numbered}
    shelves = _locked(session, needs, near, numbered)
    needs = _counted(session, needs, shelves)
    found = plan(needs, shelves, near.place)
    if found is None or not _is_whole(found, needs, shelves):
        gone = [lapsing.lapse_at(session, shelf.level_id, now) for shelf in _by_key(shelves)]
        if any(gone):
            shelves = _locked(session, needs, near, numbered)
            found = plan(needs, shelves, near.place)
    if found is None:
        raise _short(session, needs, shelves, kept or {})
    if not (beyond or _lies_there(found, shelves)):
        return None
    for level_id in sorted(found):
        levels.shift(session, level_id, held=found[level_id])
    return deal(demands, found, shelves)


def _by_key(shelves: Iterable[Shelf]) -> list[Shelf]:
    return sorted(shelves, key=lambda shelf: shelf.level_id)


def _is_whole(
    found: Mapping[uuid.UUID, int], needs: Mapping[uuid.UUID, int], shelves: Sequence[Shelf]
) -> bool:
    """Does everything lie there, and each thing at one place?"""
    return len(found) == len(needs) and _lies_there(found, shelves)


def _lies_there(found: Mapping[uuid.UUID, int], shelves: Iterable[Shelf]) -> bool:
    there = {shelf.level_id: shelf.there for shelf in shelves}
    return all(there[key] >= count for key, count in found.items())


def _counted(
    session: Session, needs: Mapping[uuid.UUID, int], shelves: Iterable[Shelf]
) -> dict[uuid.UUID, int]:
    """The needs that are counted. Goods that never came in are, and fall short."""
    known = {shelf.variant_id for shelf in shelves}
    counted = {key: wanted for key, wanted in needs.items() if key in known}
    if len(counted) < len(needs):
        variant = table(Variant).c
        rows = session.execute(
            select(variant.id, variant.sku).where(
                variant.id.in_([key for key in needs if key not in known]),
                or_(variant.kind == "physical", variant.numbered),
            )
        )
        for variant_id, sku in rows:
            raise OutOfStock(sku, needs[variant_id], 0)
    return counted


def _short(
    session: Session,
    needs: Mapping[uuid.UUID, int],
    shelves: Sequence[Shelf],
    kept: Mapping[uuid.UUID, int],
) -> OutOfStock:
    for variant_id in sorted(needs):
        possible = sum(
            max(shelf.possible, 0) for shelf in shelves if shelf.variant_id == variant_id
        )
        if possible < needs[variant_id]:
            break
    variant, own = session.get_one(Variant, variant_id), kept.get(variant_id, 0)
    return OutOfStock(variant.sku, needs[variant_id] + own, possible + own)


def _locked(
    session: Session, variant_ids: Iterable[uuid.UUID], near: Near, numbered: Collection[uuid.UUID]
) -> list[Shelf]:
    """Every level of these, locked in the order of their keys; the answer has the nearest first."""
    values = {"variants": list(variant_ids), **_named(near)}
    rows: list[Any] = list(session.execute(_levels(), values))
    rows.sort(key=lambda row: (row.distance, row.priority, row.code, row.id))
    return [
        Shelf(
            row.id,
            row.variant_id,
            row.location_id,
            row.there,
            row.possible,
            row.variant_id in numbered,
        )
        for row in rows
    ]


def _named(near: Near) -> dict[str, Any]:
    return {
        "country": near.country,
        "region": near.region,
        "postal": near.postal_code,
        "fetched_at": near.place,
    }


def _distance() -> ColumnElement[int]:
    """How far a place is from where pieces go: the less the nearer. Where they are fetched; the postal code's
    own, the longer its beginning the nearer; then the region's, then the country's, then all others."""
    place = table(Location).c
    here = and_(place.country != "", place.country == bindparam("country", type_=String))
    prefix, postal = place.postal_prefix, bindparam("postal", type_=String)
    begins = and_(
        here, prefix != "", func.substr(postal, 1, func.length(prefix), type_=String) == prefix
    )
    same = and_(here, place.region != "", place.region == bindparam("region", type_=String))
    fetched = place.id == bindparam("fetched_at", type_=place.id.type)
    return case((fetched, -1000), (begins, -func.length(prefix)), (same, 1), (here, 2), else_=3)


@cache
def _take_at_once() -> ReturningUpdate[Any]:
    level, place = table(StockLevel), table(Location)
    nearest = (
        select(level.c.id)
        .select_from(level.join(place, place.c.id == level.c.location_id))
        .where(level.c.variant_id == bindparam("variant"), levels.there() >= bindparam("pieces"))
        .order_by(_distance(), place.c.priority, place.c.code, level.c.id)
        .limit(1)
        .correlate(None)
        .scalar_subquery()
    )
    return levels.holding(level.c.id == nearest)


@cache
def _levels() -> Select[Any]:
    level, place = table(StockLevel), table(Location)
    return (
        select(
            level.c.id,
            level.c.variant_id,
            level.c.location_id,
            levels.there().label("there"),
            levels.possible().label("possible"),
            _distance().label("distance"),
            place.c.priority,
            place.c.code,
        )
        .select_from(level.join(place, place.c.id == level.c.location_id))
        .where(level.c.variant_id.in_(bindparam("variants", expanding=True)))
        .order_by(level.c.id)
        .with_for_update(of=level)
    )
