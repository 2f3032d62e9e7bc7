"""A headless shop's day over the JSON API: shelf, cart, checkout, the order by its token."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from core.kernel import crash
from core.kernel.clock import ManualClock
from core.orders.models import Order
from flows.reconcile import read_events
from flows.verify import verify
from invoices.models import Invoice
from payments.models import Payment
from tests.paying import CARD, gateway
from tests.sandbox_process import SandboxProcess
from tests.shop import Shop, ShopMaker
from tests.world import ADDRESS, World

V1 = "/api/v1"
BACK = "https://headless.example.com/done"


@pytest.fixture(scope="module")
def shops() -> ShopMaker:
    return ShopMaker()


@pytest.fixture
def shop(shops: ShopMaker, db, clock, world: World, sandbox: SandboxProcess, tmp_path) -> Shop:
    return shops.make(db, clock, tmp_path, gateway(sandbox))


@pytest.fixture
def program(shop: Shop) -> FlaskClient:
    return shop.client()


def _cart(program: FlaskClient, *skus: str) -> str:
    made = program.post(f"{V1}/carts", json={})
    assert made.status_code == 201
    for sku in skus:
        put = program.post(f"{V1}/carts/{made.json['id']}/lines", json={"sku": sku, "quantity": 1})
        assert put.status_code == 201, put.json
    return made.json["id"]


def _wish(method: str = "invoice", **more) -> dict:
    payment = {"method": method}
    if method == "card":
        payment["return_url"] = BACK
    address = {name: value for name, value in ADDRESS.items() if value}
    return {
        "email": "riley@example.com",
        "shipping_address": address,
        "shipping_method": "standard",
        "payment": payment,
        **more,
    }


def _order(program: FlaskClient, cart_id: str, wish: dict, key: str | None = "key-1"):
    headers = {"Idempotency-Key": key} if key else {}
    return program.post(f"{V1}/carts/{cart_id}/checkout", json=wish, headers=headers)


def _count(shop: Shop, model) -> int:
    with shop.house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model))


def test_an_order_by_bill_is_placed_and_billed(shop: Shop, program: FlaskClient, world: World):
    cart_id = _cart(program, world.router.sku, world.plan.sku)
    placed = _order(program, cart_id, _wish())
    assert placed.status_code == 201
    order = placed.json
    assert order["due_now"] == {"amount": 12900 + 4500 + 839, "currency": "USD"}
    assert "redirect_url" not in order
    shop.drain()
    assert _count(shop, Invoice) == 1
    seen = program.get(
        f"{V1}/orders/{order['id']}", headers={"Authorization": f"Bearer {order['token']}"}
    )
    assert seen.status_code == 200
    assert seen.json["number"] == "O-10001"
    house = shop.house
    assert [f for f in verify(house.db, house.clock, blobs=house.blobs) if not f.holds] == []


def test_an_order_by_card_is_confirmed_by_the_processors_webhook(
    shop: Shop, program: FlaskClient, sandbox: SandboxProcess, world: World
):
    placed = _order(program, _cart(program, world.router.sku), _wish("card"))
    assert placed.json["payment_status"] != "paid"
    seen = sandbox.pay(placed.json["redirect_url"], CARD)
    assert seen.redirect.startswith(BACK)
    read_events(shop.house)
    shop.drain()
    order = program.get(
        f"{V1}/orders/{placed.json['id']}",
        headers={"Authorization": f"Bearer {placed.json['token']}"},
    ).json
    assert (order["status"], order["payment_status"]) == ("confirmed", "paid")
    assert _count(shop, Payment) == 1


def test_a_cart_tells_ways_tax_and_totals_once_the_place_is_known(
    program: FlaskClient, world: World
):
    cart_id = _cart(program, world.router.sku, world.plan.sku)
    address = {name: value for name, value in ADDRESS.items() if value}
    told = program.patch(
        f"{V1}/carts/{cart_id}", json={"shipping_address": address, "shipping_method": "standard"}
    )
    assert told.status_code == 200
    assert told.json["due_now"] == {"amount": 18239, "currency": "USD"}
    (again,) = told.json["recurring"]
    assert again["amount"] == {"amount": 4500, "currency": "USD"}


@pytest.mark.parametrize("crashed", [False, True])
def test_the_same_key_gives_the_same_answer(
    crashed: bool, shop: Shop, program: FlaskClient, world: World
):
    cart_id = _cart(program, world.router.sku)
    if crashed:
        with crash.crash_at("once.before_answer_is_kept"):
            _order(program, cart_id, _wish())
        assert isinstance(shop.house.clock, ManualClock)
        shop.house.clock.advance(timedelta(minutes=2))
    first = _order(program, cart_id, _wish())
    second = _order(program, cart_id, _wish())
    assert first.status_code == second.status_code == 201
    assert first.json == second.json
    assert _count(shop, Order) == 1


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"key": None}, 400, "idempotency_key_missing"),
        ({"expected_total": {"amount": 1, "currency": "USD"}}, 409, "total_changed"),
        ({"email": "nobody"}, 422, "checkout_incomplete"),
        ({"payment": {"method": "cheque"}}, 422, "invalid_request"),
        ({"surprise": 1}, 422, "invalid_request"),
        (
            {"payment": {"method": "card", "return_url": "https://elsewhere.example.net/"}},
            422,
            "return_url_not_allowed",
        ),
    ],
)
def test_what_cannot_be_ordered_is_told_with_a_stable_code(
    change: dict, status: int, code: str, shop: Shop, program: FlaskClient, world: World
):
    key = change.get("key", "key-1")
    wish = {**_wish(), **{name: value for name, value in change.items() if name != "key"}}
    refused = _order(program, _cart(program, world.router.sku), wish, key)
    assert refused.status_code == status
    assert refused.mimetype == "application/problem+json"
    assert refused.json["code"] == code
    assert _count(shop, Order) == 0


def test_a_key_that_was_used_with_another_body_is_refused(program: FlaskClient, world: World):
    cart_id = _cart(program, world.router.sku)
    assert _order(program, cart_id, _wish()).status_code == 201
    other = _order(program, cart_id, _wish(email="other@example.com"))
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_an_order_is_nobodys_without_its_token(program: FlaskClient, world: World):
    order = _order(program, _cart(program, world.router.sku), _wish()).json
    for headers in ({}, {"Authorization": "Bearer " + "0" * 32}):
        refused = program.get(f"{V1}/orders/{order['id']}", headers=headers)
        assert refused.status_code in (401, 404)


def test_the_shelf_is_paged_and_says_what_can_be_had(program: FlaskClient, world: World):
    seen, cursor = [], None
    while True:
        query = f"?page_size=2&cursor={cursor}" if cursor else "?page_size=2"
        page = program.get(f"{V1}/products{query}").json
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    variants = {v["sku"]: v for product in seen for v in product["variants"]}
    assert variants[world.camera.sku]["quantity"] == 4
    assert variants[world.visit.sku]["available"] is True
    assert len(seen) == 4


def test_a_forged_webhook_is_not_believed(program: FlaskClient, world: World):
    refused = program.post(
        "/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": "t=1,v1=00"}
    )
    assert refused.status_code == 400
