"""What a bundle costs here and now: by charge kind, from the list that comes first, while all is sold."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from core.catalog.models import Product, Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.prices import bundles
from core.prices.bundles import Bundle
from core.prices.models import BundlePrice, Price, PriceList
from tests import packs
from tests.rooms.web.looking import statements
from tests.world import Goods, World

DAY = timedelta(days=1)


class Shelf:
    """The bundle of line, router and visit, and who asks for its price."""

    def __init__(self, db: Database, world: World, now: datetime) -> None:
        self.db, self.world, self.now = db, world, now
        self.home: Goods = db.run_tx(lambda session: packs.home(session, world, now))

    def of(self, quantity: int = 1, now: datetime | None = None) -> Bundle | None:
        wanted = {self.home.variant_id: quantity}
        asked = (self.world.channel_id, "USD", wanted, now or self.now)
        with self.db.reading() as session:
            return bundles.offered(session, *asked).get(self.home.variant_id)

    def prices(self, now: datetime | None = None) -> dict[str, int] | None:
        found = self.of(now=now)
        return found.unit_prices if found else None

    def list_of(self, code: str, prices: dict[str, str | int], **more) -> None:
        with self.db.transaction() as session:
            row = PriceList(code=code, currency="USD", **more)
            session.add(row)
            session.flush()
            packs.price_of(session, self.world, self.home.variant_id, prices, row.id)


@pytest.fixture
def shelf(db: Database, world: World, clock: ManualClock) -> Shelf:
    return Shelf(db, world, clock.now())


def test_it_has_a_price_for_what_is_paid_once_and_one_for_each_month(shelf: Shelf):
    found = shelf.of()
    assert found is not None
    assert found.unit_prices == {"one_off": 149_000_000, "monthly": 42_000_000}
    assert [(c.charge_kind, c.together.minor, c.apart.minor) for c in found.charges(2)] == [
        ("one_off", 29_800, 37_800),
        ("monthly", 8_400, 9_000),
    ]
    assert (found.due_now(1), found.now.interval) == (Money(19_100, "USD"), None)
    assert found.trace["list"] == "web-usd"


def test_each_kind_comes_from_the_list_that_comes_first_for_it(shelf: Shelf):
    shelf.list_of("spring", {"one_off": "99.00"}, priority=5)
    assert shelf.prices() == {"one_off": 99_000_000, "monthly": 42_000_000}
    found = shelf.of()
    assert found is not None
    assert [found.prices[kind].trace["list"] for kind in found.kinds] == ["spring", "web-usd"]


def test_a_list_holds_within_its_window_and_says_until_when(shelf: Shelf):
    begin, end = shelf.now + DAY, shelf.now + 3 * DAY
    shelf.list_of("soon", {"one_off": "1.00"}, priority=5, valid_from=begin, valid_to=end)
    assert shelf.prices() == shelf.prices(end)
    told = shelf.prices(begin)
    assert told is not None
    assert told["one_off"] == 1_000_000
    asked = (shelf.world.channel_id, "USD", {shelf.home.variant_id: 1})
    with shelf.db.reading() as session:
        _, until = bundles.offered_until(session, *asked, shelf.now, shelf.now + 2 * DAY)
    assert until == begin


@pytest.mark.parametrize("what", ["variant", "product", "price", "kind"])
def test_it_is_sold_only_while_each_piece_is_and_each_kind_is_priced(what, shelf: Shelf):
    plan = shelf.world.plan
    with shelf.db.transaction() as session:
        if what == "variant":
            session.execute(
                update(Variant).where(Variant.id == plan.variant_id).values(active=False)
            )
        elif what == "product":
            session.execute(
                update(Product).where(Product.id == plan.product_id).values(active=False)
            )
        elif what == "price":
            session.query(Price).where(Price.variant_id == plan.variant_id).delete()
        else:
            session.query(BundlePrice).where(BundlePrice.charge_kind == "monthly").delete()
    assert shelf.of() is None


def test_what_a_piece_costs_by_itself_is_the_price_for_as_many(shelf: Shelf):
    with shelf.db.transaction() as session:
        session.add(
            Price(
                price_list_id=shelf.world.price_list_id,
                variant_id=shelf.world.router.variant_id,
                min_quantity=3,
                unit_price_micros=100_000_000,
            )
        )
    two, three = shelf.of(2), shelf.of(3)
    assert two is not None
    assert three is not None
    assert two.charges(2)[0].apart == Money(2 * 18_900, "USD")
    assert three.charges(3)[0].apart == Money(3 * 16_000, "USD")


def test_however_many_bundles_are_asked_for_it_takes_three_questions(shelf: Shelf):
    def many(number: int) -> Goods:
        inside = [packs.Inside(shelf.world.camera), packs.Inside(shelf.world.plan)]
        told: dict[str, str | int] = {"one_off": "9.00", "monthly": "9.00"}
        return shelf.db.run_tx(
            lambda session: packs.pack(
                session, shelf.world, shelf.now, inside, told, sku=f"FW-B{number}"
            )
        )

    goods = [shelf.home, *(many(number) for number in range(4))]
    for wanted in (goods[:1], goods):
        quantities = {one.variant_id: 1 for one in wanted}
        with statements(shelf.db) as sent, shelf.db.reading() as session:
            found = bundles.offered(session, shelf.world.channel_id, "USD", quantities, shelf.now)
        assert set(found) == set(quantities)
        assert len(sent) == 3
