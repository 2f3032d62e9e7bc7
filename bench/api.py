"""How fast the API is: ``./shop bench api``, as rates and as ratios to a floor in the same run.

The real server serves it and the real worker bills it, on SQLite and on PostgreSQL, both durable. The
client, its connections and its own share of the CPU are named with the figures.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from bench import floor, ground
from bench.ground import Served
from bench.load import Ask, Measured, Scenario, run, run_all
from core.kernel.db import Database
from core.orders.models import Order
from invoices.models import Invoice
from tests.ports import free_ports
from tests.world import ADDRESS

_COUNTING = "bench.counting"
#: Wanted at least, a second.
WANTED = {"product list of 24": 865, "product page": 680, "add to cart": 260, "order": 50}
CHECKOUT = {
    "email": "riley@example.com",
    "shipping_address": ADDRESS,
    "shipping_method": "standard",
    "payment": {"method": "invoice"},
}


class Shelf:
    """The scenarios over so many products."""

    def __init__(self, products: int) -> None:
        self.products = products
        self.draw = random.Random(1)

    def _number(self) -> int:
        return self.draw.randrange(self.products)

    def product_list(self) -> Scenario:
        yield Ask("GET", "/api/v1/products?page_size=24")

    def shelf_page(self) -> Scenario:
        """The same list as people see it."""
        yield Ask("GET", "/c/all")

    def content_page(self) -> Scenario:
        """A page of twenty blocks, for a stranger."""
        yield Ask("GET", "/pages/twenty")

    def product_page(self) -> Scenario:
        yield Ask("GET", f"/api/v1/products/thing-{self._number():05}")

    def add_to_cart(self) -> Scenario:
        """Ten different things into one cart, each counts as a round."""
        cart = yield Ask("POST", "/api/v1/carts", expected=201, counts=False)
        lines = f"/api/v1/carts/{cart.json()['id']}/lines"
        for _ in range(10):
            yield self._add(lines)

    def filled(self, carts: list[str]) -> Scenario:
        """A cart with one thing in it, for ``place``; its path is put to the others."""
        cart = yield Ask("POST", "/api/v1/carts", expected=201, counts=False)
        path = f"/api/v1/carts/{cart.json()['id']}"
        added = self._add(f"{path}/lines")
        yield Ask(added.method, added.path, added.body, expected=201, counts=False)
        carts.append(path)

    def place(self, cart: str) -> Scenario:
        """The one call by which a cart becomes an order."""
        key = (("Idempotency-Key", uuid.uuid4().hex),)
        yield Ask("POST", f"{cart}/checkout", CHECKOUT, key, expected=201)

    def order(self) -> Scenario:
        """From an empty cart to a placed order."""
        carts: list[str] = []
        yield from self.filled(carts)
        yield from self.place(carts[0])

    def _add(self, lines: str) -> Ask:
        wish = {"sku": f"THING-{self._number():05}", "quantity": 1}
        return Ask("POST", lines, wish, expected=201)

    def empty(self) -> Scenario:
        yield Ask("GET", "/empty")

    def row(self) -> Scenario:
        yield Ask("GET", f"/row/{self.draw.randrange(floor.PIECES)}")

    def sale(self) -> Scenario:
        yield Ask("POST", f"/sale/{self.draw.randrange(floor.PIECES)}")


class Bench:
    """One run on one kind of database."""

    def __init__(self, asked: argparse.Namespace, kind: str, folder: Path) -> None:
        self.asked, self.kind, self.folder = asked, kind, folder
        self.shelf = Shelf(asked.products)

    def run(self) -> None:
        """Fill a database, measure, print."""
        with ground.database(self.kind, self.folder) as url:
            port = free_ports()
            environment = ground.settings(url, self.folder, port)
            environment["WEB_PROCESSES"] = str(self.asked.processes)
            environment["WEB_THREADS"] = str(self.asked.threads)
            ground.command(environment, "migrate")
            ground.fill(url, self.asked.products)
            floor.fill(url)
            print(
                f"\n{self.kind}: {self.asked.products} products, {self.asked.connections} "
                f"connections at once; granian with {self.asked.processes} processes of "
                f"{self.asked.threads} threads"
            )
            with ground.floor(environment, self.folder) as bare:
                empty = self._measure(bare, "floor: empty view", self.shelf.empty)
                row = self._measure(bare, "floor: one row", self.shelf.row)
                sale = self._measure(bare, "floor: bare sale", self.shelf.sale)
            floors = {"empty view": empty, "one row": row, "bare sale": sale}
            with ground.shop(environment, self.folder, port) as served:
                self._shop(url, served, environment, floors)

    def _shop(
        self, url: str, shop: Served, environment: dict[str, str], floors: dict[str, float]
    ) -> None:
        reads = {name: floors[name] for name in ("empty view", "one row")}
        sales = {"bare sale": floors["bare sale"]}
        listed = self._measure(shop, "product list of 24", self.shelf.product_list, reads)
        seen = self._measure(shop, "shelf as a page", self.shelf.shelf_page, reads)
        lists = {"product list (40 % wanted)": listed, "shelf as a page": seen}
        self._measure(shop, "content page, 20 blocks", self.shelf.content_page, lists)
        if self.asked.reads:
            return
        self._measure(shop, "product page", self.shelf.product_page, reads)
        self._measure(shop, "add to cart", self.shelf.add_to_cart, sales, each=10)
        self._place(shop, sales)
        self._measure(shop, "order", self.shelf.order, sales)
        asked = ", ".join(f"{what} {count}" for what, count in statements(environment).items())
        print(f"  {'  statements':22} {asked}", flush=True)
        with ground.running(environment, self.folder, "-m", "app.cli", "worker"):
            _wait_for_bills(url)
            began = time.time()
            self._measure(shop, "order, with a worker", self.shelf.order, sales)
            _tell_bills(url, began, "under that load")
            began = time.time()
            self._measure(shop, "order, one at a time", self.shelf.order, sales, connections=1)
            _tell_bills(url, began, "one at a time")

    def _place(self, served: Served, floors: dict[str, float]) -> None:
        """The place-order call by itself, over carts that were filled before."""
        for name in ("", "place order"):  # the first time to get warm
            carts: list[str] = []
            wanted = [self.shelf.filled(carts) for _ in range(self.asked.orders)]
            run_all(served.port, wanted, self.asked.connections)
            cpu = ground.cpu_of(served.pid)
            placed = [self.shelf.place(cart) for cart in carts]
            found = run_all(served.port, placed, self.asked.connections)
            cpu = (ground.cpu_of(served.pid) - cpu) / found.rounds
            if name:
                self._tell(name, found, found.rate, cpu, floors)

    def _tell(
        self, name: str, found: Measured, rate: float, cpu: float, floors: dict[str, float] | None
    ) -> None:
        print(f"  {name:22} {_figures(found, rate, cpu)}{_ratios(name, rate, floors)}", flush=True)

    def _measure(
        self,
        served: Served,
        name: str,
        scenario: Callable[[], Scenario],
        floors: dict[str, float] | None = None,
        *,
        each: int = 1,
        connections: int | None = None,
    ) -> float:
        """Print one figure; answers the rate."""
        count = connections or self.asked.connections
        run(served.port, scenario, count, min(1.0, self.asked.seconds))
        cpu = ground.cpu_of(served.pid)
        found = run(served.port, scenario, count, self.asked.seconds)
        cpu = (ground.cpu_of(served.pid) - cpu) / (found.rounds * each)
        rate = found.rate * each
        self._tell(name, found, rate, cpu, floors)
        return rate


def _figures(found: Measured, rate: float, cpu: float) -> str:
    share = found.client_cpu / found.took
    return (
        f"{rate:8.0f}/s   half within {found.milliseconds(0.5):6.1f} ms, "
        f"95 % within {found.milliseconds(0.95):6.1f} ms   server {cpu * 1000:5.2f} ms of CPU each, "
        f"client {share:4.0%} of a core"
    )


def _ratios(name: str, rate: float, floors: dict[str, float] | None) -> str:
    told = [f"{rate / floor:.2f} of {which}" for which, floor in (floors or {}).items()]
    if name in WANTED:
        told.append(f"{rate / WANTED[name]:.2f} of the {WANTED[name]} wanted")
    return f"   {', '.join(told)}" if told else ""


def statements(environment: dict[str, str]) -> dict[str, int]:
    """How many statements each call of an order takes: ``bench/counting.py``, in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-m", _COUNTING],
        cwd=ground.ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    found: dict[str, int] = json.loads(told.stdout.splitlines()[-1])
    return found


