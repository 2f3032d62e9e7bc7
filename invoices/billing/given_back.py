"""What credit memos gave back of a service for days that are not used, for whoever is told of it."""

import uuid
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from core.kernel.money import Money
from core.subscriptions.models import SubscriptionPhase
from invoices.document import Kind
from invoices.models import NOT_USED, Invoice, InvoiceLine


def since(session: Session, subscription_id: uuid.UUID, day: date, currency: str) -> Money:
    """With taxes, by memos that were issued on that day or later."""
    line = aliased(InvoiceLine)
    minor = session.scalar(
        select(func.coalesce(func.sum(InvoiceLine.net_minor + InvoiceLine.tax_minor), 0))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .join(line, line.id == InvoiceLine.memo_of_id)
        .join(SubscriptionPhase, SubscriptionPhase.id == line.phase_id)
        .where(
            SubscriptionPhase.subscription_id == subscription_id,
            Invoice.kind == Kind.CREDIT_MEMO,
            Invoice.reason == NOT_USED,
            Invoice.issue_date >= day,
            Invoice.currency == currency,
        )
    )
    return Money(int(minor or 0), currency)
