"""The desk's list of orders: the newest first, page by page, found by what people know of them."""

import uuid
from datetime import timedelta

import pytest

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.sorting import Place
from core.orders import placing, reading
from tests.rooms.orders import desk
from tests.world import World, account


@pytest.fixture
def keys(db: Database, world: World, clock: ManualClock) -> list[uuid.UUID]:
    """Seven orders of two people, some in the same moment; the third confirmed, the fifth cancelled."""
    made = []
    with db.transaction() as session:
        people = [
            account(session, world, clock.now(), name=name, number=number).id
            for name, number in (("Riley Moreno", "204187751"), ("Casey 100%", "204187752"))
        ]
        for number in range(7):
            if number in (2, 5):
                clock.advance(timedelta(minutes=1))
            goods = world.camera if number == 6 else world.router
            order = desk.write(
                session,
                world,
                people[number % 2],
                clock.now(),
                (goods, 1),
                email=f"shopper{number}@example.com",
            )
            made.append(order.id)
        placing.confirm(session, placing.lock(session, made[2]), "paid", clock.now())
        placing.cancel(session, placing.lock(session, made[4]), "came_back", clock.now())
    return made


def found(db: Database, **asked) -> list[uuid.UUID]:
    with db.reading() as session:
        return [order.id for order, _ in reading.listing(session, **asked)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_every_order_is_met_once_the_newest_first(size: int, db: Database, keys: list[uuid.UUID]):
    met: list[uuid.UUID] = []
    place = reading.NEWEST
    with db.reading() as session:
        while page := reading.listing(session, place=place, limit=size):
            met += [order.id for order, _ in page]
            place = reading.SORTS.behind(place, page[-1][0])
    assert met == keys[::-1]


@pytest.mark.parametrize("sort", reading.SORTS.names())
def test_every_order_is_met_once_however_it_is_sorted(
    sort: str, db: Database, keys: list[uuid.UUID]
):
    """Pages go on by what an address carries; of equal values the key decides."""
    met: list[uuid.UUID] = []
    text: str | None = None
    with db.reading() as session:
        everything = reading.listing(session, place=Place(sort), limit=50)
        while True:
            place = reading.SORTS.read(sort, text)
            page = reading.listing(session, place=place, limit=2)
            met += [order.id for order, _ in page]
            if len(page) < 2:
                break
            text = reading.SORTS.write(reading.SORTS.behind(place, page[-1][0]))
    assert sorted(met) == sorted(keys)
    assert met == [order.id for order, _ in everything]
    dues = [order.due_now_minor for order, _ in everything]
    if sort.endswith("due"):
        assert dues == sorted(dues, reverse=sort.startswith("-"))


@pytest.mark.parametrize(
    "words, wanted",
    [
        ("O-10001", [2]),
        ("shopper3@example.com", [3]),
        ("Shopper3@Example.com", [3]),
        ("204 187 752", [1, 3, 5]),
        ("moreno", [0, 2, 4, 6]),
        ("100%", [1, 3, 5]),
        ("%", [1, 3, 5]),
        ("_", []),
        ("FW-CAM-1", [6]),
        ("nothing like it", []),
    ],
)
def test_an_order_is_found_by_what_people_know(
    words: str, wanted: list[int], db: Database, keys: list[uuid.UUID]
):
    assert sorted(found(db, words=words)) == sorted(keys[position] for position in wanted)


def test_a_state_and_a_day_narrow_the_list(db: Database, clock: ManualClock, keys: list[uuid.UUID]):
    assert found(db, state="confirmed") == [keys[2]]
    assert found(db, state="cancelled") == [keys[4]]
    assert found(db, since=clock.now()) == [keys[6], keys[5]]
    with db.reading() as session:
        assert reading.counts(session) == {"pending": 5, "confirmed": 1, "cancelled": 1}


def test_the_lines_of_a_page_come_in_one_go(db: Database, world: World, keys: list[uuid.UUID]):
    with db.reading() as session:
        lines = reading.lines_by_order(session, [keys[0], keys[6]])
    skus = {key: [line.sku for line in rows] for key, rows in lines.items()}
    assert skus == {keys[0]: [world.router.sku], keys[6]: [world.camera.sku]}
