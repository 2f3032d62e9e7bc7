"""One hot product: ``./shop bench hot``. A thousand buyers, 64 at once, want one of 50 pieces each.

Every buyer makes a cart, puts the product in and orders it. The bench ends with an error unless exactly 50
orders stand, nothing is left and nothing is kept, and every other buyer was told that it is out of stock.
Beside it stands the bare sale of the same run, one piece each, as many at a time.
"""

import argparse
import tempfile
import uuid
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select, update

from bench import floor, ground
from bench.load import Answer, Ask, Measured, Scenario, run_all
from core.catalog.models import Variant
from core.kernel.db import Database
from core.orders.models import Order
from core.stock.models import StockLevel
from tests.ports import free_ports
from tests.world import ADDRESS

SKU = "THING-00000"
MOST_SECONDS = 5.0
_DETAILS = {
    "shipping_address": ADDRESS,
    "shipping_method": "standard",
    "payment": {"method": "invoice"},
}


class Buyers:
    """What becomes of each buyer."""

    def __init__(self) -> None:
        self.ends: Counter[str] = Counter()

    def buyer(self, number: int) -> Scenario:
        """From an empty cart to an order, or to the first refusal."""
        cart = yield Ask("POST", "/api/v1/carts", expected=201)
        path = f"/api/v1/carts/{cart.json()['id']}"
        added = yield Ask("POST", f"{path}/lines", {"sku": SKU, "quantity": 1}, expected=(201, 409))
        if self._refused(added, "at the cart"):
            return
        wish = {**_DETAILS, "email": f"buyer-{number}@example.com"}
        key = (("Idempotency-Key", uuid.uuid4().hex),)
        placed = yield Ask("POST", f"{path}/checkout", wish, key, expected=(201, 409))
        if not self._refused(placed, "at checkout"):
            self.ends["ordered"] += 1

    def _refused(self, answer: Answer, where: str) -> bool:
        if answer.status == 201:
            return False
        self.ends[f"{answer.json()['code']} {where}"] += 1
        return True


def _bare(number: int) -> Scenario:
    yield Ask("POST", f"/sale/{number % floor.PIECES}")


def measure(kind: str, asked: argparse.Namespace, folder: Path) -> None:
    """Sell, look whether it is right, print."""
    with ground.database(kind, folder) as url:
        port = free_ports()
        environment = ground.settings(url, folder, port)
        ground.command(environment, "migrate")
        ground.fill(url, 1)
        _leave(url, asked.pieces)
        floor.fill(url)
        with ground.floor(environment, folder) as bare:
            sales = [_bare(number) for number in range(asked.buyers)]
            least = run_all(bare.port, sales, asked.at_once)
        buyers = Buyers()
        with ground.shop(environment, folder, port) as served:
            cpu = ground.cpu_of(served.pid)
            all_buyers = [buyers.buyer(number) for number in range(asked.buyers)]
            found = run_all(served.port, all_buyers, asked.at_once)
            cpu = ground.cpu_of(served.pid) - cpu
        _check(url, asked, buyers.ends)
    _tell(kind, asked, found, least, cpu, buyers.ends)


def _leave(url: str, pieces: int) -> None:
    """Only so many are on hand, with movements that say so."""
    db = Database(url)
    with db.transaction() as session:
        variant = select(Variant.id).where(Variant.sku == SKU).scalar_subquery()
        session.execute(
            update(StockLevel).where(StockLevel.variant_id == variant).values(on_hand=pieces)
        )
    db.close()


def _check(url: str, asked: argparse.Namespace, ends: Counter[str]) -> None:
    db = Database(url)
    with db.reading() as session:
        orders = session.scalar(select(func.count()).where(Order.lifecycle != "cancelled"))
        level = session.scalars(
            select(StockLevel)
            .join(Variant, Variant.id == StockLevel.variant_id)
            .where(Variant.sku == SKU)
        ).one()
        state = (level.on_hand - level.allocated, level.held)
    db.close()
    sold = min(asked.pieces, asked.buyers)
    if orders != sold or ends["ordered"] != sold or state != (asked.pieces - sold, 0):
        raise AssertionError(f"{orders} orders of {sold}; free, held: {state}; {dict(ends)}")


def _tell(
    kind: str,
    asked: argparse.Namespace,
    found: Measured,
    least: Measured,
    cpu: float,
    ends: Counter[str],
) -> None:
    told = ", ".join(f"{count} {what}" for what, count in ends.most_common())
    print(
        f"\n{kind}: {asked.buyers} buyers, {asked.at_once} at once, {asked.pieces} pieces: {told}\n"
        f"  {found.took:.2f} s (at most {MOST_SECONDS:.0f} wanted), {len(found.seconds)} calls, "
        f"95 % within {found.milliseconds(0.95):.0f} ms, the slowest {found.milliseconds(1):.0f} ms, "
        f"server {cpu:.2f} s of CPU\n"
        f"  floor: {asked.buyers} bare sales, as many at once: {least.took:.2f} s",
        flush=True,
    )


def main() -> None:
    """Measure on the databases asked for."""
    parser = argparse.ArgumentParser(prog="./shop bench hot", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--buyers", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--pieces", type=int, default=50)
    asked = parser.parse_args()
    for kind in ["sqlite", "postgresql"] if asked.database == "both" else [asked.database]:
        with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
            measure(kind, asked, Path(folder))


if __name__ == "__main__":
    main()
