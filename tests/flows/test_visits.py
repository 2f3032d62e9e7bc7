"""A time for a visit: held while somebody orders, booked with the order, never one too many."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from cart import lines, slots
from cart.checkout import CheckoutIncomplete
from cart.delivery_models import VisitSlot
from cart.slots import SlotGone
from core.catalog.models import Variant
from core.kernel.clock import ManualClock
from core.kernel.ids import new_id
from core.orders.models import Order
from core.parties.models import Channel
from core.stock.holds import Owner
from flows import take_back
from flows.abandon_payment import abandon
from flows.follow_order import follow
from flows.house import House
from flows.place_order import Placed, place
from flows.take_back import Asked
from tests.paying import fill_cart, wish
from tests.world import ADDRESS, World


@pytest.fixture
def slot(house: House, world: World) -> str:
    """A time with room for one."""
    return open_slot(house, world, 1)


def open_slot(house: House, world: World, capacity: int) -> str:
    now = house.clock.now()
    with house.db.transaction() as session:
        session.execute(
            update(Variant).where(Variant.id == world.visit.variant_id).values(goes_by="visit")
        )
        start = now + timedelta(days=2, seconds=len(session.scalars(select(VisitSlot.id)).all()))
        slots.add(session, world.channel_id, None, [(start, start + timedelta(hours=4))], capacity)
        query = select(VisitSlot.public_id).where(VisitSlot.starts_at == start)
        return session.scalars(query).one()


def order(house: House, world: World, slot: str, method: str = "invoice") -> Placed:
    asked = wish(fill_cart(house, world.visit.sku), method)
    return place(house, replace(asked, details=replace(asked.details, slot=slot)))


def counted(house: House, slot: str) -> tuple[int, int]:
    with house.db.reading() as session:
        row = slots.seen(session, slot)
        return row.held, row.booked


def free(house: House, world: World) -> list[str]:
    with house.db.reading() as session:
        now = house.clock.now()
        return [one.public_id for one in slots.offered(session, world.channel_id, ADDRESS, now)]


def test_the_time_is_booked_with_the_order_and_stands_on_it(house: House, world: World, slot: str):
    assert free(house, world) == [slot]
    placed = order(house, world, slot)
    assert (counted(house, slot), free(house, world)) == ((0, 1), [])
    with house.db.reading() as session:
        visit = follow(session, session.get_one(Order, placed.order_id)).visit
    assert visit is not None
    assert visit.public_id == slot
    with pytest.raises(CheckoutIncomplete) as refused:
        order(house, world, slot)
    assert [(one.code, one.field) for one in refused.value.requirements] == [("slot_gone", "slot")]
    assert counted(house, slot) == (0, 1)


def test_without_a_time_somebody_calls(house: House, world: World, slot: str):
    placed = order(house, world, "")
    with house.db.reading() as session:
        assert follow(session, session.get_one(Order, placed.order_id)).visit is None
    assert counted(house, slot) == (0, 0)


def test_a_time_that_a_cart_holds_is_nobody_elses_until_it_lapses(
    house: House, world: World, slot: str
):
    now = house.clock.now()
    first, second = (Owner("cart", new_id()) for _ in range(2))
    with house.db.transaction() as session:
        slots.hold(session, first, slot, now + timedelta(minutes=30), now)
        slots.hold(session, first, slot, now + timedelta(minutes=40), now)
    assert free(house, world) == []
    with pytest.raises(SlotGone), house.db.transaction() as session:
        slots.hold(session, second, slot, now + timedelta(minutes=30), now)
    assert isinstance(house.clock, ManualClock)
    house.clock.advance(timedelta(minutes=40))
    assert free(house, world) == [slot]
    with house.db.transaction() as session:
        later = house.clock.now()
        slots.hold(session, second, slot, later + timedelta(minutes=30), later)
    assert counted(house, slot) == (1, 0)


def test_an_order_that_is_given_up_gives_the_time_back(house: House, world: World, slot: str):
    cart = fill_cart(house, world.visit.sku)
    with house.db.transaction() as session:
        found = lines.lock(session, cart)
        until = house.clock.now() + timedelta(minutes=30)
        slots.hold(session, Owner("cart", found.id), slot, until, house.clock.now())
    asked = wish(cart)
    placed = place(house, replace(asked, details=replace(asked.details, slot=slot)))
    assert counted(house, slot) == (1, 0)
    assert abandon(house, placed.order_id, "came_back")
    assert counted(house, slot) == (0, 0)


def test_a_visit_that_is_cancelled_gives_the_time_back(house: House, world: World, slot: str):
    placed = order(house, world, slot)
    asked = Asked(placed.public_id, None, "customer", "kept", "test", "once")
    take_back.cancel(house, asked)
    assert (counted(house, slot), free(house, world)) == ((0, 0), [slot])


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    capacity=st.integers(1, 3),
    acts=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["hold", "book", "release", "wait"])),
        max_size=14,
    ),
)
def test_never_more_is_promised_than_there_is_room_for(house, world, capacity, acts):
    slot = open_slot(house, world, capacity)
    owners = [Owner("order", new_id()) for _ in range(4)]
    mine: dict[int, str] = {}
    until: dict[int, object] = {}
    for who, act in acts:
        now = house.clock.now()
        if act == "wait":
            house.clock.advance(timedelta(minutes=20))
            now = house.clock.now()
        running = [n for n, state in mine.items() if state == "booked" or until[n] > now]
        with house.db.transaction() as session:
            if act == "hold":
                try:
                    with session.begin_nested():
                        slots.hold(session, owners[who], slot, now + timedelta(minutes=30), now)
                    assert who in mine or len(running) < capacity
                    if mine.get(who) != "booked":
                        mine[who], until[who] = "active", now + timedelta(minutes=30)
                except SlotGone:
                    assert len(running) >= capacity
            elif act == "book":
                if slots.book(session, owners[who], now):
                    mine[who] = "booked"
                assert mine.get(who) == "booked" or who not in running
            elif act == "release":
                slots.release(session, owners[who])
                mine.pop(who, None)
        held, booked = counted(house, slot)
        assert held + booked <= capacity
        assert booked == sum(state == "booked" for state in mine.values())


def test_a_channels_times_are_its_own(house: House, world: World, slot: str):
    with house.db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
        assert slots.offered(session, channel.id, None, house.clock.now() + timedelta(days=3)) == []
