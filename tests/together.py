"""Several threads let go at once, each with transactions of its own."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

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
