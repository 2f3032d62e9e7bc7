"""Counters of rate limits: exact, also when many count at once, and by window."""

import threading
from datetime import timedelta

from core.kernel import counters
from core.kernel.clock import ManualClock
from core.kernel.db import Database

MINUTE = timedelta(minutes=1)


def count(db: Database, clock: ManualClock, key: str = "login:10.0.0.1", amount: int = 1) -> int:
    now = clock.now()
    return db.run_tx(lambda s: counters.count(s, key, now, now + MINUTE, amount))


def test_a_counter_counts_on_within_its_window(db: Database, clock: ManualClock):
    assert [count(db, clock) for _ in range(3)] == [1, 2, 3]
    clock.advance(MINUTE - timedelta(seconds=1))
    assert count(db, clock) == 4, "counting did not move the window"


def test_a_window_that_has_ended_begins_anew(db: Database, clock: ManualClock):
    count(db, clock)
    count(db, clock)
    clock.advance(MINUTE)
    assert count(db, clock) == 1
    clock.advance(MINUTE - timedelta(seconds=1))
    assert count(db, clock) == 2, "the new window has its full length"


def test_each_key_counts_for_itself(db: Database, clock: ManualClock):
    count(db, clock)
    assert count(db, clock, "login:10.0.0.2") == 1


def test_an_amount_counts_as_so_many(db: Database, clock: ManualClock):
    assert count(db, clock, amount=5) == 5
    assert count(db, clock, amount=2) == 7


def test_nothing_is_lost_when_many_count_at_once(db: Database, clock: ManualClock):
    start = threading.Barrier(4)
    seen: list[int] = []

    def work() -> None:
        start.wait(10)
        mine = [count(db, clock) for _ in range(10)]
        seen.extend(mine)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(seen) == list(range(1, 41))


def test_windows_that_have_ended_are_swept(db: Database, clock: ManualClock):
    count(db, clock, "old")
    clock.advance(MINUTE / 2)
    count(db, clock, "new")
    clock.advance(MINUTE / 2)
    assert db.run_tx(lambda s: counters.sweep(s, clock.now())) == 1
    assert count(db, clock, "new") == 2
