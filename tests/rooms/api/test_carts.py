"""Carts: filled, changed and priced by whoever has the id."""

from datetime import timedelta
from typing import Any

import pytest

from cart import lines
from core.catalog.models import Variant
from core.parties.models import Channel
from core.prices.models import Price, PriceList
from core.stock import holds
from core.stock.holds import Owner
from tests.flows.selling import PARIS, Seller
from tests.rooms.api.conftest import Program, wish
from tests.shop import Shop
from tests.world import ADDRESS, World


def _quantity(program: Program, sku: str = "porch-camera") -> int:
    (variant,) = program.get(f"/products/{sku}").json["variants"]
    return variant["quantity"]


def test_a_new_cart_is_empty_and_costs_nothing(program: Program, world: World):
    made = program.post("/carts", {})
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/carts/{made.json['id']}"
    assert (made.json["state"], made.json["lines"]) == ("open", [])
    assert made.json["due_now"] == {"amount": 0, "currency": "USD"}
    assert made.json["tax"] is None
    assert program.get(f"/carts/{made.json['id']}").json == made.json


def test_a_line_is_answered_with_its_hold(program: Program, shop: Shop, world: World):
    cart = program.cart()
    line = program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 3}).json
    assert line["held_until"] == "2026-11-17T19:41:00Z"
    assert (line["quantity"], line["total"]) == (3, {"amount": 17700, "currency": "USD"})
    assert program.get(cart).json["lines"] == [line]
    assert _quantity(program) == 1


def test_the_same_thing_again_is_one_line_with_more_of_it(
    program: Program, shop: Shop, world: World
):
    cart = program.cart("FW-CAM-1")
    program.wait(timedelta(minutes=10))
    again = program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 2}).json
    assert again["quantity"] == 3
    assert again["held_until"] == "2026-11-17T19:51:00Z"
    assert [line["id"] for line in program.get(cart).json["lines"]] == [again["id"]]
    assert _quantity(program) == 1


def test_what_has_lapsed_is_held_again_with_the_next_change(
    program: Program, shop: Shop, world: World
):
    cart = program.cart("FW-CAM-1")
    program.wait(timedelta(minutes=31))
    (lapsed,) = program.get(cart).json["lines"]
    assert lapsed["held_until"] is None
    again = program.patch(f"{cart}/lines/{lapsed['id']}", {"quantity": 2}).json
    assert again["held_until"] == "2026-11-17T20:12:00Z"
    assert _quantity(program) == 2


def test_a_line_is_changed_and_taken_out(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-CAM-1", "FW-VISIT")
    camera, visit = program.get(cart).json["lines"]
    assert visit["held_until"] is None
    changed = program.patch(f"{cart}/lines/{camera['id']}", {"quantity": 4})
    assert changed.status_code == 200
    assert changed.json["total"] == {"amount": 4 * 5900, "currency": "USD"}
    assert _quantity(program) == 0
    assert program.patch(f"{cart}/lines/{camera['id']}", {"quantity": 1}).status_code == 200
    assert _quantity(program) == 3
    gone = program.patch(f"{cart}/lines/{visit['id']}", {"quantity": 0})
    assert (gone.status_code, gone.data) == (204, b"")
    removed = program.ask("DELETE", f"{cart}/lines/{camera['id']}")
    assert (removed.status_code, removed.data) == (204, b"")
    assert program.get(cart).json["lines"] == []
    assert _quantity(program) == 4
    assert program.ask("DELETE", f"{cart}/lines/{camera['id']}").status_code == 404


def test_more_than_there_is_is_told_and_changes_nothing(program: Program, world: World):
    cart = program.cart("FW-CAM-1")
    refused = program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 4})
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_stock")
    assert (refused.json["sku"], refused.json["wanted"]) == ("FW-CAM-1", 5)
    (line,) = program.get(cart).json["lines"]
    assert (line["quantity"], _quantity(program)) == (1, 3)


def test_the_place_brings_ways_of_delivery_and_tax(program: Program, world: World):
    cart = program.cart("FW-RT-6", "FW-RIVER-100")
    before = program.get(cart).json
    assert (before["tax"], before["due_now"]["amount"]) == (None, 12900 + 4500)
    told = program.patch(cart, {"shipping_address": {"country": "us", "region": "oh"}})
    assert told.status_code == 200
    assert told.json["shipping_address"]["country"] == "US"
    assert [method["code"] for method in told.json["methods"]] == ["standard"]
    assert told.json["tax"] == {"amount": 839, "currency": "USD"}
    assert told.json["due_now"] == {"amount": 12900 + 4500 + 839, "currency": "USD"}
    assert told.json["recurring"] == [
        {
            "amount": {"amount": 4500, "currency": "USD"},
            "interval": "month",
            "interval_count": 1,
            "name": "River 100",
        }
    ]
    assert program.get(cart).json == told.json


