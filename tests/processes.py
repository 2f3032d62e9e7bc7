"""Looking after real processes: whether they live, and waiting for what they do."""

import os
import pathlib
import time
from collections.abc import Callable


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not yet fetched by its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = pathlib.Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not pathlib.Path("/proc/self").exists()


def wait_until(holds: Callable[[], object], seconds: float = 20) -> bool:
    """Waits for something to hold; whether it came to it in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
