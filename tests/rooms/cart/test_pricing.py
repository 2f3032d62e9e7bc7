"""What a cart costs: today's prices, delivery for goods alone, tax once the place is known."""

import pytest
from sqlalchemy import update

from cart import statements
from cart.checkout import Details, requirements
from cart.delivery_models import DeliveryMethod
from core.catalog.models import Product, Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.prices.models import Price
from tests.rooms.cart.trolley import HALF_AN_HOUR, Trolley, reprice
from tests.world import ADDRESS, World

OHIO = {"country": "US", "region": "OH"}


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture
def cart(db: Database, clock: ManualClock, world: World) -> Trolley:
    return Trolley.take(db, clock, world)


def test_a_cart_of_nothing_costs_nothing(cart):
    priced = cart.priced(OHIO)
    assert (priced.lines, priced.methods, priced.method) == ((), (), None)
    assert {priced.goods, priced.delivery, priced.tax, priced.due_now} == {usd(0)}
    assert (priced.recurring, priced.held_until, priced.ships) == ((), None, False)


def test_everything_adds_up(world, cart):
    cart.put(world.router, 2)
    cart.put(world.visit)
    cart.put(world.plan)
    priced = cart.priced(OHIO)
    assert [line.net for line in priced.lines] == [usd(25_800), usd(6_000), usd(4_500)]
    assert (priced.goods, priced.delivery, priced.tax) == (usd(36_300), usd(0), usd(1_677))
    assert priced.due_now == usd(37_977)
    assert sum(line.net_minor + line.tax_minor for line in priced.taxed) == 37_977
    assert len(priced.taxed) == len(priced.lines) + 1


def test_tax_is_known_once_the_place_is(world, cart):
    cart.put(world.router)
    nowhere = cart.priced()
    assert (nowhere.tax_known, nowhere.tax, nowhere.due_now) == (False, usd(0), usd(12_900))
    elsewhere = cart.priced({"country": "US", "region": "MI"})
    assert (elsewhere.tax_known, elsewhere.tax) == (True, usd(0))
    assert cart.priced(OHIO).tax == usd(839)


def test_a_plan_recurs_beside_what_is_due_now_and_never_in_one_sum_with_it(world, cart):
    cart.put(world.router)
    cart.put(world.plan, 2)
    priced = cart.priced(OHIO)
    (again,) = priced.recurring
    assert (again.amount, again.interval, again.interval_count) == (usd(9_000), "month", 1)
    assert again.name == "River 100"
    assert priced.due_now == usd(12_900 + 9_000 + 839)


# --- delivery -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit, quantity, delivery",
    [(49_990_000, 1, 690), (50_000_000, 1, 0), (24_995_000, 2, 690), (25_000_000, 2, 0)],
)
def test_delivery_is_free_from_a_value_of_goods_on(unit, quantity, delivery, db, world, cart):
    reprice(db, world.camera, unit)
    cart.put(world.camera, quantity)
    assert cart.priced(OHIO).delivery == usd(delivery)


def test_only_goods_count_towards_free_delivery(db, world, cart):
    reprice(db, world.camera, 20_000_000)
    cart.put(world.camera)
    cart.put(world.visit, 5)
    cart.put(world.plan)
    priced = cart.priced(OHIO)
    assert (priced.goods, priced.delivery) == (usd(2_000 + 30_000 + 4_500), usd(690))


def test_what_is_not_goods_is_not_delivered(world, cart):
    cart.put(world.visit)
    priced = cart.priced(OHIO)
    assert (priced.ships, priced.methods, priced.delivery) == (False, (), usd(0))


def test_the_cheapest_way_is_shown_until_another_is_chosen(db, world, cart):
    with db.transaction() as session:
        session.add(
            DeliveryMethod(
                channel_id=world.channel_id,
                country="US",
                code="express",
                name="Express",
                price_minor=1_490,
                position=-1,
            )
        )
    cart.put(world.router)
    shown, chosen = cart.priced(OHIO), cart.priced(OHIO, "express")
    assert [way.code for way in shown.methods] == ["express", "standard"]
    assert (shown.method.code, shown.delivery) == ("standard", usd(0))
    assert (chosen.method.code, chosen.delivery) == ("express", usd(1_490))
    assert cart.priced(OHIO, "by_balloon").method.code == "standard"
    assert chosen.due_now == usd(12_900 + 839 + 1_490)


