"""A line is held while each of the things that it needs is, and as long as the first of them."""

import uuid
from datetime import UTC, datetime, timedelta

from core.stock.holds import Demand
from core.stock.kept import Kept, until

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
LINE, OTHER, ROUTER, CAMERA = (uuid.uuid4() for _ in range(4))


def test_the_first_end_counts():
    kept = [Kept(LINE, ROUTER, 1, LATER), Kept(LINE, CAMERA, 2, NOON)]
    demands = [Demand(LINE, ROUTER, 1), Demand(LINE, CAMERA, 2)]
    assert until(kept, demands) == {LINE: NOON}
    assert until(kept, demands[::-1]) == {LINE: NOON}


def test_one_thing_that_is_missing_or_too_few_of_it_and_the_line_is_not_held():
    demands = [Demand(LINE, ROUTER, 1), Demand(LINE, CAMERA, 2)]
    assert until([Kept(LINE, ROUTER, 1, NOON)], demands) == {}
    assert until([Kept(LINE, ROUTER, 1, NOON), Kept(LINE, CAMERA, 1, NOON)], demands) == {}
    assert until([Kept(LINE, CAMERA, 2, NOON)], demands) == {}


def test_what_another_line_holds_is_not_its_own_but_an_orders_is_its_carts():
    kept, demands = [Kept(OTHER, ROUTER, 3, NOON)], [Demand(LINE, ROUTER, 2)]
    assert until(kept, demands) == {}
    assert until(kept, demands, by_line=False) == {LINE: NOON}
    assert until(kept, [Demand(LINE, ROUTER, 4)], by_line=False) == {}


def test_a_line_that_needs_nothing_is_not_in_it():
    assert until([Kept(LINE, ROUTER, 1, NOON)], []) == {}
