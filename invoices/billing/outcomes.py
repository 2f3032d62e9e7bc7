"""What became of each account of a run, page by page, in the order in which it was noted."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.parties.models import Account
from invoices.billing.models import BillOutcome
from invoices.models import Invoice


@dataclass(frozen=True)
class Outcome:
    """One document, or why there is none. ``document`` is its number, empty in a preview."""

    id: uuid.UUID
    account_id: uuid.UUID
    account_number: str
    account_name: str
    kind: str
    currency: str
    amount_minor: int
    reason: str
    document: str
    document_id: str

    @property
    def signed(self) -> Money:
        """What a memo gives stands below zero."""
        turn = -1 if self.kind == "credited" else 1
        return Money(turn * self.amount_minor, self.currency)


def page(
    session: Session, run_id: uuid.UUID, *, after: uuid.UUID | None, limit: int
) -> list[Outcome]:
    """Outcomes behind the one with the key ``after``, the first noted first."""
    query = (
        select(
            BillOutcome.id,
            BillOutcome.account_id,
            Account.number,
            Account.name,
            BillOutcome.kind,
            BillOutcome.currency,
            BillOutcome.amount_minor,
            BillOutcome.reason,
            Invoice.number,
            Invoice.public_id,
        )
        .join(Account, Account.id == BillOutcome.account_id)
        .outerjoin(Invoice, Invoice.id == BillOutcome.invoice_id)
        .where(BillOutcome.run_id == run_id)
        .order_by(BillOutcome.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(BillOutcome.id > after)
    return [Outcome(*row[:8], row[8] or "", row[9] or "") for row in session.execute(query)]


def write(last: Outcome) -> str:
    """Where the next page begins, for an address."""
    return last.id.hex


def cursor(text: str) -> uuid.UUID | None:
    """What ``write`` wrote; None at the beginning. NotFound for what is none."""
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound("page") from None
