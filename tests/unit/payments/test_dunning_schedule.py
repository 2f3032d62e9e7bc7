"""What happens when to whoever is late: pure arithmetic, walked day by day."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.money import Money
from payments.dunning.schedule import (
    FEE,
    LOCK,
    Fee,
    Schedule,
    Standing,
    after_a_rest,
    due_now,
    following,
    reminder,
)

DUE = date(2026, 6, 30)
PLAN = Schedule(fee=Fee(Decimal("5.00")))


def on(days: int) -> date:
    return DUE + timedelta(days=days)


def walk(
    plan: Schedule, days: Iterable[int], *, paid_on: int | None = None
) -> list[tuple[int, str]]:
    """What happens on the days that somebody looks: (days late, step)."""
    done: set[str] = set()
    lock_on, is_locked, story = None, False, []
    for day in days:
        if paid_on is not None and day >= paid_on:
            break
        steps = due_now(plan, Standing(DUE, done, lock_on, is_locked), on(day))
        lock_on = steps.lock_on
        done |= {reminder(number) for number in steps.passed}
        if steps.remind is not None:
            done.add(reminder(steps.remind))
            story.append((day, reminder(steps.remind)))
        if steps.fee:
            done.add(FEE)
            story.append((day, FEE))
        if steps.lock:
            is_locked = True
            story.append((day, LOCK))
        again = due_now(plan, Standing(DUE, done, lock_on, is_locked), on(day))
        assert (again.remind, again.fee, again.lock) == (None, False, False), "asked again: nothing"
    return story


def test_who_never_pays_is_reminded_charged_and_locked_on_the_scheduled_days():
    assert walk(PLAN, range(60)) == [
        (3, "reminder-1"),
        (10, "reminder-2"),
        (14, "fee"),
        (20, "reminder-3"),
        (30, "lock"),
    ]


def test_a_shop_that_slept_makes_up_with_one_mail_and_locks_only_after_its_notice():
    days = [25, 26, 30, 31, 32, 33]
    assert walk(PLAN, days) == [(25, "reminder-3"), (25, "fee"), (32, "lock")]


def test_nobody_is_locked_where_no_reminder_tells_of_it():
    assert walk(Schedule(remind_after=(), fee_after=0), range(90)) == []


def test_too_little_costs_no_fee_and_locks_nothing_but_is_asked_for():
    steps = due_now(PLAN, Standing(DUE, counts=False), on(40))
    assert (steps.remind, steps.fee, steps.lock, steps.lock_on) == (3, False, False, None)
    assert PLAN.counts(Money(1000, "USD"))
    assert not PLAN.counts(Money(999, "USD"))
    assert PLAN.counts(Money(10, "JPY")), "ten whole units of a currency without cents"


def test_there_is_no_fee_upon_a_fee():
    assert not due_now(PLAN, Standing(DUE, bears_fee=False), on(20)).fee


@pytest.mark.parametrize(
    "fee, late, expected",
    [
        (Fee(Decimal("5.00")), Money(4_500, "USD"), 500),
        (Fee(Decimal("5.00"), Decimal("1.5")), Money(45_000, "USD"), 675),
        (Fee(percent=Decimal("1.5")), Money(4_567, "USD"), 69),
        (Fee(Decimal("5.00")), Money(4_500, "JPY"), 5),
        (Fee(), Money(4_500, "USD"), 0),
    ],
)
def test_a_fee_is_an_amount_or_a_part_whichever_is_more(fee, late, expected):
    assert fee.of(late) == Money(expected, late.currency)


def test_after_a_broken_promise_the_lock_is_never_nearer_than_its_notice():
    assert after_a_rest(PLAN, on(30), on(40)) == on(47)
    assert after_a_rest(PLAN, on(30), on(12)) == on(30)
    assert after_a_rest(PLAN, None, on(12)) is None


def test_what_comes_next_is_told():
    assert following(PLAN, Standing(DUE), on(1)) == (on(3), "reminder-1")
    done = {"reminder-1", "reminder-2"}
    assert following(PLAN, Standing(DUE, done, on(30)), on(12)) == (on(14), FEE)
    done |= {FEE, "reminder-3"}
    assert following(PLAN, Standing(DUE, done, on(30)), on(22)) == (on(30), LOCK)
    assert following(PLAN, Standing(DUE, done, on(30), is_locked=True), on(31)) is None


PLANS = st.builds(
    Schedule,
    remind_after=st.lists(st.integers(1, 60), max_size=5, unique=True).map(
        lambda days: tuple(sorted(days))
    ),
    fee_after=st.integers(0, 60),
    lock_after=st.integers(0, 60),
    notice_days=st.integers(1, 20),
)


@given(PLANS, st.lists(st.integers(0, 90), unique=True, max_size=40).map(sorted))
def test_whenever_somebody_looks_each_step_happens_once_and_locks_were_told_in_time(plan, days):
    story = walk(plan, days)
    steps = [step for _, step in story]
    assert len(steps) == len(set(steps))
    numbers = [int(step.removeprefix("reminder-")) for step in steps if step.startswith("rem")]
    assert numbers == sorted(numbers)
    by_step = {step: day for day, step in story}
    for number in numbers:
        assert by_step[reminder(number)] >= plan.remind_after[number - 1]
    if FEE in by_step:
        assert plan.fee_after
        assert by_step[FEE] >= plan.fee_after
    if LOCK in by_step:
        told = min(by_step[reminder(number)] for number in numbers)
        assert by_step[LOCK] >= max(plan.lock_after, told + plan.notice_days)
        assert max(by_step[reminder(number)] for number in numbers) < by_step[LOCK]
    mails = [day for day, step in story if step != FEE]
    assert len(mails) == len(set(mails)), "one mail a day at most"


@given(PLANS, st.integers(0, 90))
def test_what_is_foreseen_is_what_happens(plan, day):
    """Looking every day: the foreseen step comes on its day, and nothing before it."""
    before = walk(plan, range(day + 1))
    done = {step for _, step in before if step != LOCK}
    first = min((at for at, step in before if step.startswith("rem")), default=None)
    lock_on = None
    if first is not None and plan.lock_after:
        lock_on = max(on(plan.lock_after), on(first + plan.notice_days))
    at = Standing(DUE, done, lock_on, LOCK in {step: day for day, step in before})
    found = following(plan, at, on(day))
    after = [one for one in walk(plan, range(200)) if one[0] > day]
    if found is None:
        assert after == []
    else:
        assert (found[0] - DUE).days == after[0][0]
        assert found[1] in [step for at, step in after if at == after[0][0]]


def test_nothing_is_charged_or_locked_before_a_card_was_tried_again():
    plan = Schedule(remind_after=(3, 10), fee_after=14, lock_after=30)
    held = Standing(DUE, {reminder(1), reminder(2)}, lock_on=on(30), not_before=on(36))
    assert following(plan, held, on(20)) == (on(36), FEE)
    assert not due_now(plan, held, on(35)).fee
    assert not due_now(plan, held, on(35)).lock
    reached = due_now(plan, held, on(36))
    assert (reached.fee, reached.lock) == (True, True)
    told = due_now(plan, Standing(DUE, not_before=on(36)), on(3))
    assert told.lock_on == on(36 + plan.notice_days), "who is told now is told of a later day"
