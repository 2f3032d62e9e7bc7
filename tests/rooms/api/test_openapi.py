"""The description: valid, complete, and true of what is answered."""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from pydantic import BaseModel, ValidationError
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from sqlalchemy import update
from werkzeug.test import TestResponse

from api import cart_shapes, openapi, shapes
from cart.models import Cart
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from tests import world as worlds
from tests.paying import gateway
from tests.rooms.api.conftest import Program, bearers, wish
from tests.sandbox_process import SandboxProcess
from tests.shop import BASE, Shop, ShopMaker
from tests.world import ADDRESS, NOW, World


def _true(shape: type[BaseModel], answer: TestResponse, status: int) -> Any:
    """The answer, once it has exactly the fields of its shape and their kinds."""
    assert answer.status_code == status, answer.json
    shape.model_validate_json(answer.data)
    return answer.json


def test_it_is_openapi_3_1(program: Program, world: World):
    answer = program.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json["openapi"] == "3.1.0"
    assert answer.json["servers"] == [{"url": f"{BASE}/api/v1"}]
    validate(answer.json)


def test_it_names_every_route_and_nothing_else(shop: Shop):
    served = {
        (method.lower(), rule.rule.removeprefix("/api/v1"))
        for rule in shop.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    told = {
        (one.method, one.path.replace("{", "<").replace("}", ">")) for one in openapi.OPERATIONS
    }
    assert told == served


def test_every_answer_has_the_shape_that_is_told(program: Program, shop: Shop, world: World):
    cart = _true(cart_shapes.CartAnswer, program.post("/carts"), 201)
    path = f"/carts/{cart['id']}"
    for sku in ("FW-RT-6", "FW-RIVER-100", "FW-VISIT"):
        line = {"sku": sku, "quantity": 2}
        added = _true(cart_shapes.LineAnswer, program.post(f"{path}/lines", line), 201)
        changed = program.patch(f"{path}/lines/{added['id']}", {"quantity": 1})
        _true(cart_shapes.LineAnswer, changed, 200)
    _true(cart_shapes.CartAnswer, program.patch(path, {"shipping_address": ADDRESS}), 200)
    _true(cart_shapes.CartAnswer, program.get(path), 200)
    _true(shapes.ProductPage, program.get("/products?page_size=2"), 200)
    _true(shapes.ProductPage, program.get("/products"), 200)
    _true(shapes.ProductDetailAnswer, program.get("/products/river-100"), 200)
    placed = _true(shapes.PlacedAnswer, program.order(path, wish()), 201)
    _true(shapes.OrderAnswer, program.follow(placed), 200)
    shop.drain()
    assert _true(shapes.OrderAnswer, program.follow(placed), 200)["bills"] != []
    by_card = program.order(program.cart("FW-VISIT"), wish("card"))
    assert _true(shapes.PlacedAnswer, by_card, 201)["redirect_url"]


def test_a_field_more_would_not_go_unnoticed(program: Program, world: World):
    answer = program.post("/carts").json
    with pytest.raises(ValidationError):
        cart_shapes.CartAnswer.model_validate_json(json.dumps({**answer, "surprise": 1}))


def test_every_problem_has_the_shape_that_is_told(program: Program, world: World):
    cart = program.cart("FW-CAM-1")
    for status, refused in [
        (400, program.post(f"{cart}/checkout", wish())),
        (401, program.get("/orders/" + "0" * 32)),
        (404, program.get("/products/nothing")),
        (409, program.post(f"{cart}/lines", {"sku": "FW-CAM-1", "quantity": 9})),
        (422, program.post(f"{cart}/lines", {"sku": "FW-CAM-1"})),
    ]:
        told = _true(shapes.Problem, refused, status)
        assert (told["status"], refused.mimetype) == (status, "application/problem+json")
        assert told["title"]
        assert told["detail"]


@pytest.fixture
def twins(
    shops: ShopMaker,
    sqlite_db: Database,
    postgres_db: Database,
    clock: ManualClock,
    sandbox: SandboxProcess,
    tmp_path: Path,
) -> list[Shop]:
    """The same shop on each database."""
    found = []
    for db, maker in ((sqlite_db, shops), (postgres_db, ShopMaker())):
        with db.transaction() as session:
            worlds.build(session, NOW)
        found.append(maker.make(db, clock, tmp_path / db.engine.dialect.name, gateway(sandbox)))
    return found


def _same_cart(twins: list[Shop]) -> str:
    """A cart that both have under one id."""
    carts = [Program(shop).cart("FW-VISIT").rpartition("/")[2] for shop in twins]
    with twins[1].house.db.transaction() as session:
        session.execute(update(Cart).values(public_id=carts[0]))
    return carts[0]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_is_asked_is_answered_as_told(twins: list[Shop], mode: GenerationMode):
    """Requests made up from the description, right ones and wrong ones, each sent to both databases."""
    cart = _same_cart(twins)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", twins[0].app)
    doors = [(shop.app.test_client(use_cookies=False), bearers(shop)) for shop in twins]
    statuses: list[int] = []

    def ask(case: Any) -> None:
        # A cursor or an e-mail address may have the right form and be wrong all the same.
        told = []
        for client, by_side in doors:
            token = by_side.get(case.path.split("/")[1])
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = case.call_and_validate(
                session=client, headers=headers, excluded_checks=EXCLUDED
            )
            told.append(answer.status_code)
        assert len(set(told)) == 1, told
        statuses.extend(told)

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        told = operation.definition.raw
        if mode == GenerationMode.NEGATIVE and not (
            told["parameters"] or "requestBody" in told or "security" in told
        ):
            continue  # nothing is asked of the caller, so nothing can be wrong
        pinned = {}
        if mode == GenerationMode.POSITIVE and "cart_id" in operation.path:
            pinned["cart_id"] = cart
        if pinned and "line_id" in operation.path:
            pinned["line_id"] = "0" * 32
        made_up = operation.as_strategy(mode, path_parameters=pinned or None)
        _few(given(made_up)(ask))()
    assert len(statuses) > 30
    assert max(statuses) < 500
    assert {200, 201} <= set(statuses) if mode == GenerationMode.POSITIVE else 422 in statuses


#: A token that works is sent with wrong requests too: what they are refused for is the request.
EXCLUDED = [positive_data_acceptance, ignored_auth]
_few = settings(
    max_examples=8,
    database=None,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
