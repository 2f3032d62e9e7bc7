"""Several threads let go at once, each with transactions of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.kernel.db import Database


def together(works: Sequence[Callable[[], object]]) -> list[object]:
    """Run each in a thread of its own; answers what each returned or raised."""
    gate = threading.Barrier(len(works))
    outcomes: list[object] = [None] * len(works)

    def run(position: int, work: Callable[[], object]) -> None:
        gate.wait()
        try:
            outcomes[position] = work()
        except Exception as error:
            outcomes[position] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def at_once(db: Database, works: Sequence[Callable[[Session], object]]) -> list[object]:
    """Run each in a transaction and a thread of its own; answers what each returned or raised."""
    return together([partial(db.run_tx, work) for work in works])


def until_it_waits(session: Session, going: Future[Any]) -> None:
    """Until somebody waits for what this transaction has locked, who is ``going``: PostgreSQL tells; SQLite
    lets one in at a time from the start."""
    if session.get_bind().dialect.name == "sqlite":
        return
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    until = time.monotonic() + 20
    while not session.scalar(waiting):
        assert not going.done()
        assert time.monotonic() < until
        time.sleep(0.01)
