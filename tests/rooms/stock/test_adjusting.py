"""Stock that is corrected by hand: never below what is promised unasked, and every piece in a movement."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from core.kernel import crash
from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.idempotency import KeyReused
from core.kernel.ids import new_id
from core.stock import holds, listing
from core.stock.adjusting import Adjustment, BelowNothing, BelowPromised, Limits
from core.stock.holds import Demand, Owner
from core.stock.models import StockLevel, StockMovement
from core.stock.proofs import levels_are_true
from flows import adjust_stock
from flows.house import House
from tests.shop import make_house
from tests.together import together
from tests.world import World


@pytest.fixture
def house(db: Database, clock: ManualClock, world: World, tmp_path) -> House:
    return make_house(db, clock, tmp_path, None)


def _level(house: House, world: World) -> StockLevel:
    with house.db.reading() as session:
        return session.get_one(StockLevel, world.camera.level_id)


def _adjust(house: House, world: World, reason: str, pieces: int, once: str = "", **more):
    asked = Adjustment(world.camera.level_id, reason, pieces, **more)
    return adjust_stock.adjust(house, asked, "user:ada", once or str(new_id()))


def _hold(house: House, world: World, pieces: int, minutes: int = 30) -> None:
    now = house.clock.now()
    with house.db.transaction() as session:
        holds.hold(
            session,
            Owner("cart", new_id()),
            [Demand(new_id(), world.camera.variant_id, pieces)],
            now + timedelta(minutes=minutes),
            now,
        )


def test_pieces_come_go_and_are_counted_each_with_a_movement_that_says_who(house, world):
    before = _level(house, world).on_hand
    _adjust(house, world, "received", 10)
    _adjust(house, world, "damaged", 3, note="Fell from the shelf")
    done = _adjust(house, world, "counted", 9, seen=before + 7)
    assert (done.by, done.on_hand) == (9 - before - 7, 9)
    with house.db.reading() as session:
        moved = listing.movements(session, world.camera.level_id, limit=3)
        acts = session.scalars(select(AuditEntry.act)).all()
    assert [(row.kind, row.on_hand, row.reference, row.actor) for row in moved] == [
        ("adjusted", done.by, "counted", "user:ada"),
        ("adjusted", -3, "damaged", "user:ada"),
        ("received", 10, "received", "user:ada"),
    ]
    assert moved[1].note == "Fell from the shelf"
    assert acts.count("stock.adjusted") == 3


def test_once_per_request_and_nothing_when_somebody_was_faster(house, world):
    before = _level(house, world).on_hand
    for _ in range(2):
        assert _adjust(house, world, "received", 5, "one").on_hand == before + 5
    with pytest.raises(KeyReused):
        _adjust(house, world, "received", 6, "one")
    with pytest.raises(StaleState):
        _adjust(house, world, "counted", 1, seen=before)
    with pytest.raises(NotFound):
        adjust_stock.adjust(house, Adjustment(new_id(), "lost", 1), "user:ada", "two")
    with crash.crash_at("adjust.before_commit"):
        _adjust(house, world, "received", 5, "three")
    assert _adjust(house, world, "received", 5, "three").on_hand == before + 10


def test_not_below_what_is_promised_unless_asked_and_told(house, world):
    on_hand = _level(house, world).on_hand
    _hold(house, world, 3)
    with pytest.raises(BelowNothing):
        _adjust(house, world, "lost", on_hand + 1)
    with pytest.raises(BelowPromised) as raised:
        _adjust(house, world, "counted", 1)
    assert (raised.value.left, raised.value.promised, raised.value.short) == (1, 3, 2)
    assert _adjust(house, world, "counted", 1, even_so=True).raised_to == 2
    with house.db.reading() as session:
        row = listing.one(session, world.camera.level_id, house.clock.now())
        assert levels_are_true(session, house.clock.now()).offenders == ()
    assert (row.available, row.held, row.level.backorder_limit) == (0, 3, 2)
    with pytest.raises(BelowPromised):
        adjust_stock.limit(house, world.camera.level_id, Limits(5, 0, 1), "user:ada")
    adjust_stock.limit(house, world.camera.level_id, Limits(5, 0, 4), "user:ada")
    with house.db.reading() as session:
        row = listing.one(session, world.camera.level_id, house.clock.now())
    assert (row.available, row.is_low) == (2, True)


def test_a_lapsed_hold_stops_nobody(house, world):
    _hold(house, world, 3, minutes=1)
    house.clock.advance(timedelta(minutes=2))
    assert _adjust(house, world, "counted", 0).raised_to is None
    assert _level(house, world).held == 0


def test_many_at_once_lose_no_piece(house, world):
    before = _level(house, world).on_hand
    outcomes = together(
        [lambda: _adjust(house, world, "received", 2) for _ in range(4)]
        + [lambda: _hold(house, world, 1) for _ in range(2)]
    )
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert _level(house, world).on_hand == before + 8


_STEP = st.tuples(
    st.sampled_from(["received", "damaged", "counted", "hold", "wait"]),
    st.integers(0, 6),
    st.booleans(),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEP, max_size=8))
def test_whatever_comes_levels_are_their_movements_and_nothing_is_oversold(house, world, steps):
    for what, pieces, even_so in steps:
        with suppress(ShopError):
            if what == "hold":
                _hold(house, world, pieces + 1, minutes=10)
            elif what == "wait":
                house.clock.advance(timedelta(minutes=5))
            else:
                _adjust(house, world, what, pieces, even_so=even_so)
    with house.db.reading() as session:
        assert levels_are_true(session, house.clock.now()).offenders == ()
        level = session.get_one(StockLevel, world.camera.level_id)
        moved = session.scalar(
            select(func.sum(StockMovement.on_hand)).where(StockMovement.level_id == level.id)
        )
    assert level.on_hand == moved >= 0