def test_where_nobody_goes_there_is_no_way(world, cart):
    cart.put(world.router)
    priced = cart.priced({"country": "GB"})
    assert (priced.methods, priced.method, priced.ships) == ((), None, True)
    leeds = ADDRESS | {"country": "GB", "postal_code": "LS1 4DY"}
    details = Details("riley@example.com", leeds, None, "card")
    assert [one.code for one in requirements(priced, details, ("card",))] == ["no_delivery"]


# --- prices that change, and things that go -------------------------------------------------------


def test_a_changed_price_is_taken_and_told(db, world, cart):
    cart.put(world.router)
    assert cart.priced().lines[0].price_was is None
    reprice(db, world.router, 119_000_000)
    (line,) = cart.priced().lines
    assert (line.net, line.price_was) == (usd(11_900), usd(12_900))
    cart.put(world.router)
    (line,) = cart.priced().lines
    assert (line.net, line.price_was) == (usd(23_800), None)


def test_the_price_of_many_is_the_price_of_the_line(db, world, cart):
    with db.transaction() as session:
        session.add(
            Price(
                price_list_id=world.price_list_id,
                variant_id=world.router.variant_id,
                min_quantity=5,
                unit_price_micros=100_000_000,
            )
        )
    cart.put(world.router, 4)
    assert cart.priced().goods == usd(51_600)
    cart.put(world.router, 1)
    (line,) = cart.priced().lines
    assert (line.net, line.price_was) == (usd(50_000), None)


def test_a_price_finer_than_a_cent_is_rounded_once_for_the_line(db, world, cart):
    reprice(db, world.visit, 34_500)
    cart.put(world.visit, 99)
    (line,) = cart.priced().lines
    assert (line.net, line.price.unit_price) == (usd(342), usd(3))


@pytest.mark.parametrize("what", ["price", "variant", "product"])
def test_what_is_no_longer_sold_blocks_the_checkout_and_costs_nothing(what, db, world, cart):
    cart.put(world.router)
    cart.put(world.camera)
    with db.transaction() as session:
        if what == "price":
            session.query(Price).where(Price.variant_id == world.router.variant_id).delete()
        elif what == "variant":
            mine = Variant.id == world.router.variant_id
            session.execute(update(Variant).where(mine).values(active=False))
        else:
            mine = Product.id == world.router.product_id
            session.execute(update(Product).where(mine).values(active=False))
    priced = cart.priced(ADDRESS)
    assert [line.sku for line in priced.lines] == [world.camera.sku]
    assert (priced.unpriced, priced.goods) == ((world.router.sku,), usd(5_900))
    details = Details("riley@example.com", dict(ADDRESS), None, "card")
    (one,) = requirements(priced, details, ("card",))
    assert (one.code, one.field) == ("no_longer_sold", "lines")


def test_a_lapsed_line_says_so(clock, world, cart):
    cart.put(world.router)
    clock.advance(HALF_AN_HOUR / 2)
    cart.put(world.camera)
    assert cart.priced().held_until == clock.now() + HALF_AN_HOUR
    clock.advance(HALF_AN_HOUR)
    cart.put(world.camera)
    priced = cart.priced()
    assert [(line.sku, line.lapsed) for line in priced.lines] == [
        (world.router.sku, True),
        (world.camera.sku, False),
    ]
    assert priced.held_until == clock.now() + HALF_AN_HOUR


@pytest.mark.parametrize("asked", [statements.wanted, statements.with_prices])
def test_prices_beside_a_line_are_looked_up_not_read_through(asked, sqlite_db):
    compiled = asked().compile(dialect=sqlite_db.engine.dialect)
    nothing = tuple(None for _ in compiled.positiontup)
    with sqlite_db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", nothing).all()
    steps = [row[3] for row in rows]
    assert any(step.startswith("SEARCH price USING") for step in steps), steps
    assert not any(step.startswith(("SCAN price", "MATERIALIZE")) for step in steps), steps