def test_what_is_not_sent_stays_and_null_forgets_it(program: Program, world: World):
    cart = program.cart("FW-RT-6")
    program.patch(cart, {"shipping_address": ADDRESS})
    chosen = program.patch(cart, {"shipping_method": "standard"}).json
    assert chosen["shipping_address"]["line1"] == ADDRESS["line1"]
    assert chosen["shipping_method"] == "standard"
    assert program.patch(cart, {}).json == chosen
    forgotten = program.patch(cart, {"shipping_address": None}).json
    assert (forgotten["shipping_address"], forgotten["tax"]) == (None, None)


def test_a_way_of_delivery_that_is_none_there_is_refused(program: Program, world: World):
    cart = program.cart("FW-RT-6")
    elsewhere = {"shipping_address": {"country": "NZ"}, "shipping_method": "standard"}
    refused = program.patch(cart, elsewhere)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "shipping_method"
    assert program.get(cart).json["shipping_address"] is None


def test_what_is_no_longer_sold_is_named(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-CAM-1", "FW-VISIT")
    with shop.house.db.transaction() as session:
        prices = session.query(Price).filter(Price.variant_id == world.camera.variant_id)
        prices.delete()
    seen = program.get(cart).json
    assert seen["no_longer_sold"] == ["FW-CAM-1"]
    assert [(one["sku"], one["code"]) for one in seen["gone"]] == [("FW-CAM-1", "no_price")]
    assert [line["sku"] for line in seen["lines"]] == ["FW-VISIT"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"sku": "NO-SUCH", "quantity": 1}, 404, "unknown_sku"),
        ({"sku": "FW-CAM-1", "quantity": 0}, 422, "out_of_range"),
        ({"sku": "FW-CAM-1", "quantity": 100}, 422, "out_of_range"),
        ({"sku": "FW-CAM-1", "quantity": "1"}, 422, "not_an_integer"),
        ({"sku": "FW-CAM-1", "quantity": 1.5}, 422, "not_an_integer"),
        ({"sku": "FW-CAM-1", "quantity": True}, 422, "not_an_integer"),
        ({"sku": "FW-CAM-1"}, 422, "missing"),
        ({"sku": 7, "quantity": 1}, 422, "not_a_text"),
        ({"sku": "", "quantity": 1}, 422, "too_short"),
        ({"sku": "\x00", "quantity": 1}, 422, "bad_characters"),
        ({"sku": "FW-CAM-1", "quantity": 1, "colour": "red"}, 422, "unknown_field"),
        (["FW-CAM-1"], 422, "not_an_object"),
    ],
)
def test_a_line_that_cannot_be_taken_is_told_by_field(
    program: Program, world: World, body: object, status: int, code: str
):
    refused = program.post(f"{program.cart()}/lines", body)
    assert refused.status_code == status
    found = refused.json["errors"][0]["code"] if status == 422 else refused.json["code"]
    assert found == code


def test_what_lost_its_price_cannot_be_put_in(program: Program, shop: Shop, world: World):
    with shop.house.db.transaction() as session:
        session.query(PriceList).update({"currency": "EUR"})
    refused = program.post(f"{program.cart()}/lines", {"sku": "FW-VISIT", "quantity": 1})
    assert (refused.status_code, refused.json["code"]) == (422, "no_price")


def test_a_hundred_of_one_thing_is_too_many_also_in_two_steps(program: Program, world: World):
    cart = program.cart()
    assert program.post(f"{cart}/lines", {"sku": "FW-VISIT", "quantity": 99}).status_code == 201
    refused = program.post(f"{cart}/lines", {"sku": "FW-VISIT", "quantity": 1})
    assert (refused.status_code, refused.json["code"], refused.json["most"]) == (
        422,
        "too_many",
        99,
    )


@pytest.mark.parametrize("cart", ["0123456789abcdef" * 2, "1", "x" * 32])
def test_a_cart_that_is_none_is_not_found(program: Program, world: World, cart: str):
    line = {"sku": "FW-CAM-1", "quantity": 1}
    asked = [
        program.get(f"/carts/{cart}"),
        program.patch(f"/carts/{cart}", {}),
        program.post(f"/carts/{cart}/lines", line),
        program.order(f"/carts/{cart}", wish()),
    ]
    assert [answer.status_code for answer in asked] == [404] * 4


