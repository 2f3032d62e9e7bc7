"""The bench's client: so many connections of one process, kept alive, each asking one thing after the other.

A scenario is a generator: it yields requests and is sent the answers. There is no wrk in a plain Debian;
this client costs about 30 µs a request, and its CPU time is counted and told.
"""

import json
import math
import selectors
import socket
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. ``counts``: its time belongs to the measured ones."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    #: Any other answer ends the bench; of several, the scenario looks which it was.
    expected: int | tuple[int, ...] = 200
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Scenario = Generator[Ask, Answer, None]


@dataclass
class Measured:
    """What a load came to: rounds are whole scenarios, seconds those of the counted answers."""

    rounds: int = 0
    took: float = 0.0
    client_cpu: float = 0.0
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Whole scenarios a second."""
        return self.rounds / self.took

    def milliseconds(self, share: float) -> float:
        """The time that ``share`` of the counted answers stayed below."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000


class WrongAnswer(AssertionError):
    """The server did not answer as it should; nothing can be measured."""


class _Line:
    """One connection that goes through one scenario after the other."""

    def __init__(self, port: int, scenarios: Iterator[Scenario]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = f"localhost:{port}".encode()
        self.scenarios = scenarios
        self.scenario = next(scenarios)
        self.ask = next(self.scenario)
        self.got = b""
        self.sent_at = 0.0

    def send(self) -> None:
        ask = self.ask
        raw = b"" if ask.body is None else json.dumps(ask.body).encode()
        lines = [f"{ask.method} {ask.path} HTTP/1.1".encode(), b"Host: " + self.host]
        lines += [f"{name}: {value}".encode() for name, value in ask.headers]
        if raw:
            lines.append(b"Content-Type: application/json")
        if ask.method != "GET":
            lines.append(b"Content-Length: %d" % len(raw))
        self.sent_at = time.perf_counter()
        self.socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + raw)

    def receive(self) -> Answer | None:
        """The answer, once it is whole."""
        data = self.socket.recv(262_144)
        if not data:
            raise WrongAnswer("the server hung up")
        self.got += data
        head, gap, body = self.got.partition(b"\r\n\r\n")
        if not gap:
            return None
        length = _length(head)
        if len(body) < length:
            return None
        self.got = b""
        return Answer(int(head[9:12]), body)

    def go_on(self, answer: Answer) -> bool:
        """Take the next request from the scenario; False when it is over."""
        expected = self.ask.expected
        if answer.status not in ((expected,) if isinstance(expected, int) else expected):
            told = answer.body.decode(errors="replace")[:500]
            raise WrongAnswer(f"{self.ask.method} {self.ask.path}: {answer.status} {told}")
        try:
            self.ask = self.scenario.send(answer)
        except StopIteration:
            return False
        return True

    def begin(self) -> bool:
        """Take the next scenario; False when there is none."""
        scenario = next(self.scenarios, None)
        if scenario is None:
            return False
        self.scenario = scenario
        self.ask = next(scenario)
        return True


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line[15:])
    return 0


def run(port: int, begin: Callable[[], Scenario], connections: int, seconds: float) -> Measured:
    """Go through the scenario on every connection for so long; answers under way are awaited."""
    return _run(port, iter(begin, None), connections, seconds)


def run_all(port: int, scenarios: Sequence[Scenario], connections: int) -> Measured:
    """Go through each of the scenarios once, so many at a time."""
    return _run(port, iter(scenarios), min(connections, len(scenarios)), math.inf)


def _run(port: int, scenarios: Iterator[Scenario], connections: int, seconds: float) -> Measured:
    measured = Measured()
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        line = _Line(port, scenarios)
        selector.register(line.socket, selectors.EVENT_READ, line)
    began, cpu = time.perf_counter(), time.process_time()
    until = began + seconds
    for key in list(selector.get_map().values()):
        key.data.send()
    while selector.get_map():
        for key, _ in selector.select(timeout=30):
            line = key.data
            answer = line.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            if line.ask.counts:
                measured.seconds.append(now - line.sent_at)
            if line.go_on(answer):
                line.send()
                continue
            measured.rounds += 1
            if now < until and line.begin():
                line.send()
            else:
                selector.unregister(line.socket)
                line.socket.close()
    measured.took = time.perf_counter() - began
    measured.client_cpu = time.process_time() - cpu
    selector.close()
    return measured
