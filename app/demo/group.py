"""Several processes run as one: started together, stopped together, none left behind.

``run_group`` is what ``./shop demo`` stands on. All children live in one process group of their own, so
that Ctrl-C reaches the supervisor alone, which asks each of them to stop and waits. Whatever ends the
supervisor, ``app.demo.guard`` ends the group.
"""

import contextlib
import http.client
import os
import pathlib
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.demo import guard

READY_WITHIN_SECONDS = 60.0
STOP_WITHIN_SECONDS = 6.0
TAIL_LINES = 15
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Health is asked of this machine only, so a proxy that the environment names is not for it.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Step:
    """A process that must end well before the children start, such as a migration."""

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Child:
    """A process that runs until the group stops; ``health`` answers 200 when it is ready."""

    name: str
    argv: tuple[str, ...]
    health: str | None = None


class Stopped(Exception):
    """Somebody asked the group to stop."""


class GroupFailed(Exception):
    """A child didn't start, didn't get ready or ended by itself; the text says which and why."""


class Group:
    """The running processes of one supervisor; ``running_group`` makes and ends it."""

    def __init__(self, logs: pathlib.Path, env: Mapping[str, str], held: Sequence[int]) -> None:
        self._logs = logs
        self._env = dict(env)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._signals, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._guard_end, self._lifeline = os.pipe()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", guard.__file__],
            stdin=self._guard_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=tuple(held),
            process_group=0,
        )
        os.close(self._guard_end)

    def start(self, name: str, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Starts a process in the group; what it prints goes to its log."""
        try:
            with self.log_of(name).open("wb") as log:
                process = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self._env,
                    process_group=self._guard.pid,
                )
        except OSError as error:  # the disk is full, or the group is gone
            raise GroupFailed(f"{name} could not be started: {error}.") from error
        self._running[name] = process
        return process

    def run(self, step: Step) -> None:
        """Runs a step to its end; raises ``GroupFailed`` unless it ended well."""
        process = self.start(step.name, step.argv)
        while process.poll() is None:
            self.wait(1.0)
        del self._running[step.name]
        if process.returncode != 0:
            raise GroupFailed(self._ended(step.name, process.returncode))

    def wait(self, seconds: float) -> None:
        """Sleeps until a child ends or the time is over; raises ``Stopped`` when asked to end."""
        ready, _, _ = select.select([self._signals], [], [], seconds)
        if ready and set(os.read(self._signals, 512)) & set(ENDING):
            raise Stopped

    def check(self) -> None:
        """Raises ``GroupFailed`` when a process of the group has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise GroupFailed(self._ended(name, process.returncode))
        if self._guard.poll() is not None:
            raise GroupFailed("The guard of the group ended by itself.")

    def wait_until_ready(self, children: Sequence[Child]) -> None:
        """Returns when each child answers at its health address."""
        until = time.monotonic() + READY_WITHIN_SECONDS
        waiting = [child for child in children if child.health]
        while waiting:
            self.check()
            waiting = [child for child in waiting if child.health and not _answers(child.health)]
            if waiting and time.monotonic() > until:
                raise GroupFailed(
                    f"{waiting[0].name} did not get ready within {READY_WITHIN_SECONDS:.0f} seconds."
                    + self._tail(waiting[0].name)
                )
            self.wait(0.1 if waiting else 0)
        self.check()

    def log_of(self, name: str) -> pathlib.Path:
        return self._logs / f"{name}.log"

    def stop(self) -> None:
        """Asks every process to stop, then makes what is left, grandchildren included."""
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        until = time.monotonic() + STOP_WITHIN_SECONDS
        with contextlib.suppress(Stopped):  # asked a second time: don't wait any longer
            while time.monotonic() < until and self._alive():
                self.wait(0.1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        for process in (*self._running.values(), self._guard):
            process.wait()
        self._wait_for_grandchildren()
        os.close(self._lifeline)

    def _alive(self) -> bool:
        return any(process.poll() is None for process in self._running.values())

    def _wait_for_grandchildren(self) -> None:
        for _ in range(100):
            try:
                os.killpg(self._guard.pid, 0)
            except (ProcessLookupError, PermissionError):
                return
            time.sleep(0.01)

    def _ended(self, name: str, code: int) -> str:
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        return f"{name} ended by itself ({how})." + self._tail(name)

    def _tail(self, name: str) -> str:
        path = self.log_of(name)
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 16_384))
            lines = log.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
        if not lines:
            return f" It wrote nothing to {path}."
        return f" The end of {path}:\n" + "\n".join(f"    {line}" for line in lines)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the signals for the time of the group; a signal that was ignored (nohup) stays ignored."""
        before = {}
        for number in (*ENDING, signal.SIGCHLD):
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            before[number] = signal.signal(number, lambda _number, _frame: None)
        wake_before = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wake_before)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._signals)
            os.close(self._wake)


def run_group(
    children: Sequence[Child],
    *,
    logs: pathlib.Path,
    env: Mapping[str, str],
    steps: Sequence[Step] = (),
    on_ready: Callable[[], None] = lambda: None,
    held: Sequence[int] = (),
) -> int:
    """Runs the steps, then the children until a signal or until one of them ends.

    Returns the exit code: 0 when asked to stop, 1 when a step or a child failed. ``held`` are open files that
    stay open until the last process of the group is gone; a lock on one of them thus outlives the supervisor.
    """
    logs.mkdir(parents=True, exist_ok=True)
    group = Group(logs, env, held)
    with group.listening():
        try:
            for step in steps:
                group.run(step)
            for child in children:
                group.start(child.name, child.argv)
            group.wait_until_ready(children)
            on_ready()
            while True:
                group.wait(60.0)
                group.check()
        except Stopped:
            return 0
        except GroupFailed as failure:
            print(failure, file=sys.stderr, flush=True)
            return 1
        finally:
            group.stop()


def _answers(address: str) -> bool:
    try:
        with _direct.open(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):  # nobody there yet, or somebody else
        return False
