"""A service over time as billing sees it: the terms of each phase, and the periods of usage that are over.

Pure.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.kernel.calendar import Cycle, Period
from core.kernel.money import Money
from core.subscriptions.timeline import NEVER, Phase, Timeline
from invoices.rating.due import Terms
from invoices.rating.proration import Recurring
from invoices.rating.rated import rounded
from invoices.rating.usage import Pricing

TRIAL = "trial"


@dataclass(frozen=True)
class Metered:
    """A meter of a plan with what its units cost. ``counts``: sum, max or last."""

    meter_id: uuid.UUID
    name: str
    unit: str
    counts: str
    pricing: Pricing


#: What each plan counts, by variant and currency.
Meters = Mapping[tuple[uuid.UUID, str], Sequence[Metered]]


@dataclass(frozen=True)
class Window:
    """One period of usage: the days that are counted together, and billed when they are over.

    Phases of one plan that follow each other on the same bill days share it: a change of quantity begins
    no tier anew. ``phase`` is the first of them, and ``index`` counts from its first period.
    """

    timeline: Timeline
    phase: Phase
    metered: Metered
    index: int
    days: Period

    @property
    def key(self) -> str:
        """What its lines are for."""
        return f"{self.phase.id.hex}/{self.metered.meter_id.hex}/{self.index}"


def terms_of(timeline: Timeline, phase: Phase) -> Terms:
    """The terms of a phase that has begun, be it without a day."""
    days = next(days for one, days in timeline.spans() if one.id == phase.id)
    return _terms(timeline, phase, days)


def _terms(timeline: Timeline, phase: Phase, days: Period) -> Terms:
    return Terms(
        key=phase.id.hex,
        price=price_of(timeline, phase),
        cycle=timeline.cycle(phase),
        starts=days.start,
        ends=None if days.end == NEVER else days.end,
        pauses=timeline.pauses,
        is_shown=phase.kind == TRIAL,
    )


def price_of(timeline: Timeline, phase: Phase) -> Recurring:
    """What one whole period of a phase costs."""
    return Recurring(phase.unit_price_micros, timeline.currency, Decimal(phase.quantity))


def whole(timeline: Timeline, phase: Phase) -> Money:
    """The same, rounded."""
    return rounded(price_of(timeline, phase).exact, timeline.currency)


def windows(timeline: Timeline, meters: Meters, as_of: date) -> Iterator[Window]:
    """The periods of usage that were over by ``as_of``: its first free day is the first to bill them on."""
    for phase, days in _stretches(timeline):
        cycle = timeline.cycle(phase)
        first = cycle.index_of(days.start)
        until = Period(days.start, max(days.start, min(days.end, cycle.around(as_of).end)))
        for index, part in cycle.served(until):
            whole = part.end in (days.end, cycle.period(index).end)
            if not whole or part.end > as_of:
                continue
            for metered in meters.get((phase.variant_id, timeline.currency), ()):
                yield Window(timeline, phase, metered, index - first, part)


def _stretches(timeline: Timeline) -> Iterator[tuple[Phase, Period]]:
    """The days of one plan on the same bill days, each with its first phase."""
    found: list[tuple[Phase, Period]] = []
    for phase, days in timeline.spans():
        if not days.days:
            continue
        if found:
            first, before = found[-1]
            if before.end == days.start and _counts_on(timeline, first, phase):
                found[-1] = (first, Period(before.start, days.end))
                continue
        found.append((phase, days))
    return iter(found)


def _counts_on(timeline: Timeline, first: Phase, following: Phase) -> bool:
    if (first.variant_id, first.kind) != (following.variant_id, following.kind):
        return False
    return _same_days(timeline.cycle(first), timeline.cycle(following))


def _same_days(one: Cycle, other: Cycle) -> bool:
    same = (one.day, one.months) == (other.day, other.months)
    return same and (one.month - other.month) % one.months == 0


def open_from(timeline: Timeline, meters: Meters, as_of: date) -> date | None:
    """The first day whose usage was not billed by ``as_of``; None where nothing is counted."""
    found = None
    for phase, days in _stretches(timeline):
        if meters.get((phase.variant_id, timeline.currency)) and days.start <= as_of:
            turn = max(days.start, timeline.cycle(phase).around(as_of).start)
            found = turn if as_of < days.end else days.end
    return found


def next_day(timeline: Timeline, meters: Meters, as_of: date) -> date | None:
    """The first day after ``as_of`` on which there may be something new to bill; None: on no day, as long
    as the service stays as it is."""
    found: list[date] = []
    for phase, days in timeline.spans():
        if days.end <= as_of or not days.days:
            continue
        if days.start > as_of:
            found.append(days.start)
            continue
        turn = timeline.cycle(phase).around(as_of).end
        if turn < days.end:
            found.append(turn)
        elif days.end != NEVER and meters.get((phase.variant_id, timeline.currency)):
            found.append(days.end)
    return min(found, default=None)
