"""Services are earned by the days that they served, to the end of each calendar month and of what was billed.

A line of a plan is for a period of it; a line that staff wrote, for the days that it names. Days without
service (a pause, an end that came early) are not earned: they are credited, and what is not credited of them
is earned with the last day that the line is for. Called by the clock, and after a memo on what was looked at
before.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.calendar import Period, days_of
from core.kernel.clock import local_date
from core.parties.models import LegalEntity
from core.revenue import earning
from core.revenue.earning import Contract
from core.revenue.promises import RATABLE, Promise
from core.subscriptions import reading
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.timeline import Phase, Timeline
from invoices.earned import billed
from invoices.earned.billed import Billed
from invoices.models import Invoice, InvoiceLine


@dataclass(frozen=True)
class Served:
    """The days that a line is for, and on which of them there is service."""

    paid: Period
    runs: Period
    pauses: tuple[Period, ...] = ()

    def until(self, today: date) -> tuple[int, int]:
        """How many of its days were served by the last end of a month before ``today``, and of how many.

        All of them once the last day that it is for is over.
        """
        if today >= self.paid.end:
            return self.paid.days, self.paid.days
        reached = Period(self.paid.start, max(self.paid.start, today.replace(day=1)))
        served = reached.within(self.runs)
        return served.days - days_of(self.pauses, served), self.paid.days

    def due(self, today: date) -> date | None:
        """When more of it is earned; None when nothing is left."""
        if today >= self.paid.end:
            return None
        later = max(today, self.paid.start).replace(day=1) + timedelta(days=31)
        return min(later.replace(day=1), self.paid.end)


def settle(session: Session, line_ids: Collection[uuid.UUID], now: datetime) -> None:
    """Bring what is earned of lines of bills to the days that were served. Their payer is locked.

    Lines of services that have not begun are left for later.
    """
    rows: Sequence[Any] = session.execute(
        select(InvoiceLine, Invoice, SubscriptionPhase.subscription_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .outerjoin(SubscriptionPhase, SubscriptionPhase.id == InvoiceLine.phase_id)
        .where(InvoiceLine.id.in_(line_ids))
    ).all()
    begun = _timelines(session, [key for _, _, key in rows if key is not None])
    nets = billed.of_bill_lines(session, [line.id for line, _, _ in rows])
    known = earning.of_lines(session, [line.id for line, _, _ in rows])
    groups: dict[tuple[uuid.UUID, uuid.UUID], list[tuple[InvoiceLine, Served]]] = defaultdict(list)
    bills = {}
    for line, invoice, subscription_id in rows:
        served = _served(line, begun.get(line.phase_id))
        if served is not None:
            bills[invoice.id] = invoice
            groups[invoice.id, invoice.id if subscription_id is None else subscription_id].append(
                (line, served)
            )
    for (invoice_id, contract_id), mine in groups.items():
        contract, today = _contract(session, bills[invoice_id], contract_id, now)
        earning.settle(
            session,
            contract,
            [_promise(line, served, nets[line.id], today) for line, served in mine],
            {line.id: known[line.id] for line, _ in mine if line.id in known},
            today,
            now,
            due={line.id: served.due(today) for line, served in mine},
        )


def _contract(
    session: Session, invoice: Invoice, contract_id: uuid.UUID, now: datetime
) -> tuple[Contract, date]:
    """A service as far as one bill goes, at that bill's rate; and today, where it is sold."""
    entity = session.get_one(LegalEntity, invoice.legal_entity_id)
    contract = Contract(
        contract_id,
        "invoice" if contract_id == invoice.id else "subscription",
        invoice.legal_entity_id,
        invoice.payer_account_id,
        invoice.currency,
        billed.rate_of(session, invoice.legal_entity_id, invoice.currency, [invoice.id]),
    )
    return contract, local_date(now, entity.time_zone)


def _promise(line: InvoiceLine, served: Served, found: Billed, today: date) -> Promise:
    """What was credited for days without service is no part of what the others are worth."""
    days, of = served.until(today)
    return Promise(
        key=line.id,
        trigger=RATABLE,
        net=found.net,
        done=abs(found.net + found.unused) * days if days < of else abs(found.net) * of,
        whole=abs(found.net) * of,
        order_line_id=line.order_line_id,
        invoice_line_id=line.id,
    )


def _timelines(
    session: Session, keys: Iterable[uuid.UUID]
) -> dict[uuid.UUID | None, tuple[Timeline, Phase, Period]]:
    """By phase: of which service it is, and its days."""
    wanted = set(keys)
    found = reading.timelines(session, Subscription.id.in_(wanted)) if wanted else []
    return {phase.id: (one, phase, days) for one in found for phase, days in one.spans()}


def _served(line: InvoiceLine, of: tuple[Timeline, Phase, Period] | None) -> Served | None:
    """None for what has not begun, or says no days."""
    paid = None
    if line.period_start is not None and line.period_end is not None:
        paid = Period(line.period_start, line.period_end + timedelta(days=1))
    if line.phase_id is None:
        return Served(paid, paid) if paid is not None else None
    if of is None:
        return None
    service, phase, runs = of
    if paid is None:  # the order's line is its first period
        cycle = service.cycle(phase)
        paid = cycle.period((line.period_index or 0) + cycle.index_of(runs.start))
    return Served(paid, runs, service.pauses)
