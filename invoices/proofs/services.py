"""Services on documents: what is billed of them is what was served, once, and nothing is left to bill."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.parties.models import Account
from core.subscriptions import reading
from core.subscriptions.models import Subscription, SubscriptionPhase
from invoices.billing import comparing, marks
from invoices.billing.comparing import Difference
from invoices.billing.models import REAL, BillRun
from invoices.models import Invoice, InvoiceLine

#: So many payers are compared at a time.
_PAGE = 200


def charges_are_of_served_days(session: Session, as_of: date | None) -> Part:
    """No line is for days before its phase began or after its service ended; those of an end that came
    later were given back, which ``nothing_is_left_to_bill`` shows."""
    found = proof.offenders(
        session,
        _unserved(as_of),
        lambda row: (
            f"invoice {row[0]}, line {row[1]}: service {row[2]} was not there on those days"
        ),
    )
    many = proof.count(session, _charges(as_of))
    return Part(f"{many:,} lines of services", found)


def charges_come_once(session: Session, as_of: date | None) -> Part:
    """The charges of one period are numbered from 0 without a gap, and none is there twice."""
    found = proof.offenders(
        session,
        _billed_twice(as_of),
        lambda row: f"period {row[2]} of phase {row[0]} is billed twice",
    )
    found += proof.offenders(
        session, _unkeyed(as_of), lambda row: f"invoice {row[0]}, line {row[1]} bills no period"
    )
    many = proof.count(session, _periods(as_of))
    return Part(f"{many:,} periods", found)


def nothing_is_left_to_bill(session: Session) -> Part:
    """Every payer whose services did not change since is billed what the comparison wants by that day."""
    counted = _Counted()
    wrong = proof.first_few(_left(session, counted))
    return Part(f"{counted.payers:,} payers up to date", wrong)


@dataclass
class _Counted:
    payers: int = 0


def _left(session: Session, counted: _Counted) -> Iterator[str]:
    after: uuid.UUID | None = None
    while rows := session.execute(marks.seen(after, _PAGE)).all():
        days = {row[0]: row[1] for row in rows}
        after = rows[-1][0]
        services = reading.timelines(session, Subscription.payer_account_id.in_(list(days)))
        known = comparing.facts(session, services)
        for key, day in days.items():
            counted.payers += 1
            mine = [one for one in services if one.payer_account_id == key]
            found = comparing.compare(mine, known, day)
            if found:
                yield _told(session, key, day, found)


def _told(session: Session, key: uuid.UUID, day: date, found: Difference) -> str:
    number = session.get_one(Account, key).number
    more = ", ".join(charge.charge_key for charge in found.charges[:1])
    less = ", ".join(repair.change.key for repair in found.repairs[:1])
    parts = [f"{more} is not billed" if more else "", f"{less} is billed too much" if less else ""]
    return f"account {number} by {day}: " + "; ".join(part for part in parts if part)


def runs_left_nobody_out(session: Session) -> Part:
    """Whoever was due by the last run was looked at by it, or is parked."""
    last = session.scalar(_last_run())
    if last is None:
        return Part("no run yet")
    zones = marks.days_of_zones(session, last.started_at)
    late = marks.late(last.as_of, zones, last.started_at)
    wrong = proof.offenders(
        session, late, lambda row: f"account {row[0]} was due by {last.as_of} and not looked at"
    )
    return Part(f"run of {last.as_of}", wrong)


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _unserved(as_of: date | None) -> Select[*tuple[Any, ...]]:
    days = (
        InvoiceLine.period_start.is_not(None),
        or_(
            SubscriptionPhase.starts_on.is_(None),
            InvoiceLine.period_start < SubscriptionPhase.starts_on,
            InvoiceLine.period_end < InvoiceLine.period_start,
        ),
    )
    named = (Invoice.number, InvoiceLine.line_number, Subscription.public_id)
    return _of_charges(as_of, *named).where(*days).order_by(*named[:2])


@lru_cache(maxsize=8)
def _charges(as_of: date | None) -> Select[int]:
    return _of_charges(as_of, func.count())


def _of_charges(as_of: date | None, *columns: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*columns)
        .select_from(InvoiceLine)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .join(SubscriptionPhase, SubscriptionPhase.id == InvoiceLine.phase_id)
        .join(Subscription, Subscription.id == SubscriptionPhase.subscription_id)
        .where(InvoiceLine.charge_key.is_not(None), *proof.until(Invoice.issue_date, as_of))
    )


@lru_cache(maxsize=8)
def _billed_twice(as_of: date | None) -> Select[*tuple[Any, ...]]:
    keys = func.count(InvoiceLine.charge_key.distinct())
    return _by_period(as_of).having(func.count() != keys)


@lru_cache(maxsize=8)
def _periods(as_of: date | None) -> Select[int]:
    return select(func.count()).select_from(_by_period(as_of).subquery())


def _by_period(as_of: date | None) -> Select[*tuple[Any, ...]]:
    line = InvoiceLine
    what = (line.phase_id, line.meter_id, line.period_index)
    return (
        select(*what, func.count().label("lines"), func.count(line.charge_key.distinct()))
        .join(Invoice, Invoice.id == line.invoice_id)
        .where(line.charge_key.is_not(None), *proof.until(Invoice.issue_date, as_of))
        .group_by(*what)
    )


@lru_cache(maxsize=8)
def _unkeyed(as_of: date | None) -> Select[str, int]:
    line = InvoiceLine
    return (
        select(Invoice.number, line.line_number)
        .join(Invoice, Invoice.id == line.invoice_id)
        .where(
            line.phase_id.is_not(None),
            line.charge_key.is_(None),
            *proof.until(Invoice.issue_date, as_of),
        )
        .order_by(Invoice.number)
    )


@cache
def _last_run() -> Select[BillRun]:
    return (
        select(BillRun)
        .where(BillRun.kind == REAL, BillRun.account_id.is_(None), BillRun.finished_at.is_not(None))
        .order_by(BillRun.as_of.desc(), BillRun.started_at.desc())
        .limit(1)
    )
