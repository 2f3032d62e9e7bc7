"""What the API's bench stands on: a database of each kind with 1,000 products, and the real processes."""

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms_content import checks, pages, publishing, writing
from cms_content.pages import NewPage
from cms_content.publishing import Window
from cms_content.segments import EVERYBODY
from core.catalog.models import Category, Product, Variant
from core.kernel.clock import SystemClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.prices.models import Price
from core.stock import levels
from tests import postgres, world
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parent.parent
#: Pieces of each product: nothing sells out.
PIECES = 1_000_000
#: As tests/postgres.py, but nothing is lost when the machine stops.
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
_START = """
import sys
from pathlib import Path
from tests import postgres
postgres.OPTIONS.update({options!r})
postgres.main(Path(sys.argv[1]), int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Served:
    """Where a server listens, and its process."""

    port: int
    pid: int


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of a kind; both are durable, as in production."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'shop.db'}"
        return
    home = Path(tempfile.mkdtemp(prefix="counterfoil-pg-"))
    code = _START.format(options=_DURABLE)
    subprocess.run([sys.executable, "-c", code, str(home), str(os.getpid())], cwd=ROOT, check=True)
    server = postgres.Server(home)
    try:
        yield server.url()
    finally:
        server.stop()


def settings(url: str, folder: Path, port: int) -> dict[str, str]:
    """The environment of the shop's processes. Limits are on, and wide enough for one address."""
    return {
        **os.environ,
        "SHOP_MODE": "test",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder / "data"),
        "SECRET_KEY": secrets.token_hex(32),
        "BASE_URL": f"http://localhost:{port}",
        "STRIPE_KEY": "sk_sandbox_bench",
        "STRIPE_BASE": "http://127.0.0.1:9",
        "STRIPE_WEBHOOK_SECRETS": "whsec_bench",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "9",
        "MAIL_FROM": "Fernway <shop@fernway.example.com>",
        "ALLOW_INVOICE": "yes",
        "RATE_API": "10000000 per minute",
        "RATE_CART": "10000000 per minute",
        "RATE_CHECKOUT": "10000000 per minute",
    }


def fill(url: str, products: int) -> None:
    """Fernway, with so many products more."""
    db, now = Database(url), SystemClock().now()
    with db.transaction() as session:
        made = world.build(session, now)
        category = session.scalars(select(Category).order_by(Category.position)).first()
        assert category is not None
        for number in range(products):
            product = Product(
                id=new_id(),
                slug=f"thing-{number:05}",
                name=f"Thing {number}",
                summary="One of many things, to see how long lists take.",
                description="A thing.",
                picture="img/products/router.svg",
                category_id=category.id,
                position=1,
                created_at=now,
            )
            variant = Variant(
                id=new_id(),
                product_id=product.id,
                sku=f"THING-{number:05}",
                name=product.name,
                kind="physical",
                tax_category="device",
            )
            price = Price(
                price_list_id=made.price_list_id,
                variant_id=variant.id,
                unit_price_micros=129_000_000,
            )
            session.add(product)
            session.flush()
            session.add(variant)
            session.flush()
            session.add(price)
            levels.receive(session, variant.id, made.location_id, PIECES, now)
    with db.transaction() as session:
        _write_page(session, made.channel_id, now)
    if not db.is_sqlite:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    db.close()


def _write_page(session: Session, channel_id: uuid.UUID, now: datetime) -> None:
    """A page of twenty blocks with live prices among them, as a merchant would make it."""
    text = "Some words of **a paragraph** with [a link](/c/all), as pages have them. " * 6
    four: list[dict[str, Any]] = [
        {"kind": "hero", "title": "A page", "lede": "A lede.", "picture": "img/scenes/hero.svg"},
        {"kind": "text", "text": text},
        {"kind": "products", "title": "On the shelf", "category": "devices", "most": 8},
        {"kind": "prices", "columns": [{"sku": "FW-RIVER-100", "figure": "100"}]},
        {"kind": "faq", "items": [{"question": "Why?", "answer": text}] * 4},
    ]
    content = checks.read({"title": "A page", "blocks": four * 4})
    new = NewPage("page", "twenty", "en_US", EVERYBODY, "Twenty blocks")
    page = pages.create(session, channel_id, new, "system", now)
    draft = writing.save(session, page.public_id, content, 1, "system", now)
    publishing.publish(session, page.public_id, draft.revision, Window(), "system", now)


def command(environment: dict[str, str], *words: str) -> None:
    """Run one of the shop's commands to its end."""
    subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and of all that it has started and that still run."""
    parents: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
                ticks[int(entry.name)] = int(fields[11]) + int(fields[12])
    found, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        found += ticks.get(one, 0)
        waiting += parents.get(one, [])
    return found / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(environment: dict[str, str], folder: Path, *words: str) -> Iterator[int]:
    """A process for the length of a block; what it says goes to a file."""
    with (folder / f"{words[-1]}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=30)


@contextlib.contextmanager
def shop(environment: dict[str, str], folder: Path, port: int) -> Iterator[Served]:
    """The shop, served as ``./shop serve`` serves it."""
    with running(environment, folder, "-m", "app.cli", "serve", "--port", str(port)) as pid:
        _wait(f"http://127.0.0.1:{port}/healthz", f"localhost:{port}")
        yield Served(port, pid)


@contextlib.contextmanager
def floor(environment: dict[str, str], folder: Path) -> Iterator[Served]:
    """The bare views, under the same server with as many processes and threads."""
    port = free_ports()
    counts = ["--workers", environment.get("WEB_PROCESSES", "2")]
    counts += ["--blocking-threads", environment.get("WEB_THREADS", "8")]
    with running(
        environment,
        folder,
        *("-m", "granian", "--interface", "wsgi", "--factory", "--port", str(port)),
        *(*counts, "--no-ws", "--log-level", "warning", "bench.floor:create"),
    ) as pid:
        _wait(f"http://127.0.0.1:{port}/empty", f"localhost:{port}")
        yield Served(port, pid)


def _wait(address: str, host: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(address, headers={"Host": host})
    until = time.monotonic() + 60
    while True:
        try:
            opener.open(asked, timeout=2).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
