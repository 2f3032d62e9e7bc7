"""The API is tested on a shop of its own on both databases, with the sandbox processor behind it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.parties import tokens
from core.parties.tokens import STAFF, USER, NewToken
from tests import world as worlds
from tests.paying import gateway, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.shop import Shop, ShopMaker
from tests.world import ADDRESS, World

__all__ = ["processor", "sandbox"]

V1 = "/api/v1"


class Program:
    """A headless shop's program: it speaks JSON and has no cookies."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.client = shop.app.test_client(use_cookies=False)

    def wait(self, time: timedelta) -> None:
        """Let time go by in the shop."""
        clock = self.shop.house.clock
        assert isinstance(clock, ManualClock)
        clock.advance(time)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        """One request below /api/v1."""
        if body is not None:
            more["json"] = body
        return self.client.open(f"{V1}{path}", method=method, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.ask("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.ask("PATCH", path, body, **more)

    def cart(self, *skus: str) -> str:
        """The path of a cart with one of each."""
        made = self.post("/carts")
        assert made.status_code == 201
        path = f"/carts/{made.json['id']}"
        for sku in skus:
            put = self.post(f"{path}/lines", {"sku": sku, "quantity": 1})
            assert put.status_code == 201, put.json
        return path

    def order(
        self,
        cart: str,
        wish: dict[str, Any],
        key: str = "key-1",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Ask for an order of a cart."""
        sent = {"Idempotency-Key": key, **(headers or {})}
        return self.post(f"{cart}/checkout", wish, headers=sent)

    def follow(self, order: dict[str, Any]) -> TestResponse:
        """Look at an order with its token."""
        headers = {"Authorization": f"Bearer {order['token']}"}
        return self.get(f"/orders/{order['id']}", headers=headers)


def wish(method: str = "invoice", **more: Any) -> dict[str, Any]:
    """What a checkout asks for."""
    payment = {"method": method}
    if method == "card":
        payment["return_url"] = "https://headless.example.com/done"
    return {
        "email": "riley@example.com",
        "shipping_address": dict(ADDRESS),
        "shipping_method": "standard",
        "payment": payment,
        **more,
    }


@pytest.fixture(scope="session")
def shops() -> ShopMaker:
    """One application for all of these tests, in which each opens a shop of its own."""
    return ShopMaker()


@pytest.fixture
def shop(
    shops: ShopMaker,
    db: Database,
    clock: ManualClock,
    world: World,
    sandbox: SandboxProcess,
    tmp_path: Path,
) -> Shop:
    """The shop, with invoices allowed and one origin to return to."""
    return shops.make(db, clock, tmp_path, gateway(sandbox))


@pytest.fixture
def program(shop: Shop) -> Program:
    """A program that has not been here before."""
    return Program(shop)


def bearers(shop: Shop) -> dict[str, str]:
    """A token of each side that is good for everything: Riley's for ``account``, Kim's for ``desk``."""
    now = shop.house.clock.now()
    with shop.house.db.transaction() as session:
        riley = worlds.user(session, now, email="riley@example.com")
        kim = worlds.user(session, now, email="kim@example.com", name="Kim Lund")
        kim.is_staff, kim.roles = True, ["admin"]
        return {
            side: tokens.make(
                session, who.id, NewToken(kind, "Till", tuple(tokens.SCOPES[kind])), now.date(), now
            )[1]
            for side, who, kind in (("account", riley, USER), ("desk", kim, STAFF))
        }
