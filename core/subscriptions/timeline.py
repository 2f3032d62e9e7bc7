"""A subscription over time, as plain values: which plan on which days, and which days it rested. Pure.

Billing, previews and the pages of a service are all worked out from this; ``reading.timelines`` makes it of
the rows, and ``changed`` makes what it would be after a change that nobody has agreed to yet.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from core.kernel.calendar import MONTHS, Cycle, Period

#: After any day that a service is asked about.
NEVER = date.max


@dataclass(frozen=True)
class Phase:
    """A plan at a price, from ``starts_on`` (None: not activated yet) until the next phase begins."""

    id: uuid.UUID
    number: int
    kind: str
    variant_id: uuid.UUID
    sku: str
    name: str
    tax_category: str
    quantity: int
    unit_price_micros: int
    interval: str
    interval_count: int
    starts_on: date | None
    cycle_from: date | None
    #: The list or quote that the price is from.
    source: str = ""
    #: It is sold by numbers or addresses: whoever names them has to ask which ones its service has.
    numbered: bool = False

    @property
    def months(self) -> int:
        """How many months one period has."""
        return MONTHS[self.interval] * self.interval_count


@dataclass(frozen=True)
class Timeline:
    """One subscription: its phases by their beginning, its pauses, and when it ends (first day without)."""

    id: uuid.UUID
    public_id: str
    currency: str
    state: str
    payer_account_id: uuid.UUID
    service_account_id: uuid.UUID
    activated_on: date | None
    bill_day: int | None
    ended_on: date | None
    phases: tuple[Phase, ...]
    pauses: tuple[Period, ...] = ()
    label: str = ""
    payment_method_id: uuid.UUID | None = None
    #: Where it was bought: who bills it, and whether its prices contain their taxes.
    channel_id: uuid.UUID | None = None
    service_location: dict[str, object] | None = field(default=None, hash=False)

    @property
    def is_numbered(self) -> bool:
        """Does it have numbers, or did it with an earlier plan?"""
        return any(phase.numbered for phase in self.phases)

    def spans(self) -> Iterator[tuple[Phase, Period]]:
        """Each phase that has begun or is agreed, with its days; an open end is ``NEVER``."""
        begun = [phase for phase in self.phases if phase.starts_on is not None]
        last = self.ended_on or NEVER
        starts = [phase.starts_on for phase in begun if phase.starts_on is not None]
        for phase, start, following in zip(begun, starts, [*starts[1:], last], strict=False):
            end = min(following, last)
            yield phase, Period(min(start, end), end)

    def phase_on(self, day: date) -> Phase | None:
        """The phase that holds on a day; None before activation and after the end."""
        return next((phase for phase, days in self.spans() if day in days), None)

    def trial_end(self, day: date) -> date | None:
        """The first day after the trial that runs on a day; None when none does, or it has no end."""
        for phase, days in self.spans():
            if day in days and phase.kind == "trial" and days.end != NEVER:
                return days.end
        return None

    def cycle(self, phase: Phase) -> Cycle:
        """The bill days of a phase. ValueError while the service waits for activation."""
        if phase.cycle_from is None or self.bill_day is None:
            raise ValueError(f"{self.public_id} is not activated")
        return Cycle.on_day(self.bill_day, phase.cycle_from, phase.months)

    def rests_on(self, day: date) -> bool:
        """Is it paused on that day?"""
        return any(day in pause for pause in self.pauses)
