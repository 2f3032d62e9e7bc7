"""A process keeps the products and prices of its shelves for a moment, and never what can be had."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from cart import lines
from core.catalog.models import Product
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.parties.models import Channel
from core.prices.models import Price, PriceList
from core.stock import holds
from core.stock.holds import Demand, Owner
from flows.browse import Offer, Shelves
from tests.rooms.web.looking import statements
from tests.world import World

KEPT = timedelta(seconds=2)
MOMENT = timedelta(microseconds=1)
ROUTER = "wi-fi-6-router"


@dataclass
class Looking:
    """Somebody who looks at the router, on its shelf and on its own page."""

    db: Database
    world: World
    clock: ManualClock
    shelves: Shelves

    def offers(self) -> list[Offer]:
        """The router's offer, on the page and by itself."""
        with self.db.reading() as session:
            channel = session.get_one(Channel, self.world.channel_id)
            now = self.clock.now()
            shown = self.shelves.page(session, channel, now).products
            _, alone = self.shelves.product(
                session, channel, now, ROUTER
            )  # NotFound when it is gone
        listed = next(one for one in shown if one.product.slug == ROUTER)
        return [listed.offers[0], alone.offers[0]]

    def micros(self) -> set[int]:
        return {offer.price.unit_price_micros for offer in self.offers()}

    def reprice(self, micros: int) -> None:
        with self.db.transaction() as session:
            session.execute(
                update(Price)
                .where(Price.variant_id == self.world.router.variant_id)
                .values(unit_price_micros=micros)
            )

    def offer_from(self, start: datetime | None, end: datetime | None, micros: int) -> None:
        """A list that is cheaper, within a window."""
        with self.db.transaction() as session:
            row = PriceList(code="soon", currency="USD", priority=1, valid_from=start, valid_to=end)
            session.add(row)
            session.flush()
            session.add(
                Price(
                    price_list_id=row.id,
                    variant_id=self.world.router.variant_id,
                    unit_price_micros=micros,
                )
            )


@pytest.fixture
def looking(db: Database, world: World, clock: ManualClock) -> Looking:
    return Looking(db, world, clock, Shelves(KEPT))


def test_a_page_that_is_kept_asks_only_what_can_be_had(looking: Looking):
    looking.offers()
    with statements(looking.db) as sent:
        looking.offers()
    assert len([one for one in sent if "stock_level" in one]) == 2
    assert not any("FROM price" in one or "FROM product" in one for one in sent)


def test_what_can_be_had_is_always_read_anew(looking: Looking, clock: ManualClock):
    assert [offer.pieces for offer in looking.offers()] == [27, 27]
    with looking.db.transaction() as session:
        line, cart = looking.world.price_list_id, looking.world.location_id
        demand = Demand(line, looking.world.router.variant_id, 27)
        now = clock.now()
        holds.hold(session, Owner("cart", cart), [demand], now + timedelta(minutes=30), now)
    assert [offer.pieces for offer in looking.offers()] == [0, 0]
    assert not any(offer.available for offer in looking.offers())


def test_only_what_is_in_stock_leaves_out_what_is_all_held(looking: Looking, clock: ManualClock):
    world = looking.world

    def shown() -> set[str]:
        with looking.db.reading() as session:
            channel = session.get_one(Channel, world.channel_id)
            page = looking.shelves.page(session, channel, clock.now(), in_stock=True)
        return {one.product.slug for one in page.products}

    before = shown()
    assert {world.camera.slug, world.visit.slug} < before
    with looking.db.transaction() as session:
        demand = Demand(world.price_list_id, world.camera.variant_id, 4)
        now, owner = clock.now(), Owner("cart", world.location_id)
        holds.hold(session, owner, [demand], now + timedelta(minutes=30), now)
    assert shown() == before - {world.camera.slug}
    clock.advance(timedelta(minutes=30))
    assert shown() == before


def test_a_new_price_is_shown_when_the_moment_is_over(looking: Looking, clock: ManualClock):
    assert looking.micros() == {129_000_000}
    looking.reprice(99_000_000)
    clock.advance(KEPT - MOMENT)
    assert looking.micros() == {129_000_000}
    clock.advance(MOMENT)
    assert looking.micros() == {99_000_000}


def test_a_product_that_is_taken_off_is_gone_when_the_moment_is_over(
    looking: Looking, clock: ManualClock
):
    looking.offers()
    with looking.db.transaction() as session:
        session.execute(update(Product).where(Product.slug == ROUTER).values(active=False))
    clock.advance(KEPT)
    with pytest.raises(NotFound):
        looking.offers()


def test_no_price_is_shown_before_it_begins_or_after_it_has_ended(
    looking: Looking, clock: ManualClock
):
    start = clock.now() + timedelta(seconds=1)
    looking.offer_from(start, start + timedelta(milliseconds=500), 90_000_000)
    shown = {}
    for step in (0, 999_999, 1, 499_999, 1):
        clock.advance(timedelta(microseconds=step))
        shown[clock.now() - start] = looking.micros()
    assert shown == {
        timedelta(seconds=-1): {129_000_000},
        -MOMENT: {129_000_000},
        timedelta(0): {90_000_000},
        timedelta(milliseconds=500) - MOMENT: {90_000_000},
        timedelta(milliseconds=500): {129_000_000},
    }


def test_what_goes_into_a_cart_is_priced_anew(looking: Looking, clock: ManualClock):
    looking.offers()
    looking.reprice(99_000_000)
    with looking.db.transaction() as session:
        channel = session.get_one(Channel, looking.world.channel_id)
        cart = lines.open_cart(session, channel, clock.now())
        sku, hold_for = looking.world.router.sku, timedelta(minutes=30)
        line = lines.add(session, cart, sku, 1, hold_for, clock.now())
        assert line.unit_price_micros == 99_000_000
    assert looking.micros() == {129_000_000}


def test_a_clock_that_is_set_back_does_not_lengthen_the_moment(
    looking: Looking, clock: ManualClock
):
    looking.offers()
    looking.reprice(99_000_000)
    clock.advance(-timedelta(hours=1))
    assert looking.micros() == {99_000_000}


def test_without_time_nothing_is_kept(looking: Looking):
    looking.shelves = Shelves()
    assert looking.micros() == {129_000_000}
    looking.reprice(99_000_000)
    assert looking.micros() == {99_000_000}
