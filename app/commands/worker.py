"""``./shop worker``: claims jobs and does them: bills, documents, mails, refunds, what runs by the clock."""

import argparse
import multiprocessing
import signal
import threading
import time
from collections.abc import Sequence
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from typing import TextIO

from app import logs, worker
from app.settings import Settings
from app.wiring import build
from flows.house import House

#: A worker that ended by itself is replaced after so many seconds.
_PAUSE = 1.0
_LOOK_EVERY = 0.5


def run(argv: Sequence[str], settings: Settings, house: House, out: TextIO) -> int:
    """Works until SIGTERM or Ctrl-C, finishes the jobs in hand, then 0."""
    asked = _parser().parse_args(argv)
    stop = _stop_on_signals()
    logs.configure(settings.mode)
    if asked.processes == 1:
        worker.run(house, stop)
        return 0
    house.db.close()
    _several(settings, asked.processes, stop, out)
    return 0


def _several(settings: Settings, count: int, stop: threading.Event, out: TextIO) -> None:
    """Keeps ``count`` workers running; they share nothing but the database."""
    started = [_start(settings) for _ in range(count)]
    print(f"{count} workers: {', '.join(str(one.pid) for one in started)}", file=out, flush=True)
    while not stop.is_set():
        connection.wait([one.sentinel for one in started], timeout=_LOOK_EVERY)
        for index, one in enumerate(started):
            if one.exitcode is not None and not stop.is_set():
                print(f"Worker {one.pid} ended by itself; another starts.", file=out, flush=True)
                time.sleep(_PAUSE)
                started[index] = _start(settings)
    for one in started:
        one.terminate()
    for one in started:
        one.join()


def _start(settings: Settings) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=_one_of_several, args=(settings,))
    process.start()
    return process


def _one_of_several(settings: Settings) -> None:
    """A worker's own process; it ends when its parent has gone, however that went."""
    logs.configure(settings.mode)
    stop = _stop_on_signals()
    parent = multiprocessing.parent_process()
    assert parent is not None  # we were started by it

    def follow() -> None:
        parent.join()
        stop.set()

    threading.Thread(target=follow, daemon=True).start()
    house = build(settings)
    try:
        worker.run(house, stop)
    finally:
        house.db.close()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def ask(number: int, frame: object) -> None:
        # Not here: the main thread may hold the event's own lock at this very moment.
        threading.Thread(target=stop.set).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop worker",
        description="Do the jobs: issue bills, render documents, send mails, ask the processor. Any "
        "number of workers may run, on one machine or on several.",
    )
    parser.add_argument(
        "-n", dest="processes", type=_count, default=1, metavar="N", help="this many processes"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("that many workers cannot be started")
    return int(text)
