"""A crowded shop: ``./shop bench crowded [--small]``. Do many open holds, or many past orders, slow it down?

Adding to a cart and placing an order are measured in a nearly empty shop, then among 100,000 open holds,
then among 1,000,000 past orders, in one run on one database, beside the bare sale. Past orders are copies
of orders that the shop took: their accounts, carts, lines, taxes, tenders, holds and movements with keys of
their own.
"""

import argparse
import sqlite3
import tempfile
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Column, insert, select, update

from app.tables import metadata
from bench import floor, ground
from bench.api import Shelf
from bench.ground import Served
from bench.load import Scenario, run
from core.kernel.clock import SystemClock
from core.kernel.db import Database, table
from core.kernel.ids import new_id
from core.stock.models import Hold, StockLevel
from tests.ports import free_ports

PRODUCTS = 1_000
#: What a past order is made of, each after what it points to.
TABLES = (
    *("account", "cart", "order", "order_line", "order_line_tax", "tender"),
    *("hold", "stock_movement"),
)
#: Keys without a foreign key of the database.
_KEYS = {"hold.owner_id", "hold.line_id", "order.cart_id", "order.from_cart_id"}
_NAMES = {"number", "reference"}
#: Nothing of these may be slower than so much of the nearly empty shop.
LEAST = 0.9


class Crowd:
    """One run on one kind of database."""

    def __init__(self, asked: argparse.Namespace, kind: str, folder: Path) -> None:
        self.asked, self.kind, self.folder = asked, kind, folder
        self.shelf = Shelf(PRODUCTS)
        self.first: dict[str, tuple[float, float]] = {}

    def run(self) -> None:
        """Fill a database, measure, fill it further, measure again."""
        with ground.database(self.kind, self.folder) as url:
            port = free_ports()
            environment = ground.settings(url, self.folder, port)
            ground.command(environment, "migrate")
            ground.fill(url, PRODUCTS)
            floor.fill(url)
            print(f"\n{self.kind}: {self.asked.connections} connections at once", flush=True)
            with ground.floor(environment, self.folder) as bare:
                self._rate(bare, "floor: bare sale", self.shelf.sale)
            for words, fill in (
                ("nearly empty", lambda _: None),
                (f"{self.asked.holds:,} open holds", self._hold),
                (f"{self.asked.orders:,} past orders", self._order),
            ):
                fill(url)
                _settle(url)
                with ground.shop(environment, self.folder, port) as served:
                    self._rate(served, f"add, {words}", self.shelf.add_to_cart, each=10)
                    self._rate(served, f"order, {words}", self.shelf.order)

    def _rate(
        self, served: Served, name: str, scenario: Callable[[], Scenario], each: int = 1
    ) -> None:
        run(served.port, scenario, self.asked.connections, min(2.0, self.asked.seconds))
        cpu = ground.cpu_of(served.pid)
        found = run(served.port, scenario, self.asked.connections, self.asked.seconds)
        cpu = (ground.cpu_of(served.pid) - cpu) / (found.rounds * each)
        rate, what = found.rate * each, name.partition(",")[0]
        first, first_cpu = self.first.setdefault(what, (rate, cpu))
        said = (
            f"   {rate / first:.2f} of the rate and {cpu / first_cpu:.2f} of the CPU of the first"
        )
        print(
            f"  {name:32} {rate:7.0f}/s   server {cpu * 1000:5.2f} ms of CPU each{said}", flush=True
        )

    def _hold(self, url: str) -> None:
        """Carts of somebody else keep a piece each, for hours."""
        db, now = Database(url), SystemClock().now()
        with db.transaction() as session:
            levels = session.scalars(select(StockLevel.id).where(StockLevel.on_hand > 1_000)).all()
            rows = [
                {
                    "id": new_id(),
                    "level_id": levels[number % len(levels)],
                    "owner_kind": "cart",
                    "owner_id": new_id(),
                    "line_id": new_id(),
                    "quantity": 1,
                    "expires_at": now + timedelta(hours=3, seconds=number % 3600),
                    "state": "active",
                    "created_at": now,
                }
                for number in range(self.asked.holds)
            ]
            session.execute(insert(table(Hold)), rows)
            each = self.asked.holds // len(levels) + 1
            session.execute(
                update(table(StockLevel))
                .where(StockLevel.id.in_(levels))
                .values(held=StockLevel.held + each)
            )
        db.close()

    def _order(self, url: str) -> None:
        """Copies of the orders that were taken while it was measured."""
        raw: Any
        if self.kind == "sqlite":
            raw = sqlite3.connect(url.removeprefix("sqlite:///"))
            raw.create_function("mixed", 2, _mixed, deterministic=True)
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute("PRAGMA synchronous = OFF")
        else:
            raw = psycopg.connect(url.replace("+psycopg", ""))
            raw.execute("SET session_replication_role = replica")
            raw.execute(
                "CREATE FUNCTION mixed(key uuid, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS "
                "$$ SELECT md5(key::text || '-' || n)::uuid $$"
            )
        (taken,) = raw.execute(
            "SELECT count(*) FROM \"order\" WHERE lifecycle <> 'pending'"
        ).fetchone()
        times = max(self.asked.orders // taken, 1)
        for name in TABLES:
            raw.execute(_copy(name, times))
        raw.commit()
        raw.close()


def _mixed(key: str, number: int) -> str:
    return uuid.uuid5(uuid.UUID(key), str(number)).hex


def _copy(name: str, times: int) -> str:
    columns = metadata.tables[name].columns
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(name, column) for column in columns)
    only = {"hold": " AND state = 'allocated'", "stock_movement": " AND kind = 'allocated'"}
    return (
        f'INSERT INTO "{name}" ({names}) WITH RECURSIVE times(n) AS '
        f"(SELECT 1 UNION ALL SELECT n + 1 FROM times WHERE n < {times}) "
        f'SELECT {values} FROM "{name}", times WHERE 1 = 1{only.get(name, "")}'
    )


def _value(name: str, column: Column[Any]) -> str:
    """A column of a copy: keys of what is copied too are mixed with the copy's number, names end in it."""
    told = f'"{name}"."{column.name}"'
    points = {key.column.table.name for key in column.foreign_keys}
    own = column.name == "id" and not points
    if own or points & set(TABLES) or f"{name}.{column.name}" in _KEYS:
        return f"CASE WHEN {told} IS NULL THEN NULL ELSE mixed({told}, n) END"
    if column.name == "public_id":
        return f"substr({told}, 1, 24) || '-' || n"
    if told == '"account"."number"':
        return "'C' || row_number() OVER ()"  # nine signs at most, and no number of an account has a letter
    if column.name in _NAMES:
        return f"{told} || '-' || n"
    return told


def _settle(url: str) -> None:
    """As a shop that has stood so for a while: the database knows what is in its tables."""
    if url.startswith("sqlite"):
        raw: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
        raw.execute("ANALYZE")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
        return
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute("VACUUM ANALYZE")


def main() -> None:
    """Measure on the databases asked for."""
    parser = argparse.ArgumentParser(prog="./shop bench crowded", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each figure")
    parser.add_argument("--holds", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--small", action="store_true", help="a hundredth of it, to try it")
    asked = parser.parse_args()
    if asked.small:
        asked.holds, asked.orders, asked.seconds = asked.holds // 100, asked.orders // 100, 1.0
    for kind in ["sqlite", "postgresql"] if asked.database == "both" else [asked.database]:
        with tempfile.TemporaryDirectory(prefix="counterfoil-bench-") as folder:
            Crowd(asked, kind, Path(folder)).run()


if __name__ == "__main__":
    main()
