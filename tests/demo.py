"""The demo as the script opens it, and its first opening: one process of a run waits for it, for all of them.

Its history takes half a minute to come about. Whoever looks at the first opening finds what it said; whoever
wants a demo with its history takes a copy of the folder.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import threading
import urllib.request
from dataclasses import dataclass
from typing import Any

from tests.ports import free_ports
from tests.processes import lives, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[1]


class OpenDemo:
    """A demo started by the script, on ports and in a folder of its own."""

    def __init__(self, data: pathlib.Path) -> None:
        self.data = data
        self.web = free_ports(4)
        self.said: list[str] = []
        self.process: Any = subprocess.Popen(
            [ROOT / "shop", "demo", "--port", str(self.web), "--data", data],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def is_open(self) -> bool:
        return self.process.poll() is not None or any(
            "Ctrl-C closes it" in line for line in self.said
        )

    def wait(self, seconds: float = 90) -> None:
        """Until it is open."""
        assert wait_until(self.is_open, seconds), self.said

    def get(self, offset: int = 0, path: str = "/") -> tuple[int, str]:
        host = "localhost" if offset == 0 else "127.0.0.1"
        with urllib.request.urlopen(
            f"http://{host}:{self.web + offset}{path}", timeout=10
        ) as answer:
            return answer.status, answer.read().decode()

    def processes(self) -> set[int]:
        """The living processes of this demo: whoever carries its folder in the environment."""
        mark = f"DATA_DIR={self.data}\0".encode()
        found: set[int] = set()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes() and lives(int(folder.name)):
                    found.add(int(folder.name))
        return found

    def close(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code: int = self.process.wait(timeout=10)
        self._reader.join()
        self.process.stdout.close()
        return code


@dataclass(frozen=True)
class Opening:
    """A demo was opened in an empty folder, and closed: what it said, how many processes it had, with what
    code it ended, and how many of them were left."""

    folder: pathlib.Path
    said: list[str]
    processes: int
    code: int
    left: int


def opened_first(own: pathlib.Path) -> Opening:
    """The first opening of this run. ``own`` is the base folder of this process."""
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, note = shared / "first-demo", shared / "first-demo.json"
    with (shared / "first-demo.once").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not note.exists():
            note.write_text(json.dumps(_open(folder)))
    return Opening(folder, **json.loads(note.read_text()))


def _open(folder: pathlib.Path) -> dict[str, Any]:
    demo = OpenDemo(folder)
    try:
        demo.wait(seconds=180)  # others may be busy meanwhile
        processes = len(demo.processes())
        code = demo.close()
    except BaseException:
        demo.close(signal.SIGKILL)
        raise
    return {
        "said": demo.said,
        "processes": processes,
        "code": code,
        "left": len(demo.processes()),
    }
