"""Orders, stock and customers by a key of the desk: what is answered has its shape, and happens once."""

from typing import Any

import pytest
from pydantic import BaseModel

from api import change_shapes as changes
from api import order_shapes as shapes
from api import product_shapes as goods
from api import stock_shapes as stocks
from core.orders.fulfilment_models import Fulfilment
from tests.changing import to_two_places
from tests.quoting import UNTAXED, YARD
from tests.rooms.api.conftest import Program, bearers, wish
from tests.shop import Shop
from tests.world import ADDRESS, World


@pytest.fixture
def desk(program: Program, shop: Shop, world: World) -> Any:
    token = bearers(shop)["desk"]

    def ask(method: str, path: str, body: Any = None, key: str = "", token: str = token) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        if key:
            headers["Idempotency-Key"] = key
        return program.ask(method, f"/desk{path}", body, headers=headers)

    return ask


def _true(shape: type[BaseModel], answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.json
    shape.model_validate_json(answer.data)
    return answer.json


@pytest.fixture
def placed(program: Program, shop: Shop, world: World) -> Any:
    found = program.order(program.cart("FW-RT-6", "FW-CAM-1", "FW-VISIT"), wish()).json
    shop.drain()
    return found


@pytest.fixture
def order(placed: Any) -> str:
    return placed["id"]


def test_an_order_is_sent_done_cancelled_and_taken_back(desk, order, shop: Shop):
    path = f"/orders/{order}"
    found = _true(shapes.DeskOrderAnswer, desk("GET", path))
    lines = {line["sku"]: line["line"] for line in found["lines"]}
    router, camera, visit = lines["FW-RT-6"], lines["FW-CAM-1"], lines["FW-VISIT"]
    parcel = {
        "lines": [{"line": router, "quantity": 1}],
        "carrier": "UPS",
        "tracking_number": "1Z1",
    }
    for _ in range(2):
        sent = _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/ship", parcel, "ship-1"))
    assert sent["fulfilment_status"] == "partial"
    assert sent["fulfilments"][0]["tracking_link"].startswith("https://www.ups.com/")
    with shop.house.db.reading() as session:
        assert session.query(Fulfilment).count() == 1
    refused = desk("POST", f"{path}/ship", parcel, "ship-2")
    assert (refused.status_code, refused.json["code"]) == (409, "too_many_pieces")
    done = {"lines": [{"line": visit, "quantity": 1}]}
    _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/fulfil", done, "d"))
    gone = {"lines": [{"line": camera, "quantity": 1}], "reason": "not_available"}
    ended = _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/cancel", gone, "c"))
    assert ended["status"] == "completed"
    back = {"lines": [{"line": router, "quantity": 1}], "reason": "damaged"}
    told = _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/returns", back, "r"))
    change = told["changes"][-1]
    assert change["status"] == "announced"
    here = desk("POST", f"/returns/{change['id']}/receive", {"restock": False}, "h")
    assert _true(shapes.DeskOrderAnswer, here)["changes"][-1]["status"] == "done"
    late = desk("POST", f"/returns/{change['id']}/withdraw", {}, "w")
    assert (late.status_code, late.json["code"]) == (409, "stale_state")
    money = {"amount": {"amount": 100, "currency": "USD"}, "reason": "A courtesy"}
    too_much = desk("POST", f"{path}/refund", money, "m")
    assert too_much.json["code"] == "refund_too_much"
    shop.drain()


def test_a_return_is_asked_for_by_the_orders_token_and_answered(desk, placed, program: Program):
    path, token = f"/orders/{placed['id']}", {"Authorization": f"Bearer {placed['token']}"}
    parcel = {"lines": [{"line": 1, "quantity": 1}, {"line": 2, "quantity": 1}], "carrier": "UPS"}
    _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/ship", parcel, "s"))

    def ask(line: int, key: str, headers: dict[str, str] = token) -> Any:
        body = {"lines": [{"line": line, "quantity": 1}], "reason": "damaged", "note": "A crack"}
        return program.post(f"{path}/returns", body, headers={**headers, "Idempotency-Key": key})

    assert ask(1, "a", {"Authorization": "Bearer x"}).status_code == 401
    asked = _true(shapes.ReturnAsked, ask(1, "a"), 201)
    assert _true(shapes.ReturnAsked, ask(1, "a"), 201) == asked
    assert (asked["status"], asked["lines"]) == ("asked", [{"line": 1, "quantity": 1}])
    assert ask(2, "b").json["code"] == "return_asked_already"
    no = desk("POST", f"/returns/{asked['id']}/decline", {"answer": "It was used."}, "n")
    change = _true(shapes.DeskOrderAnswer, no)["changes"][-1]
    assert (change["status"], change["answer"]) == ("declined", "It was used.")
    late = desk("POST", f"/returns/{asked['id']}/accept", {}, "y")
    assert (late.status_code, late.json["code"]) == (409, "stale_state")
    second = _true(shapes.ReturnAsked, ask(2, "c"), 201)
    yes = desk("POST", f"/returns/{second['id']}/accept", {}, "z")
    assert _true(shapes.DeskOrderAnswer, yes)["changes"][-1]["status"] == "announced"


def test_lists_go_on_by_cursor_and_are_narrowed(desk, order, program: Program, world: World):
    program.order(program.cart("FW-CAM-1"), wish(), key="another")
    first = _true(shapes.DeskOrderPage, desk("GET", "/orders?page_size=1"))
    following = desk("GET", f"/orders?page_size=1&cursor={first['next_cursor']}")
    second = _true(shapes.DeskOrderPage, following)
    assert [first["items"][0]["id"], second["items"][0]["id"]][-1] == order
    assert second["next_cursor"] is None
    waiting = _true(shapes.DeskOrderPage, desk("GET", "/orders?fulfilment=waiting&q=FW-VISIT"))
    assert [one["id"] for one in waiting["items"]] == [order]
    level = _true(shapes.StockPage, desk("GET", "/stock?page_size=1"))
    more = _true(shapes.StockPage, desk("GET", f"/stock?cursor={level['next_cursor']}"))
    assert [one["sku"] for one in (*level["items"], *more["items"])] == ["FW-CAM-1", "FW-RT-6"]
    people = _true(shapes.CustomerPage, desk("GET", "/customers?page_size=1"))
    assert people["next_cursor"] is not None
    assert desk("GET", "/customers?cursor=nonsense").status_code == 422


def test_stock_is_corrected_once_and_never_below_what_is_sold(desk, order):
    asked = {"sku": "FW-CAM-1", "location": "harbor", "reason": "received", "quantity": 5}
    for _ in range(2):
        level = _true(shapes.LevelAnswer, desk("POST", "/stock/adjustments", asked, "s"))
    assert (level["on_hand"], level["allocated"]) == (9, 1)
    low = asked | {"reason": "counted", "quantity": 0}
    assert desk("POST", "/stock/adjustments", low, "l").json["code"] == "below_promised"
    stale = low | {"on_hand_seen": 4}
    assert desk("POST", "/stock/adjustments", stale, "x").json["code"] == "stale_state"
    nowhere = asked | {"location": "moon"}
    assert desk("POST", "/stock/adjustments", nowhere, "n").status_code == 404


def test_a_place_says_where_it_stands_and_a_level_what_it_allows(desk):
    where = {"name": "Mill", "country": "us", "region": "PA", "postal_prefix": "150"}
    place = _true(stocks.LocationAnswer, desk("PUT", "/locations/mill", where))
    assert (place["country"], place["priority"]) == ("US", 0)
    listed = _true(stocks.LocationList, desk("GET", "/locations"))["items"]
    assert [one["code"] for one in listed] == ["harbor", "mill"]
    assert desk("PUT", "/locations/mill", where | {"country": ""}).status_code == 422
    asked = {"sku": "FW-CAM-1", "location": "mill", "preorder_limit": 2, "safety_stock": 1}
    level = desk("PUT", "/stock/limits", asked | {"expected_on": "2026-12-24"})
    told = _true(shapes.LevelAnswer, level)
    assert (told["available"], told["expected_on"]) == (1, "2026-12-24")
    assert desk("PUT", "/stock/limits", asked | {"location": "moon"}).status_code == 404


def test_stock_goes_between_places_and_comes_by_file(desk):
    assert desk("PUT", "/locations/mill", {"name": "Mill"}).status_code == 200
    asked = {"sku": "FW-CAM-1", "source": "harbor", "target": "mill", "quantity": 2}
    sent = _true(stocks.TransferAnswer, desk("POST", "/transfers", asked, "t"), 201)
    assert (sent["state"], sent["quantity"]) == ("on_the_way", 2)
    too_many = asked | {"quantity": 9}
    assert desk("POST", "/transfers", too_many, "u").json["code"] == "not_free"
    path = f"/transfers/{sent['id']}/arrivals"
    assert desk("POST", path, {"arrived": 3}, "v").status_code == 422
    done = _true(stocks.TransferAnswer, desk("POST", path, {"arrived": 1, "lost": 1}, "w"))
    assert (done["state"], done["arrived"], done["lost"]) == ("done", 1, 1)
    assert len(_true(stocks.TransferPage, desk("GET", "/transfers?state=done"))["items"]) == 1
    file = {"csv": "sku,location,pieces\nFW-CAM-1,mill,7\nFW-CAM-1,moon,1\n"}
    looked = _true(stocks.SheetAnswer, desk("POST", "/stock/imports", file, "x"))
    assert [bool(one["wrong"]) for one in looked["lines"]] == [False, True]
    good = {"csv": "sku,location,pieces\nFW-CAM-1,mill,7\n", "apply": True}
    applied = _true(stocks.SheetAnswer, desk("POST", "/stock/imports", good, "y"))
    assert (applied["applied"], applied["lines"][0]["after"]) == (True, 7)
    stale = good | {"mark": "0" * 32}
    assert desk("POST", "/stock/imports", stale, "z").json["code"] == "stock_moved"


def test_how_carts_hold_is_set_for_a_product_and_told_when_it_is_too_many(desk, program: Program):
    wish = {"product": "porch-camera", "minutes": 10, "most_for_one": 1}
    row = _true(stocks.HoldPolicyAnswer, desk("PUT", "/hold-policies", wish))
    assert (row["segment"], row["extends"], row["most_for_one"]) == ("", True, 1)
    assert desk("PUT", "/hold-policies", wish | {"product": "moon"}).status_code == 422
    cart = program.post("/carts", {}).json["id"]
    line = {"sku": "FW-CAM-1", "quantity": 2}
    refused = program.post(f"/carts/{cart}/lines", line)
    assert (refused.status_code, refused.json["code"]) == (422, "too_many_for_one")
    assert desk("DELETE", f"/hold-policies/{row['id']}").status_code == 204
    assert _true(stocks.HoldPolicyList, desk("GET", "/hold-policies"))["items"] == []
    assert program.post(f"/carts/{cart}/lines", line).status_code == 201


def test_things_are_priced_on_lists_plans_recur_and_bundles_hold_pieces(desk, program: Program):
    made = desk("POST", "/price-lists", {"code": "summer", "priority": 5})
    assert _true(goods.PriceListAnswer, made, 201)["currency"] == "USD"
    assert desk("POST", "/price-lists", {"code": "summer"}).status_code == 422
    codes = [
        one["code"] for one in _true(goods.PriceListList, desk("GET", "/price-lists"))["items"]
    ]
    assert codes == ["summer", "web-usd"]
    plan = {"interval": "year", "family": "care", "features": ["care"]}
    thing = {"name": "Care", "kind": "plan", "tax_category": "service", "price": "60", "plan": plan}
    words = {"slug": "care", "name": "Care", "pictures": ["img/products/plug.svg"]}
    wish = words | {"category": "devices", "variant": thing | {"sku": "CARE-Y"}}
    lacks: list[dict[str, Any]] = [{"plan": None}, {"kind": "service"}, {"price": None}]
    for number, wrong in enumerate(lacks):
        lacking = words | {"category": "devices", "variant": thing | {"sku": "CARE-Y"} | wrong}
        assert desk("POST", "/products", lacking, f"wrong{number}").status_code == 422
    assert desk("POST", "/products", wish, "care").status_code == 201
    path = "/products/care/variants"
    cheap = {"list": "summer", "price": "48.50", "min_quantity": 3}
    told = _true(goods.VariantPrices, desk("PUT", f"{path}/CARE-Y/prices", cheap))
    assert told["plan"] == plan | {"activation": "by_hand"}
    assert [(one["list"], one["price"], one["min_quantity"]) for one in told["prices"]] == [
        ("summer", "48.50", 3),
        ("web-usd", "60.00", 1),
    ]
    gone = desk("PUT", f"{path}/CARE-Y/prices", cheap | {"price": None})
    assert len(_true(goods.VariantPrices, gone)["prices"]) == 1
    pack = {"sku": "PACK-1", "name": "Pack", "kind": "bundle", "tax_category": "device"}
    assert desk("POST", path, pack, "pack").status_code == 201
    inside = {"pieces": [{"sku": "CARE-Y", "quantity": 1, "weight": 60}]}
    assert desk("PUT", f"{path}/PACK-1/pieces", inside).json["pieces"][0]["sku"] == "CARE-Y"
    assert desk("PUT", f"{path}/CARE-Y/pieces", inside).status_code == 404
    yearly = {"list": "web-usd", "price": "55", "charge_kind": "yearly"}
    assert desk("PUT", f"{path}/PACK-1/prices", yearly).status_code == 200
    assert desk("PATCH", "/products/care", {"active": True}).status_code == 200
    sold = {
        one["sku"]: one["price"]["amount"] for one in program.get("/products/care").json["variants"]
    }
    assert sold == {"CARE-Y": 6000, "PACK-1": 5500}
    ended = desk("POST", "/price-lists/summer/end")
    assert _true(goods.PriceListAnswer, ended)["valid_to"] is not None
    assert desk("POST", "/price-lists/web-usd/end").status_code == 422


def test_a_customer_is_opened_read_and_changed_as_it_was_seen(desk):
    new = {"name": "Theo Marsh", "email": "theo@example.com"}
    made = _true(shapes.CustomerAnswer, desk("POST", "/customers", new, "t"), 201)
    assert desk("POST", "/customers", new, "t").json == made
    path = f"/customers/{made['number']}"
    assert _true(shapes.CustomerAnswer, desk("GET", path)) == made
    changed = new | {"name": "Theo Hale", "revision": made["revision"]}
    assert _true(shapes.CustomerAnswer, desk("PUT", path, changed))["name"] == "Theo Hale"
    assert desk("PUT", path, changed).json["code"] == "stale_state"
    wrong = new | {"email": "nobody", "address": None}
    assert desk("PUT", path, wrong).status_code == 422


def test_a_product_is_made_priced_shown_and_changed_only_as_it_was_seen(desk, program: Program):
    thing = {
        "sku": "LAMP-1",
        "name": "Lamp",
        "kind": "physical",
        "tax_category": "device",
        "price": "12.50",
    }
    wish_ = {
        "slug": "lamp",
        "name": "Lamp",
        "pictures": ["img/products/plug.svg"],
        "category": "devices",
        "variant": thing,
    }
    made = _true(goods.DeskProductAnswer, desk("POST", "/products", wish_, "p"), 201)
    assert desk("POST", "/products", wish_, "p").json == made
    assert made["variants"][0]["price"] == {"amount": 1250, "currency": "USD"}
    assert program.get("/products/lamp").status_code == 404
    shown = {"active": True, "revision": made["revision"]}
    now = _true(goods.DeskProductAnswer, desk("PATCH", "/products/lamp", shown))
    assert program.get("/products/lamp").status_code == 200
    stale = desk("PATCH", "/products/lamp", {"name": "Other", "revision": made["revision"]})
    assert stale.json["code"] == "stale_state"
    renamed = desk("PATCH", "/products/lamp", {"name": "Other", "revision": now["revision"]})
    assert renamed.headers["ETag"] == f'"{renamed.json["revision"]}"'
    dearer = desk("PATCH", "/products/lamp/variants/LAMP-1", {"price": "14"})
    price = _true(goods.DeskProductAnswer, dearer)["variants"][0]["price"]
    assert price["amount"] == 1400
    more = desk("POST", "/products/lamp/variants", thing | {"sku": "LAMP-2"}, "v")
    assert len(_true(goods.DeskProductAnswer, more, 201)["variants"]) == 2
    two = ["img/products/router.svg", "img/products/plug.svg"]
    drawn = desk("PATCH", "/products/lamp", {"pictures": two})
    assert _true(goods.DeskProductAnswer, drawn)["pictures"] == two
    told = program.get("/products/lamp").json
    assert [one["sources"][0]["href"].partition("?")[0][-10:] for one in told["pictures"]] == [
        "router.svg",
        "s/plug.svg",
    ]
    for wrong in (["img/products/none.svg"], ["img/../css/a.svg"], ["media:" + "0" * 32], []):
        refused = desk("PATCH", "/products/lamp", {"pictures": wrong})
        assert refused.status_code == 422
    assert desk("PATCH", "/products/lamp", {"slug": "lantern"}).json["slug"] == "lantern"
    assert desk("PATCH", "/products/lantern", {"slug": "lamp"}).json["slug"] == "lamp"
    taken = desk("POST", "/products/lamp/variants", thing, "w")
    assert (taken.status_code, taken.json["code"]) == (422, "invalid_request")
    page = _true(goods.DeskProductPage, desk("GET", "/products?page_size=2"))
    following = desk("GET", f"/products?cursor={page['next_cursor']}")
    assert _true(goods.DeskProductPage, following)["items"][-1]["slug"] == "lamp"
    assert desk("GET", "/products/nothing").status_code == 404


def test_of_an_order_for_several_places_a_program_says_which(desk, shop: Shop, world: World):
    order = to_two_places(shop.house, world, UNTAXED)
    path = f"/orders/{order.public_id}"
    found = _true(shapes.DeskOrderAnswer, desk("GET", path))
    there = next(one["line"] for one in found["lines"] if one["place"]["region"] == "OR")
    edits: dict[str, Any] = {"added": [{"sku": "FW-RIVER-100", "place": there}]}
    again = _true(changes.ChangePreview, desk("POST", f"{path}/changes/preview", edits))
    assert [one["interval"] for one in again["recurring"]] == ["month"]
    edits = {"added": [{"sku": "FW-CAM-1"}]}
    refused = desk("POST", f"{path}/changes/preview", edits)
    assert (refused.status_code, refused.json["code"]) == (409, "several_places")
    wrong = {"added": [{"sku": "FW-CAM-1", "place": 99}]}
    assert desk("POST", f"{path}/changes/preview", wrong).status_code == 422
    edits = {
        "added": [{"sku": "FW-CAM-1", "place": there}],
        "shipping_address": {**YARD, "line2": "", "phone": ""},
        "place": there,
    }
    plan = _true(changes.ChangePreview, desk("POST", f"{path}/changes/preview", edits))
    made = {**edits, "token": plan["token"], "reason": "changed_mind"}
    told = _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/changes", made, "c1"))
    assert {line["place"]["name"] for line in told["lines"] if line["change"]} == {YARD["name"]}


def test_an_order_is_changed_as_it_was_seen_and_a_return_exchanged(desk, order, shop: Shop):
    path = f"/orders/{order}"
    found = _true(shapes.DeskOrderAnswer, desk("GET", path))
    lines = {line["sku"]: line["line"] for line in found["lines"]}
    router, camera = lines["FW-RT-6"], lines["FW-CAM-1"]
    edits = {
        "quantities": [{"line": router, "quantity": 2}],
        "swaps": [{"line": camera, "sku": "FW-RT-6"}],
    }
    plan = _true(changes.ChangePreview, desk("POST", f"{path}/changes/preview", edits))
    assert plan["difference"]["amount"] == plan["billed"]["amount"] - plan["credited"]["amount"]
    twice = {**edits, "quantities": [*edits["quantities"], {"line": camera, "quantity": 0}]}
    assert desk("POST", f"{path}/changes/preview", twice).status_code == 422
    nothing = desk("POST", f"{path}/changes/preview", {})
    assert (nothing.status_code, nothing.json["code"]) == (409, "nothing_changes")
    nowhere = {"shipping_address": {**ADDRESS, "country": "XX"}}
    assert desk("POST", f"{path}/changes/preview", nowhere).status_code in (409, 422)
    made = {**edits, "token": plan["token"], "reason": "changed_mind"}
    stale = desk("POST", f"{path}/changes", {**made, "token": "5.x"}, "c0")
    assert (stale.status_code, stale.json["code"]) == (409, "preview_stale")
    for _ in range(2):
        told = _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/changes", made, "c1"))
    (change,) = told["changes"]
    assert (change["kind"], change["lines"]) == ("change", [{"line": camera, "quantity": 1}])
    added = [line for line in told["lines"] if line["change"] == change["id"]]
    assert sorted((line["sku"], line["quantity"]) for line in added) == [
        ("FW-RT-6", 1),
        ("FW-RT-6", 1),
    ]
    parcel = {"lines": [{"line": router, "quantity": 1}]}
    _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/ship", parcel, "s"))
    back = {
        "lines": parcel["lines"],
        "reason": "damaged",
        "instead": [{"line": router, "sku": "FW-RT-6"}],
    }
    told = _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/returns", back, "r"))
    exchange = told["changes"][-1]["exchange"]
    assert exchange == {"status": "held", "send": "after", "lines": back["instead"]}
    key = told["changes"][-1]["id"]
    money = _true(shapes.DeskOrderAnswer, desk("POST", f"/returns/{key}/money", {}, "m"))
    assert money["changes"][-1]["exchange"]["status"] == "let_go"
    off = desk("POST", f"/returns/{key}/withdraw", {"replacement": "billed"}, "w")
    assert _true(shapes.DeskOrderAnswer, off)["changes"][-1]["status"] == "withdrawn"
    shop.drain()


def test_a_customer_asks_for_the_same_again_by_the_orders_token(desk, placed, program: Program):
    path, token = f"/orders/{placed['id']}", {"Authorization": f"Bearer {placed['token']}"}
    parcel = {"lines": [{"line": 1, "quantity": 1}]}
    _true(shapes.DeskOrderAnswer, desk("POST", f"{path}/ship", parcel, "s"))

    def ask(sku: str, key: str) -> Any:
        body = {**parcel, "reason": "damaged", "instead": [{"line": 1, "sku": sku}]}
        return program.post(f"{path}/returns", body, headers={**token, "Idempotency-Key": key})

    other = ask("FW-CAM-1", "a")
    assert (other.status_code, other.json["code"]) == (409, "exchange_not_offered")
    asked = _true(shapes.ReturnAsked, ask("FW-RT-6", "b"), 201)
    assert asked["exchange"]["status"] == "wanted"
    yes = desk("POST", f"/returns/{asked['id']}/accept", {"send": "before"}, "z")
    change = _true(shapes.DeskOrderAnswer, yes)["changes"][-1]
    assert (change["exchange"]["status"], change["exchange"]["send"]) == ("added", "before")
    seen = program.ask("GET", path, headers=token).json
    assert [(line["sku"], line["quantity"]) for line in seen["added"]] == [("FW-RT-6", 1)]
