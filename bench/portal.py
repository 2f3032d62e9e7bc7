"""How long the portal's first screen takes: ``./shop bench portal [--small]``.

One account with 10 bills, with 10,000 of which few are open, and with 10,000 that are all open and late.
Asked through the whole application in one process, logged in, without a network. Told is server time, the
middle of many: by the clock, and what of it this process worked (on a busy machine the clock tells of others
too); and how often the database is asked. The floor of the same run is a page of the same application that
reads who is logged in and next to nothing else.
"""

import argparse
import logging
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import structlog
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bench import big_books, ground
from bench.big_books import Size
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id, new_token, token_hash
from core.ledger.chart import RECEIVABLE
from core.ledger.models import JournalEntry, OpenItem
from core.ledger.open_now import OpenNow
from core.parties import accounts
from core.parties.models import UserSession
from invoices.models import Invoice
from payments.dunning import cases
from payments.gateway import Gateway
from tests import world as worlds
from tests.books import START
from tests.rooms.web.looking import statements
from tests.rooms.web.stage import Browser
from tests.shop import Shop, make_shop

#: How often a page is asked for; the middle one counts.
TIMES = 101
FIRST, FLOOR = "/account", "/account/tokens"
MOST_MS = 10.0


def measure(kind: str, folder: Path, bills: int, *, all_open: bool) -> None:
    """Print what the first screen takes for an account with so many bills."""
    with ground.database(kind, folder) as url:
        big_books.WRITTEN = min(20, bills - 1)
        size = big_books.make(url, folder, bills * 5 if bills > 20 else 1)
        db, clock = Database(url), ManualClock(START + timedelta(days=40))
        if all_open:
            with db.transaction() as session:
                _open_all(session, size)
        shop = make_shop(db, clock, folder, cast(Gateway, None))
        quiet = structlog.make_filtering_bound_logger(logging.ERROR)
        structlog.configure(wrapper_class=quiet)
        with db.transaction() as session:
            browser = _log_in(session, shop, size)
            cases.start(session, size.account_id, START.date(), clock.now())
        there = _count(db, size)
        floor, took = _middle(browser, FLOOR), _middle(browser, FIRST)
        with statements(db) as sent:
            assert browser.get(FIRST).status_code == 200
        db.close()
    said = "within" if took[1] <= MOST_MS else "OVER"
    print(
        f"  {there[0]:>7,} bills, {there[1]:>6,} open   floor {floor[0]:5.1f} ms ({floor[1]:4.1f} worked)   "
        f"first screen {took[0]:5.1f} ms ({took[1]:4.1f} worked), {took[1] / floor[1]:.1f} of the floor, "
        f"{len(sent)} questions   ({said} {MOST_MS:.0f} ms)",
        flush=True,
    )


def _count(db: Database, size: Size) -> list[int]:
    with db.reading() as session:
        bills = session.query(Invoice).filter(Invoice.payer_account_id == size.account_id).count()
        open_ = session.query(OpenNow).filter(OpenNow.account_id == size.account_id).count()
    return [bills, open_]


def _open_all(session: Session, size: Size) -> None:
    """Each paid bill asks again: an open item more. The page does not mind that the books do not hold."""
    entry = session.scalars(select(JournalEntry.id).limit(1)).one()
    found = session.execute(
        select(Invoice.id, Invoice.number, Invoice.total_minor, Invoice.issue_date).where(
            Invoice.payer_account_id == size.account_id
        )
    ).all()
    same = {
        "legal_entity_id": size.legal_entity_id,
        "account_id": size.account_id,
        "ledger_code": RECEIVABLE,
        "side": "debit",
        "currency": "USD",
    }
    owed: list[dict[str, Any]] = [{"id": new_id(), **same} for _ in found]
    session.execute(
        insert(OpenItem),
        [
            one
            | {
                "entry_id": entry,
                "amount_minor": row.total_minor,
                "functional_minor": row.total_minor,
                "source_kind": "invoice",
                "source_id": row.id,
                "number": row.number,
                "effective_date": row.issue_date,
                "due_date": row.issue_date,
                "is_history": False,
            }
            for one, row in zip(owed, found, strict=True)
        ],
    )
    kept = set(session.scalars(select(OpenNow.item_id)))
    rows = [
        {**one, "item_id": one["id"], "due": row.issue_date, "open_minor": row.total_minor}
        for one, row in zip(owed, found, strict=True)
        if one["id"] not in kept  # where the triggers are gone nobody has
    ]
    for one in rows:
        del one["id"]
    if rows:
        session.execute(insert(OpenNow), rows)


def _log_in(session: Session, shop: Shop, size: Size) -> Browser:
    now = shop.house.clock.now()
    user = worlds.user(session, now, email="bench@example.com")
    accounts.join(session, user.id, size.account_id, "owner", now)
    token = new_token()
    session.add(
        UserSession(
            token_hash=token_hash(token),
            user_id=user.id,
            data={"_user_id": str(user.id), "_fresh": True, "desk": ""},
            created_at=now,
            expires_at=now + timedelta(days=14),
        )
    )
    browser = Browser(shop)
    browser.keep("session", token)
    return browser


def _middle(browser: Browser, path: str) -> tuple[float, float]:
    """Milliseconds by the clock, and of work in this process."""
    taken, worked = [], []
    for _ in range(TIMES):
        start, begun = time.perf_counter(), time.process_time()
        answer = browser.get(path)
        taken.append(time.perf_counter() - start)
        worked.append(time.process_time() - begun)
        assert answer.status_code == 200, answer.status_code
    return statistics.median(taken) * 1000, statistics.median(worked) * 1000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--small", action="store_true", help="only to try it")
    many = 500 if arguments.parse_args().small else 10_000
    for kind in ("sqlite", "postgresql"):
        print(f"{kind}:", flush=True)
        for bills, all_open in ((10, False), (many, False), (many, True)):
            with tempfile.TemporaryDirectory() as name:
                measure(kind, Path(name), bills, all_open=all_open)


if __name__ == "__main__":
    main()
