"""Opening a dispute: of one line, within what is left of it, its amount out of what is collected.

Called by ``flows.open_dispute`` in its transaction; the payer's account is locked here.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.events import DisputeOpened
from core.kernel import audit, crash, jobs, numbering
from core.kernel.clock import local_date
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.ledger import contested, items
from core.parties import accounts
from core.parties.models import LegalEntity
from invoices import business_days
from invoices.correctable import Corrected, is_correctable, lines_of
from invoices.disputes import talking
from invoices.disputes.models import REASONS, STANDING, Dispute
from invoices.disputes.refusals import (
    AnsweredBefore,
    DisputedAlready,
    DisputedOften,
    DisputedTooMuch,
    NotDisputable,
)
from invoices.disputes.talking import Said
from invoices.models import Invoice

SERIES = "disputes"
#: The source of a contested amount in the ledger.
SOURCE = "dispute"
#: A customer may take back a dispute of one line and open another so often; then staff do.
MOST_TAKEN_BACK = 3
_FIRST = 100_000


@dataclass(frozen=True)
class Wanted:
    """What is disputed, and by whom. ``amount`` None: all that is left of the line."""

    invoice_id: uuid.UUID
    line_number: int
    reason: str
    amount: Money | None
    said: Said
    wish: str = "keep"
    #: Opened by staff for somebody on the phone: also once it was answered before.
    by_staff: bool = field(default=False, kw_only=True)


def open_one(session: Session, wanted: Wanted, days: int, now: datetime) -> Dispute:
    """Write a dispute down, have its amount contested and its customer told, until when we answer.

    Raises NotFound, Invalid, NotDisputable, DisputedAlready, AnsweredBefore or DisputedTooMuch.
    """
    invoice = session.get_one(Invoice, wanted.invoice_id)
    accounts.lock(session, invoice.payer_account_id)
    line = _line(session, invoice, wanted.line_number)
    _check_free(session, line, by_staff=wanted.by_staff)
    amount = _amount(line, wanted, invoice)
    if wanted.reason not in REASONS:
        raise Invalid({"reason": "Choose a reason."})
    entity = session.get_one(LegalEntity, invoice.legal_entity_id)
    today = local_date(now, entity.time_zone)
    dispute = Dispute(
        id=new_id(),
        public_id=new_public_id(),
        number=f"DP{_FIRST + numbering.take(session, entity.id, SERIES)}",
        legal_entity_id=entity.id,
        account_id=invoice.payer_account_id,
        invoice_id=invoice.id,
        line_id=line.row.id,
        currency=invoice.currency,
        amount_minor=amount.minor,
        reason=wanted.reason,
        state="open",
        wish=wanted.wish if wanted.wish == "refund" else "keep",
        opened_by=wanted.said.actor,
        answer_by=answer_by(today, days, entity.country),
        last_side=wanted.said.side,
        last_at=now,
        opened_at=now,
        changed_at=now,
    )
    session.add(dispute)
    session.flush()
    talking.note(session, dispute, wanted.said, now, is_first=True)
    _contest(session, dispute, today, now)
    about = ("dispute", dispute.public_id)
    audit.write(session, now, wanted.said.actor, "dispute.opened", about, number=dispute.number)
    jobs.record(session, DisputeOpened(str(dispute.id)), now, key=f"dispute:{dispute.id}")
    crash.point("dispute.before_commit")
    return dispute


def answer_by(today: date, days: int, country: str) -> date:
    """The day that is so many business days on."""
    for _ in range(days):
        today = business_days.next_business_day(today + timedelta(days=1), country)
    return today


def disputable(session: Session, invoice: Invoice) -> list[Corrected]:
    """The lines of a bill of which something is left to be disputed."""
    if not is_correctable(invoice):
        return []
    return [line for line in lines_of(session, invoice.id) if line.creditable.left_net > 0]


def standing(session: Session, line_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Dispute]:
    """The last dispute of each of the lines that is not withdrawn."""
    rows = session.scalars(
        select(Dispute)
        .where(Dispute.line_id.in_(line_ids), Dispute.state != "withdrawn")
        .order_by(Dispute.opened_at, Dispute.id)
    )
    return {row.line_id: row for row in rows}


def _line(session: Session, invoice: Invoice, line_number: int) -> Corrected:
    if not is_correctable(invoice):
        raise NotDisputable(invoice.number)
    for line in lines_of(session, invoice.id):
        if line.row.line_number == line_number:
            if line.row.net_minor <= 0:
                raise NotDisputable(invoice.number)
            return line
    raise NotFound("line to dispute")


def _check_free(session: Session, line: Corrected, *, by_staff: bool) -> None:
    known = standing(session, [line.row.id]).get(line.row.id)
    if known is None:
        if not by_staff:
            _check_times(session, line)
        return
    if known.state in STANDING:
        raise DisputedAlready(known.number, known.public_id)
    if not by_staff:
        raise AnsweredBefore(known.number, known.public_id)


def _check_times(session: Session, line: Corrected) -> None:
    times = session.scalar(
        select(func.count()).where(Dispute.line_id == line.row.id, Dispute.state == "withdrawn")
    )
    if times is not None and times >= MOST_TAKEN_BACK:
        raise DisputedOften(times)


def _amount(line: Corrected, wanted: Wanted, invoice: Invoice) -> Money:
    left = Money(max(line.creditable.left_total, 0), invoice.currency)
    amount = left if wanted.amount is None else wanted.amount
    if amount.currency != invoice.currency:
        raise Invalid({"amount": f"An amount in {invoice.currency}."})
    if amount > left or not left:
        raise DisputedTooMuch(left, amount)
    if amount.minor <= 0:
        raise Invalid({"amount": "More than nothing."})
    return amount


def _contest(session: Session, dispute: Dispute, today: date, now: datetime) -> None:
    """The amount is neither dunned nor drawn from here on. A bill that asked for nothing has no item."""
    item = items.of_sources(session, [dispute.invoice_id]).get(dispute.invoice_id)
    if item is None:
        return
    amount = min(Money(dispute.amount_minor, dispute.currency), item.amount)
    contested.contest(session, item, amount, (SOURCE, dispute.id), today, now)


def end_contest(session: Session, dispute: Dispute, now: datetime) -> None:
    """What is open of it may be collected again."""
    item = items.of_sources(session, [dispute.invoice_id]).get(dispute.invoice_id)
    if item is None:
        return
    entity = session.get_one(LegalEntity, dispute.legal_entity_id)
    today = local_date(now, entity.time_zone)
    contested.close(session, item, (SOURCE, dispute.id), today, now)
