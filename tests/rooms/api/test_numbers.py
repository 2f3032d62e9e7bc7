"""Numbers and keys by a program: pools by the desk's key, choosing by a buyer's."""

from tests.rooms.api.conftest import Program, bearers, wish
from tests.shop import Shop
from tests.world import World

FREE = [f"020 7946 01{n:02}" for n in range(5)]


def test_a_key_keeps_a_pool_and_a_buyer_chooses_from_it(program: Program, shop: Shop, world: World):
    key = {"Authorization": f"Bearer {bearers(shop)['desk']}"}
    sku, slug = world.plan.sku, world.plan.slug
    assert program.get(f"/products/{slug}/variants/{sku}/numbers").status_code == 404
    asked = {"sku": sku, "kind": "number", "picked": True, "quarantine_days": 7}
    made = program.ask("POST", "/desk/pools", asked, headers=key)
    assert (made.status_code, made.json["counts"]["free"]) == (201, 0)
    again = program.ask("POST", "/desk/pools", asked, headers=key)
    assert (again.status_code, again.json["code"]) == (409, "has_numbers")
    once = key | {"Idempotency-Key": "first-block"}
    for _ in range(2):
        added = program.ask("POST", f"/desk/pools/{sku}/numbers", {"values": FREE}, headers=once)
        assert (added.status_code, added.json) == (201, {"added": 5})
    twice = key | {"Idempotency-Key": "second-block"}
    refused = program.ask(
        "POST", f"/desk/pools/{sku}/numbers", {"values": ["02079460100"]}, headers=twice
    )
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "values")

    page = program.get(f"/products/{slug}/variants/{sku}/numbers?page_size=3").json
    assert [one["value"] for one in page["items"]] == FREE[:3]
    rest = program.get(
        f"/products/{slug}/variants/{sku}/numbers?page_size=3&cursor={page['next_cursor']}"
    ).json
    assert ([one["value"] for one in rest["items"]], rest["next_cursor"]) == (FREE[3:], None)
    found = program.get(f"/products/{slug}/variants/{sku}/numbers?q=0103").json
    assert [one["value"] for one in found["items"]] == [FREE[3]]

    cart = program.cart()
    put = {"sku": sku, "quantity": 1, "number": FREE[3]}
    line = program.ask("POST", f"{cart}/lines", put).json
    other = program.ask("POST", f"{program.cart()}/lines", put)
    assert (other.status_code, other.json["code"], other.json["value"]) == (
        409,
        "number_taken",
        FREE[3],
    )
    unknown = program.ask("POST", f"{cart}/lines", put | {"number": "999"})
    assert (unknown.status_code, unknown.json["code"]) == (422, "no_such_number")
    changed = program.ask("PUT", f"{cart}/lines/{line['id']}/number", {"number": FREE[1]}).json
    assert changed["lines"][0]["numbers"] == [{"value": FREE[1], "held": True}]
    placed = program.order(cart, wish())
    assert placed.status_code == 201
    assert program.follow(placed.json).json["lines"][0]["numbers"] == [FREE[1]]
    rows = program.get(f"/desk/pools/{sku}/numbers?state=assigned", headers=key).json["items"]
    assert [(one["value"], one["order_id"]) for one in rows] == [(FREE[1], placed.json["id"])]

    free = program.get(f"/desk/pools/{sku}/numbers?state=free&q=0100", headers=key).json["items"]
    path = f"/desk/pools/{sku}/numbers/{free[0]['id']}"
    gone = program.ask("POST", f"{path}/withdraw", {"note": "Ported"}, headers=key)
    assert (gone.status_code, gone.json["state"]) == (200, "withdrawn")
    wrong = program.ask("POST", f"{path}/release", {}, headers=key)
    assert (wrong.status_code, wrong.json["code"]) == (409, "number_in_use")
    assert program.ask("POST", f"{path}/restore", {}, headers=key).json["state"] == "free"
    terms = {"picked": False, "quarantine_days": None}
    told = program.ask("PUT", f"/desk/pools/{sku}", terms, headers=key).json
    assert (told["picked"], told["quarantine_days"], told["counts"]["assigned"]) == (False, None, 1)
    assert program.get(f"/products/{slug}/variants/{sku}/numbers").status_code == 404
