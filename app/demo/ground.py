"""What a demo stands on: four ports in a row and a folder that is its own."""

import contextlib
import errno
import fcntl
import os
import pathlib
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass

HIGHEST_PORT = 65535
MARK = ".counterfoil-demo"  # says that a folder is a demo's, to be emptied by --reset
_LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class NotFree(Exception):
    """The demo can't start here; the text says in one line why, and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The demo's ports: ``web`` and the three after it."""

    web: int

    @property
    def processor(self) -> int:
        return self.web + 1

    @property
    def mail(self) -> int:
        return self.web + 2

    @property
    def smtp(self) -> int:
        return self.web + 3

    @property
    def all(self) -> tuple[int, ...]:
        return (self.web, self.processor, self.mail, self.smtp)


def claim_ports(web: int) -> Ports:
    """The four ports from ``web`` on; raises ``NotFree`` when one of them is in use."""
    ports = Ports(web)
    if not 1 <= web <= HIGHEST_PORT - 3:
        raise NotFree(
            f"A port is a number from 1 to {HIGHEST_PORT - 3}; try ./shop demo --port 8100"
        )
    for port in ports.all:
        why = _why_not(port)
        if why:
            raise NotFree(f"Port {port} {why}; try ./shop demo --port {_free_from(web)}")
    return ports


def _free_from(web: int) -> int:
    for start in range(max(web, 7900) + 100, HIGHEST_PORT - 3, 100):
        if not any(_why_not(port) for port in Ports(start).all):
            return start
    return 8100


def _why_not(port: int) -> str:
    """Why nobody could listen on the port now; empty when one could."""
    for family, host in _LOOPBACKS:
        with contextlib.ExitStack() as stack:
            try:
                probe = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return "is taken"
                if error.errno == errno.EACCES:
                    return "is not yours to open"
                # No such kind of address on this machine: then nobody listens on it either.
    return ""


@contextlib.contextmanager
def locked(data: pathlib.Path) -> Iterator[int]:
    """Takes the demo's folder for one demo alone; yields the lock's file descriptor.

    The lock lies beside the folder and is held as long as any process keeps the descriptor open.
    Raises ``NotFree`` when another demo runs on the folder.
    """
    data.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(data.with_name(f"{data.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotFree(
                f"A demo runs on {data} already; stop it first, or start another with "
                f"--data {data}-2 --port 8100"
            ) from None
        yield lock
    finally:
        os.close(lock)


def lay_out(data: pathlib.Path, *, reset: bool) -> None:
    """Makes the demo's folder, anew if ``reset``; raises ``NotFree`` if it holds something else."""
    mark = data / MARK
    if data.exists() and not mark.exists() and any(data.iterdir()):
        raise NotFree(f"{data} holds something that is no demo's; name another folder with --data")
    data.mkdir(mode=0o700, exist_ok=True)
    mark.touch()
    if not reset:
        return
    for path in data.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != mark:
            path.unlink()


def kept_secret(data: pathlib.Path, name: str) -> str:
    """A random secret of this demo, made at the first start and the same at every later one."""
    path = data / "secrets" / name
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text()
