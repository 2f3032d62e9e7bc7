"""The database's connections are cut in mid-transaction, again and again: nobody sees it, no row is wrong."""

import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import func, select

from core.catalog.models import Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.orders.models import Order
from core.stock import levels
from core.stock.models import Hold, StockLevel
from flows.verify import verify
from payments.gateway import Gateway
from tests.postgres import Server
from tests.shop import BASE, Shop, make_shop
from tests.world import ADDRESS, World

BUYERS = 4
#: By then it has long been done.
MOST_SECONDS = 60
_HOST = {"Host": BASE.partition("//")[2]}
#: Somebody who has a transaction open just now, whatever is asked in it.
_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
  AND query NOT LIKE '%%pg_temp.%%'
ORDER BY md5(pid::text || %s) LIMIT 1
"""


@contextmanager
def _cutting(server: Server, database: Database, times: int) -> Iterator[list[int]]:
    """Cut one connection after the other, so many; the list says how many so far."""
    cuts, over = [0], threading.Event()
    name = database.engine.url.database

    def cut() -> None:
        draw = random.Random(6)
        with psycopg.connect(
            host=str(server.home), user="postgres", dbname=name, autocommit=True
        ) as mine:
            while not over.is_set() and cuts[0] < times:
                cuts[0] += len(mine.execute(_CUT, [str(draw.random())]).fetchall())
                time.sleep(draw.uniform(0.05, 0.2))

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield cuts
    finally:
        over.set()
        thread.join()


class _Buyer:
    """Fills carts and orders them by bill, one after the other."""

    def __init__(self, shop: Shop, sku: str) -> None:
        self.client, self.sku = shop.client(), sku
        self.orders: list[str] = []
        self.wrong: list[tuple[str, int]] = []

    def buy(self) -> None:
        """One order."""
        cart = self._ask("POST", "/api/v1/carts", 201)
        if cart is None:
            return
        path = f"/api/v1/carts/{cart['id']}"
        self._ask("POST", f"{path}/lines", 201, {"sku": self.sku, "quantity": 1})
        self._ask("GET", path, 200)
        self._ask("GET", "/api/v1/products", 200)
        wish = {
            "email": "riley@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "standard",
            "payment": {"method": "invoice"},
        }
        order = self._ask("POST", f"{path}/checkout", 201, wish)
        if order is not None:
            self.orders.append(order["id"])

    def _ask(self, method: str, path: str, wanted: int, body: Any = None) -> Any:
        headers = {**_HOST, "Idempotency-Key": uuid.uuid4().hex}
        answer = self.client.open(path, method=method, json=body, headers=headers)
        if answer.status_code != wanted:
            self.wrong.append((f"{method} {path}", answer.status_code))
            return None
        return answer.get_json()


@pytest.mark.parametrize("db", ["postgresql"], indirect=True)
@pytest.mark.parametrize("times", [20, pytest.param(100, marks=pytest.mark.long)])
def test_cut_connections_show_no_error_and_leave_no_wrong_row(
    db: Database,
    postgres_server: Server,
    world: World,
    clock: ManualClock,
    tmp_path: Path,
    times: int,
):
    shop = make_shop(db, clock, tmp_path, cast(Gateway, None), RATE_CHECKOUT="10000 per minute")
    sku = world.router.sku
    with db.transaction() as session:
        key = session.scalars(select(Variant.id).where(Variant.sku == sku)).one()
        levels.receive(session, key, world.location_id, 1_000, clock.now())
        level = session.get_one(StockLevel, world.router.level_id, populate_existing=True)
        before = level.on_hand - level.allocated
    buyers, deadline = [_Buyer(shop, sku) for _ in range(BUYERS)], time.monotonic() + MOST_SECONDS
    with _cutting(postgres_server, db, times) as cuts:

        def work(buyer: _Buyer) -> None:
            while cuts[0] < times and time.monotonic() < deadline and not buyer.wrong:
                buyer.buy()

        threads = [threading.Thread(target=work, args=(buyer,)) for buyer in buyers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert [one for buyer in buyers for one in buyer.wrong] == []
    assert cuts[0] == times
    placed = [one for buyer in buyers for one in buyer.orders]
    assert len(placed) == len(set(placed)) > BUYERS
    with db.reading() as session:
        assert sorted(session.scalars(select(Order.public_id))) == sorted(placed)
        level = session.scalars(
            select(StockLevel)
            .join(Variant, Variant.id == StockLevel.variant_id)
            .where(Variant.sku == sku)
        ).one()
        assert before - (level.on_hand - level.allocated) == len(placed)
        assert level.held == 0
        active = select(func.count()).select_from(Hold).where(Hold.state == "active")
        assert session.scalar(active) == 0
    shop.drain()
    assert [line for line in verify(db, clock) if not line.holds] == []
