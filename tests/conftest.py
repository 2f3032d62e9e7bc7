"""What holds for every test: no way out to the network, the same examples each time, nothing left out unsaid.

A run with ``--all-must-run`` (which ``./shop test`` and CI use) fails when a test was skipped that
should have run; only tests of Stripe itself may be left out, for want of a key.
"""

import functools
import gc
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

LOOPBACK_NAMES = {"", "localhost", "::1", "0.0.0.0", "::", None}  # a server binds to the last two
MAY_BE_LEFT_OUT = "stripe_live"
LONGEST_CHECK = 600
CI = bool(os.environ.get("CI"))

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if CI else "here")


# --- the network is off, but for this machine -----------------------------------------------------


class NetworkIsOff(RuntimeError):
    """A test tried to speak to another machine."""


class _Gate:
    open = False


def _is_this_machine(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return host in LOOPBACK_NAMES or (isinstance(host, str) and host.startswith("127."))


def _check(host: object) -> None:
    if not _Gate.open and not _is_this_machine(host):
        raise NetworkIsOff(f"tests speak to this machine only, not to {host!r}")


#: How a socket speaks to somebody, and where among its arguments the address stands.
_WAYS_OUT = {"connect": 0, "connect_ex": 0, "sendto": -1, "sendmsg": 3}


def _guarded(way: Callable[..., Any], position: int) -> Callable[..., Any]:
    def go(self: socket.socket, *args: Any) -> Any:
        address = args[position] if len(args) > position else None
        if isinstance(
            address, tuple
        ):  # else a socket in the file system, or whoever it is connected to
            _check(address[0])
        return way(self, *args)

    return go


def _look_up(host: Any, *args: Any, **named: Any) -> Any:
    _check(host)
    return _LOOK_UP(host, *args, **named)


# Not by an audit hook, which would be called for every ``id()`` of SQLAlchemy as well: 2 % of a run.
for _way, _position in _WAYS_OUT.items():
    setattr(socket.socket, _way, _guarded(getattr(socket.socket, _way), _position))
_LOOK_UP = socket.getaddrinfo
socket.getaddrinfo = _look_up


@pytest.fixture(autouse=True)
def _network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests marked ``stripe_live`` may go out; no other may."""
    _Gate.open = request.node.get_closest_marker("stripe_live") is not None
    yield
    _Gate.open = False


# --- what is there for the whole run --------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Nothing of what is imported and collected is garbage."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """The collector need not walk through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


# --- what runs and what doesn't -------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("counterfoil")
    group.addoption("--long", action="store_true", help="run the long sweeps too")
    group.addoption(
        "--all-must-run", action="store_true", help="fail when a test was skipped that should run"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long sweeps wait for ``--long``; the tests of Stripe itself wait for a key."""
    if not config.getoption("--long"):
        later = [item for item in items if item.get_closest_marker("long")]
        if later:
            config.hook.pytest_deselected(items=later)
            items[:] = [item for item in items if not item.get_closest_marker("long")]
    if not os.environ.get("STRIPE_TEST_KEY"):
        for item in items:
            if item.get_closest_marker("stripe_live"):
                item.add_marker(pytest.mark.skip(reason="needs STRIPE_TEST_KEY, a Stripe test key"))


def _left_out(reporter: pytest.TerminalReporter) -> tuple[dict[str, list[str]], bool]:
    """Each reason with the tests that it kept from running, and whether one should have run."""
    reasons: dict[str, list[str]] = {}
    should_have_run = False
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
        should_have_run |= MAY_BE_LEFT_OUT not in report.keywords
    return reasons, should_have_run


@functools.cache
def _said_beside() -> tuple[str, str]:
    """The check that ran beside the tests, and what it said; waits for its answer."""
    path = os.environ.get("CHECK_BESIDE", "")
    if not path:
        return "", "ok"
    answer, deadline = Path(path), time.monotonic() + LONGEST_CHECK
    while not answer.exists():
        if time.monotonic() > deadline:
            return answer.name, f"no answer in {LONGEST_CHECK} seconds"
        time.sleep(0.1)
    return answer.name, answer.read_text().strip()


def _failed_checks() -> list[str]:
    """The checks before and beside the tests that failed; ``./shop test`` tells them."""
    before = [name for name in os.environ.get("FAILED_CHECKS", "").split(",") if name]
    name, said = _said_beside()
    return before if said == "ok" else [*before, name]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput") or exitstatus != 0:
        return
    must_run = session.config.getoption("--all-must-run")
    if _failed_checks() or (must_run and _left_out(reporter)[1]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        return
    reasons, should_have_run = _left_out(terminalreporter)
    if reasons:
        count = sum(len(names) for names in reasons.values())
        terminalreporter.section(f"not run: {count}")
        for reason, names in sorted(reasons.items()):
            terminalreporter.line(f"{len(names)} x {reason}")
            for name in sorted(set(names)):
                terminalreporter.line(f"    {name}")
        if should_have_run and config.getoption("--all-must-run"):
            terminalreporter.line(
                "This run fails for it: these tests should run everywhere.", red=True
            )
    name, said = _said_beside()
    if name:
        terminalreporter.section(f"{name}, beside the tests")
        terminalreporter.line(said)
    if _failed_checks():
        terminalreporter.section("checks that failed, see above")
        terminalreporter.line(", ".join(_failed_checks()), red=True)
