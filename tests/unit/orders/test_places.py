"""The places of an order, told from its lines."""

import uuid
from typing import Any

from core.orders import places
from core.orders.models import Order, OrderLine

HERE = {"name": "The depot", "line1": "1 Weir Street"}
THERE = {"name": "The mill", "line1": "3 Weir Street"}


def _line(number: int, kind: str, place: Any, cancelled: int = 0) -> OrderLine:
    return OrderLine(
        id=uuid.uuid4(),
        line_number=number,
        kind=kind,
        quantity=2,
        fulfilled=0,
        cancelled=cancelled,
        service_location=place,
    )


def test_an_order_of_a_cart_has_one_place_wherever_its_work_is_done():
    order = Order(shipping_address=HERE)
    (one,) = places.of(order, [_line(1, "physical", None), _line(2, "service", THERE)])
    assert (one.address, one.is_own, one.line) == (HERE, False, 1)


def test_of_an_order_for_several_each_is_named_by_a_line_that_still_counts():
    order = Order(shipping_address=HERE)
    lines = [
        _line(1, "physical", HERE, cancelled=2),
        _line(2, "physical", THERE),
        _line(3, "physical", HERE | {"line2": ""}),
        _line(4, "delivery", THERE),
    ]
    here, there = places.of(order, lines)
    assert (here.line, there.line) == (3, 2)
    assert here.stands
    assert there.goes([4])
    assert not there.goes([3])
    (gone,) = places.of(order, lines[:1])
    assert not gone.stands
