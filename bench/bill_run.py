"""How fast the night is: ``./shop bench bill_run [--small]``.

A run over accounts with two monthly services each, taxed, on PostgreSQL with two processes: invoices, their
lines and taxes, journal, open items, outbox, audit, and marks. The floor of the same run: the very rows that
it left, put by the bare driver into a copy of the database with its triggers and keys, by two processes too:
a transaction for each account, and a transaction for as many as the run takes together. Told are the rates,
peak memory, and what an invoice costs in a small run and in a large one.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import psycopg
from psycopg.types.json import Json, set_json_loads
from sqlalchemy import insert, make_url
from sqlalchemy.orm import Session

from app.tables import metadata
from bench import ground
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id, new_public_id
from core.parties.models import Account
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.tax.models import TaxRate
from flows import run_billing
from flows.house import House
from flows.run_billing import Asked
from payments.gateway import Gateway
from tests import serving, world
from tests.serving import Plans
from tests.shop import make_house
from tests.world import ADDRESS, ZONE, World

NOW = datetime(2027, 1, 31, 14, tzinfo=UTC)
DAY = date(2027, 1, 31)
WORKERS = 2
#: So many accounts' rows are enough to see what the bare driver does.
FLOOR = 4_000
#: What a bill leaves, in an order that keys and triggers allow; ``i`` is its invoice.
LEFT = {
    "invoice": ("invoice i", "i.series_position", "i"),
    "invoice_line": (
        "invoice_line t JOIN invoice i ON i.id = t.invoice_id",
        "i.series_position, t.line_number",
        "t",
    ),
    "invoice_line_tax": (
        "invoice_line_tax t JOIN invoice_line l ON l.id = t.invoice_line_id "
        "JOIN invoice i ON i.id = l.invoice_id",
        "i.series_position, l.line_number, t.position",
        "t",
    ),
    "journal_line": (
        "journal_line t JOIN journal_entry e ON e.id = t.entry_id "
        "JOIN invoice i ON i.id = e.source_id",
        "i.series_position, t.line_number",
        "t",
    ),
    "journal_entry": (
        "journal_entry t JOIN invoice i ON i.id = t.source_id",
        "i.series_position",
        "t",
    ),
    "open_item": ("open_item t JOIN invoice i ON i.id = t.source_id", "i.series_position", "t"),
    "job": (
        "job t JOIN invoice i ON t.key = 'issued:' || i.id "
        "OR t.payload->>'account_id' = i.payer_account_id::text",
        "i.series_position, t.id",
        "t",
    ),
    "audit_entry": (
        "audit_entry t JOIN invoice i ON i.public_id = t.subject_id",
        "i.series_position",
        "t",
    ),
    "bill_mark": (
        "bill_mark t JOIN subscription s ON s.id = t.subscription_id "
        "JOIN invoice i ON i.payer_account_id = s.payer_account_id",
        "i.series_position, t.subscription_id",
        "t",
    ),
}


def fill(url: str, count: int) -> None:
    """So many accounts with two services each."""
    db = Database(url)
    metadata.create_all(db.engine)
    with db.transaction() as session:
        made = world.build(session, NOW)
        plans = serving.offer(session, made, NOW)
        session.add(
            TaxRate(
                legal_entity_id=made.legal_entity_id,
                country="US",
                region="OH",
                category="internet",
                jurisdiction="Ohio",
                name="Sales tax",
                rate_ppm=65_000,
                valid_from=date(2020, 1, 1),
            )
        )
        session.flush()
        for at in range(0, count, 500):
            _some(session, made, plans, range(at, min(at + 500, count)))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    db.close()


def _some(session: Session, made: World, plans: Plans, numbers: range) -> None:
    accounts, services, phases = [], [], []
    for number in numbers:
        payer = _account(made, number)
        accounts.append(payer)
        for goods in (plans.stream, plans.brook):
            service: dict[str, Any] = {
                "id": new_id(),
                "public_id": new_public_id(),
                "legal_entity_id": made.legal_entity_id,
                "channel_id": made.channel_id,
                "currency": "USD",
                "payer_account_id": payer["id"],
                "service_account_id": payer["id"],
                "state": "active",
                "ordered_at": NOW,
                "activated_on": DAY,
                "bill_day": DAY.day,
            }
            services.append(service)
            phases.append(
                {
                    "id": new_id(),
                    "subscription_id": service["id"],
                    "number": 0,
                    "variant_id": goods.variant_id,
                    "quantity": 1,
                    "unit_price_micros": goods.unit_price_micros,
                    "price_trace": {"list": "web-usd"},
                    "interval": "month",
                    "starts_on": DAY,
                    "cycle_from": DAY,
                    "agreed_at": NOW,
                    "agreed_by": "bench",
                }
            )
    session.execute(insert(Account), accounts)
    session.execute(insert(Subscription), services)
    session.execute(insert(SubscriptionPhase), phases)


def _account(made: World, number: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "public_id": new_public_id(),
        "number": f"{100_000_000 + number}",
        "legal_entity_id": made.legal_entity_id,
        "channel_id": made.channel_id,
        "name": f"Payer {number}",
        "email": f"payer-{number}@example.com",
        "currency": "USD",
        "time_zone": ZONE,
        "billing_address": ADDRESS,
        "created_at": NOW,
    }


def _house(url: str, folder: Path) -> House:
    return make_house(Database(url), ManualClock(NOW), folder, cast(Gateway, None))


def bill(url: str, folder: Path) -> tuple[float, float]:
    """Seconds of a whole run by two processes, and the peak of memory of the larger of them in MiB."""
    house = _house(url, folder)
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        pool.map(_awake, range(WORKERS), chunksize=1)
        start = time.perf_counter()
        run_id = run_billing.start(house, Asked(DAY, "system"))
        peaks = pool.starmap(_chunks, [(url, folder, run_id)] * WORKERS, chunksize=1)
        run_billing.finish(house, run_id)
        took = time.perf_counter() - start
    totals = run_billing.totals(house, run_id)
    assert not totals.parked, totals
    house.db.close()
    return took, max(peaks)


def _awake(_: int) -> None:
    """A process has read our modules; what that takes is no part of the night."""
    time.sleep(0.5)


def _chunks(url: str, folder: Path, run_id: uuid.UUID) -> float:
    house = _house(url, folder)
    while run_billing.take(house, run_id):
        pass
    house.db.close()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- the floor ------------------------------------------------------------------------------------


def _raw(url: str) -> Any:
    raw = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, prepare_threshold=1)
    set_json_loads(lambda text: Json(json.loads(text)), raw)
    return raw


def _twin(url: str, name: str) -> str:
    named = make_url(url)
    aside = named.set(database="template1").render_as_string(hide_password=False)
    with psycopg.connect(aside.replace("+psycopg", ""), autocommit=True) as raw:
        raw.execute(f'CREATE DATABASE {name} TEMPLATE "{named.database}"')
    return named.set(database=name).render_as_string(hide_password=False)


def floor(url: str, twins: Sequence[str], count: int) -> tuple[list[float], int]:
    """Accounts a second by the bare driver in two processes, in transactions of one account and of a
    group, and rows of an account."""
    left: dict[str, list[tuple[Any, ...]]] = {}
    with _raw(url) as raw:
        for table, (source, order, name) in LEFT.items():
            query = (
                f"SELECT {name}.* FROM {source} WHERE i.series_position <= {count} ORDER BY {order}"
            )
            left[table] = raw.execute(query).fetchall()
    sizes = {table: len(rows) // count for table, rows in left.items()}
    half = count // WORKERS
    parts = [
        {
            table: rows[at * half * sizes[table] : (at + 1) * half * sizes[table]]
            for table, rows in left.items()
        }
        for at in range(WORKERS)
    ]
    rates = []
    for twin, group in zip(twins, (1, run_billing.GROUP), strict=True):
        with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
            jobs = [(twin, part, sizes, half, group) for part in parts]
            rates.append(count / max(pool.starmap(_insert, jobs)))
    return rates, sum(sizes.values())


def _insert(
    url: str,
    left: dict[str, list[tuple[Any, ...]]],
    sizes: dict[str, int],
    accounts: int,
    group: int,
) -> float:
    queries = {
        table: f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})"
        for table, rows in left.items()
    }
    with _raw(url) as raw:
        cursor = raw.cursor()
        start = time.perf_counter()
        for at in range(0, accounts, group):
            until = min(at + group, accounts)
            cursor.execute("BEGIN")
            for table, size in sizes.items():
                cursor.executemany(queries[table], left[table][at * size : until * size])
            cursor.execute("COMMIT")
        return time.perf_counter() - start


def _measured(count: int, folder: Path) -> float:
    """Print what a run over so many accounts does; answers the milliseconds of one invoice."""
    with ground.database("postgresql", folder) as url:
        fill(url, count)
        twins = [_twin(url, name) for name in ("twin", "other_twin")]
        took, peak = bill(url, folder)
        (bare, grouped), rows = floor(url, twins, min(count, FLOOR))
    rate = count / took
    print(f"  {count:>6,} accounts, {2 * count:,} lines: {took:,.1f} s")
    print(f"    floor, {rows} rows each     {bare:>7,.0f} accounts/s")
    print(f"    the same, {run_billing.GROUP} together    {grouped:>7,.0f} accounts/s")
    print(
        f"    run                     {rate:>7,.0f} accounts/s, {rate / bare:.2f} and "
        f"{rate / grouped:.2f} of them"
    )
    print(f"    memory of a process     {peak:>7,.0f} MiB at most", flush=True)
    return 1000 * took / count


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--small", action="store_true", help="only to try it")
    sizes = (200, 1_000) if arguments.parse_args().small else (1_000, 20_000)
    print(f"postgresql, {WORKERS} processes:", flush=True)
    costs = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            costs.append(_measured(size, Path(name)))
    print(f"  an invoice of the large run costs {costs[1] / costs[0]:.2f} of one of the small run")


if __name__ == "__main__":
    main()
