"""``./shop seed``: put Fernway, the demo's shop, into an empty database."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from sqlalchemy import func, select

from app.demo.fernway import marks
from app.settings import Settings
from core.catalog.models import Product
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.orders.models import Order

_SAID = {
    "empty": "Fernway is open",
    "begun": "Fernway is open; an earlier seed had stopped half-way, the rest is done",
    "there": "Fernway is open already; nothing was changed",
    "other": "There is another shop in this database; nothing was changed",
}


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """0 when Fernway or another shop is there, 1 where a demo has no place."""
    asked = _parser().parse_args(argv)
    if settings.mode == "production":
        print("Fernway is a demo with known passwords, and SHOP_MODE is production.", file=out)
        return 1
    with db.reading() as session:
        found = marks.look(session, settings.channel)
    if found.state in ("empty", "begun"):
        _open(settings, asked.mails or settings.data_dir / "mail")
        _write_cards(settings.data_dir / "processor" / "known.json", db)
    with db.reading() as session:
        products = session.scalar(select(func.count()).select_from(Product))
        orders = session.scalar(select(func.count()).select_from(Order))
    print(f"{_SAID[found.state]}: {products} products, {orders} orders.", file=out)
    if found.state in ("empty", "begun"):
        path = asked.logins or settings.data_dir / "logins.txt"
        _write_logins(path, settings.base_url)
        print(f"Who can log in stands in {path}", file=out)
    return 0


def _open(settings: Settings, mail_box: Path) -> None:
    # Imported only where there is something to do: every later start of the demo asks for a seed too.
    from app import wiring
    from app.demo.fernway import seeding

    house = wiring.build(settings)
    try:
        _hurry(house.db)
        seeding.open_shop(house, mail_box)
    finally:
        house.db.close()


def _hurry(db: Database) -> None:
    """SQLite need not wait for the disk at each commit: after a power cut, a seed does again what is lost.

    There is one connection, since nothing else is done here meanwhile.
    """
    if db.is_sqlite:
        connection = db.engine.raw_connection()
        connection.cursor().execute("PRAGMA synchronous=NORMAL")
        connection.close()


def _write_cards(path: Path, db: Database) -> None:
    """What the pretend processor is to know of days gone by, where it looks for it."""
    from app.demo.fernway import till

    with db.reading() as session:
        known = [*till.cards_on_file(session), *till.payments_taken(session)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _write_logins(path: Path, base_url: str) -> None:
    from app.demo.fernway import people

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(people.logins(base_url))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop seed",
        description="Put Fernway, the demo's shop, into an empty database: products, people, orders "
        "and bills. On a database that has a shop it does nothing.",
    )
    parser.add_argument(
        "--logins",
        type=Path,
        metavar="FILE",
        help="where to write who can log in; DATA_DIR/logins.txt otherwise",
    )
    parser.add_argument(
        "--mails",
        type=Path,
        metavar="FOLDER",
        help="the mail box that gets the mails of days gone by; DATA_DIR/mail otherwise",
    )
    return parser
