"""From which shelves pieces are taken: one place that has everything, the nearest, or several."""

import uuid
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from core.stock.planning import Demand, Shelf, deal, plan, share

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


def shared(*wanted: tuple[int, int, int | None], shelves: tuple[Shelf, ...]) -> list[int] | None:
    """What is taken of each shelf for demands: thing, how many, and the place where they are fetched."""
    demands = [
        Demand(uuid.uuid4(), THINGS[thing], count, place=None if at is None else PLACES[at])
        for thing, count, at in wanted
    ]
    parts = share(demands, shelves)
    if parts is None:
        return None
    taken = Counter(key for _, key, count in parts for _ in range(count))
    return [taken[one.level_id] for one in shelves]


def test_what_is_fetched_is_taken_there_thing_by_thing():
    shelves = (shelf(0, 2), shelf(0, 1, thing=1), shelf(1, 2), shelf(1, 2, thing=1))
    assert shared((0, 2, 0), (1, 2, 0), shelves=shelves) == [2, 0, 0, 2]
    assert shared((1, 3, 0), shelves=shelves) == [0, 1, 0, 2]
    assert shared((1, 4, 0), shelves=shelves) is None


def test_what_is_sent_is_taken_nearby_whatever_is_fetched_elsewhere():
    shelves = (shelf(0, 2), shelf(0, 2, thing=1), shelf(1, 2), shelf(1, 2, thing=1))
    assert shared((0, 2, 1), (1, 2, None), shelves=shelves) == [0, 2, 2, 0]
    assert shared((0, 1, 1), (0, 2, None), shelves=shelves) == [2, 0, 1, 0]
    assert shared((0, 1, 1), (0, 1, 0), (1, 1, 1), shelves=shelves) == [1, 0, 1, 1]


def test_what_is_sent_does_not_take_what_is_fetched_there():
    shelves = (shelf(0, 2), shelf(1, 3))
    assert shared((0, 3, None), (0, 2, 0), shelves=shelves) == [2, 3]
    # Beyond what lies where it is fetched its own place still is the nearest.
    assert shared((0, 2, None), (0, 3, 0), shelves=(shelf(1, 2), shelf(0, 2), shelf(2, 1))) == [
        2,
        2,
        1,
    ]


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


wanted = st.lists(
    st.tuples(
        st.sampled_from(THINGS), st.integers(1, 4), st.sampled_from([None, None, *PLACES[:2]])
    ),
    min_size=1,
    max_size=6,
)


@given(wanted, shelves)
def test_what_lies_where_it_is_fetched_is_taken_there_and_no_shelf_gives_more_than_it_can(
    wanted, shelves
):
    demands = [Demand(uuid.uuid4(), thing, count, place=place) for thing, count, place in wanted]
    needs: Counter[uuid.UUID] = Counter()
    by_way: Counter[tuple[uuid.UUID, uuid.UUID | None]] = Counter()
    for one in demands:
        needs[one.variant_id] += one.quantity
        by_way[one.variant_id, one.place] += one.quantity
    possible: Counter[uuid.UUID] = Counter()
    for shelf in shelves:
        possible[shelf.variant_id] += max(shelf.possible, 0)
    parts = share(demands, shelves)
    assert (parts is None) == any(possible[thing] < count for thing, count in needs.items())
    if parts is None:
        return
    taken: Counter[uuid.UUID] = Counter()
    of_way: Counter[tuple[uuid.UUID, uuid.UUID | None, uuid.UUID]] = Counter()
    for demand, level_id, count in parts:
        taken[level_id] += count
        of_way[demand.variant_id, demand.place, level_id] += count
    assert all(0 < count <= most(shelves, key) for key, count in taken.items())
    for demand in demands:
        assert sum(count for one, _, count in parts if one is demand) == demand.quantity
    for (thing, place), count in by_way.items():
        for shelf in shelves:
            if (shelf.place, shelf.variant_id) == (place, thing) and shelf.there >= count:
                assert of_way[thing, place, shelf.level_id] == count
    # Without anything that is fetched it is the plan of it all.
    if all(one.place is None for one in demands):
        assert taken == Counter(plan(needs, shelves))


def most(shelves: list[Shelf], level_id: uuid.UUID) -> int:
    return next(one.possible for one in shelves if one.level_id == level_id)
