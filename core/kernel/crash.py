"""Named crash points: where a process may die and nothing may be lost or doubled.

In production ``point`` does nothing. Tests arm one name, or list the names that a run passes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_armed: Callable[[str], None] | None = None


class SimulatedCrash(BaseException):
    """The process is gone. No ``except Exception`` may catch it, as none catches a kill."""


def point(name: str) -> None:
    """A place where the process may die."""
    if _armed is not None:
        _armed(name)


@contextmanager
def armed(on_point: Callable[[str], None]) -> Iterator[None]:
    """Call ``on_point`` with the name of each point that is passed."""
    global _armed
    _armed = on_point
    try:
        yield
    finally:
        _armed = None


@contextmanager
def crash_at(name: str) -> Iterator[None]:
    """Die at the first passing of ``name``; the SimulatedCrash ends at this block.

    Raises AssertionError when it was not passed: then nothing died, and nothing was shown.
    """

    def die(passed: str) -> None:
        if passed == name:
            raise SimulatedCrash(name)

    with armed(die):
        try:
            yield
        except SimulatedCrash:
            return
    raise AssertionError(f"{name} was not passed")
