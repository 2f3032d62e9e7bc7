"""A shop whose prices contain their tax says one and the same price from the shelf to the order's page."""

from pathlib import Path
from typing import cast

import pytest

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from payments.gateway import Gateway
from tests.flows.selling import LEEDS, Seller
from tests.paying import fill_cart
from tests.rooms.web.stage import Browser
from tests.shop import Shop, make_shop
from tests.world import World


@pytest.fixture
def shop(db: Database, clock: ManualClock, world: World, tmp_path: Path) -> Shop:
    made = make_shop(db, clock, tmp_path, cast(Gateway, None))
    seller = Seller(made.house, world)
    seller.move("GB", "GBP", included=True, rounding="document")
    seller.levy("GB", "VAT", 200_000)
    return made


def test_shelf_cart_checkout_and_order_say_the_same_price(shop: Shop):
    browser = Browser(shop)
    shelf = browser.get("/p/porch-camera").text
    assert "59.00" in shelf
    assert "Tax included." in shelf
    browser.keep("cart", fill_cart(shop.house, "FW-CAM-1"))
    cart = browser.get("/cart").text
    assert "Before tax" not in cart
    assert "Sales tax" not in cart
    browser.get("/checkout")
    form = {**LEEDS, "email": "guest@example.com", "payment_method": "invoice"}
    assert browser.post("/checkout", {**form, "step": "total"}).status_code == 303
    sums = browser.get("/checkout?pay=invoice").text
    assert "Contains 10.98 VAT." in sums
    for amount in ("59.00", "6.90", "65.90"):
        assert amount in sums
    placed = browser.post("/checkout", {**form, "step": "pay", "expected_total": "6590"})
    assert placed.status_code == 303
    order = browser.get(placed.location.removesuffix("/thanks")).text
    assert "Contains 10.98 tax" in order
    assert "Sales tax" not in order
    for amount in ("59.00", "6.90", "65.90"):
        assert amount in order
    assert "54.92" not in order
