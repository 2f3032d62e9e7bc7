"""The arithmetic of what happens when to an account that is past due. Pure.

Everything is counted from the earliest due date that is past and not contested (``payments.overdue``). Steps
that lie behind are made up for by the latest of them alone; nobody's services are locked on a day that they
were not told of beforehand.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from core.kernel.money import Money, minor_digits

FEE, LOCK = "fee", "lock"


@dataclass(frozen=True)
class Fee:
    """What being late costs: ``amount`` of the account's currency, or ``percent`` of what is past due where
    that is more."""

    amount: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)

    def of(self, past_due: Money) -> Money:
        """The fee for so much past due, half up at the minor unit."""
        currency = past_due.currency
        unit = Decimal(10) ** minor_digits(currency)
        fixed = int((self.amount * unit).to_integral_value(ROUND_HALF_UP))
        share = int((past_due.minor * self.percent / 100).to_integral_value(ROUND_HALF_UP))
        return Money(max(fixed, share), currency)


@dataclass(frozen=True)
class Schedule:
    """Days after the due date. ``fee_after`` and ``lock_after`` of zero: never.

    ``least`` is in whole units of the account's currency: below it nothing costs a fee or locks a service.
    """

    remind_after: tuple[int, ...] = (3, 10, 20)
    fee_after: int = 14
    lock_after: int = 30
    #: Between the day on which somebody is told of the lock and the lock.
    notice_days: int = 7
    least: int = 10
    fee: Fee = field(default_factory=Fee)
    #: How far ahead a customer may promise to pay, and how often before everything is paid.
    promise_days: int = 14
    promises: int = 2

    def counts(self, past_due: Money) -> bool:
        """Is it enough for a fee and a lock?"""
        least = Money.parse(str(self.least), past_due.currency)
        return least <= past_due


@dataclass(frozen=True)
class Standing:
    """How far an account has come. ``done`` are the steps done for this due date, ``lock_on`` the day that
    its payer was told."""

    due: date
    done: Collection[str] = ()
    lock_on: date | None = None
    is_locked: bool = False
    #: Is what is past due enough for a fee and a lock, and does this bill bear a fee at all?
    counts: bool = True
    bears_fee: bool = True
    #: The bill's card is tried again: nothing is charged or locked before this day.
    not_before: date = date.min


@dataclass(frozen=True)
class Steps:
    """What is to be done today: one reminder at most, ``passed`` are those that it makes up for."""

    remind: int | None = None
    passed: tuple[int, ...] = ()
    fee: bool = False
    lock: bool = False
    #: The day of the lock, once it is told.
    lock_on: date | None = None


def reminder(number: int) -> str:
    """The name of a reminder's step; they are counted from 1."""
    return f"reminder-{number}"


def due_now(schedule: Schedule, standing: Standing, today: date) -> Steps:
    """What is due on this day. Asked again once that is done, it is nothing."""
    age = (today - standing.due).days
    sent = max((n for n in _numbers(schedule) if reminder(n) in standing.done), default=0)
    reached = [n for n in _numbers(schedule) if n > sent and schedule.remind_after[n - 1] <= age]
    lock = _is_locked_now(schedule, standing, today)
    fee = bool(
        schedule.fee_after
        and schedule.fee_after <= age
        and FEE not in standing.done
        and standing.counts
        and standing.bears_fee
        and standing.not_before <= today
    )
    if lock or standing.is_locked:
        return Steps(None, tuple(reached), fee, lock, standing.lock_on)
    if not reached:
        return Steps(fee=fee, lock_on=standing.lock_on)
    told = standing.lock_on or _lock_day(schedule, standing, today)
    return Steps(reached[-1], tuple(reached[:-1]), fee, lock_on=told)


def _numbers(schedule: Schedule) -> range:
    return range(1, len(schedule.remind_after) + 1)


def _is_locked_now(schedule: Schedule, standing: Standing, today: date) -> bool:
    told = standing.lock_on
    can = bool(schedule.lock_after) and standing.counts and not standing.is_locked
    return can and told is not None and max(told, standing.not_before) <= today


def _lock_day(schedule: Schedule, standing: Standing, today: date) -> date | None:
    """The day of the lock for whoever is told today: the scheduled one, or so many days from now."""
    if not schedule.lock_after or not standing.counts:
        return None
    planned = standing.due + timedelta(days=schedule.lock_after)
    return max(planned, max(today, standing.not_before) + timedelta(days=schedule.notice_days))


def after_a_rest(schedule: Schedule, lock_on: date | None, today: date) -> date | None:
    """The day of a lock that was told, once a rest is over, from ``today`` on: never without notice again."""
    if lock_on is None:
        return None
    return max(lock_on, today + timedelta(days=schedule.notice_days))


def following(schedule: Schedule, standing: Standing, today: date) -> tuple[date, str] | None:
    """The next step that lies ahead, if nothing is paid: its day and its name."""
    ahead: list[tuple[date, str]] = []
    if not standing.is_locked:
        sent = max((n for n in _numbers(schedule) if reminder(n) in standing.done), default=0)
        days = schedule.remind_after
        ahead += [
            (standing.due + timedelta(days=days[n - 1]), reminder(n))
            for n in _numbers(schedule)
            if n > sent
        ]
        lock_on = standing.lock_on
        if lock_on is None and ahead and standing.counts and schedule.lock_after:
            told = max(ahead[0][0], today)
            lock_on = _lock_day(schedule, standing, told)
        if lock_on is not None and standing.counts and schedule.lock_after:
            ahead = [step for step in ahead if step[0] < lock_on]
            ahead.append((max(lock_on, standing.not_before), LOCK))
    if schedule.fee_after and standing.counts and standing.bears_fee and FEE not in standing.done:
        fee_on = standing.due + timedelta(days=schedule.fee_after)
        ahead.append((max(fee_on, standing.not_before), FEE))
    ahead = [(max(day, today), name) for day, name in ahead]
    return min(ahead, default=None)
