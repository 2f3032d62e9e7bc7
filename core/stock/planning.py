"""From which places pieces are taken: the nearest that has all of them, else split over several. Pure.

What is fetched at a place is taken there, each thing of which enough lies there; of one order some may be
fetched, here and there, and others sent.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Demand:
    """So many pieces of a variant for one line; ``numbered``: each is one of its own, see ``numbers``;
    ``place``: they are fetched at this one."""

    line_id: uuid.UUID
    variant_id: uuid.UUID
    quantity: int
    numbered: bool = False
    place: uuid.UUID | None = None


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


def plan(needs: Mapping[uuid.UUID, int], shelves: Sequence[Shelf]) -> dict[uuid.UUID, int] | None:
    """How many pieces at which level; None when something falls short. ``shelves`` has the nearest first.

    One place that has everything; else, thing by thing, one that has all of it; else several, the nearest
    first. What lies there goes before what is only promised. What is numbered lies nowhere: it does not
    count for the place of the rest.
    """
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


def share(demands: Sequence[Demand], shelves: Sequence[Shelf]) -> list[Part] | None:
    """From where the pieces of demands are taken; None when something falls short. ``shelves`` has the
    nearest first.

    Each thing of which enough lies at the place where it is fetched is taken there, before anything else is
    taken. What is fetched beyond that is planned by itself, with its place as the nearest; then what is sent.
    """
    parts: list[Part] = []
    rest: list[list[Demand]] = []
    left = list(shelves)
    for place in sorted({one.place for one in demands if one.place is not None}):
        mine = [one for one in demands if one.place == place]
        here = _enough_at(place, sums(mine), left)
        there = [one for one in mine if one.variant_id in here]
        taken = {here[key]: count for key, count in sums(there).items()}
        parts += deal(there, taken, left)
        left = _without(taken, left)
        rest.append([one for one in mine if one.variant_id not in here])
    for some in (*rest, [one for one in demands if one.place is None]):
        if some:
            near = _nearest_first(some[0].place, left)
            found = plan(sums(some), near)
            if found is None:
                return None
            parts += deal(some, found, near)
            left = _without(found, left)
    return parts


def _nearest_first(place: uuid.UUID | None, shelves: Sequence[Shelf]) -> list[Shelf]:
    """As they stand, but those at the place where something is fetched before all others."""
    here = [shelf for shelf in shelves if shelf.place == place]
    return here + [shelf for shelf in shelves if shelf.place != place]


def sums(demands: Iterable[Demand]) -> dict[uuid.UUID, int]:
    """How many pieces of each variant."""
    found: dict[uuid.UUID, int] = {}
    for one in demands:
        found[one.variant_id] = found.get(one.variant_id, 0) + one.quantity
    return found


def _enough_at(
    place: uuid.UUID, needs: Mapping[uuid.UUID, int], shelves: Iterable[Shelf]
) -> dict[uuid.UUID, uuid.UUID]:
    """The things of which enough lies at a place: at which level."""
    return {
        shelf.variant_id: shelf.level_id
        for shelf in shelves
        if shelf.place == place and shelf.there >= needs.get(shelf.variant_id, shelf.there + 1)
    }


def _without(taken: Mapping[uuid.UUID, int], shelves: Iterable[Shelf]) -> list[Shelf]:
    """What is left on the shelves."""
    return [
        replace(
            shelf,
            there=shelf.there - taken.get(shelf.level_id, 0),
            possible=shelf.possible - taken.get(shelf.level_id, 0),
        )
        for shelf in shelves
    ]


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
