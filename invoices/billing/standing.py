"""What is billed of some phases: the lines of their invoices, less what credit memos took back of them.

A credit memo with the reason ``not_used`` is a repair that an earlier comparison made; any other lessens
what is left to take back, and not what should be billed.
"""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.calendar import Period
from core.kernel.money import Money
from core.orders.models import OrderLine
from core.subscriptions.timeline import Phase, Timeline
from invoices.billing import terms
from invoices.billing.terms import TRIAL
from invoices.document import Kind
from invoices.models import NOT_USED, Invoice, InvoiceLine
from invoices.rating.changes import Billed
from invoices.rating.due import Terms
from invoices.rating.proration import Service
from invoices.rating.usage import BilledUsage
from invoices.why import Formula


@dataclass(frozen=True)
class Line:
    """A line of a service. ``rated`` is at the plan's own price; ``net`` what the document says, before tax.

    ``repaired`` and ``adjusted`` are what memos took back, at the plan's price; ``credited_net`` is the net
    of both, and ``memos`` how many they were. ``days`` is for how many days it was billed, None for all that
    it serves; ``days_back`` is how many of them repairs gave back.
    """

    id: uuid.UUID
    invoice_id: uuid.UUID
    line_number: int
    phase_id: uuid.UUID
    index: int
    meter_id: uuid.UUID | None
    currency: str
    rated: int
    net: int
    served: Period | None
    days: int | None
    #: The order's own invoice is still to come.
    is_promised: bool = False
    days_back: int = 0
    repaired: int = 0
    adjusted_net: int = 0
    credited_net: int = 0
    memos: int = 0

    @property
    def key(self) -> str:
        """What it is for."""
        return key_of(self.phase_id, self.meter_id, self.index)

    @property
    def left_net(self) -> int:
        """The net that can still be credited."""
        return self.net - self.credited_net

    @property
    def adjusted(self) -> int:
        """Other credits at the plan's price. Of a line that came to nothing there is nothing to take back."""
        if self.is_promised or not self.net:
            return self.rated
        return _nearest(self.rated * self.adjusted_net, self.net)

    def as_billed(self, terms: Terms) -> Billed:
        """For the comparison of periods. The order's line is a whole period: its first."""
        period = terms.cycle.period(self.index + terms.cycle.index_of(terms.starts))
        service = Service(period, self.served.within(period) if self.served else period)
        days = service.days if self.days is None else self.days
        return Billed(
            line=str(self.id),
            key=self.key,
            price=terms.price,
            service=service,
            amount=self._money(self.rated),
            repaired=self._money(self.repaired),
            adjusted=self._money(self.adjusted),
            stood_days=max(days - self.days_back, 0),
        )

    def as_usage(self) -> BilledUsage:
        """For the comparison of usage."""
        money = self._money
        return BilledUsage(
            str(self.id),
            self.key,
            money(self.rated),
            money(self.repaired),
            money(self.adjusted),
        )

    def net_of(self, take: int) -> int:
        """The net that goes with taking back so much of ``rated``: in proportion, rounded on all that was
        taken back so far, and the last of it with the last."""
        if take >= self.rated - self.repaired - self.adjusted:
            return self.left_net
        before = _nearest(self.net * self.repaired, self.rated)
        part = _nearest(self.net * (self.repaired + take), self.rated) - before
        return min(part, self.left_net)

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)


def _nearest(product: int, whole: int) -> int:
    return (2 * product + whole) // (2 * whole)


def key_of(phase_id: uuid.UUID, meter_id: uuid.UUID | None, index: int) -> str:
    """What a line is for: phase, meter and period, counted from the phase's first as 0."""
    meter = f"{meter_id.hex}/" if meter_id is not None else ""
    return f"{phase_id.hex}/{meter}{index}"


#: The lines of each phase, the oldest first.
Lines = Mapping[uuid.UUID, Sequence[Line]]


