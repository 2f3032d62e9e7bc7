"""Somebody logs in with things in a guest's cart: nothing is lost, nothing is held twice."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cart import lines, owning, saved
from cart.models import Cart
from cart.saved import Keeper
from core.kernel.clock import ManualClock
from core.parties import users
from core.parties.models import Channel
from flows.bring_cart import NOTHING, WAITS, Brought, bring
from flows.house import House
from tests.rooms.cart.trolley import HALF_AN_HOUR, Trolley, held, reprice
from tests.world import Goods, World


class Person:
    """Somebody with an account's cart, who fills a guest's one before logging in."""

    def __init__(self, house: House, world: World) -> None:
        assert isinstance(house.clock, ManualClock)
        self.house, self.world, self.db, self.clock = house, world, house.db, house.clock
        name = f"{uuid.uuid4().hex[:12]}@example.com"
        with self.db.transaction() as session:
            user = users.add(session, name, "Ash Vale", "-", house.clock.now())
            assert user is not None
            self.key: uuid.UUID = user.id

    def guest(self, *goods: tuple[Goods, int]) -> Trolley:
        trolley = Trolley.take(self.db, self.clock, self.world)
        for one, quantity in goods:
            trolley.put(one, quantity)
        return trolley

    def own(self, *goods: tuple[Goods, int]) -> Trolley:
        now = self.house.clock.now()
        with self.db.transaction() as session:
            channel = session.get_one(Channel, self.world.channel_id)
            public_id = owning.opened_for(session, channel, self.key, now).public_id
        trolley = Trolley(self.db, self.clock, self.world, public_id)
        for one, quantity in goods:
            trolley.put(one, quantity)
        return trolley

    def bring(self, trolley: Trolley) -> Brought:
        return bring(self.house, self.key, trolley.public_id)

    def cart(self) -> Cart | None:
        with self.db.reading() as session:
            return owning.of_user(session, self.key, self.world.channel_id)

    def aside(self) -> list[tuple[str, int]]:
        with self.db.reading() as session:
            listed = saved.listing(
                session,
                Keeper(self.key, None),
                self.world.channel_id,
                "USD",
                self.house.clock.now(),
            )
        return [(one.sku, one.quantity) for one in listed]


@pytest.fixture
def person(house: House, world: World) -> Person:
    return Person(house, world)


def test_without_a_cart_of_their_own_the_guests_is_theirs(person: Person, world: World):
    guest = person.guest((world.camera, 2))
    assert person.bring(guest) == Brought("theirs", 1)
    found = person.cart()
    assert found is not None
    assert found.public_id == guest.public_id
    assert person.bring(guest) == NOTHING
    assert held(person.db, world.camera) == 2


def test_what_both_have_is_summed_and_held_once(person: Person, world: World):
    mine = person.own((world.camera, 1), (world.visit, 1))
    guest = person.guest((world.camera, 2), (world.router, 1))
    assert person.bring(guest) == Brought("together", 2)
    assert sorted(quantity for _, quantity in mine.rows()) == [1, 1, 3]
    assert guest.rows() == []
    assert (held(person.db, world.camera), held(person.db, world.router)) == (3, 1)
    assert all(line.held_until for line in mine.priced().lines if line.needs_stock)
    assert person.bring(guest) == NOTHING


def test_the_price_that_it_was_put_in_with_stays_and_a_change_is_told(person: Person, world: World):
    guest, mine = person.guest((world.router, 1), (world.camera, 1)), person.own((world.camera, 1))
    reprice(person.db, world.router, 139_000_000)
    reprice(person.db, world.camera, 64_000_000)
    person.bring(guest)
    assert sorted(
        str(line.price_was.decimal()) for line in mine.priced().lines if line.price_was
    ) == [
        "129.00",
        "59.00",
    ]


def test_what_is_more_than_can_be_had_is_saved_for_later(person: Person, world: World):
    guest = person.guest((world.camera, 3))
    person.clock.advance(HALF_AN_HOUR)
    mine = person.own((world.camera, 2))
    brought = person.bring(guest)
    assert [(one.name, one.quantity) for one in brought.aside] == [(mine.priced().lines[0].name, 1)]
    assert [quantity for _, quantity in mine.rows()] == [4]
    assert person.aside() == [("FW-CAM-1", 1)]
    assert held(person.db, world.camera) == 4


def test_a_cart_that_is_being_paid_for_stays_as_it_is(person: Person, world: World):
    mine, guest = person.own((world.camera, 1)), person.guest((world.visit, 1))
    with person.db.transaction() as session:
        lines.move(session, lines.find(session, mine.public_id).id, "open", "checking_out")
    assert person.bring(guest) == WAITS
    assert (len(mine.rows()), len(guest.rows())) == (1, 1)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    guests=st.integers(1, 4),
    own=st.integers(0, 3),
    visits=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    lapsed=st.booleans(),
)
def test_nothing_is_lost_whatever_both_have(house, world, guests, own, visits, lapsed):
    person = Person(house, world)
    goods = [(world.camera, min(guests, 4 - own)), (world.visit, visits[0])]
    guest = person.guest(*[one for one in goods if one[1]])
    if lapsed:
        house.clock.advance(HALF_AN_HOUR)
    mine = person.own(*[one for one in ((world.camera, own), (world.visit, visits[1])) if one[1]])
    person.bring(guest)
    found = person.cart()
    assert found is not None
    there = dict(Trolley(house.db, house.clock, world, found.public_id).rows())
    aside = dict(person.aside())
    for one, wanted in ((world.camera, goods[0][1] + own), (world.visit, sum(visits))):
        assert there.get(one.variant_id, 0) + aside.get(one.sku, 0) == wanted
    # What this person had goes back on the shelf for the next.
    with house.db.transaction() as session:
        for trolley in (guest, mine):
            cart = lines.lock(session, trolley.public_id)
            for line, _, _ in lines.contents(session, cart):
                lines.remove(session, cart, line.public_id, house.clock.now())
    assert held(house.db, world.camera) == 0
