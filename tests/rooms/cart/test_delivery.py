"""Ways of delivery by place, worth, weight and product; several deliveries of one cart; picking up."""

import pytest
from sqlalchemy import update

from cart.delivery import Load, TableDelivery, covers
from cart.delivery_models import DeliveryMethod, DeliveryZone
from core.catalog.models import Variant
from core.kernel.money import Money
from core.stock.models import Location
from tests.rooms.cart.trolley import Trolley
from tests.world import World

OHIO = {"country": "US", "region": "OH", "postal_code": "43099"}


@pytest.fixture
def cart(db, clock, world) -> Trolley:
    return Trolley.take(db, clock, world)


def way(world: World, code: str, **more) -> DeliveryMethod:
    return DeliveryMethod(
        channel_id=world.channel_id,
        country="US",
        code=code,
        name=code.capitalize(),
        **{"price_minor": 500, "position": 9, **more},
    )


def codes(db, world: World, place: dict[str, str], worth: int = 1000, **load) -> list[str]:
    with db.reading() as session:
        asked = Load(Money(worth, "USD"), **load)
        return [
            choice.code
            for choice in TableDelivery().choices(session, world.channel_id, place, asked)
            if choice.code != "standard"
        ]


@pytest.mark.parametrize(
    ("areas", "there"),
    [
        ([["US", "", ""]], True),
        ([["US", "OH", ""]], True),
        ([["US", "OH", "430"]], True),
        ([["US", "", "43099"]], True),
        ([["US", "PA", ""], ["DE", "", ""]], False),
        ([["US", "OH", "431"]], False),
    ],
)
def test_an_area_is_a_country_a_region_of_it_or_codes_that_begin_so(areas, there):
    assert covers(areas, OHIO) == there
    assert covers(areas, {"country": "US"}) == (areas == [["US", "", ""]])


def test_a_way_is_offered_where_it_goes_and_for_what_it_carries(db, world):
    with db.transaction() as session:
        zone = DeliveryZone(
            channel_id=world.channel_id, code="near", name="Near", areas=[["US", "OH", "430"]]
        )
        session.add(zone)
        session.flush()
        session.add_all(
            [
                way(world, "near", zone_id=zone.id),
                way(world, "dear", goods_from_minor=2000),
                way(world, "cheap", goods_to_minor=1999),
                way(world, "light", weight_to_g=1500),
                way(world, "over", active=False),
                way(world, "van", goes_by="bulky"),
            ]
        )
    assert codes(db, world, OHIO) == ["cheap", "light", "near"]
    assert codes(db, world, OHIO | {"postal_code": "44001"}) == ["cheap", "light"]
    assert codes(db, world, OHIO, worth=2000, weight_g=1501) == ["dear", "near"]
    assert codes(db, world, OHIO, goes_by="bulky") == ["van"]


def test_each_kilogram_that_is_begun_costs(db, world):
    with db.transaction() as session:
        session.add(way(world, "weighed", per_kg_minor=120, free_from_minor=9000))
    for weight, worth, price in ((0, 100, 500), (1, 100, 620), (2001, 100, 860), (2001, 9000, 0)):
        with db.reading() as session:
            load = Load(Money(worth, "USD"), weight)
            found = TableDelivery().choices(session, world.channel_id, OHIO, load)
        assert next(one.price.minor for one in found if one.code == "weighed") == price


def test_what_goes_another_way_is_a_delivery_of_its_own(db, world, cart):
    with db.transaction() as session:
        session.execute(
            update(Variant)
            .where(Variant.id == world.router.variant_id)
            .values(goes_by="bulky", weight_g=9000)
        )
        session.add_all(
            [
                way(world, "van", goes_by="bulky", price_minor=2900),
                way(world, "crane", goes_by="bulky", price_minor=9900),
            ]
        )
    cart.put(world.camera)
    cart.put(world.router)
    priced = cart.priced(OHIO)
    (also,) = priced.also
    assert (priced.method.code, also.method.code) == ("standard", "van")
    assert [one.code for one in also.methods] == ["crane", "van"]
    assert [way.code for way in priced.chosen] == ["standard", "van"]
    assert priced.delivery.minor == priced.method.price.minor + 2900
    assert len(priced.taxed) == 4
    with db.transaction() as session:
        session.query(DeliveryMethod).filter_by(goes_by="bulky").delete()
    assert cart.priced(OHIO).also[0].method is None


def test_what_is_picked_up_is_taxed_there_and_nobody_is_sent_to_fetch_it(db, world, cart):
    with db.transaction() as session:
        spot = Location(code="far", name="Far away", country="US", region="OR")
        session.add(spot)
        session.flush()
        session.add(way(world, "fetch", kind="pickup", location_id=spot.id, price_minor=0))
    cart.put(world.camera)
    assert cart.priced(OHIO).method.code == "standard"
    assert cart.priced(OHIO).tax.minor > 0
    fetched = cart.priced(OHIO, method="fetch")
    assert (fetched.method.code, fetched.tax.minor) == ("fetch", 0)
    cart.put(world.visit)
    assert cart.priced(OHIO, method="fetch").method.code == "fetch"
