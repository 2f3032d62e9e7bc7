"""After a memo: what is earned of its lines follows what it left of them. Called by ``invoices.memos``."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.orders import placing
from core.revenue import earning
from core.revenue.promises import RATABLE
from invoices.document import Kind
from invoices.earned import billed, days, orders
from invoices.models import Invoice, InvoiceLine


def settle(session: Session, bill: Invoice, lines: Sequence[InvoiceLine], now: datetime) -> None:
    """Bring what is earned of a bill's lines to what a memo has left of them. Its payer is locked."""
    if bill.order_id is not None and any(line.charge_key is None for line in lines):
        orders.settle(session, placing.lock(session, bill.order_id), now)
    if bill.kind == Kind.INVOICE.value:
        keys = [line.id for line in lines if line.charge_key is not None or line.period_start]
    else:  # a memo on a memo: what it goes back to is not on its lines
        keys = list(billed.roots(session, [line.id for line in lines]))
    known = earning.of_lines(session, keys) if keys else {}
    by_days = [key for key, row in known.items() if row.trigger == RATABLE]
    if by_days:
        days.settle(session, by_days, now)
