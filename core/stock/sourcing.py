"""Pieces are taken from the places that ``planning`` says, and held.

``take`` locks the levels of everything that is wanted in the order of their keys, so that two takers never
wait for each other in a circle.
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
from core.stock.planning import Demand, Part, Shelf, share, sums


@dataclass(eq=False)
class OutOfStock(ShopError):
    """Fewer pieces are there than were asked for."""

    code: ClassVar[str] = "out_of_stock"
    text: ClassVar[str] = "Only {available} of {sku} can be had right now; {wanted} were asked for."
    sku: str
    wanted: int
    available: int


@dataclass(frozen=True)
class Near:
    """Where pieces are sent, as far as it is known."""

    country: str = ""
    region: str = ""
    postal_code: str = ""

    @classmethod
    def of(cls, address: Mapping[str, Any] | None) -> "Near":
        """The place of an address; None is not known yet."""
        found = address or {}
        country, region, code = (
            str(found.get(name) or "") for name in ("country", "region", "postal_code")
        )
        return cls(country, region, code)


NOT_KNOWN = Near()


def take_at_once(session: Session, demand: Demand, near: Near) -> uuid.UUID | None:
    """Hold pieces at the nearest place where all of them lie, first where they are fetched, by one statement;
    answers the level's key.

    None when there is no such place, or somebody was faster.
    """
    values = {
        "variant": demand.variant_id,
        "pieces": demand.quantity,
        "fetched_at": demand.place,
        **_named(near),
    }
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
    numbered = {demand.variant_id for demand in demands if demand.numbered}
    needs = sums(demands)
    shelves = _locked(session, needs, near, numbered)
    needs = _counted(session, needs, shelves)
    counted = [demand for demand in demands if demand.variant_id in needs]
    found = share(counted, shelves)
    if found is None or not _is_whole(found, shelves):
        gone = [lapsing.lapse_at(session, shelf.level_id, now) for shelf in _by_key(shelves)]
        if any(gone):
            shelves = _locked(session, needs, near, numbered)
            found = share(counted, shelves)
    if found is None:
        raise _short(session, needs, shelves, kept or {})
    if not (beyond or _lies_there(found, shelves)):
        return None
    for level_id, pieces in sorted(_by_level(found).items()):
        levels.shift(session, level_id, held=pieces)
    return found


def _by_key(shelves: Iterable[Shelf]) -> list[Shelf]:
    return sorted(shelves, key=lambda shelf: shelf.level_id)


def _is_whole(found: Iterable[Part], shelves: Iterable[Shelf]) -> bool:
    """Does everything lie there, and each thing at one place, as far as it goes one way?"""
    where = {(demand.variant_id, demand.place, level_id) for demand, level_id, _ in found}
    what = {(variant_id, place) for variant_id, place, _ in where}
    return len(where) == len(what) and _lies_there(found, shelves)


def _lies_there(found: Iterable[Part], shelves: Iterable[Shelf]) -> bool:
    there = {shelf.level_id: shelf.there for shelf in shelves}
    return all(there[key] >= count for key, count in _by_level(found).items())


def _by_level(found: Iterable[Part]) -> dict[uuid.UUID, int]:
    """How many pieces at which level."""
    taken: dict[uuid.UUID, int] = {}
    for _, level_id, pieces in found:
        taken[level_id] = taken.get(level_id, 0) + pieces
    return taken


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
    }


def _distance() -> ColumnElement[int]:
    """How far a place is from where pieces go: the less the nearer. The postal code's own, the longer its
    beginning the nearer; then the region's, then the country's, then all others."""
    place = table(Location).c
    here = and_(place.country != "", place.country == bindparam("country", type_=String))
    prefix, postal = place.postal_prefix, bindparam("postal", type_=String)
    begins = and_(
        here, prefix != "", func.substr(postal, 1, func.length(prefix), type_=String) == prefix
    )
    same = and_(here, place.region != "", place.region == bindparam("region", type_=String))
    return case((begins, -func.length(prefix)), (same, 1), (here, 2), else_=3)


@cache
def _take_at_once() -> ReturningUpdate[Any]:
    level, place = table(StockLevel), table(Location)
    here = place.c.id == bindparam("fetched_at", type_=place.c.id.type)
    fetched = case((here, 0), else_=1)
    nearest = (
        select(level.c.id)
        .select_from(level.join(place, place.c.id == level.c.location_id))
        .where(level.c.variant_id == bindparam("variant"), levels.there() >= bindparam("pieces"))
        .order_by(fetched, _distance(), place.c.priority, place.c.code, level.c.id)
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