def _wait_for_bills(url: str, seconds: float = 600) -> None:
    """Until every order has its invoice."""
    db = Database(url)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with db.reading() as session:
            orders = session.scalar(select(func.count()).select_from(Order)) or 0
            bills = session.scalar(select(func.count()).select_from(Invoice)) or 0
        if orders == bills:
            break
        time.sleep(0.1)
    db.close()


def _tell_bills(url: str, began: float, how: str) -> None:
    """How long after its order each invoice was there."""
    _wait_for_bills(url)
    db = Database(url)
    with db.reading() as session:
        rows = session.execute(
            select(Order.placed_at, Invoice.issued_at).join(Invoice, Invoice.order_id == Order.id)
        ).all()
    db.close()
    waits = sorted(
        (issued - placed).total_seconds()
        for placed, issued in rows
        if placed is not None and placed.timestamp() >= began
    )
    last = max(issued.timestamp() for _, issued in rows)
    print(
        f"  {'  its invoice':22} half after {waits[len(waits) // 2]:.2f} s, "
        f"95 % after {waits[int(len(waits) * 0.95)]:.2f} s {how}; "
        f"{len(waits)} in {last - began:.1f} s"
    )


def main() -> None:
    """Measure on the databases asked for."""
    parser = argparse.ArgumentParser(prog="./shop bench api", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--reads", action="store_true", help="lists and pages alone")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each figure")
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--orders", type=int, default=600, help="of the place-order call by itself")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    asked = parser.parse_args()
    print("client: bench/load.py, one process, keep-alive")
    for kind in ["sqlite", "postgresql"] if asked.database == "both" else [asked.database]:
        with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
            Bench(asked, kind, Path(folder)).run()


if __name__ == "__main__":
    main()
