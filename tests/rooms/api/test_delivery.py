"""Delivery, times for visits and consents: the desk's key keeps them, a buyer's program uses them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from core.catalog.models import Variant
from tests.rooms.api.conftest import Program, bearers, wish
from tests.shop import Shop
from tests.world import ADDRESS, World


def test_what_a_key_keeps_a_buyer_is_offered(program: Program, shop: Shop, world: World):
    key = {"Authorization": f"Bearer {bearers(shop)['desk']}"}
    zone = {"name": "Near", "areas": [{"country": "US", "region": "OH", "postal_prefix": "44"}]}
    assert program.ask("PUT", "/desk/delivery/zones/near", zone, headers=key).status_code == 200
    van = {"name": "By van", "zone": "near", "goes_by": "bulky", "price_minor": 2900}
    put = program.ask("PUT", "/desk/delivery/ways/US/van", van, headers=key)
    assert (put.status_code, put.json["zone"], put.json["code"]) == (200, "near", "van")
    wrong = program.ask("PUT", "/desk/delivery/ways/US/x", {**van, "zone": "none"}, headers=key)
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "zone")
    setup = program.get("/desk/delivery", headers=key).json
    assert [one["code"] for one in setup["zones"]] == ["near"]
    with shop.house.db.transaction() as session:
        session.execute(
            update(Variant).where(Variant.id == world.router.variant_id).values(goes_by="bulky")
        )
    cart = program.cart("FW-CAM-1", "FW-RT-6")
    place = {"country": "US", "region": "OH", "postal_code": "44001"}
    told = program.patch(cart, {"shipping_address": place, "ways": {"bulky": "van"}}).json
    (also,) = told["also"]
    assert (also["goes_by"], also["method"], also["names"]) == (
        "bulky",
        "van",
        ["Wi-Fi 6 router"],
    )
    far = program.order(cart, wish(shipping_address=ADDRESS | {"postal_code": "45001"}))
    assert [(one["field"], one["code"]) for one in far.json["errors"]] == [
        ("ways.bulky", "no_delivery")
    ]
    near = wish(shipping_address=ADDRESS | {"postal_code": "44001"}, ways={"bulky": "van"})
    placed = program.order(cart, near, "key-2")
    assert placed.status_code == 201
    lines = program.follow(placed.json).json["lines"]
    assert [one["sku"] for one in lines if one["kind"] == "delivery"] == [
        "delivery:standard",
        "delivery:van",
    ]


def test_a_visit_is_booked_at_a_time_that_a_key_offers(program: Program, shop: Shop, world: World):
    key = {"Authorization": f"Bearer {bearers(shop)['desk']}", "Idempotency-Key": "times"}
    with shop.house.db.transaction() as session:
        session.execute(
            update(Variant).where(Variant.id == world.visit.variant_id).values(goes_by="visit")
        )
    day = (shop.house.clock.now() + timedelta(days=3)).date()
    times: dict[str, Any] = {"first": f"{day}", "last": f"{day}", "weekdays": [0, 1, 2, 3, 4, 5, 6]}
    times |= {"begins": "08:00", "ends": "12:00", "capacity": 1}
    for _ in range(2):
        added = program.post("/desk/delivery/times", times, headers=key)
        assert (added.status_code, added.json) == (201, {"added": 1})
    cart = program.cart("FW-VISIT")
    (free,) = program.get(f"{cart}/slots").json["items"]
    held = program.patch(cart, {"slot": free["id"]}).json
    assert (held["wants_visit"], held["slot"]["id"]) == (True, free["id"])
    assert program.get(f"{cart}/slots").json["items"] == []
    other = program.cart("FW-VISIT")
    late = program.patch(other, {"slot": free["id"]})
    assert (late.status_code, late.json["code"]) == (409, "slot_gone")
    placed = program.order(cart, wish()).json
    assert program.follow(placed).json["visit"]["id"] == free["id"]
    (slot,) = program.get("/desk/delivery/times", headers=key).json["items"]
    assert (slot["booked"], slot["held"]) == (1, 0)
    path = f"/desk/delivery/times/{free['id']}"
    assert program.ask("PUT", path, {"capacity": 0}, headers=key).json["capacity"] == 1


def test_a_required_term_is_asked_by_the_api_too(program: Program, shop: Shop, world: World):
    key = {"Authorization": f"Bearer {bearers(shop)['desk']}"}
    term = {"mode": "required", "text": "I am of age."}
    assert program.ask("PUT", "/desk/checkout-terms/age", term, headers=key).json["version"] == 1
    (told,) = program.get("/checkout-terms").json["items"]
    cart = program.cart("FW-VISIT")
    refused = program.order(cart, wish()).json["errors"]
    assert [(one["field"], one["code"]) for one in refused] == [("consents.age", "consent")]
    given = wish(consents=[{"code": told["code"], "version": told["version"]}])
    assert program.order(cart, given, "key-2").status_code == 201
    ended = program.ask("DELETE", "/desk/checkout-terms/age", headers=key)
    assert ended.status_code == 204
    assert program.get("/checkout-terms").json["items"] == []