def read(session: Session, timelines: Sequence[Timeline]) -> Lines:
    """Everything that was billed of the timelines' phases; three statements, however many."""
    phases = [phase for timeline in timelines for phase in timeline.phases]
    if not phases:
        return {}
    lines = _lines(session, [phase.id for phase in phases])
    found: dict[uuid.UUID, list[Line]] = defaultdict(list)
    for line in _credited(session, lines):
        found[line.phase_id].append(line)
    for line in _promised(session, timelines, found):
        found[line.phase_id].append(line)
    return found


def _lines(session: Session, phase_ids: Sequence[uuid.UUID]) -> list[Line]:
    columns = InvoiceLine
    rows = session.execute(
        select(
            columns.id,
            columns.invoice_id,
            columns.line_number,
            columns.phase_id,
            columns.period_index,
            columns.meter_id,
            columns.rated_minor,
            columns.net_minor,
            columns.period_start,
            columns.period_end,
            columns.why["days"].as_integer(),
            columns.why["formula"].as_string(),
            Invoice.currency,
        )
        .join(Invoice, Invoice.id == columns.invoice_id)
        .where(columns.phase_id.in_(phase_ids), columns.charge_key.is_not(None))
        .order_by(Invoice.issued_at, columns.invoice_id, columns.line_number)
    )
    return [_line(row) for row in rows]


def _line(row: Any) -> Line:
    (key, invoice, number, phase, index, meter, rated, net, start, end, days, formula, cash) = row
    served = Period(start, date.fromordinal(end.toordinal() + 1)) if start and end else None
    known = days is not None or formula == Formula.QUANTITY
    return Line(
        id=key,
        invoice_id=invoice,
        line_number=number,
        phase_id=phase,
        index=index,
        meter_id=meter,
        currency=cash,
        rated=rated,
        net=net,
        served=served,
        days=days if known else 0,
    )


def _credited(session: Session, lines: Sequence[Line]) -> list[Line]:
    """The lines with what was credited of each."""
    if not lines:
        return []
    rows = session.execute(
        select(
            InvoiceLine.memo_of_id,
            Invoice.reason,
            InvoiceLine.net_minor,
            InvoiceLine.rated_minor,
            InvoiceLine.why["days"].as_integer(),
        )
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(
            InvoiceLine.memo_of_id.in_([line.id for line in lines]),
            Invoice.kind == Kind.CREDIT_MEMO.value,
        )
    )
    found = {line.id: line for line in lines}
    for key, reason, net, rated, days in rows:
        line = found[key]
        line = replace(line, credited_net=line.credited_net + net, memos=line.memos + 1)
        if reason == NOT_USED and rated is not None:
            back = line.days_back + (days or 0)
            found[key] = replace(line, repaired=line.repaired + rated, days_back=back)
        else:
            found[key] = replace(line, adjusted_net=line.adjusted_net + net)
    return list(found.values())


def _promised(session: Session, timelines: Sequence[Timeline], lines: Lines) -> list[Line]:
    """Period 0 of each ordered plan whose order's invoice is not there yet: it is on its way."""
    firsts = {
        timeline.id: (timeline, phase)
        for timeline in timelines
        for phase in timeline.phases
        if phase.number == 0 and phase.kind != TRIAL and not lines.get(phase.id)
    }
    if not firsts:
        return []
    rows = session.execute(
        select(OrderLine.subscription_id, OrderLine.id).where(
            OrderLine.subscription_id.in_(list(firsts)), OrderLine.period_index == 0
        )
    )
    return [_promise(*firsts[key], line_id) for key, line_id in rows if key is not None]


def _promise(timeline: Timeline, phase: Phase, line_id: uuid.UUID) -> Line:
    return Line(
        id=line_id,
        invoice_id=line_id,
        line_number=0,
        phase_id=phase.id,
        index=0,
        meter_id=None,
        currency=timeline.currency,
        rated=terms.whole(timeline, phase).minor,
        net=0,
        served=None,
        days=None,
        is_promised=True,
    )
