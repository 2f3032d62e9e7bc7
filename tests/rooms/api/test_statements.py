"""How often a program's request asks the database: within its bound, however much there is."""

from tests import world as worlds
from tests.rooms.api.conftest import Program, wish
from tests.rooms.web.looking import statements
from tests.shop import Shop
from tests.world import World

FEW, MANY = 3, 60
BOUNDS = {
    "list": 3,
    "category": 3,
    "next page": 3,
    "product": 3,
    "new cart": 1,
    "add": 7,
    "add a service": 5,
    "add again": 8,
    "change a line": 10,
    "take a line out": 8,
    "cart": 5,
    "order followed": 9,
}


def _stock_up(shop: Shop, world: World, count: int) -> list[str]:
    now = shop.house.clock.now()
    with shop.house.db.transaction() as session:
        shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
        key = shelf.category(f"of-{count}", "Many", 9)
        made = [
            shelf.put(key, f"T-{count}-{n}", f"T {count} {n}", "physical", "device", "9.00", 50)
            for n in range(count)
        ]
    return [goods.sku for goods in made]


def _counts(program: Program, shop: Shop, skus: list[str]) -> dict[str, int]:
    """How many statements each request took, in a shop with these things."""
    found: dict[str, int] = {}

    def count(name: str, method: str, path: str, body: object = None, **more: object):
        with statements(shop.house.db) as sent:
            answer = program.ask(method, path, body, **more)
        assert answer.status_code < 300, answer.json
        found[name] = len(sent)
        return answer.json

    page = count("list", "GET", f"/products?page_size={len(skus)}")
    count("category", "GET", f"/products?category=of-{len(skus)}&page_size=100")
    count("next page", "GET", f"/products?page_size=100&cursor={page['next_cursor']}")
    count("product", "GET", f"/products/t-{len(skus)}-1")
    cart = f"/carts/{count('new cart', 'POST', '/carts')['id']}"
    for sku in skus:
        count("add", "POST", f"{cart}/lines", {"sku": sku, "quantity": 1})
    count("add a service", "POST", f"{cart}/lines", {"sku": "FW-VISIT", "quantity": 1})
    line = count("add again", "POST", f"{cart}/lines", {"sku": skus[0], "quantity": 1})
    count("change a line", "PATCH", f"{cart}/lines/{line['id']}", {"quantity": 5})
    count("take a line out", "DELETE", f"{cart}/lines/{line['id']}")
    count("cart", "GET", cart)
    order = program.order(cart, wish()).json
    shop.drain()
    headers = {"Authorization": f"Bearer {order['token']}"}
    count("order followed", "GET", f"/orders/{order['id']}", headers=headers)
    return found


def test_requests_ask_within_their_bound_however_many_rows_there_are(
    program: Program, shop: Shop, world: World
):
    program.get("/products")  # a lot of requests is taken from the limit
    program.order(program.cart("FW-VISIT"), wish())
    program.get(program.cart("FW-RT-6"))  # what the shop's rules say is kept from then on
    few = _counts(program, shop, _stock_up(shop, world, FEW))
    many = _counts(program, shop, _stock_up(shop, world, MANY))
    assert many == few
    assert {name: count for name, count in many.items() if count > BOUNDS[name]} == {}


def test_an_order_of_one_thing_takes_15_statements_at_most(
    program: Program, shop: Shop, world: World
):
    program.order(program.cart("FW-RT-6"), wish(), "before")
    cart = program.cart("FW-RT-6")
    with statements(shop.house.db) as sent:
        assert program.order(cart, wish()).status_code == 201
    assert len(sent) <= 15
