"""``./shop serve``: the shop's pages and its API, in as many processes and threads as the settings say."""

import argparse
import errno
import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from app.settings import Settings
from core.kernel.clock import Clock
from core.kernel.db import Database

#: Requests in hand get so many seconds to end when the server is asked to stop.
_LAST_REQUESTS = 15


def run(argv: Sequence[str], settings: Settings, db: Database, clock: Clock, out: TextIO) -> int:
    """Serves until SIGTERM or Ctrl-C, then 0; 1 when the port cannot be had or the server failed."""
    asked = _parser().parse_args(argv)
    why_not = _why_not(asked.host, asked.port)
    if why_not:
        print(f"Port {asked.port} of {asked.host} {why_not}; choose another with --port.", file=out)
        return 1
    # The server's processes open connections of their own.
    db.close()
    _count_apart(settings.data_dir / "metrics" / str(asked.port))
    print(f"Serving {settings.base_url} on {asked.host}:{asked.port}", file=out, flush=True)
    _serve(asked.host, asked.port, settings)
    return 0


def _serve(host: str, port: int, settings: Settings) -> None:
    # Imported late: it takes a while, and whoever asks for help need not wait for it.
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "app.web:create",
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        respawn_failed_workers=True,
        workers_kill_timeout=_LAST_REQUESTS,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


def _count_apart(folder: Path) -> None:
    """Each server process counts in files of its own below ``folder``, which ``/metrics`` adds up.

    What an earlier server left there would be counted again, so the folder is made anew. The library of
    the counters reads its name from the environment when the processes import it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _why_not(host: str, port: int) -> str:
    """Why nobody could listen there now; empty when one could."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        words = {errno.EADDRINUSE: "is taken", errno.EACCES: "is not yours to open"}
        return words.get(number or 0, f"cannot be opened ({error})")
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./shop serve",
        description="Serve the shop. WEB_PROCESSES and WEB_THREADS say how many requests at once.",
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    return parser