def test_another_channels_cart_is_not_found(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-VISIT")
    with shop.house.db.transaction() as session:
        first = session.get_one(Channel, world.channel_id)
        other = Channel(
            code="other",
            name="Other",
            legal_entity_id=first.legal_entity_id,
            currency="USD",
            locale="en_US",
            time_zone=first.time_zone,
            brand={},
        )
        session.add(other)
        session.flush()
        lines.find(session, cart.rpartition("/")[2]).channel_id = other.id
    assert program.get(cart).status_code == 404
    assert program.patch(cart, {}).status_code == 404
    assert program.order(cart, wish()).status_code == 404


def test_a_line_of_another_cart_is_not_found(program: Program, world: World):
    mine, other = program.cart("FW-VISIT"), program.cart("FW-VISIT")
    (line,) = program.get(other).json["lines"]
    assert program.patch(f"{mine}/lines/{line['id']}", {"quantity": 2}).status_code == 404
    assert program.ask("DELETE", f"{mine}/lines/{line['id']}").status_code == 404
    assert program.get(other).json["lines"] == [line]


def test_a_cart_that_was_ordered_is_closed(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-CAM-1")
    (line,) = program.get(cart).json["lines"]
    assert program.order(cart, wish()).status_code == 201
    refused = [
        program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 1}),
        program.patch(f"{cart}/lines/{line['id']}", {"quantity": 2}),
        program.ask("DELETE", f"{cart}/lines/{line['id']}"),
        program.patch(cart, {"shipping_method": None}),
    ]
    assert [(r.status_code, r.json["code"]) for r in refused] == [(409, "cart_closed")] * 4
    assert program.get(cart).json["state"] == "ordered"


