"""Which goods of an order come by which of its deliveries: pure.

A delivery's line and the goods that it brings go by the same word, to the same place. An order of one
delivery may say neither. Called by the flows that send, hand over and cancel.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence

from core.orders.models import OrderLine

GOODS, DELIVERY = "physical", "delivery"


def goods_of(delivery: OrderLine, lines: Sequence[OrderLine]) -> list[OrderLine]:
    """The goods that come by a delivery. Where the order says of no goods that they do, it is all of them."""
    goods = [line for line in lines if line.kind == GOODS]
    return [line for line in goods if _belongs(delivery, line)] or goods


def _belongs(delivery: OrderLine, line: OrderLine) -> bool:
    ways = (delivery.goes_by, line.goes_by)
    places = (delivery.service_location, line.service_location)
    return (None in ways or ways[0] == ways[1]) and (None in places or places[0] == places[1])


def begun_with(lines: Sequence[OrderLine], chosen: Collection[uuid.UUID]) -> list[OrderLine]:
    """The deliveries that are done with the first of their goods, when lines with these keys leave."""
    return [
        line
        for line in lines
        if line.kind == DELIVERY
        and line.waiting
        and any(one.id in chosen for one in goods_of(line, lines))
    ]


def left_empty(lines: Sequence[OrderLine], taken: Mapping[uuid.UUID, int]) -> list[OrderLine]:
    """The deliveries that bring nothing any more when so many pieces of these lines are cancelled."""
    return [
        line
        for line in lines
        if line.kind == DELIVERY
        and line.waiting
        and line.id not in taken
        and (goods := goods_of(line, lines))
        and not any(one.fulfilled or one.waiting > taken.get(one.id, 0) for one in goods)
    ]


def picked_up(lines: Sequence[OrderLine]) -> dict[uuid.UUID, uuid.UUID]:
    """Of goods that are fetched: at which place, by line. Not by a delivery that was given up."""
    found: dict[uuid.UUID, uuid.UUID] = {}
    for delivery in lines:
        if delivery.kind != DELIVERY or delivery.pickup_id is None:
            continue
        if delivery.waiting or delivery.fulfilled:
            for line in goods_of(delivery, lines):
                found[line.id] = delivery.pickup_id
    return found
