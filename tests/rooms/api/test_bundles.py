"""Bundles for programs: prices by charge kind, pieces that sum to them, one line in cart and order."""

from typing import Any

import pytest

from api import cart_shapes, shapes
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from tests import packs
from tests.rooms.api.conftest import Program
from tests.shop import Shop
from tests.world import ADDRESS, Goods, World


@pytest.fixture
def home(db: Database, clock: ManualClock, world: World) -> Goods:
    return db.run_tx(lambda session: packs.home(session, world, clock.now()))


def sums(bundle: dict[str, Any]) -> dict[str, int]:
    """What the pieces come to, by charge kind."""
    found: dict[str, int] = {}
    for piece in bundle["pieces"]:
        kind = piece["charge_kind"]
        found[kind] = found.get(kind, 0) + piece["total"]["amount"]
    return found


def test_a_product_that_is_a_bundle_tells_its_prices_and_pieces(program: Program, home: Goods):
    answer = program.get(f"/products/{home.slug}")
    shapes.ProductDetailAnswer.model_validate_json(answer.data)
    (variant,) = answer.json["variants"]
    assert (variant["kind"], variant["price"]["amount"], variant["quantity"]) == (
        "bundle",
        19_100,
        27,
    )
    assert "recurring" not in variant
    told = {one["charge_kind"]: one["together"]["amount"] for one in variant["bundle"]["prices"]}
    assert told == sums(variant["bundle"]) == {"one_off": 14_900, "monthly": 4_200}
    shapes.ProductPage.model_validate_json(program.get("/products").data)


def test_in_a_cart_it_is_one_line_whose_pieces_scale(program: Program, home: Goods):
    path = program.cart(home.sku)
    (line,) = program.get(path).json["lines"]
    changed = program.patch(f"{path}/lines/{line['id']}", {"quantity": 3})
    cart_shapes.LineAnswer.model_validate_json(changed.data)
    cart_shapes.CartAnswer.model_validate_json(program.get(path).data)
    cart = program.get(path).json
    (line,) = cart["lines"]
    assert line == changed.json
    assert (line["quantity"], line["total"]["amount"]) == (3, 57_300)
    assert sums(line["bundle"]) == {"one_off": 44_700, "monthly": 12_600}
    assert [piece["quantity"] for piece in line["bundle"]["pieces"]] == [3, 3, 3]
    (again,) = cart["recurring"]
    assert (again["amount"]["amount"], again["name"]) == (12_600, "River 100")
    assert cart["held_until"] is not None


def test_too_many_are_refused_with_what_is_missing(program: Program, home: Goods):
    path = program.cart()
    refused = program.post(f"{path}/lines", {"sku": home.sku, "quantity": 28})
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_stock")
    assert (refused.json["sku"], refused.json["available"]) == ("FW-RT-6", 27)


def test_ordered_its_line_has_the_sums_of_its_pieces(program: Program, shop: Shop, home: Goods):
    wish = {
        "email": "riley@example.com",
        "shipping_address": {name: value for name, value in ADDRESS.items() if value},
        "payment": {"method": "invoice"},
    }
    placed = program.order(program.cart(home.sku), wish)
    assert placed.status_code == 201
    shop.drain()
    seen = program.get(
        f"/orders/{placed.json['id']}",
        headers={"Authorization": f"Bearer {placed.json['token']}"},
    )
    shapes.OrderAnswer.model_validate_json(seen.data)
    pack, delivery = seen.json["lines"]
    assert (pack["kind"], delivery["kind"]) == ("bundle", "delivery")
    for name in ("total", "tax"):
        assert pack[name]["amount"] == sum(piece[name]["amount"] for piece in pack["pieces"])
    due = sum(line["total"]["amount"] + line["tax"]["amount"] for line in (pack, delivery))
    assert due == seen.json["due_now"]["amount"] == 19_761
