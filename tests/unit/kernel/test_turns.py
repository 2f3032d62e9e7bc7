"""Turns: one thread at a time, nobody waits for somebody who waits for the network."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.kernel import turns


def test_only_one_thread_has_the_turn() -> None:
    inside, most, gate = [0], [0], threading.Barrier(4)

    def work() -> None:
        gate.wait()
        for _ in range(50):
            with turns.taken():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    assert most == [1]


def test_whoever_waits_for_the_network_lets_others_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 60.0)
    away, answered = threading.Event(), threading.Event()

    def ask() -> None:
        with turns.taken(), turns.aside():
            away.set()
            assert answered.wait(10)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        assert away.wait(10)
        with turns.taken():  # comes at once, else the other would never be answered
            answered.set()
        asking.result(10)


def test_a_turn_that_does_not_come_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    with turns.taken(), ThreadPoolExecutor(1) as pool:

        def work() -> str:
            with turns.taken():
                return "done"

        assert pool.submit(work).result(10) == "done"
    with turns.taken():
        pass  # and what was not taken was not given back


def test_aside_is_nothing_for_one_without_a_turn() -> None:
    with turns.aside():
        pass
    with turns.taken():
        pass