def test_only_public_ids_leave_the_house(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-CAM-1")
    text = program.get(cart).get_data(as_text=True)
    with shop.house.db.reading() as session:
        found = lines.find(session, cart.rpartition("/")[2])
        held = holds.of(session, Owner("cart", found.id), shop.house.clock.now())
    keys = [found.id, world.camera.variant_id, world.camera.product_id, *held]
    assert len(keys) == 4
    assert not any(key.hex in text or str(key) in text for key in keys)


def test_a_business_across_a_border_sees_sums_without_vat_and_orders_at_them(
    program: Program, shop: Shop, world: World
):
    seller = Seller(shop.house, world)
    seller.move("DE", "EUR", included=False, rounding="document")
    seller.levy("FR", "VAT", 200_000)
    cart = program.cart("FW-CAM-1")
    place: dict[str, Any] = {"shipping_address": PARIS, "shipping_method": "standard"}
    assert program.patch(cart, place).json["due_now"]["amount"] == 7908
    wrong = program.patch(cart, {"vat_id": "FR61954506078"})
    assert wrong.status_code == 422
    assert [error["field"] for error in wrong.json["errors"]] == ["vat_id"]
    told = program.patch(cart, {"vat_id": "fr 61954506077"}).json
    assert (told["tax"]["amount"], told["due_now"]["amount"]) == (0, 6590)
    asked = wish(**place, vat_id="FR61954506077", expected_total=told["due_now"])
    assert program.order(cart, asked).status_code == 201


def test_a_change_of_what_the_caller_has_not_seen_is_refused(program: Program, world: World):
    cart = program.cart("FW-CAM-1")
    seen = {"If-Match": program.get(cart).headers["ETag"]}
    line = {"sku": "FW-VISIT", "quantity": 1}
    first = program.post(f"{cart}/lines", line, headers=seen)
    assert first.status_code == 201
    late = [
        program.post(f"{cart}/lines", line, headers=seen),
        program.patch(cart, {"shipping_address": ADDRESS}, headers=seen),
        program.ask("DELETE", f"{cart}/lines/{first.json['id']}", headers=seen),
        program.order(cart, wish(), headers=seen),
    ]
    assert [(r.status_code, r.json["code"]) for r in late] == [(412, "cart_changed")] * 4
    assert first.headers["ETag"] == program.get(cart).headers["ETag"]
    one_of = {"If-Match": f'"v1", {first.headers["ETag"]}'}
    assert program.order(cart, wish(), headers=one_of).status_code == 201


def test_a_change_with_a_key_is_done_once(program: Program, world: World):
    cart, key = program.cart(), {"Idempotency-Key": "once"}
    line = {"sku": "FW-CAM-1", "quantity": 2}
    first, again = (program.post(f"{cart}/lines", line, headers=key) for _ in range(2))
    assert (first.status_code, first.json) == (again.status_code, again.json)
    assert first.headers["ETag"] == again.headers["ETag"]
    assert program.get(cart).json["lines"][0]["quantity"] == 2
    other = program.post(f"{cart}/lines", line | {"quantity": 1}, headers=key)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    out = f"{cart}/lines/{first.json['id']}"
    assert [program.ask("DELETE", out, headers=key).status_code for _ in range(2)] == [204, 204]


def test_a_cart_is_begun_once_for_a_key_that_nobody_else_thinks_of(program: Program, world: World):
    key = {"Idempotency-Key": "6f7d2c7e-6f0b-4a3c-9a51-0f2d1b9a7c11"}
    first, again = (program.post("/carts", {}, headers=key).json for _ in range(2))
    assert first == again
    short = program.post("/carts", {}, headers={"Idempotency-Key": "1"})
    assert (short.status_code, short.json["code"]) == (400, "idempotency_key_too_short")


def test_what_is_saved_for_later_is_not_held_and_comes_back(
    program: Program, shop: Shop, world: World
):
    cart = program.cart("FW-CAM-1")
    (line,) = program.get(cart).json["lines"]
    aside = program.post(f"{cart}/lines/{line['id']}/save").json
    assert (aside["lines"], aside["goods"]["amount"], _quantity(program)) == ([], 0, 4)
    (saved,) = aside["saved"]
    assert (saved["sku"], saved["quantity"], saved["unit_price"]["amount"]) == ("FW-CAM-1", 1, 5900)
    with shop.house.db.transaction() as session:
        session.query(Price).filter(Price.variant_id == world.camera.variant_id).update(
            {"unit_price_micros": 64_000_000}
        )
    (saved,) = program.get(cart).json["saved"]
    assert (saved["unit_price"]["amount"], saved["unit_price_was"]["amount"]) == (6400, 5900)
    back = program.post(f"{cart}/saved/{saved['id']}/take").json
    assert ([one["sku"] for one in back["lines"]], back["saved"]) == (["FW-CAM-1"], [])
    assert _quantity(program) == 3
    assert program.ask("DELETE", f"{cart}/saved/{saved['id']}").status_code == 404


def test_how_many_are_bought_at_once_is_told_and_kept_to(
    program: Program, shop: Shop, world: World
):
    cart = program.cart("FW-VISIT")
    with shop.house.db.transaction() as session:
        for goods in (world.camera, world.visit):
            row = session.get_one(Variant, goods.variant_id)
            row.quantity_step, row.quantity_least, row.quantity_most = 2, 4, 8
    (variant,) = program.get("/products/porch-camera").json["variants"]
    assert variant["limits"] == {"step": 2, "least": 4, "most": 8}
    refused = [
        program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": quantity}).json
        for quantity in (2, 5, 10)
    ]
    codes = ["quantity_least", "quantity_step", "too_many"]
    assert [one["code"] for one in refused] == codes
    assert refused[1]["nearest"] == [4, 6]
    assert program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 4}).status_code == 201
    # The visit was put in before there were limits: told before it can be ordered.
    stopped = program.order(cart, wish())
    assert [(one["field"], one["code"]) for one in stopped.json["errors"]] == [
        ("lines", "quantity_least")
    ]


def test_a_shared_cart_is_frozen_and_taken_once_however_often(
    program: Program, shop: Shop, world: World
):
    cart = program.cart("FW-CAM-1", "FW-VISIT")
    shared = program.post(f"{cart}/share").json
    assert [(one["sku"], one["quantity"]) for one in shared["lines"]] == [
        ("FW-CAM-1", 1),
        ("FW-VISIT", 1),
    ]
    program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 2})
    assert program.get(f"/shared-carts/{shared['id']}").json == shared
    other = program.cart("FW-CAM-1")
    for _ in range(2):
        taken = program.post(f"{other}/take", {"shared_cart": shared["id"]}).json
        assert [(one["sku"], one["quantity"]) for one in taken["lines"]] == [
            ("FW-CAM-1", 1),
            ("FW-VISIT", 1),
        ]
        assert taken["left_out"] == []
    many = program.post(f"{cart}/share").json["id"]
    short = program.post(f"{other}/take", {"shared_cart": many}).json
    assert [one["code"] for one in short["left_out"]] == ["out_of_stock"]
    program.wait(timedelta(days=91))
    assert program.get(f"/shared-carts/{shared['id']}").status_code == 404
    assert program.post(f"{program.cart()}/share").json["code"] == "nothing_to_share"


def test_a_zip_code_alone_tells_the_tax(program: Program, world: World):
    cart = program.cart("FW-RT-6")
    told = program.patch(cart, {"shipping_address": {"country": "US", "postal_code": "43099"}}).json
    assert (told["shipping_address"]["region"], told["tax"]["amount"]) == ("OH", 839)
