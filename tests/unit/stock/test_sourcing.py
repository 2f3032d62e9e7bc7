"""From which shelves pieces are taken: one place that has everything, the nearest, or several."""

import uuid
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from core.stock.sourcing import Demand, Shelf, deal, plan

THINGS = [uuid.UUID(int=number) for number in (1, 2, 3)]
PLACES = [uuid.UUID(int=number) for number in (7, 8, 9)]

counts = st.integers(-2, 6)
shelves = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(THINGS), counts, st.integers(0, 3)),
    unique_by=lambda one: one[:2],
    max_size=9,
).map(
    lambda rows: [
        Shelf(uuid.UUID(int=n), thing, place, there, there + beyond)
        for n, (place, thing, there, beyond) in enumerate(rows)
    ]
)
needs = st.dictionaries(st.sampled_from(THINGS), st.integers(1, 8), min_size=1)


def shelf(place: int, there: int, thing: int = 0, possible: int | None = None) -> Shelf:
    key = uuid.UUID(int=100 + 10 * place + thing)
    return Shelf(key, THINGS[thing], PLACES[place], there, there if possible is None else possible)


def taken(wanted: dict[int, int], *found: Shelf) -> list[int] | None:
    answer = plan({THINGS[thing]: count for thing, count in wanted.items()}, found)
    return None if answer is None else [answer.get(one.level_id, 0) for one in found]


def test_the_nearest_that_has_all_of_it():
    assert taken({0: 3}, shelf(0, 2), shelf(1, 3), shelf(2, 9)) == [0, 3, 0]


def test_else_several_the_nearest_first():
    assert taken({0: 4}, shelf(0, 2), shelf(1, 0), shelf(2, 3)) == [2, 0, 2]


def test_one_place_that_has_everything_goes_before_nearer_ones_that_have_a_part():
    parts = (shelf(0, 2), shelf(1, 2), shelf(1, 2, thing=1))
    assert taken({0: 1, 1: 1}, *parts) == [0, 1, 1]


def test_what_lies_there_goes_before_what_is_promised():
    assert taken({0: 2}, shelf(0, 0, possible=5), shelf(1, 2)) == [0, 2]
    assert taken({0: 3}, shelf(0, 1, possible=4), shelf(1, 1)) == [3, 0]
    assert taken({0: 6}, shelf(0, 1, possible=4), shelf(1, 1)) is None


def test_what_is_fetched_is_taken_there_thing_by_thing():
    shelves = (shelf(0, 2), shelf(0, 1, thing=1), shelf(1, 2), shelf(1, 2, thing=1))
    needs = {THINGS[0]: 2, THINGS[1]: 2}
    found = plan(needs, shelves, PLACES[0])
    assert found == {shelves[0].level_id: 2, shelves[3].level_id: 2}
    assert plan({THINGS[1]: 3}, shelves, PLACES[0]) == {
        shelves[1].level_id: 1,
        shelves[3].level_id: 2,
    }
    assert plan({THINGS[1]: 4}, shelves, PLACES[0]) is None


@given(needs, shelves)
def test_all_is_found_or_nothing_and_no_shelf_gives_more_than_it_can(needs, shelves):
    found = plan(needs, shelves)
    possible: Counter[uuid.UUID] = Counter()
    for one in shelves:
        possible[one.variant_id] += max(one.possible, 0)
    assert (found is None) == any(possible[thing] < count for thing, count in needs.items())
    if found is None:
        return
    most = {one.level_id: one.possible for one in shelves}
    assert all(0 < count <= most[key] for key, count in found.items())
    demands = [Demand(uuid.uuid4(), thing, count) for thing, count in needs.items()]
    parts = deal(demands, found, shelves)
    assert Counter(key for _, key, n in parts for _ in range(n)) == Counter(found)
    for demand in demands:
        assert sum(n for one, _, n in parts if one is demand) == demand.quantity
