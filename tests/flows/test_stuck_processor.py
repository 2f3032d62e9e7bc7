"""The processor takes its time over two calls: the shop's other pages and orders don't wait for it."""

import threading
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import QueuePool

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from flows.verify import verify
from payments.gateway import CheckoutRequest, CheckoutSession
from payments.stripe_gateway import StripeGateway
from tests.paying import gateway
from tests.sandbox_process import SandboxProcess
from tests.shop import BASE, Shop, make_shop
from tests.world import ADDRESS, World

#: By then what does not wait has long been answered.
MOST_SECONDS = 60
_HOST = {"Host": BASE.partition("//")[2]}


class _Stuck:
    """A processor that answers no call for a page to pay at until it is let go."""

    def __init__(self, real: StripeGateway) -> None:
        self._real = real
        self.asked, self.go = threading.Semaphore(0), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def start_checkout(self, request: CheckoutRequest) -> CheckoutSession:
        self.asked.release()
        assert self.go.wait(MOST_SECONDS)
        return self._real.start_checkout(request)


class _Buyer(threading.Thread):
    """Buys one thing; ``answers`` are the statuses on the way, ``order`` the last answer."""

    def __init__(self, shop: Shop, sku: str, method: str) -> None:
        super().__init__(daemon=True)
        self.client, self.sku, self.method = shop.client(), sku, method
        self.answers: list[int] = []
        self.order: Any = None

    def run(self) -> None:
        cart = self._ask("/api/v1/carts", {})["id"]
        self._ask(f"/api/v1/carts/{cart}/lines", {"sku": self.sku, "quantity": 1})
        wish = {
            "email": "riley@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
            "payment": {"method": self.method},
        }
        self.order = self._ask(f"/api/v1/carts/{cart}/checkout", wish)

    def _ask(self, path: str, body: dict[str, Any]) -> Any:
        headers = {**_HOST, "Idempotency-Key": uuid.uuid4().hex}
        answer = self.client.post(path, json=body, headers=headers)
        self.answers.append(answer.status_code)
        return answer.get_json()


def test_two_calls_that_are_stuck_keep_nobody_else_waiting(
    db: Database, clock: ManualClock, world: World, sandbox: SandboxProcess, tmp_path: Path
):
    stuck = _Stuck(gateway(sandbox))
    shop = make_shop(db, clock, tmp_path, stuck)
    waiting = [_Buyer(shop, world.router.sku, "card") for _ in range(2)]
    for buyer in waiting:
        buyer.start()
    try:
        for _ in waiting:
            assert stuck.asked.acquire(timeout=MOST_SECONDS)
        _nothing_is_open(db)
        _others_are_answered(shop, world)
        assert [buyer.is_alive() for buyer in waiting] == [True, True]
    finally:
        stuck.go.set()
        for buyer in waiting:
            buyer.join(MOST_SECONDS)
    for buyer in waiting:
        assert buyer.answers == [201, 201, 201], buyer.order
        assert buyer.order["redirect_url"].startswith(sandbox.base_url)
    assert [line for line in verify(db, clock) if not line.holds] == []


def _nothing_is_open(db: Database) -> None:
    """Who waits for the processor has no transaction, and so no lock."""
    for engine in (db._write, db._read):
        pool = engine.pool
        assert not isinstance(pool, QueuePool) or pool.checkedout() == 0


def _others_are_answered(shop: Shop, world: World) -> None:
    statuses: list[int] = []

    def look_around() -> None:
        client = shop.client()
        pages = ("/", "/c/all", f"/p/{world.camera.slug}", "/cart", "/account/login")
        statuses.extend(client.get(page, headers=_HOST).status_code for page in pages)

    reader = threading.Thread(target=look_around, daemon=True)
    buyer = _Buyer(shop, world.router.sku, "invoice")
    for other in (reader, buyer):
        other.start()
        other.join(MOST_SECONDS)
    assert statuses == [200] * 5
    assert buyer.answers == [201, 201, 201], buyer.order
