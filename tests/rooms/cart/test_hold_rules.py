"""How carts hold things: by product, kind of customer and channel."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from cart import hold_policies, pricing
from cart.delivery import TableDelivery
from cart.hold_policies import Terms
from cart.holds import TooManyForOne
from cart.models import Cart
from core.catalog.models import Variant
from core.parties.models import Channel, LegalEntity
from core.stock.models import Hold, StockLevel
from tests.rooms.cart.trolley import HALF_AN_HOUR, Trolley


@pytest.fixture
def shopper(db, clock, world) -> Trolley:
    return Trolley.take(db, clock, world)


@pytest.fixture
def rule(db, world):
    """Sets a rule: for a thing's product or all of them, a kind of customer or all."""

    def put(terms: Terms, goods=None, segment: str = "", *, here: bool = False) -> None:
        def work(session) -> None:
            product = goods and session.get_one(Variant, goods.variant_id).product_id
            channel = world.channel_id if here else None
            hold_policies.put(session, product, segment, channel, terms)

        db.run_tx(work)

    return put


def until(shopper: Trolley, entry) -> timedelta:
    with shopper.db.reading() as session:
        ends = session.scalars(
            select(Hold.expires_at).where(Hold.line_id == entry.line.id, Hold.state == "active")
        ).all()
    return min(ends) - shopper.clock.now()


def test_product_goes_before_kind_of_customer_and_that_before_channel(shopper, world, rule):
    minutes = [Terms(10), Terms(20), Terms(40)]
    rule(minutes[0], here=True)
    assert until(shopper, shopper.put(world.camera)) == timedelta(minutes=10)
    rule(minutes[1], segment="guest")
    rule(Terms(5), segment="organisation")
    assert until(shopper, shopper.put(world.camera)) == timedelta(minutes=20)
    rule(minutes[2], world.camera)
    assert until(shopper, shopper.put(world.camera)) == timedelta(minutes=40)
    assert until(shopper, shopper.put(world.router)) == timedelta(minutes=20)


def test_whoever_is_busy_with_a_cart_keeps_all_of_it(shopper, world, rule, clock):
    rule(Terms(10, extends=False), world.camera)
    camera, router = shopper.put(world.camera), shopper.put(world.router)
    clock.advance(timedelta(minutes=4))
    shopper.put(world.visit)
    assert until(shopper, router) == HALF_AN_HOUR
    assert until(shopper, camera) == timedelta(minutes=6), "its rule says otherwise"
    clock.advance(timedelta(minutes=7))
    shopper.put(world.visit)
    with shopper.db.reading() as session:
        lapsed = session.scalars(select(Hold).where(Hold.line_id == camera.line.id)).one()
    assert lapsed.expires_at <= clock.now(), "what has lapsed is not taken again by the way"


def test_one_customer_may_have_so_many_of_a_product(shopper, world, rule):
    rule(Terms(30, most_for_one=2), world.camera)
    entry = shopper.put(world.camera, 2)
    with pytest.raises(TooManyForOne) as refused:
        shopper.put(world.camera)
    assert (refused.value.code, refused.value.most, refused.value.wanted) == (
        "too_many_for_one",
        2,
        3,
    )
    with pytest.raises(TooManyForOne):
        shopper.set(entry.line.public_id, 3)
    assert shopper.set(entry.line.public_id, 1) is not None


def _beyond(shopper: Trolley, goods, limit: int) -> int:
    """So many may be sold that are not there; answers how many are."""

    def work(session) -> int:
        level = session.get_one(StockLevel, goods.level_id)
        level.backorder_limit = limit
        return level.on_hand

    return shopper.db.run_tx(work)


def test_what_is_sold_before_it_is_there_is_not_held_unless_a_rule_says_so(shopper, world, rule):
    there = _beyond(shopper, world.camera, 3)
    entry = shopper.put(world.camera, there + 1)
    assert entry.held_until is None

    def priced():
        with shopper.db.reading() as session:
            cart = entry.line.cart_id
            found = session.get_one(Cart, cart)
            channel = session.get_one(Channel, world.channel_id)
            entity = session.get_one(LegalEntity, world.legal_entity_id)
            now = shopper.clock.now()
            return pricing.price(session, found, channel, entity, TableDelivery(), now).lines[0]

    assert (priced().unheld, priced().lapsed) == (True, False)
    fewer = shopper.set(entry.line.public_id, there)
    assert fewer is not None
    assert fewer.held_until == shopper.clock.now() + HALF_AN_HOUR
    assert priced().unheld is False
    rule(Terms(15, holds_beyond=True), world.camera)
    more = shopper.set(entry.line.public_id, there + 2)
    assert more is not None
    assert more.held_until == shopper.clock.now() + timedelta(minutes=15)
    assert not priced().unheld
