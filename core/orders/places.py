"""Where the lines of an order go. An order for one place has it itself; of one for several, as a quote may
make it, each line carries its own.

A place is named by the number of any line that goes there. Called by the flows of changes and exchanges, and
by pages that let somebody choose.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.catalog.models import BUNDLE
from core.orders.deliveries import DELIVERY, GOODS
from core.orders.models import Order, OrderLine
from core.stock.sourcing import Near


@dataclass(frozen=True)
class Place:
    """An address with all the lines that go there; ``is_own``: they carry it themselves."""

    address: Mapping[str, Any]
    lines: Sequence[OrderLine]
    is_own: bool

    @property
    def stands(self) -> bool:
        """Does anything still go there, or did it?"""
        return any(line.cancelled < line.quantity for line in self.lines if line.kind != BUNDLE)

    @property
    def line(self) -> int:
        """The first line that goes there, which names it."""
        counted = [one for one in self.lines if one.kind != BUNDLE] or self.lines
        standing = [one for one in counted if one.cancelled < one.quantity]
        return next((one.line_number for one in standing or counted), 0)

    def goes(self, numbers: Iterable[int]) -> bool:
        """Does one of these lines go there?"""
        mine = {line.line_number for line in self.lines}
        return any(number in mine for number in numbers)


def of(order: Order, lines: Sequence[OrderLine]) -> list[Place]:
    """The places of an order, in the order of their first lines; also those to which nothing goes any more.
    Pure."""
    usual = order.shipping_address or {}
    if not _is_for_several(order, lines):
        return [Place(usual, lines, is_own=False)]
    found: list[tuple[Mapping[str, Any], list[OrderLine]]] = []
    for line in lines:
        address = line.service_location or usual
        mine = next((its for known, its in found if is_same(known, address)), None)
        if mine is None:
            found.append((address, [line]))
        else:
            mine.append(line)
    return [Place(address, its, is_own=True) for address, its in found]


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The same address; what it leaves out may be empty in the other."""
    return _said(one) == _said(other)


def _said(address: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in address.items() if part}


def _is_for_several(order: Order, lines: Sequence[OrderLine]) -> bool:
    if any(line.service_location for line in lines if line.kind in (GOODS, DELIVERY)):
        return True
    if order.quote_version_id is None:
        return False
    spots = [line.service_location for line in lines if line.service_location]
    return any(not is_same(one, spots[0]) for one in spots)


def near(order: Order, known: Sequence[OrderLine], mine: Sequence[OrderLine]) -> Near:
    """Where some of an order's lines go, for whoever takes their pieces: the place of all of them, where it
    is one; else the order's own."""
    numbers = [line.line_number for line in mine]
    spots = [place for place in of(order, known) if place.goes(numbers)]
    if len(spots) == 1:
        return Near.of(spots[0].address)
    return Near.of(order.shipping_address)


def move(session: Session, place: Place, address: Mapping[str, Any]) -> None:
    """What waits of a place with lines of its own goes to another address from now on, and its deliveries
    with it; goods that have left stay where they went, with what brought them."""
    goods = [line for line in place.lines if line.kind == GOODS]
    stays = any(line.fulfilled and not line.waiting for line in goods)
    moved = [
        line
        for line in place.lines
        if (line.kind == GOODS and line.waiting)
        or (line.kind == DELIVERY and (line.waiting or (line.fulfilled and not stays)))
    ]
    packs = {line.parent_id for line in moved}
    for line in [*moved, *(one for one in place.lines if one.id in packs)]:
        line.service_location = dict(address)
    session.flush()
