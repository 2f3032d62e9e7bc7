"""Speaking to us: bodies, kinds, paths and methods that are none; limits; what the processor tells."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.kernel.jobs import Job
from payments.models import InboundEvent
from tests.paying import gateway
from tests.rooms.api.conftest import Program, wish
from tests.rooms.web.looking import writes
from tests.sandbox_process import SandboxProcess, WebhookCatcher
from tests.shop import Shop, make_shop
from tests.world import World

JSON = "application/json"
_SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b'{"sku', JSON, 400, "malformed_json"),
        (b"", JSON, 400, "malformed_json"),
        (b"\xff\xfe", JSON, 400, "malformed_json"),
        (b'{"sku": "\\ud800", "quantity": 1}', JSON, 400, "malformed_json"),
        (b"[" * 5000, JSON, 400, "malformed_json"),
        (b"sku=FW-CAM-1", "application/x-www-form-urlencoded", 415, "wrong_content_type"),
        (b"{}", "text/plain", 415, "wrong_content_type"),
        (b"{}", "", 415, "wrong_content_type"),
        (b"null", JSON, 422, "invalid_request"),
        (b'{"sku": "FW-CAM-1", "quantity": 1e400}', JSON, 422, "invalid_request"),
        (b'{"sku": "FW-CAM-1", "quantity": ' + b"9" * 5000 + b"}", JSON, 400, "malformed_json"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(
    program: Program, world: World, body: bytes, kind: str, status: int, code: str
):
    refused = program.ask("POST", f"{program.cart()}/lines", data=body, content_type=kind)
    assert (refused.status_code, refused.json["code"]) == (status, code)
    assert refused.mimetype == "application/problem+json"
    assert refused.json["type"] == f"urn:counterfoil:problem:{code}"
    assert refused.json["request_id"] == refused.headers["X-Request-Id"]


def test_a_body_that_is_too_large_is_not_read(program: Program, world: World):
    refused = program.ask(
        "POST", f"{program.cart()}/lines", data=b" " * (1024 * 1024 + 1), content_type=JSON
    )
    assert refused.status_code == 413
    assert refused.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/carts", 405),
        ("POST", "/products", 405),
        ("PUT", "/carts/" + "0" * 32, 405),
        ("GET", "/products/", 404),
    ],
)
def test_what_there_is_not_is_told_to_programs_as_a_problem(
    program: Program, world: World, method: str, path: str, status: int
):
    refused = program.ask(method, path)
    assert refused.status_code == status
    assert refused.mimetype == "application/problem+json"
    assert ("Allow" in refused.headers) == (status == 405)


def test_no_cookie_and_no_origin_counts(program: Program, shop: Shop, world: World):
    headers = {"Origin": "https://elsewhere.example.net", "Sec-Fetch-Site": "cross-site"}
    made = program.post("/carts", headers=headers)
    assert made.status_code == 201
    assert "Set-Cookie" not in made.headers


def test_reading_writes_nothing_but_the_count_of_requests(db, clock, world, sandbox, tmp_path):
    shop = make_shop(db, clock, tmp_path, gateway(sandbox), RATE_API="600 per minute")
    program = Program(shop)
    paths = ["/products", "/products/wi-fi-6-router", "/openapi.json"]
    program.get("/products")
    with writes(db) as seen:
        for path in paths * 3:
            assert program.get(path).status_code == 200
    assert seen == [], "a lot of twelve was taken with the first request"


def test_no_more_than_the_limit_pass_over_all_processes(db, clock, world, sandbox, tmp_path):
    shops = [
        make_shop(db, clock, tmp_path, gateway(sandbox), RATE_API="100 per minute")
        for _ in range(2)
    ]
    programs = [Program(shop) for shop in shops]
    answers = [programs[n % 2].get("/products").status_code for n in range(120)]
    assert answers[:98] == [200] * 98
    assert answers.count(200) == 100
    assert programs[0].get("/products").json["limit"] == "100 per minute"


def test_a_window_that_is_over_begins_anew(db, clock, world, sandbox, tmp_path):
    shop = make_shop(db, clock, tmp_path, gateway(sandbox), RATE_CHECKOUT="2 per minute")
    program = Program(shop)
    cart = program.cart("FW-VISIT")
    assert [program.order(cart, wish()).status_code for _ in range(3)] == [201, 201, 429]
    refused = program.order(cart, wish())
    assert refused.json["retry_after_seconds"] == int(refused.headers["Retry-After"])
    clock.advance(refused.json["retry_after_seconds"] * _SECOND)
    assert program.order(cart, wish()).status_code == 201


def test_what_the_processor_tells_is_stored_once_and_worked_on_later(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World
):
    placed = program.order(program.cart("FW-RT-6"), wish("card")).json
    with WebhookCatcher() as catcher:
        sandbox.send_webhooks_to(catcher.url)
        sandbox.pay(placed["redirect_url"])
        (told, *_) = catcher.wait_for("checkout.session.completed")
        sandbox.send_webhooks_to(None)
    for _ in range(2):
        answer = _tell(program, told.body, told.signature)
        assert (answer.status_code, answer.json) == (200, {"received": True})
    with shop.house.db.reading() as session:
        assert [row.event_id for row in session.scalars(select(InboundEvent))] == [told.event["id"]]
        assert session.scalars(select(Job).where(Job.name == "InboundReceived")).one()
    assert program.follow(placed).json["payment_status"] == "awaiting"
    shop.drain()
    assert program.follow(placed).json["payment_status"] == "paid"


def test_what_is_not_the_processors_word_is_not_stored(
    program: Program, shop: Shop, sandbox: SandboxProcess, world: World
):
    placed = program.order(program.cart("FW-RT-6"), wish("card")).json
    with WebhookCatcher() as catcher:
        sandbox.send_webhooks_to(catcher.url)
        sandbox.pay(placed["redirect_url"])
        (told, *_) = catcher.wait_for("checkout.session.completed")
        sandbox.send_webhooks_to(None)
    forged = told.body.replace(b"checkout.session.completed", b"checkout.session.expired\x20\x20")
    assert _tell(program, forged, told.signature).status_code == 400
    assert _tell(program, told.body, None).status_code == 400
    assert _tell(program, told.body, "t=1,v1=00").status_code == 400
    assert _tell(program, b"", "").status_code == 400
    program.wait(600 * _SECOND)
    stale = _tell(program, told.body, told.signature)
    assert (stale.status_code, stale.json["code"], stale.json["why"]) == (
        400,
        "webhook_refused",
        "stale",
    )
    with shop.house.db.reading() as session:
        assert session.scalars(select(InboundEvent)).all() == []


def _tell(program: Program, body: bytes, signature: str | None):
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return program.client.post("/webhooks/stripe", data=body, headers=headers, content_type=JSON)
