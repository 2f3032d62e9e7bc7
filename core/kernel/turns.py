"""One request of a process at a time, but for those that wait for somebody outside.

A server process has many threads so that some may wait for the payment processor; only one of them runs
at any moment. Threads that compute at the same time hand the interpreter to one another at every row of
every answer, and together do less than one alone (docs/bench.md). So a request takes its turn when it
begins, and lets others go first while it waits for the network. Turns save time and promise nothing:
whoever has waited for a quarter of a second goes on without one.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds after which a turn that has not come is waited for no longer.
PATIENCE = 0.25

_turn = threading.Lock()
_mine = threading.local()


@contextmanager
def taken() -> Iterator[None]:
    """Run the block in this thread's turn."""
    _take()
    try:
        yield
    finally:
        _give()


@contextmanager
def aside() -> Iterator[None]:
    """Let others take their turn while the block waits for the network. Nothing for one without a turn."""
    had = _give()
    try:
        yield
    finally:
        if had:
            _take()


def _take() -> None:
    _mine.held = _turn.acquire(timeout=PATIENCE)


def _give() -> bool:
    held: bool = getattr(_mine, "held", False)
    if held:
        _mine.held = False
        _turn.release()
    return held
