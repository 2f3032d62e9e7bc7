"""Services compared: what should be billed of each by a day, less what is. Pure once the facts are read.

The night, a change, a cancellation and each preview ask here; a preview only gives other timelines.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from core.kernel.calendar import Period
from core.subscriptions.timeline import Phase, Timeline
from invoices.billing import metering, standing, terms
from invoices.billing.marks import Marked
from invoices.billing.metering import Days
from invoices.billing.standing import Line, Lines
from invoices.billing.terms import Metered, Meters
from invoices.rating import changes, due, usage
from invoices.rating.changes import Change
from invoices.rating.usage import WantedUsage


@dataclass(frozen=True)
class Facts:
    """Everything about some timelines that a comparison goes by."""

    timelines: Sequence[Timeline]
    lines: Lines = field(default_factory=dict)
    meters: Meters = field(default_factory=dict)
    used: Days = field(default_factory=dict)


@dataclass(frozen=True)
class Charge:
    """A line to bill: a period of a phase, or the usage of a meter in it. ``number`` counts the lines that
    there were for the same before."""

    timeline: Timeline
    phase: Phase
    change: Change
    index: int
    number: int
    served: Period
    metered: Metered | None = None
    units: Decimal = Decimal(0)

    @property
    def charge_key(self) -> str:
        """Unique in the database."""
        return f"{self.change.key}/{self.number}"


@dataclass(frozen=True)
class Repair:
    """So much of a line to be taken back; ``net`` is what the document says of it, before tax."""

    timeline: Timeline
    line: Line
    change: Change

    @property
    def rated(self) -> int:
        """At the plan's own price; positive."""
        return -self.change.amount.minor

    @property
    def net(self) -> int:
        """Of the line's own net."""
        return self.line.net_of(self.rated)


@dataclass(frozen=True)
class Difference:
    """What is to be posted, repairs first; nothing when all is as it should be."""

    repairs: tuple[Repair, ...] = ()
    charges: tuple[Charge, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.repairs or self.charges)


def facts(session: Session, timelines: Sequence[Timeline]) -> Facts:
    """Read what a comparison of the timelines needs; the number of statements is always the same."""
    known = metering.meters(session, timelines)
    return Facts(
        timelines,
        standing.read(session, timelines),
        known,
        metering.days(session, timelines, known),
    )


def compare(timelines: Sequence[Timeline], known: Facts, as_of: date) -> Difference:
    """What is to be posted of some services by ``as_of``, that day included."""
    repairs: list[Repair] = []
    charges: list[Charge] = []
    for timeline in timelines:
        if timeline.activated_on is None or timeline.bill_day is None:
            continue
        for found in (_periods(timeline, known, as_of), _usage(timeline, known, as_of)):
            repairs += [one for one in found.repairs if one.net]
            charges += found.charges
    return Difference(tuple(repairs), tuple(charges))


def _periods(timeline: Timeline, known: Facts, as_of: date) -> Difference:
    repairs: list[Repair] = []
    charges: list[Charge] = []
    for phase in timeline.phases:
        if phase.starts_on is None:
            continue
        mine = [line for line in known.lines.get(phase.id, ()) if line.meter_id is None]
        own = terms.terms_of(timeline, phase)
        have = [line.as_billed(own) for line in mine]
        wants = {one.key: one for one in due.reached(own, have, as_of)}
        for change in changes.compare(have, list(wants.values())):
            if change.repairs is not None:
                repairs.append(Repair(timeline, _line(mine, change), change))
                continue
            index = int(change.key.rpartition("/")[2])
            number = sum(1 for line in mine if line.index == index)
            served = wants[change.key].service.served
            charges.append(Charge(timeline, phase, change, index, number, served))
    return Difference(tuple(repairs), tuple(charges))


def _usage(timeline: Timeline, known: Facts, as_of: date) -> Difference:
    windows = {one.key: one for one in terms.windows(timeline, known.meters, as_of)}
    mine = [
        line
        for phase in timeline.phases
        for line in known.lines.get(phase.id, ())
        if line.meter_id is not None
    ]
    if not windows and not mine:
        return Difference()
    units = {key: metering.units(one, known.used) for key, one in windows.items()}
    wants = [WantedUsage(key, one.metered.pricing.rate(units[key])) for key, one in windows.items()]
    # What was billed by a later day stays until that day is asked about.
    have = [line.as_usage() for line in mine if line.key in windows or _is_past(line, as_of)]
    repairs: list[Repair] = []
    charges: list[Charge] = []
    for change in usage.compare(have, wants):
        if change.repairs is not None:
            repairs.append(Repair(timeline, _line(mine, change), change))
            continue
        window = windows[change.key]
        number = sum(1 for line in mine if line.key == change.key)
        charges.append(
            Charge(
                timeline,
                window.phase,
                change,
                window.index,
                number,
                window.days,
                window.metered,
                units[change.key],
            )
        )
    return Difference(tuple(repairs), tuple(charges))


def _is_past(line: Line, as_of: date) -> bool:
    return line.served is None or line.served.end <= as_of


def _line(mine: Sequence[Line], change: Change) -> Line:
    return next(line for line in mine if str(line.id) == change.repairs)


def marked(
    timelines: Sequence[Timeline],
    known: Facts,
    revisions: Mapping[uuid.UUID, int],
    as_of: date,
) -> list[Marked]:
    """How far the services were looked at by ``as_of``."""
    return [
        Marked(
            one.id,
            revisions[one.id],
            as_of,
            terms.next_day(one, known.meters, as_of),
            terms.open_from(one, known.meters, as_of),
        )
        for one in timelines
        if one.activated_on is not None and one.bill_day is not None
    ]
