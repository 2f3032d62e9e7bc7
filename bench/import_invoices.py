"""How fast history comes in, and in how much memory: ``python -m bench.import_invoices``.

The floor, in the same run on the same schema with its triggers and keys: the very rows that the import
left, by the driver's own executemany in one transaction. Each import runs in a process of its own,
whose peak memory is told; a file several times as long shows that it does not grow with the file.
"""

import argparse
import contextlib
import csv
import multiprocessing
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import set_json_loads

from app.tables import metadata
from core.kernel.clock import SystemClock
from core.kernel.db import Database
from flows import import_invoices as flow
from invoices import history_mapping
from invoices.history_spool import Spool
from tests import postgres, retail

#: What an import writes, in an order that the foreign keys allow.
TABLES = (
    "legal_entity",
    "ledger_account",
    "account",
    "number_series",
    "invoice",
    "invoice_line",
    "journal_line",
    "journal_entry",
    "open_item",
    "application",
)
COUNT_WRITTEN = ("account", "invoice", "invoice_line", "journal_line", "journal_entry", "open_item")


@dataclass(frozen=True)
class Run:
    """One import: seconds of the whole command and of its second pass, rows written, peak MiB."""

    seconds: float
    writing: float
    lines: int
    peak: float


def file_of(path: Path, documents: int) -> int:
    """Write a file of the shape that a retailer's till writes; answers its number of lines."""
    dice = random.Random(8)
    at, rows = datetime(2010, 12, 1, 8, 26), []  # noqa: DTZ001  # the till's own time
    for number in range(documents):
        at += timedelta(minutes=dice.randrange(1, 9))
        memo, note = number % 8 == 3, number % 9 == 4
        customer = "" if number % 5 == 2 else f"{12_000 + dice.randrange(4_000)}.0"
        for _ in range(1 if note else dice.randrange(1, 46)):
            quantity = -dice.randrange(1, 6) if memo else dice.randrange(1, 49)
            price = "0.0" if note else f"{dice.randrange(10, 1995) / 100}"
            rows.append(
                retail.line(
                    f"{'C' if memo else ''}{536_365 + number}",
                    str(quantity),
                    price,
                    sku=f"{dice.randrange(20_000, 23_000)}",
                    name=f"SET OF {dice.randrange(2, 24)} KETTLE LANTERNS",
                    at=f"{at:%Y-%m-%d %H:%M:%S}",
                    customer=customer,
                )
            )
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([retail.HEADER, *rows])
    return len(rows)


def bring_in(url: str, path: str, lines: int) -> Run:
    """Import the file into an empty database; runs in a process of its own."""
    database = Database(url)
    metadata.create_all(database.engine)
    clock, mapping = SystemClock(), history_mapping.load(retail.SHIPPED)
    file, quiet = Path(path), lambda stage, done, whole: None
    start = time.perf_counter()
    with Spool(mapping) as spool:
        checked = flow.check(database, spool, file, mapping, clock.now(), quiet)
        between = time.perf_counter()
        flow.write(database, spool, file.name, mapping, lambda issued: None, clock, quiet)
    end = time.perf_counter()
    assert checked.lines == lines, checked
    database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(end - start, end - between, lines, peak)


def alone(work: Callable[..., Any], *arguments: Any) -> Any:
    """The answer of ``work`` in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def floor(source: str, target: str) -> tuple[int, float]:
    """Rows of ``source`` put into the empty ``target`` by bare executemany: how many, seconds."""
    database = Database(target)
    metadata.create_all(database.engine)
    database.close()
    with _connect(source) as reading:
        rows = {table: _all(reading, table) for table in TABLES}
    start = time.perf_counter()
    with _connect(target) as writing:
        cursor = writing.cursor()
        mark = "?" if target.startswith("sqlite") else "%s"
        for table, found in rows.items():
            if found:
                marks = ", ".join([mark] * len(found[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
        writing.commit()
    return sum(len(rows[table]) for table in COUNT_WRITTEN), time.perf_counter() - start


@contextlib.contextmanager
def _connect(url: str) -> Iterator[Any]:
    if url.startswith("sqlite"):
        raw: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
        raw.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
        )
    else:
        set_json_loads(lambda text: text.decode() if isinstance(text, bytes) else text)
        raw = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"))
    try:
        yield raw
    finally:
        raw.close()


def _all(connection: Any, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.cursor().execute(f"SELECT * FROM {table}").fetchall()]


def measure(
    name: str, url_of: Callable[[str], str], folder: Path, documents: int, rounds: int
) -> None:
    """Print one database's figures: the best of so many rounds, so that other work counts less."""
    path, longer = folder / "short.csv", folder / "long.csv"
    lines, more = file_of(path, documents), file_of(longer, documents * 5)
    runs: list[Run] = []
    floors: list[tuple[int, float]] = []
    for each in range(rounds):
        runs.append(alone(bring_in, url_of(f"import_{each}"), str(path), lines))
        floors.append(alone(floor, url_of(f"import_{each}"), url_of(f"floor_{each}")))
    long = alone(bring_in, url_of("import_long"), str(longer), more)
    rows, bare = floors[0][0], min(seconds for _, seconds in floors)
    writing, whole = min(run.writing for run in runs), min(run.seconds for run in runs)
    print(f"{name}: {documents:,} documents, {lines:,} lines, {rows:,} rows in all")
    print(f"  floor, executemany     {rows / bare:>9,.0f} rows/s")
    print(
        f"  pass two, writing      {rows / writing:>9,.0f} rows/s, "
        f"{bare / writing:.2f} of the floor; {lines / writing:,.0f} lines/s"
    )
    print(f"  the whole command      {lines / whole:>9,.0f} lines/s")
    print(
        f"  peak memory            {runs[0].peak:>9,.0f} MiB, {long.peak:,.0f} MiB for {more:,} lines"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--documents", type=int, default=1_000)
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name, postgres.running() as server:
        folder = Path(name)
        size = (folder, chosen.documents, chosen.rounds)
        measure("SQLite", lambda part: f"sqlite:///{folder / part}.db", *size)

        def database(part: str) -> str:
            with psycopg.connect(
                server.url().replace("+psycopg", ""), autocommit=True
            ) as connection:
                if not connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", (part,)
                ).fetchone():
                    connection.execute(f"CREATE DATABASE {part}")
            return server.url(part)

        measure("PostgreSQL", database, *size)


if __name__ == "__main__":
    main()
