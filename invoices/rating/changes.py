"""Changes: what should be billed, compared with what is; the difference is to be posted.

A change of plan, a cancellation, a pause and a bill run are all the same comparison, so that it may be run
again at any time: what was posted is then part of what is billed, and nothing is left to do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.kernel.calendar import Cycle, Period
from core.kernel.money import Money, total
from invoices.rating.proration import Recurring, Service, because, prorate
from invoices.rating.rated import Rated, smallest
from invoices.why import ZERO, Formula, Why


@dataclass(frozen=True)
class Wanted:
    """What should be billed: ``key`` says what for (one subscription's plan in one period)."""

    key: str
    price: Recurring
    service: Service
    #: Billed once, also when it comes to nothing: how a trial begins.
    is_shown: bool = False

    @property
    def rated(self) -> Rated:
        """What it comes to."""
        return prorate(self.price, self.service)


@dataclass(frozen=True)
class Billed:
    """A line that was billed, with what was taken back of it since.

    ``repaired`` is what earlier comparisons took back; ``adjusted`` any other credit (goodwill, a
    dispute): it lessens what can still be taken back, not what should be billed. ``stood_days``: the days
    that it stands for since; None: those of its service.
    """

    line: str
    key: str
    price: Recurring
    service: Service
    amount: Money
    repaired: Money
    adjusted: Money
    stood_days: int | None = None

    @property
    def days(self) -> int:
        """The days that it stands for."""
        return self.service.days if self.stood_days is None else self.stood_days

    @property
    def stands(self) -> Money:
        """What the comparison goes by."""
        return self.amount - self.repaired

    @property
    def left(self) -> Money:
        """The most that can still be taken back; never below zero."""
        return max(self.stands - self.adjusted, Money.zero(self.amount.currency))


def billed(line: str, wanted: Wanted, adjusted: Money | None = None) -> Billed:
    """A line that was billed as it should be."""
    zero = Money.zero(wanted.price.currency)
    amount = wanted.rated.amount
    return Billed(line, wanted.key, wanted.price, wanted.service, amount, zero, adjusted or zero)


@dataclass(frozen=True)
class Change:
    """One line to post: a charge is positive; a repair is negative and takes back from ``repairs``."""

    key: str
    amount: Money
    why: Why
    repairs: str | None = None


def balance(changes: Iterable[Change], currency: str) -> Money:
    """All changes together: above zero it is to be paid, below it becomes the account's credit."""
    return total((change.amount for change in changes), currency)


def compare(have: Sequence[Billed], wanted: Sequence[Wanted]) -> tuple[Change, ...]:
    """What is to be posted so that what is billed is what should be; repairs come first.

    ``wanted`` names each key once; a key that is billed and not wanted is taken back whole. A repair is
    capped by what is left of its line; where a key has several lines, the newest (last) give first.
    """
    aims = {one.key: one for one in wanted}
    if len(aims) != len(wanted):
        raise ValueError("the same thing is wanted twice")
    lines: dict[str, list[Billed]] = {}
    for one in have:
        lines.setdefault(one.key, []).append(one)
    repairs = [change for key, mine in lines.items() for change in _repairs(mine, aims.get(key))]
    charges = [change for key, aim in aims.items() for change in _charges(aim, lines.get(key, []))]
    return (*repairs, *charges)


def _charges(aim: Wanted, mine: Sequence[Billed]) -> list[Change]:
    rated = aim.rated
    if not mine:
        return [Change(aim.key, rated.amount, rated.why)] if rated.amount or aim.is_shown else []
    missing = rated.amount - _standing(mine)
    if missing.minor <= 0:
        return []
    more = aim.service.days - sum(one.days for one in mine)
    why = _by_days(mine[-1], aim, more, missing) or Why(
        Formula.FIXED, missing.decimal(), of=rated.amount.decimal()
    )
    return [Change(aim.key, missing, why)]


def _repairs(mine: Sequence[Billed], aim: Wanted | None) -> list[Change]:
    stands = _standing(mine)
    target = aim.rated.amount if aim else Money.zero(stands.currency)
    too_much = stands - target
    found = []
    for one in reversed(mine):
        take = min(too_much, one.stands)
        if take.minor <= 0:
            continue
        too_much -= take
        unused = one.days - (aim.service.days if aim else 0)
        why = _by_days(one, aim, unused, -take) or Why(
            Formula.CREDIT, -take.decimal(), of=one.amount.decimal(), source=one.line
        )
        if one.left < take:
            take = one.left
            why = replace(why, amount=-take.decimal(), residue=ZERO, limit=take.decimal())
        if take:
            found.append(Change(one.key, -take, why, one.line))
    return found


def _by_days(one: Billed, aim: Wanted | None, days: int, amount: Money) -> Why | None:
    """Why, where it is so many days at the price that the line was billed at; None where it isn't."""
    period = one.service.period
    if days <= 0 or (aim and (aim.price, aim.service.period) != (one.price, period)):
        return None
    why = because(one.price, days, period, amount)
    return why if abs(why.residue) <= smallest(amount.currency) else None


def _standing(mine: Sequence[Billed]) -> Money:
    return total((one.stands for one in mine), mine[0].amount.currency)


def cancel(have: Sequence[Billed], on: date) -> tuple[Change, ...]:
    """Take back what was billed from ``on``, the first day without service."""
    kept = {one.key: one for one in have}
    wanted = [Wanted(key, one.price, one.service.before(on)) for key, one in kept.items()]
    return compare(have, wanted)


def pause(have: Sequence[Billed], without: Period) -> tuple[Change, ...]:
    """Take back what was billed for days on which there was no service."""
    kept = {one.key: one for one in have}
    wanted = [
        Wanted(key, one.price, replace(one.service, pauses=(*one.service.pauses, without)))
        for key, one in kept.items()
    ]
    return compare(have, wanted)


def switch(
    have: Sequence[Billed], on: date, key: str, price: Recurring, cycle: Cycle | None = None
) -> tuple[Change, ...]:
    """Another plan from ``on``: the old one is taken back from that day, the new one charged from it.

    The new plan's period is the one that runs, or that of ``cycle`` when its bill days differ (a year
    instead of a month). ValueError when nothing that was billed runs on that day.
    """
    running = [one.service.period for one in have if on in one.service.served]
    if not running:
        raise ValueError(f"nothing runs on {on}")
    period = cycle.around(on) if cycle else running[0]
    new = Wanted(key, price, Service(period, Period(on, period.end)))
    return (*cancel(have, on), *compare([], [new]))
