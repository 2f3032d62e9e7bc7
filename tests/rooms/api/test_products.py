"""Products: shelves in pages, one product, what can be had."""

from datetime import timedelta

import pytest

from core.stock.models import StockLevel
from tests import world as worlds
from tests.rooms.api.conftest import Program
from tests.shop import Shop
from tests.world import World


def _stock_up(shop: Shop, world: World, count: int, category: str = "many") -> list[str]:
    now = shop.house.clock.now()
    with shop.house.db.transaction() as session:
        shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
        key = shelf.category(category, category.title(), 9)
        return [
            shelf.put(key, f"T-{n}", f"Thing {n}", "physical", "device", "9.00", 5).slug
            for n in range(count)
        ]


def _slugs(program: Program, query: str) -> list[list[str]]:
    """The slugs of each page, following the cursors."""
    pages, cursor = [], ""
    while True:
        page = program.get(f"/products?{query}{cursor}").json
        pages.append([item["slug"] for item in page["items"]])
        if page["next_cursor"] is None:
            return pages
        cursor = f"&cursor={page['next_cursor']}"


def test_a_product_says_what_it_costs_and_what_can_be_had(program: Program, world: World):
    answer = program.get("/products/wi-fi-6-router")
    assert answer.status_code == 200
    assert answer.json["category"] == "devices"
    assert answer.json["picture"] == "http://localhost:8000/static/img/products/router.svg"
    assert answer.json["variants"] == [
        {
            "sku": "FW-RT-6",
            "name": "Wi-Fi 6 router",
            "kind": "physical",
            "price": {"amount": 12900, "currency": "USD"},
            "available": True,
            "limits": {"step": 1, "least": 1, "most": None},
            "quantity": 27,
            "in_stock": 27,
            "expected_on": None,
        }
    ]


def test_what_is_not_counted_is_there_and_has_no_quantity(program: Program, world: World):
    (visit,) = program.get("/products/installation-visit").json["variants"]
    (plan,) = program.get("/products/river-100").json["variants"]
    assert visit["available"] is plan["available"] is True
    assert "quantity" not in visit
    assert "quantity" not in plan
    assert "recurring" not in visit
    assert plan["recurring"] == {"interval": "month", "interval_count": 1}


def test_pieces_in_carts_are_not_there_until_their_holds_lapse(
    program: Program, shop: Shop, world: World
):
    for _ in range(4):
        program.cart(world.camera.sku)
    (camera,) = program.get("/products/porch-camera").json["variants"]
    assert (camera["available"], camera["quantity"]) == (False, 0)
    program.wait(timedelta(minutes=31))
    (camera,) = program.get("/products/porch-camera").json["variants"]
    assert (camera["available"], camera["quantity"]) == (True, 4)


def test_a_level_that_sold_more_than_there_is_shows_nothing_below_zero(
    program: Program, shop: Shop, world: World
):
    with shop.house.db.transaction() as session:
        session.get_one(StockLevel, world.camera.level_id).backorder_limit = 2
    (camera,) = program.get("/products/porch-camera").json["variants"]
    assert camera["quantity"] == 6


def test_the_pages_together_are_the_whole_shelf_each_once(
    program: Program, shop: Shop, world: World
):
    _stock_up(shop, world, 9)
    pages = _slugs(program, "page_size=5")
    assert [len(page) for page in pages] == [5, 5, 3]
    (whole,) = _slugs(program, "page_size=100")
    assert [*pages[0], *pages[1], *pages[2]] == whole
    assert len(set(whole)) == 13


def test_a_category_has_pages_of_its_own(program: Program, shop: Shop, world: World):
    slugs = _stock_up(shop, world, 3)
    assert _slugs(program, "category=many&page_size=2") == [slugs[:2], slugs[2:]]
    assert _slugs(program, "category=devices") == [["wi-fi-6-router", "porch-camera"]]
    assert program.get("/products?category=nothing-like-it").json == {
        "items": [],
        "next_cursor": None,
    }


def test_a_page_has_twenty_four_when_nobody_says_how_many(
    program: Program, shop: Shop, world: World
):
    _stock_up(shop, world, 25)
    assert [len(page) for page in _slugs(program, "")] == [24, 5]


def test_no_cursor_holds_a_key(program: Program, world: World):
    cursor = program.get("/products?page_size=1").json["next_cursor"]
    assert world.router.product_id.hex not in cursor
    assert not any(character in cursor for character in "{}:")


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("page_size=0", "page_size", "out_of_range"),
        ("page_size=101", "page_size", "out_of_range"),
        ("page_size=many", "page_size", "not_an_integer"),
        ("page_size=2&page_size=3", "page_size", "given_twice"),
        ("cursor=not-ours", "cursor", "bad_cursor"),
        ("category=%07", "category", "bad_characters"),
        ("pagesize=2", "pagesize", "unknown_field"),
    ],
)
def test_a_query_that_cannot_be_taken_is_told_by_field(
    program: Program, world: World, query: str, field: str, code: str
):
    refused = program.get(f"/products?{query}")
    assert refused.status_code == 422
    assert refused.mimetype == "application/problem+json"
    (told,) = refused.json["errors"]
    assert (told["field"], told["code"]) == (field, code)


@pytest.mark.parametrize("slug", ["no-such-thing", "a" * 500, "wi-fi%2F6"])
def test_what_is_not_sold_is_not_found(program: Program, world: World, slug: str):
    refused = program.get(f"/products/{slug}")
    assert refused.status_code == 404
    assert refused.mimetype == "application/problem+json"
