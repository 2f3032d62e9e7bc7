"""Checkout: once for each key, whatever goes wrong on the way."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.web import create_app
from core.kernel import crash, idempotency
from core.kernel.idempotency import IdempotencyKey
from core.orders.models import Order
from flows import reconcile
from flows.abandon_payment import abandon
from flows.verify import verify
from invoices.models import Invoice
from payments.models import PaymentOperation
from tests.paying import CARD
from tests.rooms.api.conftest import Program, wish
from tests.sandbox_process import SandboxProcess
from tests.shop import Shop
from tests.world import ADDRESS, World

SESSIONS = "/v1/checkout/sessions"


def _all(shop: Shop, model):
    with shop.house.db.reading() as session:
        return session.scalars(select(model)).all()


def _count(shop: Shop, model) -> int:
    with shop.house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model))


def _is_sound(shop: Shop) -> bool:
    house = shop.house
    shop.drain()
    return all(line.holds for line in verify(house.db, house.clock, blobs=house.blobs))


def test_an_order_by_invoice_is_placed_at_once_on_the_guests_own_account(
    program: Program, shop: Shop, world: World
):
    placed = program.order(program.cart("FW-RT-6"), wish())
    assert placed.status_code == 201
    assert placed.headers["Location"] == f"/api/v1/orders/{placed.json['id']}"
    assert placed.json == {
        "id": placed.json["id"],
        "token": shop.house.links.order_token(placed.json["id"]),
        "number": "O-10001",
        "status": "confirmed",
        "payment_status": "on_terms",
        "fulfilment_status": "unfulfilled",
        "held": False,
        "due_now": {"amount": 13739, "currency": "USD"},
        "worth": {"amount": 13739, "currency": "USD"},
        "tenders": [
            {
                "kind": "terms",
                "label": "By bill",
                "amount": {"amount": 13739, "currency": "USD"},
            }
        ],
    }
    assert _is_sound(shop)
    (invoice,) = _all(shop, Invoice)
    (bill,) = program.follow(placed.json).json["bills"]
    assert bill["number"] == invoice.number
    assert bill["open"] == {"amount": 13739, "currency": "USD"}


def test_an_order_by_card_waits_for_its_payment_and_comes_back_to_the_program(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World
):
    placed = program.order(program.cart("FW-RT-6"), wish("card")).json
    assert (placed["status"], placed["payment_status"], placed["number"]) == (
        "pending",
        "awaiting",
        None,
    )
    assert placed["redirect_url"].startswith(sandbox.base_url)
    seen = sandbox.pay(placed["redirect_url"], CARD)
    assert (
        seen.redirect == f"https://headless.example.com/done?order={placed['id']}&checkout=complete"
    )


@pytest.mark.parametrize("method", ["card", "invoice"])
def test_the_same_key_answers_the_same_order_also_when_it_has_moved_on(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World, method: str
):
    cart = program.cart("FW-RT-6")
    first = program.order(cart, wish(method))
    with shop.house.db.reading() as session:
        order = session.scalars(select(Order)).one()
    if method == "card":
        abandon(shop.house, order.id, "came_back")
    second = program.order(cart, wish(method))
    assert (second.status_code, second.json) == (201, first.json)
    assert _count(shop, Order) == 1


def test_however_its_json_is_written_the_same_wish_is_the_same(program: Program, world: World):
    cart = program.cart("FW-RT-6")
    first = program.order(cart, wish())
    asked = wish()
    turned = dict(reversed(list(asked.items())))
    turned["shipping_address"] = {k: v for k, v in ADDRESS.items() if v}
    assert program.order(cart, turned).json == first.json


def test_another_key_for_an_ordered_cart_answers_its_one_order(
    program: Program, shop: Shop, world: World
):
    cart = program.cart("FW-RT-6")
    first, second = (program.order(cart, wish(), key) for key in ("one", "two"))
    assert second.json == first.json
    assert _count(shop, Order) == 1


def test_a_key_belongs_to_its_cart(program: Program, shop: Shop, world: World):
    one, other = (program.order(program.cart("FW-VISIT"), wish(), "same").json for _ in range(2))
    assert one["id"] != other["id"]


def test_a_key_under_way_is_told_with_when_to_come_back(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-RT-6")
    with crash.crash_at("once.before_answer_is_kept"):
        program.order(cart, wish("card"))
    refused = program.order(cart, wish("card"))
    assert (refused.status_code, refused.json["code"]) == (409, "idempotency_key_in_flight")
    assert refused.headers["Retry-After"] == "1"
    by_bill = program.order(cart, wish())
    assert (by_bill.status_code, by_bill.json["code"]) == (422, "idempotency_key_reused")
    other = program.order(cart, wish("card", email="other@example.com"))
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("point", ["place.written", "once.before_answer_is_kept"])
def test_a_crash_of_an_order_by_bill_leaves_nothing_and_the_key_free(
    program: Program, shop: Shop, world: World, point: str
):
    cart = program.cart("FW-RT-6")
    with crash.crash_at(point):
        program.order(cart, wish())
    assert _count(shop, Order) == _count(shop, IdempotencyKey) == 0
    placed = program.order(cart, wish())
    assert placed.status_code == 201
    assert program.order(cart, wish()).json == placed.json
    assert _count(shop, Order) == 1


def test_an_order_by_bill_asked_for_at_once_is_one_order_with_one_answer(
    program: Program, shop: Shop, world: World
):
    cart, start = program.cart("FW-RT-6"), threading.Barrier(3)
    told: list[tuple[int, Any]] = []

    def ask() -> None:
        start.wait(10)
        answer = program.order(cart, wish())
        told.append((answer.status_code, answer.json))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [status for status, _ in told] == [201, 201, 201]
    assert told[0] == told[1] == told[2]
    assert _count(shop, Order) == 1


@pytest.mark.parametrize(
    "point", ["place.written", "place.after_commit", "send.after_call", "send.after_commit"]
)
def test_a_crash_on_the_way_leaves_one_order_for_the_key(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World, point: str
):
    cart = program.cart("FW-RT-6")
    with crash.crash_at(point):
        program.order(cart, wish("card"))
    program.wait(idempotency.LEASE)
    placed = program.order(cart, wish("card"))
    assert placed.status_code == 201
    assert _count(shop, Order) == _count(shop, PaymentOperation) == 1
    assert len(sandbox.events) == len({event["id"] for event in sandbox.events})
    assert sandbox.pay(placed.json["redirect_url"], CARD).redirect


def test_a_processor_that_does_not_answer_leaves_the_key_free_to_go_on(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World
):
    cart = program.cart("FW-RT-6")
    sandbox.fault("drop_after_success", path=SESSIONS, times=1)
    refused = program.order(cart, wish("card"))
    assert (refused.status_code, refused.json["code"]) == (503, "payment_indeterminate")
    assert refused.headers["Retry-After"] == "5"
    assert _count(shop, IdempotencyKey) == 0
    placed = program.order(cart, wish("card"))
    assert placed.status_code == 201
    assert sandbox.pay(placed.json["redirect_url"], CARD).redirect
    assert _count(shop, Order) == 1


def test_asked_again_with_other_details_the_first_attempt_is_given_up(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World
):
    cart = program.cart("FW-CAM-1")
    first = program.order(cart, wish("card"), "one").json
    resumed = program.order(cart, wish("card"), "two").json
    assert resumed == first
    changed = program.order(cart, wish("card", email="june@example.com"), "three")
    assert changed.status_code == 201
    assert changed.json["id"] != first["id"]
    assert program.follow(first).json["status"] == "cancelled"
    assert sandbox.pay(first["redirect_url"], CARD).redirect is None
    (camera,) = program.get("/products/porch-camera").json["variants"]
    assert camera["quantity"] == 3


def test_while_it_is_paid_for_a_carts_lines_are_closed(program: Program, world: World):
    cart = program.cart("FW-CAM-1")
    program.order(cart, wish("card"))
    assert program.get(cart).json["state"] == "checking_out"
    refused = program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 1})
    assert (refused.status_code, refused.json["code"]) == (409, "cart_closed")


def test_a_payment_not_made_in_time_gives_the_cart_back(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World
):
    cart = program.cart("FW-CAM-1")
    order = program.order(cart, wish("card")).json
    program.wait(timedelta(hours=1))
    sandbox.set_clock(shop.house.clock.now().timestamp())
    reconcile.run(shop.house)
    assert program.follow(order).json["status"] == "cancelled"
    assert program.get(cart).json["state"] == "open"
    assert program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 1}).status_code == 201


def test_a_total_that_differs_is_answered_with_both(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-RT-6")
    shown = {"amount": 12900, "currency": "USD"}
    refused = program.order(cart, wish(expected_total=shown))
    assert (refused.status_code, refused.json["code"]) == (409, "total_changed")
    assert refused.json["expected"] == shown
    assert refused.json["actual"] == {"amount": 13739, "currency": "USD"}
    assert _count(shop, Order) == 0
    agreed = program.order(cart, wish(expected_total=refused.json["actual"]))
    assert agreed.status_code == 201, "a refusal leaves the key free"


def test_what_checkout_still_needs_is_told_by_field(program: Program, shop: Shop, world: World):
    address = {**ADDRESS, "postal_code": "4400", "region": "Ohio"}
    refused = program.order(program.cart(), wish(email="nobody", shipping_address=address))
    assert (refused.status_code, refused.json["code"]) == (422, "checkout_incomplete")
    assert {(told["field"], told["code"]) for told in refused.json["errors"]} == {
        ("lines", "cart_empty"),
        ("email", "email"),
        ("shipping_address.postal_code", "address"),
        ("shipping_address.region", "address"),
    }


def test_where_the_shop_does_not_bill_it_takes_cards_only(shop: Shop, world: World):
    rules = replace(shop.house.rules, payment_methods=("card",))
    house = replace(shop.house, rules=rules)
    program = Program(replace(shop, house=house, app=create_app(shop.settings, house)))
    refused = program.order(program.cart("FW-VISIT"), wish())
    assert (refused.status_code, refused.json["code"]) == (422, "checkout_incomplete")
    (told,) = refused.json["errors"]
    assert (told["field"], told["code"]) == ("payment.method", "payment_method")


def test_what_is_gone_meanwhile_is_told(program: Program, shop: Shop, world: World):
    cart = program.cart("FW-CAM-1")
    program.wait(timedelta(minutes=31))
    other = program.cart()
    program.post(f"{other}/lines", {"sku": "FW-CAM-1", "quantity": 4})
    refused = program.order(cart, wish())
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_stock")
    assert (refused.json["sku"], refused.json["available"]) == ("FW-CAM-1", 0)
    assert _count(shop, Order) == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://headless.example.com.evil.example.net/",
        "https://headless.example.com@evil.example.net/",
        "https://evil.example.net/#https://headless.example.com",
        "http://headless.example.com/",
        "https://headless.example.com:8443/",
        "//headless.example.com/",
        "javascript:alert(1)",
        "https://headless.example.com\\@evil.example.net/",
        "https://headless.example.com/done#fragment",
        "/done",
        "https://",
        "https://[headless.example.com/",
    ],
)
def test_payers_return_only_where_the_shop_lets_them(
    program: Program, shop: Shop, world: World, url: str
):
    asked = wish(payment={"method": "card", "return_url": url})
    refused = program.order(program.cart("FW-VISIT"), asked)
    assert (refused.status_code, refused.json["code"]) == (422, "return_url_not_allowed")
    assert refused.json["errors"][0]["field"] == "payment.return_url"
    assert _count(shop, Order) == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://headless.example.com/done?cart=1",
        "https://HEADLESS.example.com:443/",
        "https://headless.example.com",
    ],
)
def test_an_allowed_origin_may_be_written_in_any_way(program: Program, world: World, url: str):
    asked = wish(payment={"method": "card", "return_url": url})
    placed = program.order(program.cart("FW-VISIT"), asked)
    assert placed.status_code == 201, placed.json


def test_without_an_address_to_return_to_payers_come_to_our_own_page(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World
):
    placed = program.order(program.cart("FW-VISIT"), wish(payment={"method": "card"}))
    seen = sandbox.pay(placed.json["redirect_url"], CARD)
    assert seen.redirect.startswith(f"{shop.settings.base_url}/pay/")


@pytest.mark.parametrize("key", ["", " ", "é", "a" * 256, "two words"])
def test_a_key_that_is_none_is_refused(program: Program, world: World, key: str):
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    refused = program.post(f"{program.cart('FW-VISIT')}/checkout", wish(), headers=headers)
    assert (refused.status_code, refused.json["code"]) == (400, "idempotency_key_missing")


def test_no_stored_answer_opens_an_order(program: Program, shop: Shop, world: World):
    placed = program.order(program.cart("FW-VISIT"), wish()).json
    (kept,) = _all(shop, IdempotencyKey)
    assert kept.body["id"] == placed["id"]
    assert placed["token"] not in str(kept.body)


def test_an_order_is_followed_with_its_token_alone(program: Program, shop: Shop, world: World):
    placed = program.order(program.cart("FW-RT-6"), wish()).json
    other = program.order(program.cart("FW-VISIT"), wish()).json
    seen = program.follow(placed)
    assert seen.status_code == 200
    assert [line["sku"] for line in seen.json["lines"]] == ["FW-RT-6", "delivery:standard"]
    assert seen.json["tax"] == {"amount": 839, "currency": "USD"}
    for token in (None, "", other["token"], placed["token"].upper(), "é"):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        refused = program.get(f"/orders/{placed['id']}", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="order"'
    unknown = program.get("/orders/" + "0" * 32, headers={"Authorization": "Bearer x"})
    assert unknown.status_code == 401, "whether there is such an order is not told"
    basic = {"Authorization": f"Basic {placed['token']}"}
    assert program.get(f"/orders/{placed['id']}", headers=basic).status_code == 401
