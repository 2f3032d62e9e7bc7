"""Pieces go between places by two movements, and staff hear once that a level got low."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.kernel import crash
from core.kernel.errors import Invalid, NotFound, StaleState
from core.notices.models import Notice
from core.stock import levels, transfers
from core.stock.adjusting import Adjustment, Limits
from core.stock.models import StockLevel
from core.stock.places import Stands
from core.stock.proofs import levels_are_true
from core.stock.transfers import NotFree, Sending
from flows import adjust_stock, keep_places, move_stock, tell_low_stock
from flows.house import House
from tests.paying import fill_cart
from tests.world import World, user


@pytest.fixture
def mill(house: House) -> str:
    keep_places.open_place(house, "mill", Stands("Mill Street"), "user:kim")
    return "mill"


def _counts(house: House, world: World) -> list[tuple[int, int]]:
    """On hand at each place, and on its way there."""
    with house.db.snapshot() as session:
        query = select(StockLevel).where(StockLevel.variant_id == world.camera.variant_id)
        rows = session.scalars(query.order_by(StockLevel.id)).all()
        coming = transfers.coming(session, [row.id for row in rows])
        assert levels_are_true(session, house.clock.now()).offenders == ()
        return [(row.on_hand, coming.get(row.id, 0)) for row in rows]


def _available(house: House, world: World) -> int:
    key = world.camera.variant_id
    with house.db.reading() as session:
        return levels.available(session, [key], house.clock.now())[key]


def test_what_leaves_is_on_its_way_and_cannot_be_sold_until_it_is_there(house, world, mill):
    asked = Sending(world.camera.sku, "harbor", mill, 3)
    with crash.crash_at("transfer.before_commit"):
        move_stock.send(house, asked, "user:kim", "one")
    assert _counts(house, world) == [(4, 0), (0, 0)]
    keys = {move_stock.send(house, asked, "user:kim", "one") for _ in range(2)}
    [key] = keys
    assert _counts(house, world) == [(1, 0), (0, 3)]
    assert _available(house, world) == 1
    move_stock.arrive(house, key, 1, 0, "user:kim")
    assert _counts(house, world) == [(1, 0), (1, 2)]
    with pytest.raises(Invalid):
        move_stock.arrive(house, key, 3, 0, "user:kim")
    move_stock.arrive(house, key, 1, 1, "user:kim")
    assert _counts(house, world) == [(1, 0), (2, 0)]
    with pytest.raises(StaleState):
        move_stock.arrive(house, key, 1, 0, "user:kim")
    assert _available(house, world) == 3


def test_what_is_held_or_nowhere_does_not_leave(house, world, mill):
    fill_cart(house, world.camera.sku)
    asked = Sending(world.camera.sku, "harbor", mill, 4)
    with pytest.raises(NotFree) as refused:
        move_stock.send(house, asked, "user:kim", "a")
    assert refused.value.free == 3
    with pytest.raises(Invalid):
        move_stock.send(house, replace(asked, target="harbor"), "user:kim", "b")
    with pytest.raises(NotFound):
        move_stock.send(house, replace(asked, target="moon"), "user:kim", "c")
    house.clock.advance(house.rules.hold_for)
    move_stock.send(house, asked, "user:kim", "d")
    assert _counts(house, world) == [(0, 0), (0, 4)]


def test_staff_hear_once_that_it_is_low_and_again_after_it_has_been_more(house, world):
    level = world.camera.level_id

    def told() -> int:
        tell_low_stock.run(house)
        with house.db.reading() as session:
            query = select(Notice).where(Notice.template == "low_stock")
            return len(session.scalars(query).all())

    def now_there(pieces: int) -> None:
        house.clock.advance(house.rules.hold_for)
        asked = Adjustment(level, "counted", pieces)
        adjust_stock.adjust(house, asked, "user:kim", f"{pieces}:{house.clock.now()}")

    with house.db.transaction() as session:
        kim = user(session, house.clock.now(), email="kim@example.com", name="Kim")
        kim.is_staff, kim.roles = True, ["sales"]
    adjust_stock.limit(house, level, Limits(low_at=2), "user:kim")
    assert told() == 0
    now_there(2)
    with crash.crash_at("low_stock.before_commit"):
        told()
    assert told() == 1
    now_there(1)
    assert told() == 1, "it is known"
    now_there(5)
    assert told() == 1
    now_there(0)
    assert told() == 2
